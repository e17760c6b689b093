//! One playlist with its items.

use time::OffsetDateTime;

use super::asking::{self, Endpoint};
use super::{Caller, Error, PAGE, Paged, Playlist, Result, hearts, offset, text, tokens};
use crate::app::App;
use crate::db;
use crate::db::hearts::Heart;
use crate::db::playlists::Seen;
use crate::ids::PlaylistId;
use crate::spotify::wire;

/// How the ids of Spotify's own playlists begin (observed, not documented). Their `snapshot_id` changes with
/// every request, so it does not tell that anything else did.
const MADE_BY_SPOTIFY: &str = "37i9dQZF1";

/// A playlist's page.
pub struct Shown {
    /// What its card says.
    pub playlist: Playlist,
    /// What its owner says of it.
    pub description: Option<String>,
    /// How many people heart it here.
    pub hearts: i64,
    /// What is in it.
    pub items: Items,
    /// Why Spotify could not be asked, when what is shown was kept from earlier.
    pub trouble: Option<Error>,
}

/// What is in a playlist, as far as Spotify tells this person.
pub enum Items {
    /// These.
    Listed(Paged<Vec<Item>>),
    /// Spotify shows them to the owner and to collaborators only.
    OwnersOnly,
    /// Spotify does not show the playlist at all: gone, secret, or made by Spotify itself.
    Gone,
    /// Spotify could not be reached.
    Unknown,
}

/// A place in a playlist.
pub struct Item {
    /// Counted from 1.
    pub position: usize,
    /// The title; empty when it is not available.
    pub name: String,
    /// Who plays, in Spotify's order.
    pub artists: Vec<String>,
    /// How long it lasts, in milliseconds.
    pub duration_ms: Option<u64>,
    /// What it is.
    pub kind: Kind,
}

/// What stands in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A track.
    Track,
    /// A podcast's episode.
    Episode,
    /// A file on the owner's machine.
    LocalFile,
    /// Nothing that can be played any more.
    Unavailable,
}

/// The playlist `id`, with page `page` of its items. Whatever is known is shown, also while Spotify is away.
///
/// # Errors
/// [`Error::NotFound`] for a playlist that Spotify does not show and that this person never saw nor hearted.
pub async fn show(app: &App, caller: &Caller, id: &PlaylistId, page: usize, now: OffsetDateTime) -> Result<Shown> {
    let asked = tokio::time::timeout(asking::BUDGET, ask(app, caller, id, page, now)).await;
    let asked = asked.unwrap_or(Err(Error::SpotifySlow));
    let user = caller.person.id;
    let (description, items, trouble) = match asked {
        Ok((description, items)) => {
            db::hearts::mark_viewed(&app.db, user, id).await?;
            (description, items, None)
        }
        Err(Error::NotFound) => {
            db::hearts::mark_unavailable(&app.db, user, id, now).await?;
            (None, Items::Gone, None)
        }
        Err(error) if error.spotify_is_away() => (None, Items::Unknown, Some(error)),
        Err(error) => return Err(error),
    };
    let heart = db::hearts::find(&app.db, user, id).await?;
    let hearts = hearts::shown_count(db::heart_counts::find(&app.db, id).await?, heart.as_ref());
    let heart = heart.filter(|heart| heart.removed_at.is_none());
    let known = db::playlists::find(&app.db, user, id).await?;
    let playlist = match (known, heart) {
        (Some(playlist), _) => playlist,
        (None, Some(heart)) => bookmark(id, heart),
        (None, None) => return Err(trouble.unwrap_or(Error::NotFound)),
    };
    Ok(Shown { playlist, description, hearts, items, trouble })
}

/// What is known of one playlist without asking Spotify.
pub async fn known(app: &App, caller: &Caller, id: &PlaylistId) -> Result<Option<Playlist>> {
    Ok(db::playlists::find(&app.db, caller.person.id, id).await?)
}

async fn ask(
    app: &App,
    caller: &Caller,
    id: &PlaylistId,
    page: usize,
    now: OffsetDateTime,
) -> Result<(Option<String>, Items)> {
    let found = fetch(app, caller, id, now).await?;
    let description = found.description.as_deref().map(text::plain).filter(|text| !text.is_empty());
    let total = found.item_count();
    let items = match (found.into_items(), page) {
        (None, _) => Items::OwnersOnly,
        (Some(first), 1) => Items::Listed(listed(first, 1, total)),
        (Some(_), _) => {
            let asked = tokens::with_token(app, caller, Endpoint::Items, now, |token| async move {
                app.spotify.items(&token, id, offset(page)).await
            });
            match asked.await {
                Ok(rows) => Items::Listed(listed(rows, page, total)),
                Err(Error::NotAllowed) => Items::OwnersOnly,
                Err(error) => return Err(error),
            }
        }
    };
    Ok((description, items))
}

/// Asks Spotify for the playlist, once, and keeps what a card says of it.
pub(super) async fn fetch(app: &App, caller: &Caller, id: &PlaylistId, now: OffsetDateTime) -> Result<wire::Playlist> {
    let found = tokens::with_token(app, caller, Endpoint::Playlist, now, |token| async move {
        app.spotify.playlist(&token, id).await
    })
    .await?;
    db::playlists::note(&app.db, caller.person.id, &seen(&found), now).await?;
    Ok(found)
}

fn listed(rows: wire::Page<wire::Row>, page: usize, total: Option<usize>) -> Paged<Vec<Item>> {
    let shown = rows.items.unwrap_or_default();
    let total = rows.total.or(total).unwrap_or(shown.len());
    // The playlist itself embeds up to 100; a page of ours holds as many as a page of Spotify's.
    let places = (offset(page) + 1..).zip(shown.into_iter().take(PAGE));
    let entries = places.map(|(position, row)| item(position, row.as_ref())).collect();
    Paged { entries, at: page.into(), total }
}

fn item(position: usize, row: Option<&wire::Row>) -> Item {
    let local = row.is_some_and(|row| row.is_local == Some(true));
    let Some(item) = row.and_then(wire::Row::item) else {
        return Item { position, name: String::new(), artists: Vec::new(), duration_ms: None, kind: Kind::Unavailable };
    };
    let kind = match item.kind.as_deref() {
        _ if local => Kind::LocalFile,
        Some("episode") => Kind::Episode,
        _ => Kind::Track,
    };
    let artists = item
        .artists
        .iter()
        .flatten()
        .flatten()
        .filter_map(|artist| artist.name.clone())
        .filter(|name| !name.is_empty());
    Item {
        position,
        name: item.name.clone().unwrap_or_default(),
        artists: artists.collect(),
        duration_ms: item.duration_ms,
        kind,
    }
}

/// A playlist of which only the person's own heart is known.
pub(super) fn bookmark(id: &PlaylistId, heart: Heart) -> Playlist {
    Playlist {
        id: id.to_string(),
        name: heart.title,
        owner_name: None,
        cover_url: None,
        item_count: None,
        public: None,
        collaborative: false,
        seen_at: None,
        hearted_at: heart.hearted_at,
        changed_at: None,
        gone_at: heart.gone_at,
        note: heart.note,
        tags: heart.tags,
    }
}

/// What we keep of a playlist that Spotify shows.
pub(super) fn seen(playlist: &wire::Playlist) -> Seen {
    let owner_id = playlist.owner.as_ref().and_then(|owner| owner.id.as_deref());
    let owner_name = playlist.owner.as_ref().and_then(|owner| owner.display_name.as_deref());
    let owner_name = owner_name.filter(|name| !name.trim().is_empty()).or(owner_id).map(str::to_owned);
    let name = playlist.name.clone().unwrap_or_default();
    let made_by_spotify = playlist.id.as_str().starts_with(MADE_BY_SPOTIFY);
    Seen {
        id: playlist.id.clone(),
        name_folded: text::fold(&name),
        name,
        owner_id: owner_id.map(str::to_owned),
        owner_folded: owner_name.as_deref().map(text::fold),
        owner_name,
        cover_url: playlist.cover().map(str::to_owned),
        item_count: playlist.item_count().and_then(|count| i32::try_from(count).ok()),
        public: playlist.public,
        collaborative: playlist.collaborative.unwrap_or(false),
        snapshot_id: playlist.snapshot_id.as_deref().filter(|_| !made_by_spotify).map(str::to_owned),
    }
}
