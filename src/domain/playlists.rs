//! A playlist with its items, from Spotify or from stored data.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::paging::Paging;
use super::spotify_calls::{self, Endpoint};
use super::{CurrentUser, Error, PAGE_SIZE, Paginated, Playlist, Result, page_offset, text, tokens};
use crate::app::App;
use crate::db;
use crate::db::heart_counts::HeartCount;
use crate::db::hearts::Heart;
use crate::db::playlists::SeenPlaylist;
use crate::ids::PlaylistId;
use crate::spotify::pictures::PictureHosts;
pub use crate::spotify::playlist_url;
use crate::spotify::wire;

/// Prefix of the ids of playlists made by Spotify (observed, not documented). Their `snapshot_id` differs in every
/// response, so it is ignored.
const SPOTIFY_ID_PREFIX: &str = "37i9dQZF1";

/// Maximum number of requests for the items of one page.
const MAX_ITEM_REQUESTS: usize = 5;
/// How long a page of a playlist is kept in memory, so that reloading it takes no call.
const CONTENT_TTL: Duration = Duration::MINUTE;
/// How long it is remembered that Spotify does not show a playlist.
const NOT_FOUND_TTL: Duration = Duration::minutes(10);
/// The page number under which it is cached that Spotify does not show a playlist.
const NOT_FOUND: usize = 0;

/// The description and a page of the items, or when Spotify did not show the playlist.
type CachedContent = std::result::Result<(Option<String>, PlaylistItems), OffsetDateTime>;

pub struct PlaylistWithItems {
    pub playlist: Playlist,
    /// The user's heart, or the one that they removed: added again, it has its title, note and tags.
    pub heart: Option<Heart>,
    pub description: Option<String>,
    pub heart_count: i64,
    pub items: PlaylistItems,
    /// The error that prevented a fetch, if this is stored data.
    pub error: Option<Error>,
}

/// A playlist's items, as far as Spotify shows them to the user.
#[derive(Serialize, Deserialize)]
pub enum PlaylistItems {
    Page(Paginated<Item>),
    OwnersOnly,
    /// Spotify does not show the playlist: it is deleted, private, or made by Spotify.
    Unavailable,
    Unknown,
}

#[derive(Default, Serialize, Deserialize)]
pub struct Item {
    /// Counted from 1.
    pub position: usize,
    /// `None` for local files.
    pub id: Option<String>,
    /// Empty if unavailable or invisible.
    pub name: String,
    pub artists: Vec<String>,
    pub duration_ms: Option<u64>,
    pub kind: ItemKind,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ItemKind {
    Track,
    Episode,
    /// A file on the owner's computer.
    LocalFile,
    /// No longer playable.
    #[default]
    Unavailable,
}

/// Returns a playlist with a page of its items, or stored data while Spotify is unavailable; `None` if the items end
/// before `page`. Records that the user viewed it, unless `is_head`.
///
/// # Errors
/// [`Error::NotFound`] if Spotify does not show it and nothing is stored.
pub async fn load(
    app: &App,
    user: &CurrentUser,
    id: &PlaylistId,
    (page, is_head): (usize, bool),
    now: OffsetDateTime,
) -> Result<Option<PlaylistWithItems>> {
    let result = fetch_cached(app, user, id, (page, is_head), now).await;
    let (description, items, error) = match result {
        Ok(None) => return Ok(None),
        Ok(Some(Fetched { seen, description, items, error })) => {
            if let Some(seen) = seen.filter(|_| !is_head) {
                db::playlists::record(&app.db, user.id, &seen, now).await?;
                if error.is_none() {
                    db::hearts::mark_viewed(&app.db, user.id, id).await?;
                }
            }
            (description, items, error)
        }
        Err(Error::NotFound) => {
            if !is_head {
                db::news::mark_unavailable(&app.db, user.id, id, now).await?;
            }
            (None, PlaylistItems::Unavailable, None)
        }
        Err(error) if error.is_spotify_failure() => (None, PlaylistItems::Unknown, Some(error)),
        Err(error) => return Err(error),
    };
    let heart = db::hearts::find(&app.db, user.id, id).await?;
    let heart_count = displayed_count(db::heart_counts::find(&app.db, id).await?, heart.as_ref());
    let stored = db::playlists::find(&app.db, user.id, id).await?;
    let playlist = match (stored, heart.as_ref().filter(|heart| heart.removed_at.is_none())) {
        (Some(playlist), _) => playlist,
        (None, Some(heart)) => from_heart(id, heart.clone()),
        (None, None) => return Err(error.unwrap_or(Error::NotFound)),
    };
    Ok(Some(PlaylistWithItems { playlist, heart, description, heart_count, items, error }))
}

/// Returns a playlist from stored data: as Spotify last showed it, or else from the user's heart.
pub async fn find(app: &App, user: &CurrentUser, id: &PlaylistId) -> Result<Option<Playlist>> {
    if let Some(playlist) = db::playlists::find(&app.db, user.id, id).await? {
        return Ok(Some(playlist));
    }
    let heart = db::hearts::find(&app.db, user.id, id).await?.filter(|heart| heart.removed_at.is_none());
    Ok(heart.map(|heart| from_heart(id, heart)))
}

/// A playlist as Spotify showed it within [`CONTENT_TTL`].
struct Fetched {
    /// `None` if it is recorded already.
    seen: Option<SeenPlaylist>,
    description: Option<String>,
    items: PlaylistItems,
    /// The error that prevented a fetch of the items.
    error: Option<Error>,
}

/// Returns the playlist from memory, or fetches it: views of the same page within [`CONTENT_TTL`] take one call.
async fn fetch_cached(
    app: &App,
    user: &CurrentUser,
    id: &PlaylistId,
    (page, is_head): (usize, bool),
    now: OffsetDateTime,
) -> Result<Option<Fetched>> {
    let key = |page| (user.id, id.clone(), page);
    let cached = [page, NOT_FOUND].iter().find_map(|page| app.playlist_contents.get(&key(*page), now));
    match cached.filter(|_: &CachedContent| user.grant.is_some()) {
        Some(Ok((description, items))) => return Ok(Some(Fetched { seen: None, description, items, error: None })),
        Some(Err(at)) if !is_seen_since(app, user, id, at).await? => return Err(Error::NotFound),
        _ => {}
    }
    let result = tokio::time::timeout(spotify_calls::TIME_BUDGET, fetch_with_items(app, user, id, page, now)).await;
    let result = result.unwrap_or(Err(Error::SpotifyTimeout));
    match &result {
        // After a HEAD, the next view fetches it again, because only a view is recorded.
        Ok(Some(Fetched { description, items, error: None, .. })) if !is_head => {
            let content = Ok::<_, OffsetDateTime>((description, items));
            app.playlist_contents.insert(key(page), &content, now + CONTENT_TTL);
        }
        Err(Error::NotFound) => {
            app.playlist_contents.insert(key(NOT_FOUND), &CachedContent::Err(now), now + NOT_FOUND_TTL);
        }
        _ => {}
    }
    result
}

/// Returns whether Spotify has shown the playlist after `at`, as in the library, to any process.
async fn is_seen_since(app: &App, user: &CurrentUser, id: &PlaylistId, at: OffsetDateTime) -> Result<bool> {
    let stored = db::playlists::find(&app.db, user.id, id).await?;
    Ok(stored.and_then(|playlist| playlist.seen_at).is_some_and(|seen_at| seen_at > at))
}

/// Returns the playlist with a page of its items; `None` if there is no such page.
async fn fetch_with_items(
    app: &App,
    user: &CurrentUser,
    id: &PlaylistId,
    page: usize,
    now: OffsetDateTime,
) -> Result<Option<Fetched>> {
    let playlist = fetch(app, user, id, now).await?;
    let seen = to_seen_playlist(&playlist, &app.spotify.pictures);
    let description = playlist.description.as_deref().map(text::strip_markup).filter(|text| text::is_visible(text));
    let mut rows = ItemRows::new(page, playlist.item_count());
    let result = match playlist.into_items() {
        None if page > 1 => return Ok(None),
        None => Err(Error::NotAllowed),
        first => fetch_rows(app, user, id, (&mut rows, first.filter(|_| page == 1)), now).await,
    };
    let (items, error) = match result {
        _ if rows.is_out_of_range() => return Ok(None),
        Err(Error::NotFound) if page > 1 => return Ok(None),
        Err(Error::NotAllowed) => (PlaylistItems::OwnersOnly, None),
        Err(error) if rows.entries.is_empty() => (PlaylistItems::Unknown, Some(error)),
        _ => (PlaylistItems::Page(rows.into_page()), None),
    };
    Ok(Some(Fetched { seen: Some(seen), description, items, error }))
}

/// Fills a page of items, beginning with the embedded ones. Spotify may send less than a page at once.
async fn fetch_rows(
    app: &App,
    user: &CurrentUser,
    id: &PlaylistId,
    (rows, embedded): (&mut ItemRows, Option<wire::Page<wire::PlaylistItem>>),
    now: OffsetDateTime,
) -> Result<()> {
    if let Some(embedded) = embedded {
        rows.push(embedded)?;
    }
    for _ in 0..MAX_ITEM_REQUESTS {
        if !rows.has_more() {
            break;
        }
        let offset = rows.paging.next_offset;
        let fetched = tokens::with_token(app, user, Endpoint::Items, now, |token| async move {
            app.spotify.items(&token, id, offset).await
        });
        rows.push(fetched.await?)?;
    }
    Ok(())
}

/// The items of a page, as far as they have been fetched.
struct ItemRows {
    page: usize,
    entries: Vec<Item>,
    paging: Paging,
}

impl ItemRows {
    fn new(page: usize, total: Option<usize>) -> Self {
        Self { page, entries: Vec::new(), paging: Paging::new(page_offset(page), total) }
    }

    fn push(&mut self, rows: wire::Page<wire::PlaylistItem>) -> Result<()> {
        let offset = self.paging.next_offset;
        self.paging.accept(&rows)?;
        // A playlist embeds up to 100 items; a page has [`PAGE_SIZE`].
        let numbered = (offset + 1..=page_offset(self.page) + PAGE_SIZE).zip(rows.items.unwrap_or_default());
        self.entries.extend(numbered.map(|(position, row)| to_item(position, row.as_ref())));
        Ok(())
    }

    fn has_more(&self) -> bool {
        let is_full = self.paging.next_offset >= page_offset(self.page) + PAGE_SIZE;
        self.paging.has_more() && !self.is_out_of_range() && !is_full
    }

    /// True if the playlist is known to end before this page.
    fn is_out_of_range(&self) -> bool {
        self.page > 1
            && match self.paging.total {
                Some(total) => page_offset(self.page) >= total,
                None => !self.paging.has_more() && self.entries.is_empty(),
            }
    }

    fn into_page(self) -> Paginated<Item> {
        let total = self.paging.total.unwrap_or(page_offset(self.page) + self.entries.len());
        Paginated { entries: self.entries, range: self.page.into(), total }
    }
}

/// Fetches a playlist. Forgets that it was not found.
async fn fetch(app: &App, user: &CurrentUser, id: &PlaylistId, now: OffsetDateTime) -> Result<wire::Playlist> {
    let playlist = tokens::with_token(app, user, Endpoint::Playlist, now, |token| async move {
        app.spotify.playlist(&token, id).await
    })
    .await?;
    app.playlist_contents.remove(&(user.id, id.clone(), NOT_FOUND));
    Ok(playlist)
}

pub(super) async fn fetch_and_record(
    app: &App,
    user: &CurrentUser,
    id: &PlaylistId,
    now: OffsetDateTime,
) -> Result<()> {
    let playlist = fetch(app, user, id, now).await?;
    Ok(db::playlists::record(&app.db, user.id, &to_seen_playlist(&playlist, &app.spotify.pictures), now).await?)
}

/// Returns the name of a public playlist from Spotify's oEmbed service, for a user without a token; `None` if it is not
/// known.
pub(super) async fn fetch_public_title(
    app: &App,
    user: &CurrentUser,
    id: &PlaylistId,
    now: OffsetDateTime,
) -> Option<String> {
    let response = app.spotify.embed(app.config.oembed_url.as_ref()?, id);
    let embed = spotify_calls::call(app, Endpoint::OEmbed, Some(user.id), now, response).await.ok()?;
    embed.title.filter(|title| text::is_visible(title))
}

fn to_item(position: usize, row: Option<&wire::PlaylistItem>) -> Item {
    let is_local = row.is_some_and(|row| row.is_local == Some(true));
    let Some(item) = row.and_then(wire::PlaylistItem::track_or_episode) else {
        return Item { position, ..Item::default() };
    };
    let kind = match item.kind.as_deref() {
        _ if is_local => ItemKind::LocalFile,
        Some("episode") => ItemKind::Episode,
        _ => ItemKind::Track,
    };
    let visible = |name: &Option<String>| name.clone().filter(|name| text::is_visible(name));
    Item {
        position,
        id: item.id().map(str::to_owned),
        name: visible(&item.name).unwrap_or_default(),
        artists: item.artists.iter().flatten().flatten().filter_map(|artist| visible(&artist.name)).collect(),
        duration_ms: item.duration_ms,
        kind,
    }
}

fn from_heart(id: &PlaylistId, heart: Heart) -> Playlist {
    Playlist {
        id: id.to_string(),
        name: heart.title,
        own_title: heart.own_title,
        hearted_at: heart.hearted_at,
        gone_at: heart.gone_at,
        note: heart.note,
        tags: heart.tags,
        ..Playlist::default()
    }
}

pub(super) fn to_seen_playlist(playlist: &wire::Playlist, hosts: &PictureHosts) -> SeenPlaylist {
    let owner_id = playlist.owner.as_ref().and_then(|owner| owner.id.as_deref());
    let owner_name = playlist.owner.as_ref().and_then(|owner| owner.display_name.as_deref());
    let owner_name = owner_name.filter(|name| text::is_visible(name)).or(owner_id).map(str::to_owned);
    let name = playlist.name.clone().filter(|name| text::is_visible(name)).unwrap_or_default();
    let is_made_by_spotify = playlist.id.as_str().starts_with(SPOTIFY_ID_PREFIX);
    SeenPlaylist {
        id: playlist.id.clone(),
        name_folded: text::fold(&name),
        name,
        owner_id: owner_id.map(str::to_owned),
        owner_folded: owner_name.as_deref().map(text::fold),
        owner_name,
        cover_url: playlist.cover(hosts).map(str::to_owned),
        item_count: playlist.item_count().and_then(|count| i32::try_from(count).ok()),
        public: playlist.public,
        collaborative: playlist.collaborative.unwrap_or(false),
        snapshot_id: playlist.snapshot_id.as_deref().filter(|_| !is_made_by_spotify).map(str::to_owned),
    }
}

/// Returns the number of users who hearted a playlist: the last count, adjusted by the viewer's own change since then.
fn displayed_count(count: HeartCount, own: Option<&Heart>) -> i64 {
    let is_newer = |time: Option<OffsetDateTime>| time > count.counted_at;
    let change = match own {
        Some(heart) if heart.removed_at.is_none() => i64::from(is_newer(heart.hearted_at)),
        Some(heart) if is_newer(heart.removed_at) && !is_newer(heart.hearted_at) => -1,
        _ => 0,
    };
    let min = i64::from(change == 1);
    (count.hearts + change).max(min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_displayed_count_includes_the_viewers_own_heart_at_once() {
        let at = |minutes| Some(OffsetDateTime::UNIX_EPOCH + Duration::minutes(minutes));
        let heart = |hearted_at, removed_at| Heart { hearted_at, removed_at, ..Heart::default() };
        let displayed =
            |hearts, own: Option<Heart>| displayed_count(HeartCount { hearts, counted_at: at(10) }, own.as_ref());
        assert_eq!(displayed(5, None), 5);
        assert_eq!(displayed(5, Some(heart(at(9), None))), 5, "counted");
        assert_eq!(displayed(5, Some(heart(at(11), None))), 6, "added since the count");
        assert_eq!(displayed(5, Some(heart(at(9), at(11)))), 4, "removed since the count");
        assert_eq!(displayed(5, Some(heart(at(8), at(9)))), 5, "removed before the count");
        assert_eq!(displayed(0, Some(heart(at(11), at(12)))), 0, "added and removed since");
        assert_eq!(displayed_count(HeartCount::default(), Some(&heart(at(1), None))), 1, "nothing counted yet");
        assert_eq!(displayed(0, Some(heart(at(9), at(11)))), 0, "never below zero");
    }
}
