//! Hearts: given, taken back, listed. None of it asks Spotify but the heart by link, once.

use time::{Duration, OffsetDateTime};
use tokio::time::timeout;

use super::search::Wanted;
use super::{Caller, Error, Marks, Paged, Result, playlists};
use crate::app::App;
use crate::db;
use crate::db::finding::{self, Found};
use crate::db::hearts::{Hand, Pressed};
use crate::ids::{Digested, PlaylistId, UserId};

/// How long what Spotify said of a playlist is good enough for a heart by link.
const FRESH: Duration = Duration::minutes(10);

/// How long a heart that was taken back counts as one pressed by mistake: given again by then, it is the same
/// heart with its first date; later it is a new one.
const SLIP: Duration = Duration::minutes(10);

/// How long a press may take: a little more than it may wait for a lock. What takes longer waits for a server that has
/// gone silent, on a connection that others could use.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(6);

/// Sets a heart as asked, for whoever is signed in by `session`: in one question to the database. Says who that is and
/// how many people heart the playlist then. Asking twice is asking once, and the first date is kept. None: whose session
/// it is can only be told by opening it, and nothing has changed.
///
/// # Errors
/// When the database fails; then nothing has changed.
pub async fn press(
    app: &App,
    session: Digested,
    playlist: &PlaylistId,
    hearted: bool,
    now: OffsetDateTime,
) -> Result<Option<(UserId, i64)>> {
    let pressed = put(app, Hand::Session(session, app.vault.marks()), playlist, hearted, now);
    let pressed = timeout(PATIENCE, pressed).await.map_err(|_| db::Error::silent())??;
    let Some(pressed) = pressed else { return Ok(None) };
    if pressed.unseen {
        db::sessions::see(&app.db, session).await;
    }
    Ok(Some((UserId(pressed.user), pressed.hearts)))
}

/// The same for somebody who is known.
///
/// # Errors
/// When the database fails; then nothing has changed.
pub async fn set(app: &App, user: UserId, playlist: &PlaylistId, hearted: bool, now: OffsetDateTime) -> Result<i64> {
    let pressed = put(app, Hand::Person(user), playlist, hearted, now).await?;
    Ok(pressed.map_or(0, |pressed| pressed.hearts))
}

/// Whoever took the heart back before finds their words beside it again, and after a slip of the finger its date too.
async fn put(
    app: &App,
    hand: Hand<'_>,
    playlist: &PlaylistId,
    hearted: bool,
    now: OffsetDateTime,
) -> Result<Option<Pressed>> {
    Ok(match hearted {
        true => db::hearts::give(&app.db, hand, playlist, now - SLIP, now).await?,
        false => db::hearts::take_back(&app.db, hand, playlist, now).await?,
    })
}

/// What became of a heart by link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is kept.
    New,
    /// It is kept, and its playlist's name is not known, because Spotify could not be asked.
    Nameless,
    /// It was kept before, with an earlier date.
    Before,
}

/// Hearts the playlist that a link names, and asks Spotify what it is called unless that is known well enough.
/// While Spotify cannot be asked, the link alone is kept.
///
/// # Errors
/// [`Error::NotFound`] when Spotify shows no such playlist to the caller; then nothing is kept.
pub async fn add(app: &App, caller: &Caller, playlist: &PlaylistId, now: OffsetDateTime) -> Result<Added> {
    let user = caller.person.id;
    let before = db::hearts::standing(&app.db, user, playlist).await?.hearted_at.is_some();
    let named = match named(app, caller, playlist, now).await {
        // A heart that is there stays, whatever became of its playlist.
        Err(Error::NotFound) if before => false,
        answer => answer?,
    };
    set(app, user, playlist, true, now).await?;
    Ok(match (before, named) {
        (true, _) => Added::Before,
        (false, true) => Added::New,
        (false, false) => Added::Nameless,
    })
}

/// Whether it is known what the playlist is called. Spotify is asked if that is not known or known from long ago.
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
    /// The hearts that were wanted.
    pub hearts: Paged<Marks>,
    /// How many there are, wanted or not.
    pub all: usize,
}

/// What the caller wants of their hearts.
///
/// # Errors
/// When the database fails.
pub async fn list(app: &App, caller: &Caller, wanted: &Wanted) -> Result<Listed> {
    let (user, at, stretch) = (caller.person.id, wanted.at, wanted.at.stretch());
    let page = |found: Found| Paged { entries: found.marks, at, total: found.total as usize };
    if wanted.is_plain() {
        let hearts = page(db::hearts::newest(&app.db, user, stretch).await?);
        return Ok(Listed { all: hearts.total, hearts });
    }
    let all = db::hearts::count(&app.db, user).await? as usize;
    let found = finding::in_hearts(&app.db, user, &wanted.search.filter(), wanted.order, stretch).await?;
    Ok(Listed { hearts: page(found), all })
}
