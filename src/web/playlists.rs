//! The page of one playlist.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::error::{Fault, Link, trouble};
use super::layout::{Card, Layout, html};
use super::session::SignedIn;
use super::{Now, State};
use crate::domain::Paged;
use crate::domain::playlists::{self, Item, Kind};
use crate::ids::PlaylistId;

/// `?page=` in an address: anything that is no page number is the first page.
#[derive(Default, Deserialize)]
pub(super) struct PageParam {
    #[serde(default)]
    page: Option<String>,
}

impl PageParam {
    pub(super) fn number(&self) -> usize {
        self.page.as_deref().and_then(|page| page.parse().ok()).filter(|page| *page > 0).unwrap_or(1)
    }
}

/// Where a page of a list is.
pub(super) fn address(path: &str, page: usize) -> String {
    if page == 1 { path.to_owned() } else { format!("{path}?page={page}") }
}

/// A page number behind the last page.
pub(super) fn no_such_page() -> Fault {
    Fault::new(StatusCode::NOT_FOUND, "No such page", "The list ends before this page.")
}

#[derive(Template)]
#[template(path = "playlists/show.html")]
struct Show {
    layout: Layout,
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
    Listed { rows: Vec<Row>, total: usize, page: usize, pages: usize },
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

/// One playlist, with its items where Spotify gives them.
pub(super) async fn show(
    app: State,
    Now(now): Now,
    layout: Layout,
    SignedIn(caller): SignedIn,
    (Path(id), Query(at)): (Path<String>, Query<PageParam>),
) -> Result<Response, Fault> {
    let id = parse_id(&id)?;
    let shown = playlists::show(&app, &caller, &id, at.number(), now).await?;
    if matches!(&shown.items, playlists::Items::Listed(items) if items.page > items.pages()) {
        return Err(no_such_page());
    }
    let (card, (trouble, door)) = (Card::from(shown.playlist), shown.trouble.as_ref().map(trouble).unzip());
    Ok(html(&Show {
        layout: layout.titled(card.name.clone(), "playlists"),
        here: address(&format!("/playlists/{id}"), at.number()),
        card,
        description: shown.description,
        hearts: shown.hearts,
        items: items(shown.items, trouble),
        door: door.flatten(),
    }))
}

/// The id in an address.
pub(super) fn parse_id(text: &str) -> Result<PlaylistId, Fault> {
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

fn items(items: playlists::Items, trouble: Option<String>) -> Items {
    match items {
        playlists::Items::Listed(items) => listed(items),
        playlists::Items::OwnersOnly => Items::Withheld("Spotify shows what is in a playlist only to its owner and to those who work on it.".into()),
        playlists::Items::Gone => Items::Withheld(
            "Spotify does not show this playlist any more: it may be deleted, private, or made by Spotify itself. Your heart stays until you take it back.".into(),
        ),
        playlists::Items::Unknown => Items::Withheld(trouble.unwrap_or_else(|| "Spotify could not be asked what is in this playlist.".into())),
    }
}

fn listed(items: Paged<Item>) -> Items {
    let (total, page, pages) = (items.total, items.page, items.pages());
    Items::Listed { rows: items.entries.into_iter().map(row).collect(), total, page, pages }
}

fn row(item: Item) -> Row {
    let (kind, nameless) = match item.kind {
        Kind::Track => (None, "Untitled"),
        Kind::Episode => (Some("Episode"), "Untitled episode"),
        Kind::LocalFile => (Some("Local file"), "Untitled file"),
        Kind::Unavailable => (Some("Unavailable"), "Not available any more"),
    };
    let name = if item.name.trim().is_empty() { nameless.to_owned() } else { item.name };
    let minutes =
        item.duration_ms.map(|ms| ms / 1000).map_or_else(String::new, |s| format!("{}:{:02}", s / 60, s % 60));
    Row { position: item.position, name, artists: item.artists.join(", "), minutes, kind }
}
