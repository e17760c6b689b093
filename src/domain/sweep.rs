//! Removes what has had its time.

use time::OffsetDateTime;

use super::{Error, Result, hearts, sharing};
use crate::app::App;
use crate::db;

/// Removes ended sessions, sign-ins nobody can finish, what Spotify has not shown for 30 days, hearts that were
/// taken back as long ago, what holds back addresses that were given up long ago, and pages of people who may have left.
/// What fails holds up nothing else.
///
/// # Errors
/// What failed, all of it; it goes next time.
pub async fn sweep(app: &App, now: OffsetDateTime) -> Result<()> {
    let pool = &app.db;
    let parts = [
        ("sessions", db::sessions::delete_expired(pool, now).await.map_err(Error::from)),
        ("sign-ins", db::pending_logins::delete_expired(pool, now).await.map_err(Error::from)),
        ("events", db::events::delete_expired(pool, now).await.map_err(Error::from)),
        ("invitations", db::invites::delete_expired(pool, now).await.map_err(Error::from)),
        ("cool-downs", db::cooldowns::delete_expired(pool, now).await.map_err(Error::from)),
        ("counts of calls", db::spotify_calls::delete_expired(pool, now).await.map_err(Error::from)),
        ("playlists", db::playlists::delete_expired(pool, now).await.map_err(Error::from)),
        ("removed hearts", hearts::delete_expired(app, now).await),
        ("addresses", db::shares::sweep(pool, now - sharing::HELD, now).await.map_err(Error::from)),
    ];
    let mut failed = Vec::new();
    for (what, outcome) in parts {
        match outcome {
            Ok(rows) => tracing::debug!(what, rows, "swept"),
            Err(error) => failed.push(format!("{what}: {error}")),
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(Error::Internal(failed.join("; "))) }
}
