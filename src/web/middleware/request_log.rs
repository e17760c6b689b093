//! The access log: one line for each request, in a span with its id and user.

use std::time::Instant;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use tracing::field::Empty;
use tracing::{Instrument as _, error_span};

use crate::web::middleware::request_id::REQUEST_ID;

/// Logs a request when it is answered: its path but never its query, which holds codes and states.
pub(crate) async fn log_request(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = redact_path(request.uri().path()).to_owned();
    let id = request.headers().get(&REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or_default();
    // Of the highest level, so that errors name their request whatever RUST_LOG leaves out.
    let span = error_span!("request", request_id = id, user_id = Empty);
    let start = Instant::now();
    let answer = async move {
        let response = next.run(request).await;
        let status = response.status().as_u16();
        let ms = start.elapsed().as_millis() as u64;
        // As `str` fields these are quoted and escaped, so that no path can forge a line.
        let (method, path) = (method.as_str(), path.as_str());
        match path {
            "/healthz" | "/readyz" => tracing::debug!(method, path, status, ms, "answered"),
            _ => tracing::info!(method, path, status, ms, "answered"),
        }
        response
    };
    answer.instrument(span).await
}

/// The path without what is a secret by itself: invitations and secret links.
pub(crate) fn redact_path(path: &str) -> &str {
    ["/invite/", "/s/"].into_iter().find(|secret| path.starts_with(secret)).unwrap_or(path)
}
