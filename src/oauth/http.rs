//! The HTTP client under oauth2: no redirects, a timeout, a size limit, and provider errors in standard form.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use oauth2::http::StatusCode;
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::redirect::Policy;
use serde_json::{Value, json};

use super::providers::ProviderSpec;

/// Timeout of a request to a provider. A visitor is waiting for it.
const HTTP_TIMEOUT: Duration = Duration::from_secs(8);
/// Maximum size of a response body. Token responses have a few hundred bytes.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error("no response in time")]
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
        // The outer error only says that sending failed; its source says why.
        let mut source: &dyn std::error::Error = &error.without_url();
        while let Some(inner) = source.source() {
            source = inner;
        }
        HttpError::Transport(source.to_string())
    }
}

/// GitHub's API refuses requests without a user agent.
const USER_AGENT: &str = concat!("heartlist/", env!("CARGO_PKG_VERSION"));

#[derive(Clone, Debug)]
pub(super) struct HttpClient {
    client: reqwest::Client,
    spec: &'static ProviderSpec,
}

impl HttpClient {
    pub(super) fn new(spec: &'static ProviderSpec) -> Self {
        // A token request that follows a redirect would send the client secret there.
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .user_agent(USER_AGENT)
            .connect_timeout(Duration::from_secs(3))
            .timeout(HTTP_TIMEOUT)
            .build();
        Self { client: client.expect("TLS is installed at the start, and the system has CA certificates"), spec }
    }

    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let mut response = self.client.execute(request.try_into()?).await?;
        let status = response.status();
        // oauth2 drops the status of a response that it cannot parse, so these are rejected here.
        if status.is_server_error() || status.is_redirection() || status.as_u16() == 429 {
            return Err(HttpError::Status(status.as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_RESPONSE_BYTES {
                return Err(HttpError::Transport("the response is too long".into()));
            }
        }
        let headers = std::mem::take(response.headers_mut());
        let mut response = HttpResponse::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

impl<'c> AsyncHttpClient<'c> for HttpClient {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move { Ok(normalize_error(self.spec, self.send(request).await?)) })
    }
}

/// Turns an error response into the form of RFC 6749 section 5.2. Some providers send errors with status 200, as an
/// object, or under a custom name.
fn normalize_error(spec: &ProviderSpec, response: HttpResponse) -> HttpResponse {
    let json = serde_json::from_slice::<Value>(response.body()).ok();
    let error = match json.as_ref().and_then(|json| json.get("error")) {
        Some(Value::String(name)) => name.clone(),
        Some(Value::Object(error)) => error.get("code").map_or_else(|| "unknown".into(), Value::to_string),
        _ => return response,
    };
    let name = if spec.invalid_grant_aliases.contains(&error.as_str()) { "invalid_grant" } else { error.as_str() };
    let mut normalized = HttpResponse::new(json!({ "error": name }).to_string().into_bytes());
    *normalized.status_mut() = StatusCode::BAD_REQUEST;
    *normalized.headers_mut() = response.headers().clone();
    normalized
}

#[cfg(test)]
mod tests {
    use super::super::providers::{FACEBOOK, GITHUB, SPOTIFY};
    use super::*;

    #[test]
    fn provider_errors_become_standard_errors() {
        let normalize = |spec, body: &str| {
            let response = normalize_error(spec, HttpResponse::new(body.as_bytes().to_vec()));
            (response.status().as_u16(), String::from_utf8(response.into_body()).unwrap())
        };
        let refused = (400, r#"{"error":"invalid_grant"}"#.to_owned());
        assert_eq!(normalize(&GITHUB, r#"{"error":"bad_verification_code","error_uri":"x"}"#), refused);
        assert_eq!(normalize(&FACEBOOK, r#"{"error":{"message":"m","type":"OAuthException","code":100}}"#), refused);
        assert_eq!(normalize(&SPOTIFY, r#"{"error":"invalid_grant"}"#), refused);
        assert_eq!(normalize(&FACEBOOK, r#"{"error":{"code":1}}"#), (400, r#"{"error":"1"}"#.to_owned()));
        assert_eq!(normalize(&GITHUB, r#"{"error":"100"}"#), (400, r#"{"error":"100"}"#.to_owned()));
        for whole in [r#"{"access_token":"a"}"#, "no JSON", "[]"] {
            assert_eq!(normalize(&GITHUB, whole), (200, whole.to_owned()));
        }
    }
}
