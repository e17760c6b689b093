//! One playlist with its items.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use crate::domain::playlists::{self, Item, ItemKind};
use crate::domain::{Error, Paginated};
use crate::ids::PlaylistId;
use crate::web::error::{AppError, Link, consent_button, spotify_error_message};
use crate::web::extract::current_user::SignedIn;
use crate::web::extract::return_to::{BackLink, playlist_path};
use crate::web::extract::{Now, State};
use crate::web::views::annotation_form::AnnotationForm;
use crate::web::views::layout::{Layout, render_page};
use crate::web::views::pager::{PageParam, Pager, page_path};
use crate::web::views::playlist_card::PlaylistCard;

#[derive(Template)]
#[template(path = "playlists/show.html")]
struct PlaylistPage {
    layout: Layout,
    back: BackLink,
    card: PlaylistCard,
    form: AnnotationForm,
    description: Option<String>,
    hearts: i64,
    items: Items,
    here: String,
    /// Label of the button that leads to a consent.
    consent_button: Option<&'static str>,
}

enum Items {
    Listed { rows: Vec<ItemRow>, noun: &'static str, total: usize, pager: Pager },
    Withheld(String),
}

struct ItemRow {
    position: usize,
    name: String,
    artists: String,
    duration: String,
    kind: Option<&'static str>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct ShowParams {
    /// List that the playlist was opened from.
    from: Option<String>,
    #[serde(flatten)]
    page: PageParam,
}

pub(crate) async fn show(
    app: State,
    Now(now): Now,
    layout: Layout,
    SignedIn(user): SignedIn,
    (Path(id), Query(opened)): (Path<String>, Query<ShowParams>),
) -> Result<Response, AppError> {
    let id = parse_id(&id)?;
    let (page, back) = (opened.page.number(), BackLink::from_param(opened.from.as_deref()));
    let shown = playlists::load(&app, &user, &id, page, now).await?;
    let (card, trouble) = (PlaylistCard::from(shown.playlist), shown.error.as_ref());
    let path = playlist_path(id.as_str(), back.path.as_str());
    Ok(render_page(&PlaylistPage {
        layout: layout.with_title(card.name.clone(), back.section),
        items: items(shown.items, trouble, &path)?,
        consent_button: trouble.and_then(consent_button),
        here: page_path(&path, page),
        back,
        form: card.annotation_form(),
        card,
        description: shown.description,
        hearts: shown.heart_count,
    }))
}

pub(crate) fn parse_id(text: &str) -> Result<PlaylistId, AppError> {
    PlaylistId::parse(text).map_err(|error| {
        let mut fault = AppError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Not a playlist id",
            format!("This is not a playlist id: {error}."),
        )
        .nothing_saved();
        fault.recovery_links = vec![Link { href: "/hearts", text: "My hearts" }];
        fault
    })
}

fn items(items: playlists::PlaylistItems, trouble: Option<&Error>, path: &str) -> Result<Items, AppError> {
    Ok(match items {
        playlists::PlaylistItems::Page(items) => list_items(items, path)?,
        playlists::PlaylistItems::OwnersOnly => Items::Withheld("Spotify shows the songs of a playlist only to its owner and collaborators.".into()),
        playlists::PlaylistItems::Unavailable => Items::Withheld(
            "Spotify no longer shows this playlist. It may be deleted, private, or one of Spotify’s own. Your heart stays until you remove it.".into(),
        ),
        playlists::PlaylistItems::Unknown => Items::Withheld(items_unavailable(trouble)),
    })
}

/// Items are never stored.
fn items_unavailable(trouble: Option<&Error>) -> String {
    let why = trouble.map_or_else(|| "Spotify could not be reached.".into(), spotify_error_message);
    format!("{why} Heartlist doesn’t store songs, so they can’t be shown right now.")
}

fn list_items(items: Paginated<Item>, path: &str) -> Result<Items, AppError> {
    let (total, pager) = (items.total, Pager::new(&items, path)?);
    let has_episodes = items.entries.iter().any(|item| matches!(item.kind, ItemKind::Episode));
    let noun = match (has_episodes, total) {
        (false, 1) => "song",
        (false, _) => "songs",
        (true, 1) => "episode",
        (true, _) => "songs and episodes",
    };
    Ok(Items::Listed { rows: items.entries.into_iter().map(item_row).collect(), noun, total, pager })
}

fn item_row(item: Item) -> ItemRow {
    let (kind, nameless) = match item.kind {
        ItemKind::Track => (None, "Untitled"),
        ItemKind::Episode => (Some("Episode"), "Untitled episode"),
        ItemKind::LocalFile => (Some("Local file"), "Untitled file"),
        ItemKind::Unavailable => (Some("Unavailable"), "No longer available"),
    };
    let name = if item.name.trim().is_empty() { nameless.to_owned() } else { item.name };
    let minutes =
        item.duration_ms.map(|ms| ms / 1000).map_or_else(String::new, |s| format!("{}:{:02}", s / 60, s % 60));
    ItemRow { position: item.position, name, artists: item.artists.join(", "), duration: minutes, kind }
}
