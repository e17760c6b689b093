//! A user's sessions.

use time::{Duration, OffsetDateTime};

use super::activity::{self, EventKind};
use super::{CurrentUser, Result};
use crate::app::App;
use crate::db;
pub use crate::db::sessions::SessionInfo;

/// How long after reauthenticating a user may link identities or delete the account.
const REAUTH_WINDOW: Duration = Duration::minutes(10);

/// Returns whether the user reauthenticated within the last ten minutes. Someone else may be using a browser
/// that was left open, here or at the provider.
pub fn is_fresh(reauthenticated_at: Option<OffsetDateTime>, now: OffsetDateTime) -> bool {
    reauthenticated_at.is_some_and(|reauthenticated_at| now - reauthenticated_at < REAUTH_WINDOW)
}

/// Returns whether the current session still exists; it may have been ended from another device.
pub async fn exists(app: &App, user: &CurrentUser) -> Result<bool> {
    Ok(db::sessions::exists(&app.db, user.id, user.session).await?)
}

pub async fn list(app: &App, user: &CurrentUser) -> Result<Vec<SessionInfo>> {
    Ok(db::sessions::list(&app.db, user.id, user.session).await?)
}

/// Ends the user's session with this id prefix, unless it is the current one. Returns whether there was one.
pub async fn end(app: &App, user: &CurrentUser, id_prefix: &str, device: &str, now: OffsetDateTime) -> Result<bool> {
    let Ok(hash_prefix) = u64::from_str_radix(id_prefix, 16) else { return Ok(false) };
    let ended = db::sessions::delete(&app.db, user.id, hash_prefix.to_be_bytes(), user.session).await?;
    if ended {
        activity::record(app, user.id, EventKind::SessionEnded, device, now).await;
    }
    Ok(ended)
}

pub async fn end_others(app: &App, user: &CurrentUser, device: &str, now: OffsetDateTime) -> Result<u64> {
    let count = db::sessions::delete_others(&app.db, user.id, user.session).await?;
    if count > 0 {
        activity::record(app, user.id, EventKind::OtherSessionsEnded, device, now).await;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_is_fresh_for_ten_minutes() {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::days(1);
        assert!(is_fresh(Some(now - Duration::seconds(599)), now));
        assert!(!is_fresh(Some(now - Duration::minutes(10)), now));
        assert!(!is_fresh(None, now));
    }
}
