//! Login with an OAuth provider: start, callback and its effects.

mod apply;
mod decide;
mod error;
mod pending;
mod profile;
mod purpose;

use time::{Duration, OffsetDateTime};

use super::identities::Reauthentication;
use super::{CurrentUser, Error, Grant, Result, Scopes, User, hearts, sessions};
use crate::app::App;
use crate::db::{identities, pending_logins};
use crate::ids::{PlaylistId, Provider, UserId};
use crate::oauth;
use apply::{SessionUser, apply};
use profile::{SignedInProfile, fetch_profile, to_login_error};

pub use crate::oauth::Error as ProviderError;
pub use decide::{Conflict, LoginIntent, Outcome, SignedInAs, decide};
pub use error::{FailedLogin, LoginError};
use pending::PendingLogin;
pub use pending::{CallbackParams, LoginRequest, adds_identity, intent, start};
pub use purpose::{AfterLogin, IntentField, LoginRetry, ReauthReason};

/// Lifetime of pending logins and of the login cookie.
pub const PENDING_TTL: Duration = pending_logins::RETENTION;
/// How long a new user may merge the account with an older one.
const MERGE_TTL: Duration = Duration::minutes(15);

/// A successful login.
pub struct LoginResult {
    pub user: User,
    /// Spotify's grant; `None` for other providers.
    pub grant: Option<Grant>,
    /// The Spotify id of the grant's user as the owner of playlists, if it is usable.
    pub spotify_handle: Option<String>,
    pub outcome: Outcome,
    /// The requested scopes that were refused.
    pub missing: Scopes,
    pub after: AfterLogin,
    /// Whether the heart was added that the login was to add.
    pub is_hearted: bool,
    /// Whether the lifetime of the session starts again.
    pub is_sign_in: bool,
    /// Whether the login counts as reauthentication, because the provider asked who uses the browser now.
    pub is_reauthentication: bool,
    /// When the offer to merge the new account into an older one ends, if there is a candidate.
    pub merge_until: Option<OffsetDateTime>,
}

/// Completes a login. `user` is already signed in, and may merge accounts until `merge_until`. The pending login is
/// consumed first, even if the callback reports an error.
pub async fn complete_login(
    app: &App,
    provider: Provider,
    params: CallbackParams,
    session_user: (Option<CurrentUser>, Option<OffsetDateTime>),
    now: OffsetDateTime,
) -> Result<LoginResult, FailedLogin> {
    let pending = pending::take(app, provider, &params, now).await?;
    let retry = pending.retry();
    let result = complete_pending(app, (provider, pending), params, session_user, now).await;
    result.map_err(|error| FailedLogin { error, retry: Some(retry) })
}

async fn complete_pending(
    app: &App,
    (provider, pending): (Provider, PendingLogin),
    mut params: CallbackParams,
    (user, merge_until): (Option<CurrentUser>, Option<OffsetDateTime>),
    now: OffsetDateTime,
) -> Result<LoginResult, LoginError> {
    if let Some(code) = &params.error {
        return Err(to_login_error(oauth::Error::from_callback_code(code), provider));
    }
    let Some(code) = params.code.take() else { return Err(LoginError::Rejected) };
    let SignedInProfile { profile, grant, auth_time } = fetch_profile(app, provider, &code, &pending, now).await?;
    let client = app.oauth.get(provider).ok_or(LoginError::Unknown)?;
    let is_reauthenticated = pending.is_reauthenticated(client, auth_time)?;
    if user.is_some() && pending.after.reauth == Some(ReauthReason::SignInAgain) && !is_reauthenticated {
        return Err(Conflict::NotSignedInAgain.into());
    }
    // The session may have ended while the provider answered.
    if let Some(user) = &user
        && !sessions::exists(app, user).await?
    {
        return Err(Conflict::SessionChanged.into());
    }
    let can_merge = merge_until.is_some_and(|until| now < until);
    let session_user = user.map(|user| {
        let user = User { id: user.id, name: user.name };
        SessionUser { user, can_merge, is_reauthenticated }
    });
    let (user, outcome) = apply(app, &pending, &profile, session_user, now).await?;
    let is_hearted = match &pending.after.heart {
        Some(heart) => add_heart(app, user.id, heart, now).await?,
        None => false,
    };
    let merge_until = match outcome {
        Outcome::Joined if !merge_candidates(app, user.id).await?.is_empty() => Some(now + MERGE_TTL),
        Outcome::Linked(_) | Outcome::AlreadyLinked(_) | Outcome::MergeOffered { .. } => merge_until,
        _ => None,
    };
    let missing = grant.as_ref().map(|grant| &pending.scopes - &grant.scopes).unwrap_or_default();
    let (is_sign_in, is_reauthentication) =
        is_sign_in_and_reauthentication(app, outcome, is_reauthenticated, client.proves_reauthentication()).await?;
    Ok(LoginResult {
        user,
        grant,
        spotify_handle: profile.handle,
        outcome,
        missing,
        after: pending.after,
        is_hearted,
        is_sign_in,
        is_reauthentication,
        merge_until,
    })
}

/// Returns whether the heart was added. An error does not end the login, whose code and invitation are used up.
async fn add_heart(app: &App, user: UserId, playlist: &PlaylistId, now: OffsetDateTime) -> Result<bool> {
    match hearts::add(app, user, playlist, now).await {
        Ok(_) => Ok(true),
        Err(error @ Error::AccountDeleted) => Err(error),
        Err(error) => {
            tracing::error!(%error, "the heart of a sign-in was not added");
            Ok(false)
        }
    }
}

/// Returns whether a login with this outcome is a sign-in, and whether it counts as reauthentication. `can_prove` says
/// whether the provider can ask who uses the browser, and `is_reauthenticated` whether it did.
async fn is_sign_in_and_reauthentication(
    app: &App,
    outcome: Outcome,
    is_reauthenticated: bool,
    can_prove: bool,
) -> Result<(bool, bool)> {
    Ok(match outcome {
        Outcome::Joined => (true, true),
        // A browser that is signed in at the provider comes back without a question.
        Outcome::SignedIn(_) if is_reauthenticated || can_prove => (true, is_reauthenticated),
        Outcome::SignedIn(id) => {
            let linked = identities::list(&app.db, id).await?;
            (true, Reauthentication::new(app, &linked).by_new_session)
        }
        Outcome::AlreadyLinked(_) => (is_reauthenticated, is_reauthenticated),
        // Linking is not reauthentication: anybody who finds the browser open could link an identity of their own.
        Outcome::Linked(_) | Outcome::MergeOffered { .. } => (false, false),
    })
}

/// Returns the providers of other accounts with the same verified email address as `user`.
pub async fn merge_candidates(app: &App, user: UserId) -> Result<Vec<Provider>> {
    let candidates = identities::merge_candidates(&app.db, user).await?;
    let is_candidate = |provider: &Provider| candidates.iter().any(|candidate| candidate.provider == provider.key());
    Ok(app.oauth.providers().filter(is_candidate).collect())
}
