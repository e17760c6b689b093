//! The id of a request, in its header, the log and error pages.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};

/// The header that names a request, in and out.
pub(crate) static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Drops a request id that could not be one: it goes into the log and onto error pages. Heroku's router lets through,
/// and makes, 20 to 200 letters, digits and these four signs (devcenter.heroku.com/articles/http-request-id).
pub(crate) fn sanitize_request_id(mut request: Request) -> Request {
    let sign = |b: &u8| b.is_ascii_alphanumeric() || b"+/=-".contains(b);
    let sane = |id: &HeaderValue| (20..=200).contains(&id.len()) && id.as_bytes().iter().all(sign);
    if !request.headers().get(&REQUEST_ID).is_some_and(sane) {
        request.headers_mut().remove(&REQUEST_ID);
    }
    request
}
