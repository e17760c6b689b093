//! oauth2 over reqwest: no redirects, bounded in time, faults of the server told apart from its answers.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::redirect::Policy;

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

#[derive(Clone, Debug)]
pub(super) struct Http(reqwest::Client);

impl Http {
    pub(super) fn new() -> Self {
        // A token request that follows a redirect would hand its secret to wherever it points.
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .connect_timeout(Duration::from_secs(3))
            .timeout(PATIENCE)
            .build();
        Self(client.expect("the TLS provider is installed when the app starts"))
    }

    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let mut answer = self.0.execute(request.try_into()?).await?;
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
        Box::pin(self.send(request))
    }
}
