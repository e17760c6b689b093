//! Hearts: added, removed, restored, listed. Only a heart by link asks Spotify, once.

use time::{Duration, OffsetDateTime};
use tokio::time::timeout;

use super::search::Wanted;
use super::{Caller, Error, PAGE, Paged, Playlist, Result, offset, playlists};
use crate::app::App;
use crate::db::heart_counts::HeartCount;
pub use crate::db::hearts::RemovedHeart;
use crate::db::hearts::{self, Heart};
use crate::db::{self, search};
use crate::ids::{PlaylistId, UserId};

/// How long Spotify's answer about a playlist is good enough for a heart by link.
const FRESH: Duration = Duration::minutes(10);

/// A heart that is added again this soon after its removal keeps its date: it was removed by mistake.
const UNDO_WINDOW: Duration = Duration::minutes(10);

/// How long removed hearts are kept.
const REMOVED_TTL: Duration = Duration::days(30);

/// Timeout of adding or removing a heart: a little more than the wait for a lock. A server that has gone silent must not
/// hold a connection that others could use.
const HEART_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(6);

/// Adds a heart. Adding twice is adding once, and the first date stays. One that was removed returns with its note and
/// tags, and within [`UNDO_WINDOW`] with its date.
pub async fn add(app: &App, user: UserId, playlist: &PlaylistId, now: OffsetDateTime) -> Result<()> {
    let added = hearts::add(&app.db, user, playlist, now - UNDO_WINDOW, now);
    Ok(timeout(HEART_TIMEOUT, added).await.map_err(|_| db::Error::silent())??)
}

/// Removes a heart. It can be restored for [`REMOVED_TTL`].
pub async fn remove(app: &App, user: UserId, playlist: &PlaylistId, now: OffsetDateTime) -> Result<()> {
    let removed = hearts::remove(&app.db, user, playlist, now);
    Ok(timeout(HEART_TIMEOUT, removed).await.map_err(|_| db::Error::silent())??)
}

/// Restores a removed heart with its date, note and tags.
///
/// # Errors
/// [`Error::NotFound`] if there is none, or it was removed too long ago.
pub async fn restore(app: &App, caller: &Caller, playlist: &PlaylistId, now: OffsetDateTime) -> Result<()> {
    match hearts::restore(&app.db, caller.person.id, playlist, now - REMOVED_TTL).await? {
        true => Ok(()),
        false => Err(Error::NotFound),
    }
}

/// Returns a page of the hearts that the caller removed, the latest first.
pub async fn removed(app: &App, caller: &Caller, page: usize, now: OffsetDateTime) -> Result<Paged<Vec<RemovedHeart>>> {
    let rows = (offset(page) as i64, PAGE as i64);
    let (entries, total) = hearts::removed(&app.db, caller.person.id, now - REMOVED_TTL, rows).await?;
    Ok(Paged { entries, at: page.into(), total: total as usize })
}

/// Deletes removed hearts for good: one playlist's, or all of the caller's.
pub async fn delete_removed(app: &App, caller: &Caller, playlist: Option<&PlaylistId>) -> Result<()> {
    Ok(hearts::delete_removed(&app.db, caller.person.id, playlist).await?)
}

/// Deletes removed hearts that were kept long enough. Returns how many.
pub async fn delete_expired(app: &App, now: OffsetDateTime) -> Result<u64> {
    Ok(hearts::delete_removed_before(&app.db, now - REMOVED_TTL).await?)
}

/// Result of adding a heart by link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is new.
    New,
    /// It is new, and its playlist's name is unknown because Spotify could not be reached.
    Nameless,
    /// It was there before, with an earlier date.
    Before,
}

/// Adds a heart for the playlist that a link names, and asks Spotify for its name unless that is known well enough.
/// While Spotify is unavailable, the link alone is enough.
///
/// # Errors
/// [`Error::NotFound`] if Spotify shows the caller no such playlist; then nothing is added.
pub async fn add_by_link(app: &App, caller: &Caller, playlist: &PlaylistId, now: OffsetDateTime) -> Result<Added> {
    let user = caller.person.id;
    let heart = hearts::find(&app.db, user, playlist).await?;
    let before = heart.is_some_and(|heart| heart.removed_at.is_none());
    let named = match named(app, caller, playlist, now).await {
        // A heart that is there stays, whatever became of its playlist.
        Err(Error::NotFound) if before => false,
        answer => answer?,
    };
    add(app, user, playlist, now).await?;
    Ok(match (before, named) {
        (true, _) => Added::Before,
        (false, true) => Added::New,
        (false, false) => Added::Nameless,
    })
}

/// Whether the playlist's name is known. Asks Spotify if it is unknown or old.
async fn named(app: &App, caller: &Caller, playlist: &PlaylistId, now: OffsetDateTime) -> Result<bool> {
    let known = db::playlists::find(&app.db, caller.person.id, playlist).await?;
    if known.as_ref().and_then(|known| known.seen_at).is_some_and(|seen| now - seen < FRESH) {
        return Ok(true);
    }
    match playlists::fetch(app, caller, playlist, now).await {
        Ok(_) => Ok(true),
        Err(error) if error.spotify_is_away() => Ok(known.is_some()),
        Err(error) => Err(error),
    }
}

/// A page of somebody's hearts.
pub struct Listed {
    /// The hearts asked for.
    pub hearts: Paged<Vec<Playlist>>,
    /// How many hearts there are, matching or not.
    pub all: usize,
}

/// Returns the hearts that a list query asks for.
pub async fn list(app: &App, caller: &Caller, wanted: &Wanted) -> Result<Listed> {
    let (user, at, rows) = (caller.person.id, wanted.at, wanted.at.stretch());
    let page = match wanted.is_plain() {
        true => hearts::newest(&app.db, user, rows).await?,
        false => {
            let filter = wanted.filter(app, caller).await?;
            search::search_hearts(&app.db, user, &filter, wanted.order, rows).await?
        }
    };
    let hearts = Paged { entries: page.rows, at, total: page.found as usize };
    Ok(Listed { hearts, all: page.total as usize })
}

/// The number of people who heart a playlist, as its page shows it: the last count, corrected by what the viewer did
/// since then.
pub(super) fn shown_count(count: HeartCount, own: Option<&Heart>) -> i64 {
    let since = |time: Option<OffsetDateTime>| time > count.counted_at;
    let own = match own {
        Some(heart) if heart.removed_at.is_none() => i64::from(since(heart.hearted_at)),
        Some(heart) if since(heart.removed_at) && !since(heart.hearted_at) => -1,
        _ => 0,
    };
    let least = i64::from(own == 1);
    (count.hearts + own).max(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shown_count_includes_the_viewers_own_heart_at_once() {
        let at = |minutes| Some(OffsetDateTime::UNIX_EPOCH + Duration::minutes(minutes));
        let heart = |hearted_at, removed_at| Heart { hearted_at, removed_at, ..Heart::default() };
        let shown = |hearts, own: Option<Heart>| shown_count(HeartCount { hearts, counted_at: at(10) }, own.as_ref());
        assert_eq!(shown(5, None), 5);
        assert_eq!(shown(5, Some(heart(at(9), None))), 5, "counted");
        assert_eq!(shown(5, Some(heart(at(11), None))), 6, "added since the count");
        assert_eq!(shown(5, Some(heart(at(9), at(11)))), 4, "removed since the count");
        assert_eq!(shown(5, Some(heart(at(8), at(9)))), 5, "removed before the count");
        assert_eq!(shown(0, Some(heart(at(11), at(12)))), 0, "added and removed since");
        assert_eq!(shown_count(HeartCount::default(), Some(&heart(at(1), None))), 1, "nothing counted yet");
        assert_eq!(shown(0, Some(heart(at(9), at(11)))), 0, "never below zero");
    }
}
