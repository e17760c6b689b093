//! What the pages for people have in common: headers, the style sheet, the refusal.

use super::World;
use askama::Template;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    prefix: &'a str,
    what: &'a str,
}

/// `GET /style.css`: the one style sheet of these pages.
pub(super) async fn stylesheet() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "max-age=3600"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, include_str!("../templates/style.css"))
}

/// A refusal of a form that a browser says comes from another site's page.
pub(super) fn from_elsewhere(world: &World, headers: &HeaderMap) -> Option<Response> {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    matches!(site, Some(b"cross-site" | b"same-site")).then(|| refused(world, "This form was sent from another page."))
}

/// A page that says why not.
pub(super) fn refused(world: &World, what: &str) -> Response {
    let prefix = world.settings().prefix();
    page(StatusCode::BAD_REQUEST, &ErrorPage { prefix, what }, "")
}

/// A page whose forms may lead to `target` too.
pub(super) fn page(status: StatusCode, page: &impl Template, target: &str) -> Response {
    let Ok(html) = page.render() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    // The browser holds the redirect after the form to `form-action` too, hence the target.
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
         form-action 'self' {target}; frame-ancestors 'none'"
    );
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy.as_str()),
        (header::CACHE_CONTROL, "no-store"),
        // Not `no-referrer`: the form would then be sent with `Origin: null`.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, Html(html)).into_response()
}
