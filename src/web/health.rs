//! Signs of life: the health check and a line in the log for each request.

use std::time::Instant;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

use super::REQUEST_ID;

/// The process answers; neither database nor Spotify is asked.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// Logs a request when it is answered: its path and never its query, where codes and states travel.
pub(super) async fn log(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = loggable(request.uri().path()).to_owned();
    let id = request.headers().get(&REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
    let start = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let ms = start.elapsed().as_millis() as u64;
    // Plain texts: the log's writer quotes and escapes them, so that no path can forge a line.
    let (method, path, request_id) = (method.as_str(), path.as_str(), id.as_str());
    match path {
        "/healthz" => tracing::debug!(method, path, status, ms, request_id, "answered"),
        _ => tracing::info!(method, path, status, ms, request_id, "answered"),
    }
    response
}

/// A path as the log may hold it: what opens something by being known is left out.
pub(super) fn loggable(path: &str) -> &str {
    const INVITE: &str = "/invite/";
    if path.starts_with(INVITE) { INVITE } else { path }
}
