//! Faults that a request can run into.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::api_error::ApiError;

/// A faulty response. The handler runs only for [`Fault::Slow`], [`Fault::Truncated`], [`Fault::CutOff`] and
/// [`Fault::Rewritten`]; with the others no code is used up and no token issued.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Any status, body and content type.
    Status(u16, String, &'static str),
    /// 401 as for an expired token.
    Unauthorized,
    /// 429 with `Retry-After` and the message of the rolling 30-second limit.
    RateLimited {
        /// Seconds; Spotify has been seen to send more than 80,000.
        retry_after: u64,
    },
    /// 429 with the reason `QUOTA_EXCEEDED` (July 2026) and no `Retry-After`.
    QuotaExceeded,
    /// 502 with the HTML page of a proxy.
    Html502,
    /// The right response after a delay.
    Slow(Duration),
    /// The right status and headers with the first half of the body.
    Truncated,
    /// The right status, headers and first half of the body, then a broken connection.
    CutOff,
    /// The right response with its JSON changed, as by a service that is loose about a format.
    Rewritten(fn(&mut Value)),
    /// 200 with an empty body.
    Empty,
    /// 200 with the content type of JSON and another body.
    NotJson,
    /// No response until the client gives up.
    Hang,
    /// 302 to this address, which a careful client does not follow.
    Redirect(String),
}

impl Fault {
    /// The response sent instead of the handler's.
    pub(crate) fn into_replacement(self) -> Response {
        let json = [(header::CONTENT_TYPE, "application/json")];
        match self {
            Self::Status(status, body, content_type) => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT);
                (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
            }
            Self::Unauthorized => ApiError::Token("invalid_token").into_response(),
            Self::RateLimited { retry_after } => {
                let error = ApiError::Message(429, "API rate limit exceeded");
                ([(header::RETRY_AFTER, retry_after.to_string())], error).into_response()
            }
            Self::QuotaExceeded => {
                let body = r#"{"error":{"status":429,"message":"Too many requests","reason":"QUOTA_EXCEEDED"}}"#;
                (StatusCode::TOO_MANY_REQUESTS, json, body).into_response()
            }
            Self::Html502 => {
                let page =
                    "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>";
                (StatusCode::BAD_GATEWAY, [(header::CONTENT_TYPE, "text/html")], page).into_response()
            }
            Self::NotJson => (json, "upstream connect error or disconnect/reset").into_response(),
            Self::Redirect(to) => {
                let to = HeaderValue::try_from(to).unwrap_or(HeaderValue::from_static("/"));
                (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
            }
            Self::Empty | Self::Slow(_) | Self::Truncated | Self::CutOff | Self::Rewritten(_) | Self::Hang => {
                StatusCode::OK.into_response()
            }
        }
    }
}
