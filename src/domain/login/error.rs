//! Login errors.

use super::decide::Conflict;
use crate::domain::Error;
use crate::domain::registration::RegistrationError;
use crate::{db, oauth};

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
    Denied { next: String },
    /// The provider reported another error, or refused the code.
    #[error("the provider ended the login")]
    Rejected { next: String },
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
