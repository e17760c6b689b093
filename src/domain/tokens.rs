//! Spotify's access tokens, refreshed shortly before they expire or after a 401, by one request at a time.

use std::future::Future;

use time::{Duration, OffsetDateTime};
use tokio::time::Instant;

use super::spotify_calls::{self, Endpoint};
use super::{CurrentUser, Error, Grant, Result};
use crate::app::App;
use crate::ids::Secret;
use crate::{db, oauth, spotify};

pub const GRANT_KEY: &str = "grant";
/// Session key of the granted scopes. It outlives a grant that Spotify ended, to show that there was one.
pub const SCOPES_KEY: &str = "scopes";
/// Session key of whether hearts are saved in the library at Spotify too. Like the grant, it is of one browser.
pub const SAVING_KEY: &str = "saves_to_library";
/// Session key of the user's Spotify id as the owner of playlists.
pub const HANDLE_KEY: &str = "spotify_handle";
/// Session keys that are removed when Spotify is disconnected.
pub const SPOTIFY_KEYS: [&str; 4] = [GRANT_KEY, SCOPES_KEY, SAVING_KEY, HANDLE_KEY];

/// Lease of a process that refreshes a token; far longer than the HTTP timeout.
const REFRESH_LEASE: Duration = Duration::seconds(20);
/// How often a request checks whether another one has refreshed the token, or tries again to store it.
const LEASE_POLL_INTERVAL: std::time::Duration = std::time::Duration::from_millis(100);

/// Calls Spotify with a valid access token. Refreshes the token if it has expired, and once more after a 401.
///
/// # Errors
/// [`Error::Reconnect`] if the grant has ended; the grant is then removed. [`Error::SpotifyTimeout`] if the time budget
/// is exceeded.
pub async fn with_token<T, F>(
    app: &App,
    user: &CurrentUser,
    endpoint: Endpoint,
    now: OffsetDateTime,
    call: impl Fn(Secret) -> F,
) -> Result<T>
where
    F: Future<Output = spotify::Result<T>>,
{
    let attempt = async {
        let grant = load_valid_grant(app, user, now).await?;
        match spotify_calls::call(app, endpoint, Some(user.id), now, call(grant.access.clone())).await {
            // Spotify sometimes ends tokens early. Rate limits are never reported as 401.
            Err(Error::Reconnect) => {
                let grant = refresh_grant(app, user, &grant.access, now).await?;
                spotify_calls::call(app, endpoint, Some(user.id), now, call(grant.access)).await
            }
            result => result,
        }
    };
    tokio::time::timeout(spotify_calls::TIME_BUDGET, attempt).await.unwrap_or(Err(Error::SpotifyTimeout))
}

/// Returns the user with the grant that is now stored in the session.
pub(super) async fn reload_grant(app: &App, user: &CurrentUser) -> Result<CurrentUser> {
    let stored = db::sessions::load_value::<Grant>(&app.db, &app.vault, user.session, GRANT_KEY).await?;
    let grant = stored.and_then(|stored| stored.value);
    Ok(CurrentUser { grant, ..user.clone() })
}

async fn load_valid_grant(app: &App, user: &CurrentUser, now: OffsetDateTime) -> Result<Grant> {
    let grant = user.grant.clone().ok_or_else(|| user.missing_grant_error())?;
    if grant.refresh_at > now { Ok(grant) } else { refresh_grant(app, user, &grant.access, now).await }
}

/// Returns the successor of the grant with the `stale` token: the one that another request has just fetched, or a new
/// one.
async fn refresh_grant(app: &App, user: &CurrentUser, stale: &Secret, now: OffsetDateTime) -> Result<Grant> {
    loop {
        let stored = db::sessions::load_value::<Grant>(&app.db, &app.vault, user.session, GRANT_KEY).await?;
        let stored = stored.ok_or(Error::Reconnect)?;
        let grant = stored.value.ok_or(Error::Reconnect)?;
        if grant.access != *stale && grant.refresh_at > now {
            return Ok(grant);
        }
        if stored.leased_until.is_none_or(|until| until <= app.now()) {
            let (app, user, stale) = (app.clone(), user.clone(), stale.clone());
            // Spawned, because the new tokens must be stored even if the request is cancelled.
            let task = tokio::spawn(async move { try_refresh(&app, &user, &stale, now).await });
            if let Some(grant) = task.await.unwrap_or_else(|error| Err(Error::Internal(error.to_string())))? {
                return Ok(grant);
            }
        }
        tokio::time::sleep(LEASE_POLL_INTERVAL).await;
    }
}

/// Refreshes the token; `None` if another request holds the lease.
async fn try_refresh(app: &App, user: &CurrentUser, stale: &Secret, now: OffsetDateTime) -> Result<Option<Grant>> {
    let session = user.session;
    // Not `now`, the start of the request: the lease must last as long as the provider may take.
    let start = app.now();
    let until = start + REFRESH_LEASE;
    let leased = db::sessions::lease::<Grant>(&app.db, &app.vault, (session, until), GRANT_KEY, start).await?;
    let Some(leased) = leased else { return Ok(None) };
    let grant = match leased.value {
        Some(grant) if grant.access == *stale || grant.refresh_at <= now => grant,
        // Another request has refreshed or removed the grant since it was loaded.
        other => {
            db::sessions::release(&app.db, session, until).await?;
            return other.map(Some).ok_or(Error::Reconnect);
        }
    };
    match app.oauth.spotify().refresh_token(&grant, now).await {
        Ok(fresh) => {
            let store = || db::sessions::replace_value(&app.db, &app.vault, (session, until), GRANT_KEY, Some(&fresh));
            let deadline = Instant::now() + REFRESH_LEASE.unsigned_abs();
            // Spotify may have ended the old refresh token: without the new one the user would have to reconnect.
            while let Err(error) = store().await {
                if !matches!(error, db::Error::Unavailable(_)) || Instant::now() > deadline {
                    return Err(error.into());
                }
                tokio::time::sleep(LEASE_POLL_INTERVAL).await;
            }
            Ok(Some(fresh))
        }
        Err(oauth::Error::InvalidGrant) => {
            tracing::info!(user = %user.id, "Spotify ended a grant; the user has to reconnect");
            db::sessions::replace_value::<Grant>(&app.db, &app.vault, (session, until), GRANT_KEY, None).await?;
            Err(Error::Reconnect)
        }
        // After any other error the grant may still be valid.
        Err(error) => {
            db::sessions::release(&app.db, session, until).await?;
            Err(error.into())
        }
    }
}
