//! The user of a request: [`SignedIn`] where one is required, [`MaybeUser`] elsewhere.

use std::sync::Arc;

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use time::OffsetDateTime;
use tower_sessions::Session;

use crate::app::App;
use crate::domain::login::LoginResult;
use crate::domain::sessions;
use crate::domain::tokens::{GRANT_KEY, SCOPES_KEY};
use crate::domain::{CurrentUser, DEVICE, Grant, SIGN_IN, SIGNED_IN_AT, Scopes, USER_ID, session_key};
use crate::ids::{Provider, UserId};
use crate::web::error::{AppError, of_status};
use crate::web::extract::return_to::Referer;

const USER_NAME: &str = "name";
const INVITED_UNTIL: &str = "invited_until";

/// Timeout for loading the session. A database that hangs counts as down; every page meets it here first.
const SESSION_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(4);

/// The session of the cookie, not loaded yet.
pub(crate) fn session(parts: &Parts) -> Result<Session, AppError> {
    parts.extensions.get().cloned().ok_or_else(|| AppError::internal("no session layer"))
}

/// The session of a request and its user, if any.
#[derive(Clone)]
pub(crate) struct MaybeUser {
    session: Session,
    pub(crate) user: Option<CurrentUser>,
}

impl MaybeUser {
    /// Loads the session; without a cookie there is no query.
    pub(crate) async fn load(session: Session) -> Result<Self, AppError> {
        let read = tokio::time::timeout(SESSION_TIMEOUT, Self::read(session)).await;
        read.unwrap_or_else(|_| Err(of_status(StatusCode::SERVICE_UNAVAILABLE)))
    }

    async fn read(session: Session) -> Result<Self, AppError> {
        let user: Option<UserId> = session.get(USER_ID).await?;
        let name: Option<String> = session.get(USER_NAME).await?;
        let user = match (user, name, session.id()) {
            (Some(id), Some(name), Some(row)) => {
                let grant: Option<Grant> = session.get(GRANT_KEY).await?;
                let lapsed = grant.is_none() && session.get::<Scopes>(SCOPES_KEY).await?.is_some();
                Some(CurrentUser { id, name, session: session_key(row), grant, has_expired_grant: lapsed })
            }
            _ => None,
        };
        Ok(Self { session, user: user })
    }

    /// Scopes of the last consent, even if its tokens have expired.
    pub(crate) async fn scopes(&self) -> Result<Scopes, AppError> {
        Ok(self.session.get(SCOPES_KEY).await?.unwrap_or_default())
    }

    /// True if the session holds Spotify tokens.
    pub(crate) fn is_connected(&self) -> bool {
        self.user.as_ref().is_some_and(|user| user.grant.is_some())
    }

    /// Loads the session again after a slow call to a provider, so that a session that ended meanwhile stays ended.
    pub(crate) async fn reload(&self) -> Result<(), AppError> {
        let Some(user) = &self.user else { return Ok(()) };
        self.session.load().await?;
        let stored: Option<UserId> = self.session.get(USER_ID).await?;
        if stored == Some(user.id) { Ok(()) } else { Err(AppError::signed_out("/account")) }
    }

    /// True if the user authenticated within the last 10 minutes.
    pub(crate) async fn has_signed_in_recently(&self, now: OffsetDateTime) -> Result<bool, AppError> {
        Ok(sessions::is_fresh(self.signed_in_at().await?, now))
    }

    /// Stores the device, and the time of authentication if there was one.
    pub(crate) async fn record_device(&self, device: &str, proved_at: Option<OffsetDateTime>) -> Result<(), AppError> {
        self.session.insert(DEVICE, device).await?;
        match proved_at {
            Some(at) => Ok(self.session.insert(SIGNED_IN_AT, at.unix_timestamp()).await?),
            None => Ok(()),
        }
    }

    /// Time of the last authentication in this session.
    pub(crate) async fn signed_in_at(&self) -> Result<Option<OffsetDateTime>, AppError> {
        let at: Option<i64> = self.session.get(SIGNED_IN_AT).await?;
        Ok(at.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok()))
    }

    /// End of the period in which a new user may merge an older account.
    pub(crate) async fn invited_until(&self) -> Result<Option<OffsetDateTime>, AppError> {
        let until: Option<i64> = self.session.get(INVITED_UNTIL).await?;
        Ok(until.and_then(|until| OffsetDateTime::from_unix_timestamp(until).ok()))
    }

    /// Signs a user in under a new session id (session fixation). The session layer saves the session after the handler; with
    /// `provider`, saving also records the sign-in by that identity.
    pub(crate) async fn sign_in(&self, arrived: &LoginResult, provider: Option<Provider>) -> Result<(), AppError> {
        if self.session.id().is_some() {
            self.session.cycle_id().await?;
        }
        self.session.insert(USER_ID, arrived.user.id).await?;
        self.session.insert(USER_NAME, &arrived.user.name).await?;
        if let Some(provider) = provider {
            self.session.insert(SIGN_IN, provider.key()).await?;
        }
        match arrived.merge_until {
            Some(until) => self.session.insert(INVITED_UNTIL, until.unix_timestamp()).await?,
            None => drop(self.session.remove::<i64>(INVITED_UNTIL).await?),
        }
        if let Some(grant) = &arrived.grant {
            self.session.insert(SCOPES_KEY, &grant.scopes).await?;
            self.session.insert(GRANT_KEY, grant).await?;
        }
        Ok(())
    }

    /// Changes the session id after the linked identities have changed. `without_spotify` also removes the tokens, which are
    /// deleted in the database already.
    pub(crate) async fn cycle_session(&self, without_spotify: bool) -> Result<(), AppError> {
        self.session.cycle_id().await?;
        if without_spotify {
            self.session.remove::<Grant>(GRANT_KEY).await?;
            self.session.remove::<Scopes>(SCOPES_KEY).await?;
        }
        Ok(())
    }

    /// Deletes the session's row and cookie.
    pub(crate) async fn sign_out(&self) -> Result<(), AppError> {
        Ok(self.session.flush().await?)
    }
}

impl FromRequestParts<Arc<App>> for MaybeUser {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, AppError> {
        // Most pages extract it twice, for the layout and for the handler.
        if let Some(visitor) = parts.extensions.get::<Self>() {
            return Ok(visitor.clone());
        }
        let visitor = MaybeUser::load(session(parts)?).await?;
        if let Some(user) = &visitor.user {
            tracing::Span::current().record("user_id", user.id.0);
        }
        parts.extensions.insert(visitor.clone());
        Ok(visitor)
    }
}

/// The signed-in user. Rejects with a redirect to the sign-in page, or its address as JSON for the script.
pub(crate) struct SignedIn(pub(crate) CurrentUser);

impl FromRequestParts<Arc<App>> for SignedIn {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, AppError> {
        let visitor = MaybeUser::from_request_parts(parts, app).await?;
        let OriginalUri(uri) = OriginalUri::from_request_parts(parts, app).await.expect("there is always one");
        if let Some(user) = visitor.user {
            return Ok(SignedIn(user));
        }
        if matches!(parts.method, Method::GET | Method::HEAD) {
            return Err(AppError::signed_out(uri.path_and_query().map_or("/playlists", |path| path.as_str())));
        }
        // A form's target is not a page to return to; the page of the form is.
        let Ok(Referer(page)) = Referer::from_request_parts(parts, app).await;
        Err(AppError::signed_out_nothing_changed(page.as_str()))
    }
}
