//! Hearts: add, remove, restore and list. Only [`add_by_links`] calls Spotify.

use futures_util::{FutureExt, StreamExt, stream};
use time::{Duration, OffsetDateTime};
use tokio::time::{Instant, timeout, timeout_at};

use super::search::ListQuery;
use super::text::fold;
use super::{
    CurrentUser, Error, PAGE_SIZE, Paginated, Playlist, Result, page_offset, playlists, run_heart_change, search,
    spotify_calls,
};
use crate::app::App;
use crate::db;
use crate::db::hearts;
use crate::db::hearts::HeartRows;
pub use crate::db::hearts::RemovedHeart;
pub use crate::db::pins::{MAX_PINS, PinResult};
use crate::db::{news, pins};
use crate::ids::{PlaylistId, UserId};

/// A playlist seen this recently is hearted by link without a call to Spotify.
const MAX_NAME_AGE: Duration = Duration::minutes(10);

/// Maximum number of a user's hearts after an import or a change of many. With more, deleting the account would take
/// too long.
pub const MAX_HEARTS_PER_USER: i64 = 100_000;

/// A heart that is added again this soon after its removal keeps its date: it was removed by mistake.
pub(super) const UNDO_WINDOW: Duration = Duration::minutes(10);

/// Number of playlists whose names are fetched at the same time.
const CONCURRENT_FETCHES: usize = 4;

const REMOVED_TTL: Duration = Duration::days(30);

/// The last page that is read without waiting for other searches of the user: the 5,000th heart is on it.
const MAX_QUICK_PAGE: usize = 100;

/// Timeout of adding or removing a heart, slightly longer than the lock timeout. An unresponsive database server must
/// not hold a connection that others could use.
const HEART_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(6);

/// Adds a heart; an existing one keeps its date. A removed heart returns with its note and tags, and within
/// [`UNDO_WINDOW`] also with its date. Returns the date.
pub async fn add(app: &App, user: UserId, playlist: &PlaylistId, now: OffsetDateTime) -> Result<OffsetDateTime> {
    let add = async {
        match hearts::add(&app.db, user, playlist, now - UNDO_WINDOW, now).await? {
            Some(hearted_at) => Ok(Some(hearted_at)),
            None => Ok(hearts::find(&app.db, user, playlist).await?.and_then(|heart| heart.hearted_at)),
        }
    };
    Ok(change(app, user, add).await?.unwrap_or(now))
}

/// Removes a heart. It can be restored for [`REMOVED_TTL`].
pub async fn remove(app: &App, user: UserId, playlist: &PlaylistId, now: OffsetDateTime) -> Result<()> {
    change(app, user, hearts::remove(&app.db, user, playlist, now)).await
}

/// Runs a change of one heart once the user's earlier ones have ended.
async fn change<T>(app: &App, user: UserId, change: impl Future<Output = db::Result<T>>) -> Result<T> {
    let change = timeout(HEART_TIMEOUT, change).map(|result| result.unwrap_or_else(|_| Err(db::Error::timed_out())));
    run_heart_change(&app.single_changes, user, change).await
}

/// Restores a removed heart with its date, note and tags.
///
/// # Errors
/// [`Error::NotFound`] if there is none, or it was removed too long ago.
pub async fn restore(app: &App, user: &CurrentUser, playlist: &PlaylistId, now: OffsetDateTime) -> Result<()> {
    match change(app, user.id, hearts::restore(&app.db, user.id, playlist, now - REMOVED_TTL)).await? {
        true => Ok(()),
        false => Err(Error::NotFound),
    }
}

/// Pins a heart, so that it comes first in lists. At most four are pinned.
///
/// # Errors
/// [`Error::NotFound`] if the user has not hearted the playlist.
pub async fn pin(app: &App, user: &CurrentUser, playlist: &PlaylistId) -> Result<PinResult> {
    match change(app, user.id, pins::pin(&app.db, user.id, playlist)).await? {
        PinResult::NotHearted => Err(Error::NotFound),
        result => Ok(result),
    }
}

pub async fn unpin(app: &App, user: &CurrentUser, playlist: &PlaylistId) -> Result<()> {
    change(app, user.id, pins::unpin(&app.db, user.id, playlist)).await
}

/// Returns a page of the user's removed hearts, most recently removed first.
pub async fn list_removed(
    app: &App,
    user: &CurrentUser,
    page: usize,
    now: OffsetDateTime,
) -> Result<Paginated<RemovedHeart>> {
    let rows = (page_offset(page) as i64, PAGE_SIZE as i64);
    let (entries, total) = hearts::list_removed(&app.db, user.id, now - REMOVED_TTL, rows).await?;
    Ok(Paginated { entries, range: page.into(), total: total as usize })
}

/// Deletes removed hearts permanently: one playlist's, or all of the user's. Returns their number.
pub async fn delete_removed(app: &App, user: &CurrentUser, playlist: Option<&PlaylistId>) -> Result<u64> {
    let delete = hearts::delete_removed(&app.db, user.id, playlist);
    let deleted = run_heart_change(&app.heart_changes, user.id, delete).await?;
    db::heart_changes::delete_orphans(&app.db, user.id).await?;
    news::delete_without_heart(&app.db, user.id).await?;
    Ok(deleted)
}

/// Deletes hearts that were removed more than [`REMOVED_TTL`] ago. Returns how many.
pub async fn delete_expired(app: &App, now: OffsetDateTime) -> Result<u64> {
    Ok(hearts::delete_removed_before(&app.db, now - REMOVED_TTL).await?)
}

/// Deletes Spotify's names of playlists that it has not shown for as long as the operator allows. Returns how many.
pub async fn delete_expired_titles(app: &App, now: OffsetDateTime) -> Result<u64> {
    match app.config.title_ttl {
        Some(ttl) => Ok(hearts::delete_titles_before(&app.db, now - ttl).await?),
        None => Ok(0),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddedByLink {
    Added,
    /// Spotify did not return the name.
    AddedWithoutName,
    /// Removed within [`UNDO_WINDOW`], so that it has its old date.
    Returned,
    AlreadyHearted,
}

/// Adds a heart for the playlist that a link names, and fetches its name unless it is known and recent. The heart is
/// added even while Spotify is unavailable.
///
/// # Errors
/// [`Error::NotFound`] if Spotify does not show the user this playlist; no heart is added then.
async fn add_by_link(
    app: &App,
    user: &CurrentUser,
    playlist: &PlaylistId,
    deadline: Instant,
    now: OffsetDateTime,
) -> Result<AddedByLink> {
    let heart = hearts::find(&app.db, user.id, playlist).await?.unwrap_or_default();
    let was_hearted = heart.hearted_at.is_some() && heart.removed_at.is_none();
    let keeps_date = heart.removed_at.is_some_and(|removed_at| removed_at > now - UNDO_WINDOW);
    let name = timeout_at(deadline, fetch_name(app, user, playlist, now)).await;
    let mut name = match name.unwrap_or(Ok(Name::Unknown)) {
        // An existing heart stays, even if its playlist is gone.
        Err(Error::NotFound) if was_hearted => Name::Unknown,
        result => result?,
    };
    add(app, user.id, playlist, now).await?;
    if let Name::Title(title) = &name
        && let Err(error) = hearts::set_title(&app.db, user.id, playlist, (title, &fold(title)), now).await
    {
        tracing::warn!(%error, "the name of a hearted playlist was not stored");
        name = Name::Unknown;
    }
    let has_name = name != Name::Unknown || heart.title.or(heart.own_title).is_some();
    Ok(match has_name {
        _ if was_hearted => AddedByLink::AlreadyHearted,
        _ if keeps_date => AddedByLink::Returned,
        true => AddedByLink::Added,
        false => AddedByLink::AddedWithoutName,
    })
}

/// Adds a heart for each of `playlists`, as [`add_by_link`] does. Names that Spotify has not sent by the end of its
/// time budget stay unknown.
pub async fn add_by_links(
    app: &App,
    user: &CurrentUser,
    playlists: Vec<PlaylistId>,
    now: OffsetDateTime,
) -> Vec<Result<AddedByLink>> {
    let deadline = Instant::now() + spotify_calls::TIME_BUDGET;
    let added = playlists.into_iter().map(async |playlist| add_by_link(app, user, &playlist, deadline, now).await);
    stream::iter(added).buffered(CONCURRENT_FETCHES).collect().await
}

#[derive(PartialEq, Eq)]
enum Name {
    Unknown,
    /// Stored with the playlist.
    Stored,
    /// From the oEmbed service, which returns nothing else.
    Title(String),
}

/// Fetches the playlist's name if it is unknown or old: for a user without a token, from Spotify's oEmbed service.
async fn fetch_name(app: &App, user: &CurrentUser, playlist: &PlaylistId, now: OffsetDateTime) -> Result<Name> {
    let stored = db::playlists::find(&app.db, user.id, playlist).await?;
    if stored.as_ref().and_then(|stored| stored.seen_at).is_some_and(|seen_at| now - seen_at < MAX_NAME_AGE) {
        return Ok(Name::Stored);
    }
    let known = if stored.is_some() { Name::Stored } else { Name::Unknown };
    match playlists::fetch_and_record(app, user, playlist, now).await {
        Ok(()) => Ok(Name::Stored),
        Err(Error::NotConnected | Error::Reconnect) => {
            Ok(playlists::fetch_public_title(app, user, playlist, now).await.map_or(known, Name::Title))
        }
        Err(error) if error.is_spotify_failure() => Ok(known),
        Err(error) => Err(error),
    }
}

pub struct HeartList {
    /// The requested pages of the matching hearts.
    pub hearts: Paginated<Playlist>,
    /// The number of the user's hearts, matching or not.
    pub total_hearts: usize,
}

/// Returns the user's hearts. Pages after [`MAX_QUICK_PAGE`] wait like searches, because they read all hearts before
/// them.
pub async fn list(app: &App, user: &CurrentUser, query: &ListQuery) -> Result<HeartList> {
    let page = match query.is_default() && query.pages.last <= MAX_QUICK_PAGE {
        true => hearts::list_newest(&app.db, user.id, query.pages.offset_limit()).await?,
        false => search::run(app, user.id, search_hearts(app, user, query)).await?,
    };
    let hearts = Paginated { entries: page.rows, range: query.pages, total: page.found as usize };
    Ok(HeartList { hearts, total_hearts: page.total as usize })
}

async fn search_hearts(app: &App, user: &CurrentUser, query: &ListQuery) -> Result<HeartRows> {
    let filter = query.load_filter(app, user).await?;
    let sorted_ids = match query.is_sorted_by_name() {
        true => query.sort(db::search::list_heart_names(&app.search_db, user.id).await?).await,
        false => Vec::new(),
    };
    Ok(db::search::search_hearts(&app.search_db, user.id, &filter, &query.page(&sorted_ids)).await?)
}
