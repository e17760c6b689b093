//! Health checks for the platform.

use axum::http::StatusCode;

use crate::domain::doctor;
use crate::web::extract::State;

/// The process answers; neither database nor Spotify is asked.
pub(crate) async fn live() -> &'static str {
    "ok\n"
}

/// Whether requests may be sent here: the database answers, and its tables are those that this release needs.
pub(crate) async fn ready(app: State) -> (StatusCode, &'static str) {
    match doctor::ready(&app).await {
        Ok(true) => (StatusCode::OK, "ready\n"),
        Ok(false) => (StatusCode::SERVICE_UNAVAILABLE, "migrations are missing\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database is away\n"),
    }
}
