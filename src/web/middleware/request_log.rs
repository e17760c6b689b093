//! The access log: one line for each request, in a span with its id and user.

use std::time::Instant;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use tracing::field::Empty;
use tracing::{Instrument as _, error_span};

use crate::web::middleware::request_id::REQUEST_ID;

/// Logs a request with its path, but not its query, which may hold authorization codes and `state`.
pub(crate) async fn log_request(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = redact_path(request.uri().path()).to_owned();
    let id = request.headers().get(&REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or_default();
    // At the highest level, so that RUST_LOG cannot filter out the span of an error.
    let span = error_span!("request", request_id = id, user_id = Empty);
    let start = Instant::now();
    let response_future = async move {
        let response = next.run(request).await;
        let status = response.status().as_u16();
        let ms = start.elapsed().as_millis() as u64;
        // `str` fields are quoted and escaped, which prevents log injection.
        let (method, path) = (method.as_str(), path.as_str());
        match path {
            "/healthz" | "/readyz" => tracing::debug!(method, path, status, ms, "answered"),
            _ => tracing::info!(method, path, status, ms, "answered"),
        }
        response
    };
    response_future.instrument(span).await
}

/// The path without the token of an invitation or a secret link.
pub(crate) fn redact_path(path: &str) -> &str {
    ["/invite/", "/s/"].into_iter().find(|prefix| path.starts_with(prefix)).unwrap_or(path)
}
