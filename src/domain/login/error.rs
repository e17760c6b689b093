//! Login errors.

use super::decide::Conflict;
use super::purpose::LoginRetry;
use crate::domain::Error;
use crate::domain::registration::RegistrationError;
use crate::{db, oauth};

/// A login that failed.
#[derive(Debug)]
pub struct FailedLogin {
    pub error: LoginError,
    /// The parameters for a retry; `None` if this browser started no such login.
    pub retry: Option<LoginRetry>,
}

impl<E: Into<LoginError>> From<E> for FailedLogin {
    fn from(error: E) -> Self {
        Self { error: error.into(), retry: None }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    #[error("the login cookie is missing")]
    NoCookie,
    #[error("the state was used before")]
    Used,
    #[error("the state has expired")]
    Expired,
    /// This browser did not start the login, or the callback is another provider's.
    #[error("the state does not belong to this browser")]
    Unknown,
    #[error("the user refused consent")]
    Denied,
    /// The provider reported another error, or refused the code.
    #[error("the provider ended the login")]
    Rejected,
    #[error(transparent)]
    Conflict(#[from] Conflict),
    #[error(transparent)]
    Registration(RegistrationError),
    /// An error of a provider other than Spotify. Errors of Spotify are [`LoginError::Failed`].
    #[error(transparent)]
    Provider(oauth::Error),
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<db::Error> for LoginError {
    fn from(error: db::Error) -> Self {
        LoginError::Failed(error.into())
    }
}

impl From<RegistrationError> for LoginError {
    fn from(error: RegistrationError) -> Self {
        match error {
            RegistrationError::Failed(error) => LoginError::Failed(error),
            error => LoginError::Registration(error),
        }
    }
}
