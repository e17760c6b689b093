//! The HTTP client under oauth2: no redirects, a timeout, a size limit, and provider errors in standard form.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use oauth2::http::StatusCode;
use oauth2::http::header::CONTENT_TYPE;
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::redirect::Policy;
use serde_json::{Value, json};

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
}

impl HttpClient {
    pub(super) fn new() -> Self {
        // A token request that follows a redirect would send the client secret there.
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .user_agent(USER_AGENT)
            .connect_timeout(Duration::from_secs(3))
            .timeout(HTTP_TIMEOUT)
            .build();
        Self { client: client.expect("TLS is installed at the start, and the system has CA certificates") }
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
        Box::pin(async move { Ok(normalize(self.send(request).await?)) })
    }
}

/// Turns a token response into the form that oauth2 accepts. Some providers send errors with status 200 or as an
/// object, and JSON under another content type.
fn normalize(mut response: HttpResponse) -> HttpResponse {
    response.headers_mut().remove(CONTENT_TYPE);
    let json = serde_json::from_slice::<Value>(response.body()).ok();
    let code = match json.as_ref().and_then(|json| json.get("error")) {
        Some(Value::String(code)) if !code.is_empty() => code.clone(),
        Some(Value::Object(error)) => error.get("code").map_or_else(|| "unknown".into(), Value::to_string),
        _ => return response,
    };
    *response.status_mut() = StatusCode::BAD_REQUEST;
    *response.body_mut() = json!({ "error": code }).to_string().into_bytes();
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provider_errors_become_standard_errors() {
        let normalize = |body: &str| {
            let response = normalize(HttpResponse::new(body.as_bytes().to_vec()));
            (response.status().as_u16(), String::from_utf8(response.into_body()).unwrap())
        };
        for (body, code) in [
            (r#"{"error":"bad_verification_code","error_uri":"x"}"#, "bad_verification_code"),
            (r#"{"error":{"message":"m","type":"OAuthException","code":100}}"#, "100"),
            (r#"{"error":{"status":400}}"#, "unknown"),
            (r#"{"error":"invalid_grant"}"#, "invalid_grant"),
        ] {
            assert_eq!(normalize(body), (400, format!(r#"{{"error":"{code}"}}"#)));
        }
        for whole in
            [r#"{"access_token":"a"}"#, r#"{"access_token":"a","error":null}"#, r#"{"error":""}"#, "no JSON", "[]"]
        {
            assert_eq!(normalize(whole), (200, whole.to_owned()));
        }
    }
}
