//! Deletes expired rows.

use time::OffsetDateTime;

use super::{Error, Result, hearts, sharing};
use crate::app::App;
use crate::db;

/// Runs all deletions; one that fails does not stop the others.
///
/// # Errors
/// All failures, joined; the next run tries again.
pub async fn delete_expired(app: &App, now: OffsetDateTime) -> Result<()> {
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
        ("addresses", db::shares::delete_expired(pool, now - sharing::SLUG_HOLD, now).await.map_err(Error::from)),
    ];
    let mut failed = Vec::new();
    for (what, outcome) in parts {
        match outcome {
            Ok(rows) => tracing::debug!(what, rows, "expired rows deleted"),
            Err(error) => failed.push(format!("{what}: {error}")),
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(Error::Internal(failed.join("; "))) }
}
