//! Tokens that work: renewed a little early, or after a 401, by one request at a time.

use std::future::Future;

use time::OffsetDateTime;

use super::{Caller, Error, Grant, Result};
use crate::app::App;
use crate::ids::Secret;
use crate::{db, oauth, spotify};

/// Where a session's record keeps the grant.
pub const GRANT: &str = "grant";

/// Asks Spotify by `ask`, with a token that works: renews it first when its time is over, and once more when
/// Spotify says 401 all the same.
///
/// # Errors
/// [`Error::Reconnect`] when the grant is dead; it is then forgotten, and only it.
pub async fn with_token<T, F>(app: &App, caller: &Caller, now: OffsetDateTime, ask: impl Fn(Secret) -> F) -> Result<T>
where
    F: Future<Output = std::result::Result<T, spotify::Error>>,
{
    let mut grant = caller.grant.clone().ok_or(Error::Reconnect)?;
    if grant.renew_at <= now {
        grant = renewed(app, caller, &grant.access, now).await?;
    }
    match ask(grant.access.clone()).await {
        Err(spotify::Error::Unauthorized) => {
            let grant = renewed(app, caller, &grant.access, now).await?;
            Ok(ask(grant.access).await?)
        }
        answer => Ok(answer?),
    }
}

/// The grant after `stale`: the one that another request has fetched meanwhile, or a new one.
async fn renewed(app: &App, caller: &Caller, stale: &Secret, now: OffsetDateTime) -> Result<Grant> {
    // The row stays locked while the provider is asked: single-use refresh tokens allow one buyer.
    let locked = db::sessions::lock(&app.db, &app.vault, caller.session).await?.ok_or(Error::Reconnect)?;
    let kept: Grant = locked.get(GRANT).ok_or(Error::Reconnect)?;
    if kept.access != *stale && kept.renew_at > now {
        return Ok(kept);
    }
    match app.spotify_sign_in.renew(&kept, now).await {
        Ok(fresh) => {
            locked.put(GRANT, Some(&fresh)).await?;
            Ok(fresh)
        }
        Err(oauth::Error::Refused) => {
            tracing::info!(user = %caller.person.id, "Spotify ended a grant; its owner is asked to connect again");
            locked.put(GRANT, None::<&Grant>).await?;
            Err(Error::Reconnect)
        }
        // An outage says nothing about the grant: it stays.
        Err(error) => Err(error.into()),
    }
}
