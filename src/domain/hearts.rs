//! Hearts: given, taken back, listed. None of it asks Spotify.

use time::OffsetDateTime;

use super::{Caller, PAGE, Paged, Playlist, Result, offset};
use crate::app::App;
use crate::db;
use crate::ids::PlaylistId;

/// Sets a heart as asked and says how many people heart the playlist then. Asking twice is asking once, and
/// the first date is kept.
///
/// # Errors
/// When the database fails; then nothing has changed.
pub async fn set(app: &App, caller: &Caller, playlist: &PlaylistId, hearted: bool, now: OffsetDateTime) -> Result<i64> {
    let user = caller.person.id;
    Ok(match hearted {
        true => db::hearts::give(&app.db, user, playlist, now).await?,
        false => db::hearts::take_back(&app.db, user, playlist).await?,
    })
}

/// Page `page` of the caller's hearts, newest first.
///
/// # Errors
/// When the database fails.
pub async fn newest(app: &App, caller: &Caller, page: usize) -> Result<Paged<Playlist>> {
    let user = caller.person.id;
    let total = db::hearts::count(&app.db, user).await? as usize;
    let entries = db::hearts::newest(&app.db, user, offset(page) as i64, PAGE as i64).await?;
    Ok(Paged { entries, page, total })
}
