//! The authorization-code flow with PKCE and state, the same for every provider.

mod http;
mod introduction;
mod profile;
pub mod providers;

use std::collections::BTreeSet;
use std::time::Duration;

use oauth2::basic::{BasicClient, BasicErrorResponseType, BasicRequestTokenError, BasicTokenResponse};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, Scope, TokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use url::Url;

use crate::ids::{Provider, Secret};
use http::{Http, HttpError};
pub use introduction::Introduction;
pub use profile::{Address, Profile};
use providers::{Proof, Row};

/// A provider's answer that did not come, or was a no.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `invalid_grant`: the code or the refresh token is used, revoked, too old or another's.
    #[error("the provider refused the grant")]
    Refused,
    /// The provider knows our client id or secret otherwise, or not at all; the operator has to mend it.
    #[error("the provider refused the app itself: {0}")]
    Misconfigured(String),
    /// The provider was silent for too long.
    #[error("the provider did not answer in time")]
    TimedOut,
    /// The provider cannot be reached, or answered with a fault of its own.
    #[error("the provider is away: {0}")]
    Away(String),
}

/// The tokens that one consent gave.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Grant {
    /// What the API wants to see.
    pub access: Secret,
    /// What the next access token is bought with.
    pub refresh: Option<Secret>,
    /// From when on a new access token should be fetched: a little before the old one ends.
    #[serde(with = "time::serde::timestamp")]
    pub renew_at: OffsetDateTime,
    /// When the person consented; Spotify asks again six months later.
    #[serde(with = "time::serde::timestamp")]
    pub authorized_at: OffsetDateTime,
    /// What the person allowed.
    pub scopes: Scopes,
}

/// What a consent is about, by the provider's names.
pub type Scopes = BTreeSet<String>;

impl Grant {
    /// What was asked for and not given.
    pub fn missing<'a>(&self, asked: &'a Scopes) -> Vec<&'a str> {
        asked.iter().map(String::as_str).filter(|scope| !self.scopes.contains(*scope)).collect()
    }
}

/// A sign-in on its way: where to send the browser, and what to keep until it is back.
#[derive(Debug)]
pub struct Departure {
    /// The provider's consent page.
    pub url: Url,
    /// Comes back with the browser.
    pub state: Secret,
    /// Proves that the code is redeemed by who asked for it.
    pub verifier: Secret,
}

type Endpoints = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// One provider, ready to be asked.
#[derive(Clone, Debug)]
pub struct Client {
    row: &'static Row,
    endpoints: Endpoints,
    /// The base of the provider's API, without a slash at its end.
    api: String,
    /// Who answers, where a provider says so.
    issuer: String,
    http: Http,
}

/// What a client is made of.
pub struct Settings {
    /// The app's public name at the provider.
    pub client_id: String,
    /// The app's secret at the provider.
    pub client_secret: Secret,
    /// The base of the pages that people see.
    pub accounts_url: Url,
    /// The base of the address where codes are redeemed.
    pub token_url: Url,
    /// The base of the address that says who somebody is.
    pub api_url: Url,
    /// Where the provider sends people back.
    pub redirect_uri: Url,
}

impl Client {
    /// A client for `provider`.
    pub fn new(provider: Provider, settings: Settings) -> Self {
        let row = providers::row(provider);
        let bare = |base: &Url| base.as_str().trim_end_matches('/').to_owned();
        let (accounts, tokens) = (bare(&settings.accounts_url), bare(&settings.token_url));
        let good = "a checked base with a fixed path is an address";
        let endpoints = BasicClient::new(ClientId::new(settings.client_id))
            .set_client_secret(ClientSecret::new(settings.client_secret.expose().to_owned()))
            .set_auth_type(match row.proof {
                Proof::Basic => AuthType::BasicAuth,
                Proof::Body => AuthType::RequestBody,
            })
            .set_auth_uri(AuthUrl::new(format!("{accounts}{}", row.authorize_path)).expect(good))
            .set_token_uri(TokenUrl::new(format!("{tokens}{}", row.token_path)).expect(good))
            .set_redirect_uri(RedirectUrl::from_url(settings.redirect_uri));
        let issuer = format!("{accounts}{}", row.issuer);
        Self { row, endpoints, api: bare(&settings.api_url), issuer, http: Http::new(row) }
    }

    /// Whether this provider goes by the name `iss` (RFC 9207).
    pub fn is_called(&self, iss: &str) -> bool {
        iss.trim_end_matches('/') == self.issuer
    }

    /// What to ask for: the least, and of what is optional that which is switched on.
    pub fn scopes(&self, switched_on: impl Fn(&str) -> bool) -> Scopes {
        let optional = self.row.optional.iter().filter(|scope| switched_on(scope));
        self.row.scopes.iter().chain(optional).map(|scope| (*scope).to_owned()).collect()
    }

    /// Begins a sign-in that asks for `scopes`.
    pub fn depart(&self, scopes: &Scopes) -> Departure {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let request = self.endpoints.authorize_url(CsrfToken::new_random).set_pkce_challenge(challenge);
        // In the row's order: the consent page shows them as they come.
        let ordered = self.row.scopes.iter().chain(self.row.optional).filter(|scope| scopes.contains(**scope));
        let (url, state) = request.add_scopes(ordered.map(|scope| Scope::new((*scope).to_owned()))).url();
        Departure { url, state: Secret::new(state.into_secret()), verifier: Secret::new(verifier.into_secret()) }
    }

    /// Redeems the code that came back from a consent that was asked for `scopes`.
    ///
    /// # Errors
    /// See [`Error`]; the code is spent in any case.
    pub async fn redeem(
        &self,
        code: &Secret,
        verifier: &Secret,
        scopes: &Scopes,
        now: OffsetDateTime,
    ) -> Result<Grant, Error> {
        let request = self.endpoints.exchange_code(AuthorizationCode::new(code.expose().to_owned()));
        let request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()));
        let answer = request.request_async(&self.http).await?;
        Ok(grant(&answer, scopes, now))
    }

    /// Buys a new access token.
    ///
    /// # Errors
    /// [`Error::Refused`] when the grant is dead; otherwise the old grant may still be good.
    pub async fn renew(&self, old: &Grant, now: OffsetDateTime) -> Result<Grant, Error> {
        let refresh = old.refresh.as_ref().ok_or(Error::Refused)?;
        let refresh = RefreshToken::new(refresh.expose().to_owned());
        let answer = self.endpoints.exchange_refresh_token(&refresh).request_async(&self.http).await?;
        let fresh = grant(&answer, &old.scopes, now);
        // A new refresh token may come or not; without one the old one stays good.
        let refresh = fresh.refresh.or_else(|| old.refresh.clone());
        Ok(Grant { refresh, authorized_at: old.authorized_at, ..fresh })
    }
}

/// The grant in an answer; `scopes` are those asked for, or those of before.
fn grant(answer: &BasicTokenResponse, scopes: &Scopes, now: OffsetDateTime) -> Grant {
    let life = answer.expires_in().unwrap_or(Duration::from_secs(3600));
    // Early by a tenth, a minute at most: the clock of a short-lived token must not run out on arrival.
    let early = (life / 10).min(Duration::from_secs(60));
    let told = answer.scopes().map(|scopes| scopes.iter().map(|scope| scope.to_string()).collect());
    Grant {
        access: Secret::new(answer.access_token().secret()),
        refresh: answer.refresh_token().map(|token| Secret::new(token.secret())),
        renew_at: now + (life - early),
        authorized_at: now,
        // RFC 6749 5.1: no scope in the answer means as asked, or as before.
        scopes: told.unwrap_or_else(|| scopes.clone()),
    }
}

impl From<BasicRequestTokenError<HttpError>> for Error {
    fn from(error: BasicRequestTokenError<HttpError>) -> Self {
        match error {
            BasicRequestTokenError::ServerResponse(told) => match told.error() {
                BasicErrorResponseType::InvalidGrant => Error::Refused,
                other => Error::Misconfigured(other.to_string()),
            },
            BasicRequestTokenError::Request(error) => error.into(),
            // The body may hold tokens: only its length is told.
            BasicRequestTokenError::Parse(_, body) => {
                Error::Away(format!("an answer of {} bytes that is no token", body.len()))
            }
            BasicRequestTokenError::Other(what) => Error::Away(what),
        }
    }
}

impl From<HttpError> for Error {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::TimedOut => Error::TimedOut,
            error => Error::Away(error.to_string()),
        }
    }
}
