//! Checks the client id and secret with a client credentials grant (RFC 6749 section 4.4).

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use headers::{Date, HeaderMapExt as _};
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse, TokenResponse};
use time::OffsetDateTime;

use super::client::Client;
use super::error::Error;
use super::http::{HttpClient, HttpError};
use crate::ids::Secret;

#[derive(Debug)]
pub struct ClientAuth {
    /// An access token for the app itself; [`Error::Misconfigured`] if the id or secret is wrong.
    pub token: Result<Secret, Error>,
    pub server_time: Option<OffsetDateTime>,
}

impl Client {
    /// Authenticates with the client id and secret alone, without a user.
    pub async fn authenticate_client(&self) -> ClientAuth {
        let recorder = DateRecorder { http: &self.http, time: Mutex::new(None) };
        let response = self.endpoints.exchange_client_credentials().request_async(&recorder).await;
        let token = match response {
            Ok(response) => Ok(Secret::new(response.access_token().secret())),
            // No grant was sent, so a refused grant means refused credentials.
            Err(error) => Err(match Error::from_token_error(error, self.spec) {
                Error::InvalidGrant => Error::Misconfigured("invalid_grant".into()),
                error => error,
            }),
        };
        ClientAuth { token, server_time: recorder.time.into_inner().unwrap_or_else(PoisonError::into_inner) }
    }
}

/// Sends requests and records the `Date` header, which oauth2 does not return.
struct DateRecorder<'h> {
    http: &'h HttpClient,
    time: Mutex<Option<OffsetDateTime>>,
}

impl<'c> AsyncHttpClient<'c> for DateRecorder<'_> {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let response = self.http.send(request).await?;
            let date = response.headers().typed_get::<Date>().map(|date| SystemTime::from(date).into());
            *self.time.lock().unwrap_or_else(PoisonError::into_inner) = date;
            Ok(response)
        })
    }
}
