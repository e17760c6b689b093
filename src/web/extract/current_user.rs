//! The user of a request: [`SignedIn`] where one is required, [`MaybeUser`] elsewhere.

use std::sync::Arc;

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use time::OffsetDateTime;
use tower_sessions::Session;

use crate::app::App;
use crate::domain::account_merge::MergeOffer;
use crate::domain::login::LoginResult;
use crate::domain::login::ReauthReason;
use crate::domain::saving;
use crate::domain::text::visible_or;
use crate::domain::tokens::{GRANT_KEY, HANDLE_KEY, SAVING_KEY, SCOPES_KEY, SPOTIFY_KEYS};
use crate::domain::{
    CurrentUser, DEFAULT_NAME, DEVICE, DISPLAYS, Grant, SIGN_IN, SIGNED_IN_AT, Scopes, USER_ID, User, session_key,
};
use crate::domain::{operators, sessions};
use crate::ids::{Provider, UserId};
use crate::web::error::{AppError, Result, error_for_status};
use crate::web::extract::return_to::Referer;

const USER_NAME: &str = "name";
const REAUTHENTICATED_AT: &str = "reauthenticated_at";
/// Keeps its old name, because stored sessions contain it.
const MERGE_UNTIL: &str = "invited_until";
const MERGE_OFFER: &str = "merge_offer";

/// Timeout for loading the session, the first query of every page. After it, the database counts as down.
const SESSION_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(4);

/// The request's session, not loaded yet.
pub(crate) fn session(parts: &Parts) -> Result<Session> {
    parts.extensions.get().cloned().ok_or_else(|| AppError::internal("no session layer"))
}

/// The session of a request, and its user if signed in.
#[derive(Clone)]
pub(crate) struct MaybeUser {
    session: Session,
    pub(crate) user: Option<CurrentUser>,
}

impl MaybeUser {
    /// Loads the session and its user. Without a cookie, does no query.
    pub(crate) async fn load(session: Session) -> Result<Self> {
        let result = tokio::time::timeout(SESSION_TIMEOUT, Self::read(session)).await;
        let result = result.unwrap_or_else(|_| Err(error_for_status(StatusCode::SERVICE_UNAVAILABLE)));
        // Before the handler.
        result.map_err(AppError::with_nothing_saved)
    }

    /// Like [`Self::load`], but once for each request: the rate limit, the layout and the handler share the result.
    pub(crate) async fn load_once(parts: &mut Parts) -> Result<Self> {
        if let Some(maybe_user) = parts.extensions.get::<Self>() {
            return Ok(maybe_user.clone());
        }
        let maybe_user = Self::load(session(parts)?).await?;
        parts.extensions.insert(maybe_user.clone());
        Ok(maybe_user)
    }

    /// Loads a session that [`Self::load_once`] has loaded before a slow body: another device may have ended it since.
    pub(crate) async fn reload_if_loaded(parts: &mut Parts) -> Result<()> {
        match parts.extensions.remove::<Self>() {
            Some(Self { session, user: Some(_) }) => Ok(session.load().await?),
            _ => Ok(()),
        }
    }

    async fn read(session: Session) -> Result<Self> {
        let user: Option<UserId> = session.get(USER_ID).await?;
        let name: Option<String> = session.get(USER_NAME).await?;
        let user = match (user, name, session.id()) {
            (Some(id), Some(name), Some(session_id)) => {
                let grant: Option<Grant> = session.get(GRANT_KEY).await?;
                let has_expired_grant = grant.is_none() && session.get::<Scopes>(SCOPES_KEY).await?.is_some();
                let name = visible_or(name, DEFAULT_NAME);
                // Another release may have stored values that this one does not know.
                let displays = session.get_value(DISPLAYS).await?;
                let displays = displays.and_then(|stored| serde_json::from_value(stored).ok()).unwrap_or_default();
                let saves_to_library = session.get(SAVING_KEY).await?.unwrap_or(false);
                let spotify_handle = session.get(HANDLE_KEY).await?;
                let session = session_key(session_id);
                Some(CurrentUser {
                    id,
                    name,
                    spotify_handle,
                    session,
                    grant,
                    has_expired_grant,
                    saves_to_library,
                    displays,
                })
            }
            _ => None,
        };
        if let Some(user) = &user {
            tracing::Span::current().record("user_id", user.id.0);
        }
        Ok(Self { session, user })
    }

    /// Scopes of the last consent, even if its tokens have expired.
    pub(crate) async fn scopes(&self) -> Result<Scopes> {
        Ok(self.session.get(SCOPES_KEY).await?.unwrap_or_default())
    }

    /// True if the session holds Spotify tokens.
    pub(crate) fn is_connected(&self) -> bool {
        self.user.as_ref().is_some_and(|user| user.grant.is_some())
    }

    /// Reloads the session before it is changed, so that a session that has ended meanwhile is not revived.
    pub(crate) async fn reload(&self) -> Result<()> {
        let Some(user) = &self.user else { return Ok(()) };
        self.session.load().await?;
        let stored: Option<UserId> = self.session.get(USER_ID).await?;
        if stored == Some(user.id) { Ok(()) } else { Err(AppError::sign_in_required("/account")) }
    }

    /// True if the user reauthenticated within the last 10 minutes.
    pub(crate) async fn has_reauthenticated_recently(&self, now: OffsetDateTime) -> Result<bool> {
        Ok(sessions::is_fresh(self.reauthenticated_at().await?, now))
    }

    /// Stores the device, and the time if the login was a sign-in or a reauthentication.
    pub(crate) async fn record_device(&self, device: &str, login: &LoginResult, now: OffsetDateTime) -> Result<()> {
        self.session.insert(DEVICE, device).await?;
        for (key, is_set) in [(SIGNED_IN_AT, login.is_sign_in), (REAUTHENTICATED_AT, login.is_reauthentication)] {
            if is_set {
                self.session.insert(key, now.unix_timestamp()).await?;
            }
        }
        Ok(())
    }

    /// Time of the last reauthentication in this session.
    pub(crate) async fn reauthenticated_at(&self) -> Result<Option<OffsetDateTime>> {
        let timestamp: Option<i64> = self.session.get(REAUTHENTICATED_AT).await?;
        Ok(timestamp.and_then(|timestamp| OffsetDateTime::from_unix_timestamp(timestamp).ok()))
    }

    /// End of the period in which a new user may merge an older account.
    pub(crate) async fn merge_until(&self) -> Result<Option<OffsetDateTime>> {
        let until: Option<i64> = self.session.get(MERGE_UNTIL).await?;
        Ok(until.and_then(|until| OffsetDateTime::from_unix_timestamp(until).ok()))
    }

    /// Keeps the offer to merge another account, to which the user has just signed in as well.
    pub(crate) async fn offer_merge(&self, offer: MergeOffer) -> Result<()> {
        Ok(self.session.insert(MERGE_OFFER, offer).await?)
    }

    pub(crate) async fn merge_offer(&self) -> Result<Option<MergeOffer>> {
        Ok(self.session.get(MERGE_OFFER).await?)
    }

    /// Continues the session as the user of the merged account, under a new session id.
    pub(crate) async fn continue_as(&self, user: &User) -> Result<()> {
        self.session.cycle_id().await?;
        self.session.insert(USER_ID, user.id).await?;
        self.session.insert(USER_NAME, &user.name).await?;
        self.session.remove::<i64>(MERGE_UNTIL).await?;
        self.session.remove::<MergeOffer>(MERGE_OFFER).await?;
        Ok(())
    }

    /// Signs a user in under a new session id (against session fixation). The session layer saves the session after the
    /// handler. With `provider`, the save also records the sign-in.
    pub(crate) async fn sign_in(&self, login: &LoginResult, provider: Option<Provider>) -> Result<()> {
        if self.session.id().is_some() {
            self.session.cycle_id().await?;
        }
        self.session.insert(USER_ID, login.user.id).await?;
        self.session.insert(USER_NAME, &login.user.name).await?;
        if let Some(provider) = provider {
            self.session.insert(SIGN_IN, provider.key()).await?;
        }
        match login.merge_until {
            Some(until) => self.session.insert(MERGE_UNTIL, until.unix_timestamp()).await?,
            None => drop(self.session.remove::<i64>(MERGE_UNTIL).await?),
        }
        if let Some(grant) = &login.grant {
            self.session.insert(SCOPES_KEY, &grant.scopes).await?;
            self.session.insert(GRANT_KEY, grant).await?;
            self.session.insert(HANDLE_KEY, &login.spotify_handle).await?;
            if login.after.reauth == Some(ReauthReason::EnableSaving) && saving::grants_saving(&grant.scopes) {
                self.session.insert(SAVING_KEY, true).await?;
            }
        }
        Ok(())
    }

    /// Changes the session id after the linked identities have changed. `without_spotify` also removes Spotify's
    /// tokens, which are already deleted in the database.
    pub(crate) async fn cycle_session(&self, without_spotify: bool) -> Result<()> {
        self.session.cycle_id().await?;
        if without_spotify {
            for key in SPOTIFY_KEYS {
                self.session.remove_value(key).await?;
            }
        }
        Ok(())
    }

    /// Turns saving at Spotify off. The next consent no longer requests it.
    pub(crate) async fn stop_saving(&self) -> Result<()> {
        self.reload().await?;
        self.session.insert(SCOPES_KEY, saving::without_saving(&self.scopes().await?)).await?;
        self.session.remove_value(SAVING_KEY).await?;
        Ok(())
    }

    pub(crate) async fn sign_out(&self) -> Result<()> {
        Ok(self.session.flush().await?)
    }
}

impl FromRequestParts<Arc<App>> for MaybeUser {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self> {
        Self::load_once(parts).await
    }
}

/// The signed-in user. Rejects with a redirect to the sign-in page, or its address as JSON for the script.
pub(crate) struct SignedIn(pub(crate) CurrentUser);

impl FromRequestParts<Arc<App>> for SignedIn {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        let maybe_user = MaybeUser::from_request_parts(parts, app).await?;
        let OriginalUri(uri) = OriginalUri::from_request_parts(parts, app).await.expect("infallible");
        if let Some(user) = maybe_user.user {
            return Ok(SignedIn(user));
        }
        if matches!(parts.method, Method::GET | Method::HEAD) {
            return Err(AppError::sign_in_required(uri.path_and_query().map_or("/playlists", |path| path.as_str())));
        }
        // Returns to the page with the form, because the form's action is not a page.
        let Ok(Referer(page)) = Referer::from_request_parts(parts, app).await;
        Err(AppError::sign_in_required_for_form(page.as_str()))
    }
}

/// A signed-in operator. Rejects others with 404: for them, the pages of operators do not exist.
pub(crate) struct OperatorUser(pub(crate) CurrentUser);

impl FromRequestParts<Arc<App>> for OperatorUser {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        let SignedIn(user) = SignedIn::from_request_parts(parts, app).await?;
        match operators::is_operator(app, user.id).await? {
            true => Ok(Self(user)),
            false => Err(error_for_status(StatusCode::NOT_FOUND)),
        }
    }
}
