//! Error responses of the other providers, with the wording that clients parse.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::provider::OtherProvider;

/// Why a code exchange is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rejection {
    /// The client's id or secret is wrong, or sent in the wrong place.
    InvalidClient,
    /// The code is used, unknown or another provider's.
    InvalidCode,
}

/// The response to a rejected code exchange.
pub(super) fn token_error(provider: OtherProvider, rejection: Rejection) -> Response {
    let oauth = |error: &str, description: &str| json!({"error": error, "error_description": description});
    let graph = |code: u32, message: &str| json!({"error": {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A0"}});
    let (status, body): (u16, Value) = match (provider, rejection) {
        (OtherProvider::Google, Rejection::InvalidClient) => {
            (401, oauth("invalid_client", "The provided client secret is invalid."))
        }
        (OtherProvider::Google, Rejection::InvalidCode) => (400, oauth("invalid_grant", "Bad Request")),
        (OtherProvider::GitHub, Rejection::InvalidClient) => {
            (200, oauth("incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect."))
        }
        (OtherProvider::GitHub, Rejection::InvalidCode) => {
            (200, oauth("bad_verification_code", "The code passed is incorrect or expired."))
        }
        (OtherProvider::Facebook, Rejection::InvalidClient) => (400, graph(1, "Error validating client secret.")),
        (OtherProvider::Facebook, Rejection::InvalidCode) => {
            (400, graph(100, "This authorization code has been used."))
        }
        (OtherProvider::X, Rejection::InvalidClient) => {
            (401, oauth("unauthorized_client", "Missing valid authorization header"))
        }
        (OtherProvider::X, Rejection::InvalidCode) => {
            (400, oauth("invalid_request", "Value passed for the authorization code was invalid."))
        }
    };
    json_response(status, body)
}

/// The response to a request without a valid access token.
pub(super) fn invalid_token(provider: OtherProvider) -> Response {
    match provider {
        OtherProvider::Google => {
            json_response(401, json!({"error": "invalid_request", "error_description": "Invalid Credentials"}))
        }
        OtherProvider::GitHub => json_response(401, json!({"message": "Bad credentials", "status": "401"})),
        OtherProvider::Facebook => json_response(
            400,
            json!({"error": {"message": "Invalid OAuth access token.", "type": "OAuthException", "code": 190}}),
        ),
        OtherProvider::X => json_response(
            401,
            json!({"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}),
        ),
    }
}

pub(super) fn json_response(status: u16, body: Value) -> Response {
    (StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), Json(body)).into_response()
}
