//! The signed-in operator of a request.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;

use crate::app::App;
use crate::domain::{CurrentUser, operators};
use crate::web::error::{AppError, Result, error_for_status};
use crate::web::extract::current_user::SignedIn;

/// A signed-in operator. Rejects others with 404: for them, the pages of operators do not exist.
pub(crate) struct OperatorUser(pub(crate) CurrentUser);

impl FromRequestParts<Arc<App>> for OperatorUser {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        let SignedIn(user) = SignedIn::from_request_parts(parts, app).await?;
        match operators::is_operator(app, user.id).await? {
            true => Ok(Self(user)),
            false => Err(error_for_status(StatusCode::NOT_FOUND)),
        }
    }
}
