//! Removes what has had its time.

use time::OffsetDateTime;

use super::Result;
use crate::app::App;
use crate::db;

/// Removes ended sessions, sign-ins nobody can finish, and what Spotify has not shown for 30 days.
///
/// # Errors
/// When the database fails; the rest goes next time.
pub async fn sweep(app: &App, now: OffsetDateTime) -> Result<()> {
    let sessions = db::sessions::sweep(&app.db, now).await?;
    let sign_ins = db::sign_ins::sweep(&app.db, now).await?;
    db::events::sweep(&app.db, now).await?;
    db::invites::sweep(&app.db, now).await?;
    db::cooldowns::sweep(&app.db, now).await?;
    let playlists = db::playlists::sweep(&app.db, now).await?;
    tracing::debug!(sessions, sign_ins, playlists, "swept");
    Ok(())
}
