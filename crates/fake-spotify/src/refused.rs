//! The Web API's ways to say no.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a call is refused, and so the form the answer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The usual error object: status and message.
    Error(u16, &'static str),
    /// 401 with its challenge: `invalid_token` or `missing_token`.
    Token(&'static str),
    /// 403 in plain text: the person is not on the allow-list.
    NotListed,
    /// 403 in plain text: the app's owner stopped paying.
    NotPremium,
}

impl Refused {
    pub(super) const FORBIDDEN: Self = Self::Error(403, "Forbidden");
    pub(super) const NOT_FOUND: Self = Self::Error(404, "Resource not found");
}

const STALE: &str = "Missing/invalid/expired access token";
const NOT_LISTED: &str = "Check settings on https://developer.spotify.com/dashboard, \
    the user may not be registered.";
const NOT_PREMIUM: &str = "Active premium subscription required for the owner of the app. \
    When the subscription status changes, it can take a few hours before requests are allowed again.";

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Error(status, message) => error(status, message),
            Self::Token(kind) => {
                let challenge = format!(r#"Bearer realm="spotify", error="{kind}", error_description="{STALE}""#);
                ([(header::WWW_AUTHENTICATE, challenge)], error(401, STALE)).into_response()
            }
            Self::NotListed => (StatusCode::FORBIDDEN, NOT_LISTED).into_response(),
            Self::NotPremium => (StatusCode::FORBIDDEN, NOT_PREMIUM).into_response(),
        }
    }
}

fn error(status: u16, message: &str) -> Response {
    let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = json!({"error": {"status": status, "message": message}});
    (code, Json(body)).into_response()
}
