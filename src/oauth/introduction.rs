//! The app introduces itself: a token for nobody, bought with id and secret alone (RFC 6749 §4.4).

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse, TokenResponse};
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::http::{Http, HttpError};
use super::{Client, Error};
use crate::ids::Secret;

/// How the provider answered when only the app's own id and secret were shown.
#[derive(Debug)]
pub struct Introduction {
    /// A token that stands for nobody, or why there is none: [`Error::Misconfigured`] for a wrong id or secret.
    pub outcome: Result<Secret, Error>,
    /// What time it is at the provider, to the second; none when it did not say.
    pub their_time: Option<OffsetDateTime>,
}

impl Client {
    /// Tries the app's id and secret, without anybody's consent.
    pub async fn introduce(&self) -> Introduction {
        let noting = Noting { http: &self.http, time: Mutex::new(None) };
        let answer = self.endpoints.exchange_client_credentials().request_async(&noting).await;
        let outcome = match answer {
            Ok(answer) => Ok(Secret::new(answer.access_token().secret())),
            // No grant is shown here that could be refused: it is the app that is not welcome.
            Err(error) => Err(match error.into() {
                Error::Refused => Error::Misconfigured("invalid_grant".into()),
                error => error,
            }),
        };
        Introduction { outcome, their_time: noting.time.into_inner().unwrap_or_else(PoisonError::into_inner) }
    }
}

/// Passes requests on and notes what time it is at the other end, which oauth2 does not hand out.
struct Noting<'h> {
    http: &'h Http,
    time: Mutex<Option<OffsetDateTime>>,
}

impl<'c> AsyncHttpClient<'c> for Noting<'_> {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let answer = self.http.send(request).await?;
            let date = answer.headers().get("date").and_then(|date| date.to_str().ok());
            *self.time.lock().unwrap_or_else(PoisonError::into_inner) = date.and_then(http_date);
            Ok(answer)
        })
    }
}

/// The one form of `Date` that servers send (RFC 9110 §5.6.7).
fn http_date(text: &str) -> Option<OffsetDateTime> {
    let form =
        format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    PrimitiveDateTime::parse(text, form).ok().map(PrimitiveDateTime::assume_utc)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::http_date;

    #[test]
    fn the_date_of_an_answer_is_read() {
        assert_eq!(http_date("Sat, 21 Nov 2026 09:08:07 GMT"), Some(datetime!(2026-11-21 09:08:07 UTC)));
        assert_eq!(http_date("yesterday"), None);
    }
}
