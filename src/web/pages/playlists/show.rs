//! The page of one playlist.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use crate::domain::playlists::{self, Item, Kind};
use crate::domain::{Error, Paged};
use crate::ids::PlaylistId;
use crate::web::error::{Fault, Link, door, reason};
use crate::web::extract::current_user::SignedIn;
use crate::web::extract::return_to::{List, playlist_address};
use crate::web::extract::{Now, State};
use crate::web::views::layout::{Layout, html};
use crate::web::views::pager::{PageParam, Pager, address};
use crate::web::views::playlist_card::Card;

#[derive(Template)]
#[template(path = "playlists/show.html")]
struct Show {
    layout: Layout,
    /// The list that it was opened from.
    back: List,
    card: Card,
    description: Option<String>,
    hearts: i64,
    items: Items,
    here: String,
    /// The button that helps, if one does.
    door: Option<&'static str>,
}

/// The items, or why there are none.
enum Items {
    Listed { rows: Vec<Row>, total: usize, pager: Pager },
    Withheld(String),
}

/// A line of the list of items.
struct Row {
    position: usize,
    name: String,
    artists: String,
    minutes: String,
    kind: Option<&'static str>,
}

/// What the address of a playlist's page asks for.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Opened {
    /// The list that it was opened from.
    from: Option<String>,
    #[serde(flatten)]
    page: PageParam,
}

/// One playlist, with its items where Spotify gives them.
pub(crate) async fn show(
    app: State,
    Now(now): Now,
    layout: Layout,
    SignedIn(caller): SignedIn,
    (Path(id), Query(opened)): (Path<String>, Query<Opened>),
) -> Result<Response, Fault> {
    let id = parse_id(&id)?;
    let (page, back) = (opened.page.number(), List::at(opened.from.as_deref()));
    let shown = playlists::show(&app, &caller, &id, page, now).await?;
    let (card, trouble) = (Card::from(shown.playlist), shown.trouble.as_ref());
    let path = playlist_address(id.as_str(), back.path.as_str());
    Ok(html(&Show {
        layout: layout.titled(card.name.clone(), back.section),
        items: items(shown.items, trouble, &path)?,
        door: trouble.and_then(door),
        here: address(&path, page),
        back,
        card,
        description: shown.description,
        hearts: shown.hearts,
    }))
}

/// The id in an address.
pub(crate) fn parse_id(text: &str) -> Result<PlaylistId, Fault> {
    PlaylistId::parse(text).map_err(|error| {
        let mut fault = Fault::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Not a playlist id",
            format!("This is not a playlist id: {error}."),
        )
        .nothing_saved();
        fault.way_out = vec![Link { href: "/hearts", text: "My hearts" }];
        fault
    })
}

fn items(items: playlists::Items, trouble: Option<&Error>, path: &str) -> Result<Items, Fault> {
    Ok(match items {
        playlists::Items::Listed(items) => listed(items, path)?,
        playlists::Items::OwnersOnly => Items::Withheld("Spotify shows what is in a playlist only to its owner and collaborators.".into()),
        playlists::Items::Gone => Items::Withheld(
            "Spotify no longer shows this playlist. It may be deleted, private, or one of Spotify’s own. Your heart stays until you remove it.".into(),
        ),
        playlists::Items::Unknown => Items::Withheld(not_kept(trouble)),
    })
}

/// Items are never kept: what stands above them is all there is.
fn not_kept(trouble: Option<&Error>) -> String {
    let why = trouble.map_or_else(|| "Spotify could not be asked.".into(), reason);
    format!("{why} Above is all that Heartlist keeps of this playlist; its items are not kept.")
}

fn listed(items: Paged<Vec<Item>>, path: &str) -> Result<Items, Fault> {
    let (total, pager) = (items.total, Pager::of(&items, path)?);
    Ok(Items::Listed { rows: items.entries.into_iter().map(row).collect(), total, pager })
}

fn row(item: Item) -> Row {
    let (kind, nameless) = match item.kind {
        Kind::Track => (None, "Untitled"),
        Kind::Episode => (Some("Episode"), "Untitled episode"),
        Kind::LocalFile => (Some("Local file"), "Untitled file"),
        Kind::Unavailable => (Some("Unavailable"), "No longer available"),
    };
    let name = if item.name.trim().is_empty() { nameless.to_owned() } else { item.name };
    let minutes =
        item.duration_ms.map(|ms| ms / 1000).map_or_else(String::new, |s| format!("{}:{:02}", s / 60, s % 60));
    Row { position: item.position, name, artists: item.artists.join(", "), minutes, kind }
}
