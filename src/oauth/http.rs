//! oauth2 over reqwest: no redirects, bounded in time, faults of the server told apart from its answers.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use oauth2::http::StatusCode;
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::redirect::Policy;
use serde_json::{Value, json};

use super::providers::Row;

/// How long a provider may take. A visitor waits for it.
const PATIENCE: Duration = Duration::from_secs(8);
/// The longest answer that is read, in bytes: token answers are a few hundred.
const LONGEST: usize = 64 * 1024;

/// A request that got no usable answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error("no answer in time")]
    TimedOut,
    #[error("status {0}")]
    Status(u16),
    #[error("{0}")]
    Transport(String),
}

impl From<reqwest::Error> for HttpError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            return HttpError::TimedOut;
        }
        // The error itself only says that sending failed; what it comes from says why: no such host, refused…
        let mut cause: &dyn std::error::Error = &error.without_url();
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        HttpError::Transport(cause.to_string())
    }
}

/// GitHub's API answers nobody who does not say a name.
const NAME: &str = concat!("heartlist/", env!("CARGO_PKG_VERSION"));

#[derive(Clone, Debug)]
pub(super) struct Http {
    client: reqwest::Client,
    row: &'static Row,
}

impl Http {
    pub(super) fn new(row: &'static Row) -> Self {
        // A token request that follows a redirect would hand its secret to wherever it points.
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .user_agent(NAME)
            .connect_timeout(Duration::from_secs(3))
            .timeout(PATIENCE)
            .build();
        Self {
            client: client.expect("TLS can begin: it is installed at the start, and the system has ca-certificates"),
            row,
        }
    }

    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let mut answer = self.client.execute(request.try_into()?).await?;
        let status = answer.status();
        // oauth2 loses the status of an answer it cannot parse; what is not an OAuth answer ends here.
        if status.is_server_error() || status.is_redirection() || status.as_u16() == 429 {
            return Err(HttpError::Status(status.as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > LONGEST {
                return Err(HttpError::Transport("an answer without end".into()));
            }
        }
        let mut response = HttpResponse::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = answer.headers().clone();
        Ok(response)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move { Ok(plain(self.row, self.send(request).await?)) })
    }
}

/// A token answer as RFC 6749 §5.2 would have it: what some providers say with status 200, as an object, or
/// under a name of their own.
fn plain(row: &Row, answer: HttpResponse) -> HttpResponse {
    let told = serde_json::from_slice::<Value>(answer.body()).ok();
    let error = match told.as_ref().and_then(|told| told.get("error")) {
        Some(Value::String(name)) => name.clone(),
        Some(Value::Object(error)) => error.get("code").map_or_else(|| "unknown".into(), Value::to_string),
        _ => return answer,
    };
    let name = if row.refusals.contains(&error.as_str()) { "invalid_grant" } else { error.as_str() };
    let mut refused = HttpResponse::new(json!({ "error": name }).to_string().into_bytes());
    *refused.status_mut() = StatusCode::BAD_REQUEST;
    *refused.headers_mut() = answer.headers().clone();
    refused
}

#[cfg(test)]
mod tests {
    use super::super::providers::{FACEBOOK, GITHUB, SPOTIFY};
    use super::*;

    #[test]
    fn every_dialect_of_no_becomes_the_one_of_the_standard() {
        let said = |row, body: &str| {
            let plain = plain(row, HttpResponse::new(body.as_bytes().to_vec()));
            (plain.status().as_u16(), String::from_utf8(plain.into_body()).unwrap())
        };
        let refused = (400, r#"{"error":"invalid_grant"}"#.to_owned());
        assert_eq!(said(&GITHUB, r#"{"error":"bad_verification_code","error_uri":"x"}"#), refused);
        assert_eq!(said(&FACEBOOK, r#"{"error":{"message":"m","type":"OAuthException","code":100}}"#), refused);
        assert_eq!(said(&SPOTIFY, r#"{"error":"invalid_grant"}"#), refused);
        assert_eq!(said(&FACEBOOK, r#"{"error":{"code":1}}"#), (400, r#"{"error":"1"}"#.to_owned()));
        assert_eq!(said(&GITHUB, r#"{"error":"100"}"#), (400, r#"{"error":"100"}"#.to_owned()));
        for whole in [r#"{"access_token":"a"}"#, "no JSON", "[]"] {
            assert_eq!(said(&GITHUB, whole), (200, whole.to_owned()));
        }
    }
}
