//! A provider's OAuth client: authorization URL, code exchange, token refresh.

use std::collections::BTreeSet;
use std::time::Duration;

use oauth2::basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, Scope, StandardRevocableToken, TokenResponse,
    TokenUrl,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use url::Url;

use super::error::Error;
use super::http::HttpClient;
use super::providers::{ClientAuthMethod, ProviderSpec};
use super::token_response::LooseTokenResponse;
use crate::ids::{Provider, Secret};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Grant {
    pub access: Secret,
    pub refresh: Option<Secret>,
    /// When to refresh the access token: shortly before it expires.
    #[serde(rename = "renew_at", with = "time::serde::timestamp")]
    pub refresh_at: OffsetDateTime,
    /// When the user consented. Spotify asks again six months later.
    #[serde(with = "time::serde::timestamp")]
    pub authorized_at: OffsetDateTime,
    pub scopes: Scopes,
    /// When the user last signed in at the provider, if it says so.
    #[serde(skip)]
    pub auth_time: Option<OffsetDateTime>,
}

pub type Scopes = BTreeSet<String>;

/// Where to send the browser, and what to store until the callback.
#[derive(Debug)]
pub struct AuthorizationRequest {
    pub url: Url,
    pub state: Secret,
    pub verifier: Secret,
}

type OAuth2Client<Authorize = EndpointNotSet, Token = EndpointNotSet> = oauth2::Client<
    BasicErrorResponse,
    LooseTokenResponse,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    Authorize,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    Token,
>;

#[derive(Clone, Debug)]
pub struct Client {
    provider: Provider,
    pub(super) spec: &'static ProviderSpec,
    pub(super) endpoints: OAuth2Client<EndpointSet, EndpointSet>,
    /// The base URL of the provider's API, without a trailing slash.
    pub(super) api: String,
    /// The base URL of the token endpoint, without a trailing slash.
    pub(super) token_base: String,
    pub(super) client_secret: Secret,
    /// The provider's `iss` (RFC 9207).
    issuer: String,
    pub(super) http: HttpClient,
}

pub struct ClientSettings {
    pub client_id: String,
    pub client_secret: Secret,
    /// The base URL of the consent page.
    pub accounts_url: Url,
    /// The base URL of the token endpoint.
    pub token_url: Url,
    /// The base URL of the userinfo endpoint.
    pub api_url: Url,
    pub redirect_uri: Url,
}

impl Client {
    pub fn new(provider: Provider, settings: ClientSettings) -> Self {
        let spec = super::providers::spec(provider);
        let trim = |base: &Url| base.as_str().trim_end_matches('/').to_owned();
        let (accounts, tokens) = (trim(&settings.accounts_url), trim(&settings.token_url));
        let valid = "a valid base URL with a fixed path is a URL";
        let endpoints = <OAuth2Client>::new(ClientId::new(settings.client_id))
            .set_client_secret(ClientSecret::new(settings.client_secret.expose().to_owned()))
            .set_auth_type(match spec.auth_method {
                ClientAuthMethod::Basic => AuthType::BasicAuth,
                ClientAuthMethod::Body => AuthType::RequestBody,
            })
            .set_auth_uri(AuthUrl::new(format!("{accounts}{}", spec.authorize_path)).expect(valid))
            .set_token_uri(TokenUrl::new(format!("{tokens}{}", spec.token_path)).expect(valid))
            .set_redirect_uri(RedirectUrl::from_url(settings.redirect_uri));
        let issuer = format!("{accounts}{}", spec.issuer);
        Self {
            provider,
            spec,
            endpoints,
            api: trim(&settings.api_url),
            token_base: tokens,
            client_secret: settings.client_secret,
            issuer,
            http: HttpClient::new(),
        }
    }

    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// Returns whether the provider can be asked for a new sign-in.
    pub fn can_reauthenticate(&self) -> bool {
        !self.spec.reauth_params.is_empty()
    }

    /// Returns whether a new sign-in counts even if the response lacks `auth_time`, which a provider may leave out.
    pub fn proves_reauthentication(&self) -> bool {
        self.can_reauthenticate() && !self.spec.reauth_needs_auth_time
    }

    /// Returns whether `iss` names this provider (RFC 9207).
    pub fn is_issuer(&self, iss: &str) -> bool {
        iss.trim_end_matches('/') == self.issuer
    }

    /// Returns the scopes to request: the provider's standard ones and the enabled optional ones.
    pub fn scopes(&self, is_enabled: impl Fn(&str) -> bool) -> Scopes {
        let optional = self.spec.optional_scopes.iter().filter(|scope| is_enabled(scope));
        self.spec.scopes.iter().chain(optional).map(|scope| (*scope).to_owned()).collect()
    }

    /// Returns the URL of the consent page, with the state and the PKCE verifier of this login. With
    /// `needs_new_sign_in`, the provider is to ask who the user is, even if it knows.
    pub fn authorize_url(&self, scopes: &Scopes, needs_new_sign_in: bool) -> AuthorizationRequest {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let request = self.endpoints.authorize_url(CsrfToken::new_random).set_pkce_challenge(challenge);
        // In the spec's order, because the consent page lists the scopes in the order of the request.
        let ordered = self.spec.scopes.iter().chain(self.spec.optional_scopes).filter(|scope| scopes.contains(**scope));
        let extra = if needs_new_sign_in { self.spec.reauth_params } else { &[] };
        let request = extra.iter().fold(request, |request, (name, value)| request.add_extra_param(*name, *value));
        let (url, state) = request.add_scopes(ordered.map(|scope| Scope::new((*scope).to_owned()))).url();
        AuthorizationRequest {
            url,
            state: Secret::new(state.into_secret()),
            verifier: Secret::new(verifier.into_secret()),
        }
    }

    /// Exchanges an authorization code; `scopes` are those that were requested. The code is spent even if this fails.
    pub async fn exchange_code(
        &self,
        code: &Secret,
        verifier: &Secret,
        scopes: &Scopes,
        now: OffsetDateTime,
    ) -> Result<Grant, Error> {
        let request = self.endpoints.exchange_code(AuthorizationCode::new(code.expose().to_owned()));
        let request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()));
        let response =
            request.request_async(&self.http).await.map_err(|error| Error::from_token_error(error, self.spec))?;
        Ok(grant_from_response(&response, scopes, now))
    }

    /// Refreshes the access token.
    ///
    /// # Errors
    /// [`Error::InvalidGrant`] if the grant has ended. After any other error the old grant may still be valid.
    pub async fn refresh_token(&self, old: &Grant, now: OffsetDateTime) -> Result<Grant, Error> {
        let refresh = old.refresh.as_ref().ok_or(Error::InvalidGrant)?;
        let refresh = RefreshToken::new(refresh.expose().to_owned());
        let response = self.endpoints.exchange_refresh_token(&refresh).request_async(&self.http).await;
        let response = response.map_err(|error| Error::from_token_error(error, self.spec))?;
        let new = grant_from_response(&response, &old.scopes, now);
        // Without a new refresh token the old one stays valid (RFC 6749 section 6).
        let refresh = new.refresh.or_else(|| old.refresh.clone());
        Ok(Grant { refresh, authorized_at: old.authorized_at, ..new })
    }
}

/// Assumed lifetime of a token without `expires_in`. Short, because an extra refresh is cheaper than a failed request.
const UNKNOWN_LIFETIME: Duration = Duration::from_secs(5 * 60);

/// Builds a grant. `scopes` are those requested, or those of the previous grant.
fn grant_from_response(response: &LooseTokenResponse, scopes: &Scopes, now: OffsetDateTime) -> Grant {
    let lifetime = response.expires_in().unwrap_or(UNKNOWN_LIFETIME);
    // A tenth early, at most a minute: a short-lived token must not be due for refresh when it arrives.
    let margin = (lifetime / 10).min(Duration::from_secs(60));
    let granted = response.scopes().map(|scopes| scopes.iter().map(|scope| scope.to_string()).collect());
    Grant {
        access: Secret::new(response.access_token().secret()),
        refresh: response.refresh_token().map(|token| Secret::new(token.secret())),
        refresh_at: now + (lifetime - margin),
        authorized_at: now,
        // RFC 6749 section 5.1: a response without scopes means those requested, or the previous ones.
        scopes: granted.unwrap_or_else(|| scopes.clone()),
        auth_time: response.auth_time(),
    }
}
