//! The request id, which appears in a response header, the log and error pages.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};

pub(crate) static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Removes an invalid request id, because it is logged and displayed. Like Heroku's router, accepts 20 to 200 letters,
/// digits and these four characters (devcenter.heroku.com/articles/http-request-id).
pub(crate) fn sanitize_request_id(mut request: Request) -> Request {
    let is_allowed = |b: &u8| b.is_ascii_alphanumeric() || b"+/=-".contains(b);
    let is_valid = |id: &HeaderValue| (20..=200).contains(&id.len()) && id.as_bytes().iter().all(is_allowed);
    if !request.headers().get(&REQUEST_ID).is_some_and(is_valid) {
        request.headers_mut().remove(&REQUEST_ID);
    }
    request
}
