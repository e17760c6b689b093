//! Authorization codes, access tokens and refresh tokens.

use std::time::Duration;

use time::OffsetDateTime;

use crate::issued_secrets::IssuedSecrets;
use crate::recent_map::RecentMap;
use crate::settings::Switches;

/// Spotify's "about 10 minutes".
const CODE_LIFETIME: Duration = Duration::from_secs(10 * 60);
/// Lifetime of refresh tokens, counted from the consent: six months, here 26 weeks.
const REFRESH_TOKEN_LIFETIME: Duration = Duration::from_secs(26 * 7 * 24 * 3600);
/// Number of codes that wait for their exchange, at each provider.
pub(crate) const MAX_CODES: usize = 1_000;
/// Number of tokens of each kind, at each provider.
pub(crate) const MAX_TOKENS: usize = 50_000;

/// The result of a sign-in or refresh.
#[derive(Clone)]
pub struct Tokens {
    /// Sent as `Authorization: Bearer`.
    pub access_token: String,
    /// Used for the next refresh; `None` if the previous one remains valid.
    pub refresh_token: Option<String>,
    /// Granted scopes, separated by spaces.
    pub scope: String,
    /// Lifetime of the access token.
    pub expires_in: Duration,
}

/// The request that an authorization code was issued for.
#[derive(Clone)]
pub(crate) struct Authorization {
    pub(crate) user_key: String,
    pub(crate) redirect_uri: String,
    pub(crate) scope: String,
    pub(crate) code_challenge: Option<String>,
}

/// An error of the token endpoint (RFC 6749 §5.2): `error` and `error_description`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TokenError(pub(crate) &'static str, pub(crate) Option<&'static str>);

impl TokenError {
    pub(crate) const fn invalid_grant(description: &'static str) -> Self {
        Self("invalid_grant", Some(description))
    }

    pub(crate) const fn invalid_request(description: &'static str) -> Self {
        Self("invalid_request", Some(description))
    }

    pub(crate) const fn invalid_client(description: &'static str) -> Self {
        Self("invalid_client", Some(description))
    }
}

#[derive(Clone)]
pub(crate) struct AccessToken {
    /// `None` for the app's own token (client credentials).
    pub(crate) user_key: Option<String>,
    pub(crate) scope: String,
    expires_at: OffsetDateTime,
}

#[derive(Clone)]
struct RefreshToken {
    user_key: String,
    scope: String,
    authorized_at: OffsetDateTime,
    is_revoked: bool,
}

pub(crate) struct Grants {
    codes: RecentMap<(Authorization, OffsetDateTime)>,
    access_tokens: RecentMap<AccessToken>,
    refresh_tokens: RecentMap<RefreshToken>,
    pub(crate) issued_secrets: IssuedSecrets,
}

impl Default for Grants {
    fn default() -> Self {
        Self {
            codes: RecentMap::new(MAX_CODES),
            access_tokens: RecentMap::new(MAX_TOKENS),
            refresh_tokens: RecentMap::new(MAX_TOKENS),
            issued_secrets: IssuedSecrets::default(),
        }
    }
}

impl Grants {
    pub(crate) fn issue_code(&mut self, authorization: Authorization, now: OffsetDateTime) -> String {
        let code = self.issued_secrets.issue("AQ", 150);
        self.codes.insert(code.clone(), (authorization, now));
        code
    }

    /// Removes a code, so that it works once even if a later check fails.
    pub(crate) fn take_code(&mut self, code: &str, now: OffsetDateTime) -> Result<Authorization, TokenError> {
        match self.codes.remove(code) {
            None => Err(TokenError::invalid_grant("Invalid authorization code")),
            Some((_, issued_at)) if now - issued_at > CODE_LIFETIME => {
                Err(TokenError::invalid_grant("Authorization code expired"))
            }
            Some((authorization, _)) => Ok(authorization),
        }
    }

    /// Issues tokens for an authorization whose code passed all checks.
    pub(crate) fn issue_tokens(
        &mut self,
        authorization: &Authorization,
        now: OffsetDateTime,
        lifetime: Duration,
    ) -> Tokens {
        let grant = RefreshToken {
            user_key: authorization.user_key.clone(),
            scope: authorization.scope.clone(),
            authorized_at: now,
            is_revoked: false,
        };
        let refresh_token = self.issue_refresh_token(grant.clone());
        self.issue_access_token(&grant, Some(refresh_token), now, lifetime)
    }

    /// Issues an access token for the app itself (RFC 6749 §4.4).
    pub(crate) fn issue_client_token(&mut self, now: OffsetDateTime, lifetime: Duration) -> String {
        let token = self.issued_secrets.issue("BQ", 60);
        let access = AccessToken { user_key: None, scope: String::new(), expires_at: now + lifetime };
        self.access_tokens.insert(token.clone(), access);
        token
    }

    /// Exchanges a refresh token.
    pub(crate) fn refresh(
        &mut self,
        token: &str,
        now: OffsetDateTime,
        switches: &Switches,
    ) -> Result<Tokens, TokenError> {
        let invalid = TokenError::invalid_grant("Invalid refresh token");
        let grant = self.refresh_tokens.get_mut(token).ok_or(invalid)?;
        if grant.is_revoked {
            return Err(TokenError::invalid_grant("Refresh token revoked"));
        }
        if now - grant.authorized_at > REFRESH_TOKEN_LIFETIME {
            return Err(TokenError::invalid_grant("Refresh token expired"));
        }
        let current = grant.clone();
        grant.is_revoked = switches.rotate_refresh_tokens;
        let next = switches.rotate_refresh_tokens.then(|| self.issue_refresh_token(current.clone()));
        Ok(self.issue_access_token(&current, next, now, switches.access_token_lifetime))
    }

    /// The access token, unless it is unknown or expired.
    pub(crate) fn access_token(&self, token: &str, now: OffsetDateTime) -> Option<AccessToken> {
        let access = self.access_tokens.get(token)?;
        (now < access.expires_at).then(|| access.clone())
    }

    pub(crate) fn revoke_refresh_tokens(&mut self, user_key: &str) {
        let of_user = self.refresh_tokens.values_mut().filter(|token| token.user_key == user_key);
        of_user.for_each(|token| token.is_revoked = true);
    }

    fn issue_refresh_token(&mut self, grant: RefreshToken) -> String {
        let token = self.issued_secrets.issue("AQ", 96);
        self.refresh_tokens.insert(token.clone(), grant);
        token
    }

    fn issue_access_token(
        &mut self,
        grant: &RefreshToken,
        refresh_token: Option<String>,
        now: OffsetDateTime,
        expires_in: Duration,
    ) -> Tokens {
        let access_token = self.issued_secrets.issue("BQ", 120);
        let (user_key, scope) = (Some(grant.user_key.clone()), grant.scope.clone());
        let access = AccessToken { user_key, scope: scope.clone(), expires_at: now + expires_in };
        self.access_tokens.insert(access_token.clone(), access);
        Tokens { access_token, refresh_token, scope, expires_in }
    }
}
