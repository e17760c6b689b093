//! Refusals by fetch metadata (<https://www.w3.org/TR/fetch-metadata/>): other sites may link to pages, and do nothing
//! else. Requests without these headers are allowed: old browsers and programs do not send them.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::web::error::error_for_status;

/// Refuses requests from other sites that are not a navigation: pictures, frames and scripts, with GET or HEAD.
pub(crate) async fn refuse_embedded(request: Request, next: Next) -> Response {
    let is_allowed = !is_cross_origin(request.headers()) || is_document(request.headers());
    run_if(is_allowed, request, next).await
}

/// Refuses all requests from other sites, links too: for routes that use up a limit of the user, or record something.
pub(crate) async fn refuse_links(request: Request, next: Next) -> Response {
    let is_allowed = !is_cross_origin(request.headers());
    run_if(is_allowed, request, next).await
}

/// Refuses what is not a navigation, wherever it comes from.
pub(crate) async fn require_document(request: Request, next: Next) -> Response {
    let is_allowed = is_document(request.headers());
    run_if(is_allowed, request, next).await
}

async fn run_if(is_allowed: bool, request: Request, next: Next) -> Response {
    match is_allowed {
        true => next.run(request).await,
        false => error_for_status(StatusCode::FORBIDDEN).into_response(),
    }
}

/// True if another site caused the request, or another origin of this one. `none` means the user, for example by a
/// bookmark.
pub(crate) fn is_cross_origin(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"))
}

fn is_document(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-dest").is_none_or(|destination| destination == "document")
}
