//! Rendering of HTML pages.

use askama::Template;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use crate::state::FakeSpotify;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    mount_path: &'a str,
    message: &'a str,
}

/// `GET /style.css`.
pub(crate) async fn serve_stylesheet() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "max-age=3600"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, include_str!("../templates/style.css"))
}

/// An error page if the browser says that a form was sent from another site (CSRF).
pub(crate) fn reject_cross_site(fake: &FakeSpotify, headers: &HeaderMap) -> Option<Response> {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    matches!(site, Some(b"cross-site" | b"same-site"))
        .then(|| error_page(fake, "This form was sent from another site."))
}

/// 400 with a message.
pub(crate) fn error_page(fake: &FakeSpotify, message: &str) -> Response {
    let mount_path = fake.settings().mount_path();
    render(StatusCode::BAD_REQUEST, &ErrorPage { mount_path, message }, "")
}

/// Renders a page. Its forms may lead to this server and to `form_action`.
pub(crate) fn render(status: StatusCode, page: &impl Template, form_action: &str) -> Response {
    let Ok(html) = page.render() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    // Browsers apply `form-action` to the redirect after the form too.
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
         form-action 'self' {form_action}; frame-ancestors 'none'"
    );
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy.as_str()),
        (header::CACHE_CONTROL, "no-store"),
        // With `no-referrer` browsers send the form with `Origin: null`.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, Html(html)).into_response()
}
