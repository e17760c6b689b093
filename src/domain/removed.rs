//! Hearts that were taken back: kept for a while as they were, and counted nowhere.

use time::{Duration, OffsetDateTime};

use super::{Caller, Error, PAGE, Paged, Result, offset};
use crate::app::App;
use crate::db;
pub use crate::db::removed::Removed;
use crate::ids::PlaylistId;

/// How long they are kept.
const KEPT: Duration = Duration::days(30);

/// Page `page` of what the caller took back, the latest first.
///
/// # Errors
/// When the database fails.
pub async fn latest(app: &App, caller: &Caller, page: usize, now: OffsetDateTime) -> Result<Paged<Vec<Removed>>> {
    let (user, since) = (caller.person.id, now - KEPT);
    let total = db::removed::count(&app.db, user, since).await? as usize;
    let entries = db::removed::latest(&app.db, user, since, offset(page) as i64, PAGE as i64).await?;
    Ok(Paged { entries, at: page.into(), total })
}

/// Gives a heart back with its date, its note and its tags. Where the playlist was hearted again meanwhile, the
/// earlier date counts.
///
/// # Errors
/// [`Error::NotFound`] when nothing of it is kept any more, or the database's; then nothing has changed.
pub async fn restore(app: &App, caller: &Caller, playlist: &PlaylistId, now: OffsetDateTime) -> Result<()> {
    match db::removed::restore(&app.db, caller.person.id, playlist, now - KEPT).await? {
        true => Ok(()),
        false => Err(Error::NotFound),
    }
}

/// Forgets for good what the caller took back: one playlist's heart, or all of them. Hearts that are there stay.
///
/// # Errors
/// When the database fails; then nothing has changed.
pub async fn forget(app: &App, caller: &Caller, playlist: Option<&PlaylistId>) -> Result<()> {
    db::removed::forget(&app.db, caller.person.id, playlist).await?;
    Ok(())
}

/// Removes what has been kept long enough; says how many hearts that were.
///
/// # Errors
/// When the database fails.
pub async fn sweep(app: &App, now: OffsetDateTime) -> Result<u64> {
    Ok(db::removed::sweep(&app.db, now - KEPT).await?)
}
