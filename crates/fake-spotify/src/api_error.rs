//! Error responses of the Web API.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why an API call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ApiError {
    /// The usual error object: status and message.
    Message(u16, &'static str),
    /// 401 with a challenge (RFC 6750 §3): `invalid_token` or `missing_token`.
    Token(&'static str),
    /// 403 in plain text: the user is not on the allow-list.
    NotAllowListed,
    /// 403 in plain text: the owner of the app has no Premium.
    NotPremium,
}

impl ApiError {
    pub(crate) const FORBIDDEN: Self = Self::Message(403, "Forbidden");
    pub(crate) const NOT_FOUND: Self = Self::Message(404, "Resource not found");
    pub(crate) const INVALID_QUERY: Self = Self::Message(400, "Invalid query");
}

const INVALID_TOKEN: &str = "Missing/invalid/expired access token";
const NOT_ALLOW_LISTED: &str = "Check settings on https://developer.spotify.com/dashboard, \
    the user may not be registered.";
const NOT_PREMIUM: &str = "Active premium subscription required for the owner of the app. \
    When the subscription status changes, it can take a few hours before requests are allowed again.";

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            Self::Message(status, message) => error_object(status, message),
            Self::Token(code) => {
                let challenge =
                    format!(r#"Bearer realm="spotify", error="{code}", error_description="{INVALID_TOKEN}""#);
                ([(header::WWW_AUTHENTICATE, challenge)], error_object(401, INVALID_TOKEN)).into_response()
            }
            Self::NotAllowListed => (StatusCode::FORBIDDEN, NOT_ALLOW_LISTED).into_response(),
            Self::NotPremium => (StatusCode::FORBIDDEN, NOT_PREMIUM).into_response(),
        }
    }
}

fn error_object(status: u16, message: &str) -> Response {
    let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = json!({"error": {"status": status, "message": message}});
    (code, Json(body)).into_response()
}
