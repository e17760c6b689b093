//! How each of them says no, word for word where a program reads it.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Service;

/// Why a code is not redeemed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum No {
    /// The app's id or secret is wrong, or shown in the wrong place.
    App,
    /// The code is used, unknown or another's.
    Code,
}

/// The answer with which `service` refuses to redeem.
pub(super) fn token(service: Service, no: No) -> Response {
    let oauth = |error: &str, description: &str| json!({"error": error, "error_description": description});
    let graph = |code: u32, message: &str| json!({"error": {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A0"}});
    let (status, body): (u16, Value) = match (service, no) {
        (Service::Google, No::App) => (401, oauth("invalid_client", "The provided client secret is invalid.")),
        (Service::Google, No::Code) => (400, oauth("invalid_grant", "Bad Request")),
        (Service::GitHub, No::App) => {
            (200, oauth("incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect."))
        }
        (Service::GitHub, No::Code) => {
            (200, oauth("bad_verification_code", "The code passed is incorrect or expired."))
        }
        (Service::Facebook, No::App) => (400, graph(1, "Error validating client secret.")),
        (Service::Facebook, No::Code) => (400, graph(100, "This authorization code has been used.")),
        (Service::X, No::App) => (401, oauth("unauthorized_client", "Missing valid authorization header")),
        (Service::X, No::Code) => {
            (400, oauth("invalid_request", "Value passed for the authorization code was invalid."))
        }
    };
    answer(status, body)
}

/// The answer to a question without a good token.
pub(super) fn stranger(service: Service) -> Response {
    match service {
        Service::Google => answer(401, json!({"error": "invalid_request", "error_description": "Invalid Credentials"})),
        Service::GitHub => answer(401, json!({"message": "Bad credentials", "status": "401"})),
        Service::Facebook => answer(
            400,
            json!({"error": {"message": "Invalid OAuth access token.", "type": "OAuthException", "code": 190}}),
        ),
        Service::X => answer(
            401,
            json!({"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}),
        ),
    }
}

pub(super) fn answer(status: u16, body: Value) -> Response {
    (StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), Json(body)).into_response()
}
