//! Well-known addresses (RFC 8615).

use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use time::Duration;
use time::format_description::well_known::Rfc3339;

use crate::web::error::{AppError, Result, error_for_status};
use crate::web::extract::{Now, State};

/// RFC 9116 wants less than a year.
const SECURITY_TXT_TTL: Duration = Duration::days(180);

/// `security.txt` (RFC 9116); 404 without a contact.
pub(crate) async fn security_txt(app: State, Now(now): Now) -> Result {
    let contact = app.config.access.contact.as_ref().ok_or_else(|| error_for_status(StatusCode::NOT_FOUND))?;
    let expires = (now + SECURITY_TXT_TTL).replace_nanosecond(0).map_err(AppError::internal)?;
    let expires = expires.format(&Rfc3339).map_err(AppError::internal)?;
    let canonical = app.config.base_url.join("/.well-known/security.txt").map_err(AppError::internal)?;
    let text = format!("Contact: {contact}\nExpires: {expires}\nCanonical: {canonical}\nPreferred-Languages: en\n");
    Ok(text.into_response())
}

/// `change-password`: there are no passwords, and the account page has the ways to sign in.
pub(crate) async fn change_password() -> Redirect {
    Redirect::to("/account")
}
