//! Health checks for the platform.

use axum::http::StatusCode;

use crate::domain::doctor;
use crate::web::extract::State;

/// Liveness: calls neither the database nor Spotify.
pub(crate) async fn live() -> &'static str {
    "ok\n"
}

/// Readiness: the database is reachable and has the migrations of this release.
pub(crate) async fn ready(app: State) -> (StatusCode, &'static str) {
    match doctor::is_ready(&app).await {
        Ok(true) if app.mode_check.initialized() => (StatusCode::OK, "ready\n"),
        Ok(true) => (StatusCode::SERVICE_UNAVAILABLE, "the database is not checked yet\n"),
        Ok(false) => (StatusCode::SERVICE_UNAVAILABLE, "migrations are missing\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database is unreachable\n"),
    }
}
