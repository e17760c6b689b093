//! Pending logins: stored from the start of a login until its callback, which can use them once.

use serde::{Deserialize, Deserializer, Serialize};
use time::OffsetDateTime;
use url::Url;

use super::decide::{Conflict, LoginIntent};
use super::error::{FailedLogin, LoginError};
use super::purpose::{AfterLogin, IntentField, LoginRetry, ReauthReason};
use crate::app::App;
use crate::db::identities;
use crate::db::pending_logins::{self, LoginStatus};
use crate::domain::{CurrentUser, Error};
use crate::ids::{Provider, Secret, TokenHash};
use crate::oauth::{Client, Scopes};
use crate::vault::Purpose;

/// Parameters of a callback request, with its login cookie.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CallbackParams {
    #[serde(deserialize_with = "non_empty")]
    pub state: Option<Secret>,
    /// The issuer (RFC 9207), if the provider sends one.
    #[serde(deserialize_with = "non_empty")]
    pub iss: Option<String>,
    #[serde(deserialize_with = "non_empty")]
    pub error: Option<String>,
    #[serde(deserialize_with = "non_empty")]
    pub code: Option<Secret>,
    /// The value of the login cookie.
    #[serde(skip)]
    pub browser: Option<Secret>,
}

/// Reads a parameter. One without a value counts as omitted (RFC 6749 section 3.1).
fn non_empty<'de, D: Deserializer<'de>, T: From<String>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.trim().is_empty()).map(T::from))
}

/// A login between its start and the callback. The names in `rename` are those of earlier releases: a login may start
/// before a deployment and end after it.
#[derive(Serialize, Deserialize)]
pub(super) struct PendingLogin {
    pub(super) verifier: Secret,
    #[serde(rename = "asked")]
    pub(super) scopes: Scopes,
    #[serde(rename = "wish")]
    pub(super) after: AfterLogin,
    #[serde(rename = "aim")]
    pub(super) intent: LoginIntent,
    /// Whether the user had signed in recently when the login started.
    #[serde(rename = "fresh")]
    pub(super) is_fresh: bool,
    /// When the provider was asked for a new sign-in, as a Unix timestamp; `None` if it was not.
    #[serde(default)]
    pub(super) reauth_since: Option<i64>,
}

/// How far a provider's clock may be behind, in seconds.
const MAX_CLOCK_SKEW: i64 = 60;

impl PendingLogin {
    pub(super) fn retry(&self) -> LoginRetry {
        LoginRetry { intent: self.intent.into(), after: self.after.clone() }
    }

    /// Returns whether the login proves who uses the browser now: the provider was asked for a new sign-in, and if it
    /// says when the user signed in, as some must, that was later.
    pub(super) fn is_reauthenticated(
        &self,
        client: &Client,
        auth_time: Option<OffsetDateTime>,
    ) -> Result<bool, Conflict> {
        let Some(since) = self.reauth_since else { return Ok(false) };
        match auth_time {
            // Linking needs no new sign-in, unless the identity belongs to another account.
            Some(time) if time.unix_timestamp() < since - MAX_CLOCK_SKEW => match self.intent {
                LoginIntent::Link(_) if self.after.reauth.is_none() => Ok(false),
                _ => Err(Conflict::NotSignedInAgain),
            },
            None => Ok(client.proves_reauthentication()),
            Some(_) => Ok(true),
        }
    }
}

/// Parameters of a new login.
pub struct LoginRequest {
    pub provider: Provider,
    /// The value of the login cookie.
    pub browser: Secret,
    pub intent: LoginIntent,
    /// Whether the user has signed in recently.
    pub is_fresh: bool,
    pub after: AfterLogin,
    /// The scopes of the session's last consent, even if it has expired.
    pub granted_scopes: Scopes,
}

/// Returns the intent of a new login; `None` if the user is signed in and there is nothing to do. A signed-in user who
/// signs in with Spotify connects it to their account.
pub fn intent(
    field: IntentField,
    provider: Provider,
    user: Option<&CurrentUser>,
    reauth: Option<ReauthReason>,
) -> Option<LoginIntent> {
    let Some(user) = user else { return Some(LoginIntent::SignIn) };
    let is_connecting = provider == Provider::Spotify && (user.grant.is_none() || reauth.is_some());
    match field {
        IntentField::Merge => Some(LoginIntent::Merge(user.id)),
        IntentField::Link => Some(LoginIntent::Link(user.id)),
        IntentField::SignIn if is_connecting => Some(LoginIntent::Link(user.id)),
        IntentField::SignIn => reauth.map(|_| LoginIntent::SignIn),
    }
}

/// Returns whether the login would link a new identity, which needs a recent sign-in.
pub async fn adds_identity(app: &App, intent: LoginIntent, provider: Provider) -> Result<bool, Error> {
    match intent {
        LoginIntent::Link(user) => Ok(!identities::exists(&app.db, user, &[provider]).await?),
        LoginIntent::SignIn | LoginIntent::Merge(_) => Ok(false),
    }
}

/// Starts a login. Returns the provider's URL to redirect to.
///
/// # Errors
/// [`Error::NotFound`] if the provider is not configured.
pub async fn start(app: &App, request: LoginRequest, now: OffsetDateTime) -> Result<Url, Error> {
    let LoginRequest { provider, browser, intent, is_fresh, after, granted_scopes } = request;
    let client = app.oauth.get(provider).ok_or(Error::NotFound)?;
    // A new consent replaces the old one, so it also requests optional scopes that were granted before.
    let is_requested = |scope: &str| after.reauth.is_some_and(|reason| reason.scopes().contains(&scope));
    let scopes = client.scopes(|scope| is_requested(scope) || granted_scopes.contains(scope));
    // For linking too: the identity may belong to another account, which then is offered to be merged.
    let needs_new_sign_in = after.reauth == Some(ReauthReason::SignInAgain)
        || matches!(intent, LoginIntent::Merge(_))
        || adds_identity(app, intent, provider).await?;
    let authorization = client.authorize_url(&scopes, needs_new_sign_in);
    let reauth_since = (needs_new_sign_in && client.can_reauthenticate()).then(|| now.unix_timestamp());
    let state = TokenHash::new(authorization.state.expose());
    let pending = PendingLogin { verifier: authorization.verifier, scopes, after, intent, is_fresh, reauth_since };
    let pending = serde_json::to_vec(&pending).expect("strings serialize to JSON");
    let sealed = app.vault.seal(Purpose::PendingLogin, state.as_bytes(), &pending);
    let browser = TokenHash::new(browser.expose());
    let login = pending_logins::NewLogin { browser, provider, state, sealed: &sealed, at: now };
    pending_logins::create(&app.db, login).await?;
    Ok(authorization.url)
}

/// Takes the pending login with the callback's state. A second callback with the same state fails.
pub(super) async fn take(
    app: &App,
    provider: Provider,
    params: &CallbackParams,
    now: OffsetDateTime,
) -> Result<PendingLogin, FailedLogin> {
    let browser = params.browser.as_ref().ok_or(LoginError::NoCookie)?;
    let state = TokenHash::new(params.state.as_ref().ok_or(LoginError::Unknown)?.expose());
    let (login, is_expired) = match pending_logins::take(&app.db, TokenHash::new(browser.expose()), state, now).await? {
        LoginStatus::Pending(login) => (login, false),
        LoginStatus::Expired(login) => (login, true),
        LoginStatus::Used => return Err(LoginError::Used.into()),
        LoginStatus::Unknown => return Err(LoginError::Unknown.into()),
    };
    let client = app.oauth.get(provider).filter(|_| login.provider == provider.key()).ok_or(LoginError::Unknown)?;
    if params.iss.as_deref().is_some_and(|iss| !client.is_issuer(iss)) {
        return Err(LoginError::Unknown.into());
    }
    let plaintext = app.vault.open(Purpose::PendingLogin, state.as_bytes(), &login.sealed).ok();
    let pending = plaintext.and_then(|plaintext| serde_json::from_slice::<PendingLogin>(&plaintext).ok());
    match pending.ok_or(LoginError::Expired)? {
        pending if is_expired => Err(FailedLogin { error: LoginError::Expired, retry: Some(pending.retry()) }),
        pending => Ok(pending),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::UserId;

    #[test]
    fn a_login_that_an_earlier_release_started_can_be_completed() {
        let stored = r#"{"verifier":"v","asked":["a"],"wish":{"next":"/hearts","heart":null,"anew":"Renew","invite":null},
                         "aim":{"Prove":1},"fresh":true}"#;
        let pending: PendingLogin = serde_json::from_str(stored).unwrap();
        assert_eq!(pending.intent, LoginIntent::Merge(UserId(1)));
        assert_eq!(pending.after.reauth, Some(ReauthReason::RenewConsent));
    }
}
