//! Deletes expired rows.

use time::OffsetDateTime;

use super::{Error, Result, heart_changes, hearts, sharing};
use crate::app::App;
use crate::db;

/// Runs all deletions; one that fails does not stop the others.
///
/// # Errors
/// All failures, joined; the next run tries again.
pub async fn delete_expired(app: &App, now: OffsetDateTime) -> Result<()> {
    let pool = &app.db;
    let results = [
        ("sessions", db::sessions::delete_expired(pool, now).await.map_err(Error::from)),
        ("anonymous sessions", db::sessions::delete_anonymous(pool, now).await.map_err(Error::from)),
        ("pending logins", db::pending_logins::delete_expired(pool, now).await.map_err(Error::from)),
        ("events", db::events::delete_expired(pool, now).await.map_err(Error::from)),
        ("invitations", db::invites::delete_expired(pool, now).await.map_err(Error::from)),
        ("cooldowns", db::cooldowns::delete_expired(pool, now).await.map_err(Error::from)),
        ("call counts", db::spotify_calls::delete_expired(pool, now).await.map_err(Error::from)),
        ("playlists", db::stale_playlists::delete_expired(pool, now).await.map_err(Error::from)),
        ("titles", hearts::delete_expired_titles(app, now).await),
        ("removed hearts", hearts::delete_expired(app, now).await),
        ("heart changes", heart_changes::delete_expired(app, now).await),
        ("news", db::news::delete_expired(pool, now).await.map_err(Error::from)),
        ("sharing bans", db::shares::delete_expired_bans(pool, now).await.map_err(Error::from)),
        ("slugs", db::shares::delete_expired(pool, now - sharing::SLUG_HOLD, now).await.map_err(Error::from)),
    ];
    let mut failures = Vec::new();
    for (kind, result) in results {
        match result {
            Ok(rows) => tracing::debug!(kind, rows, "expired rows deleted"),
            Err(error) => failures.push(format!("{kind}: {error}")),
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(Error::Internal(failures.join("; "))) }
}
