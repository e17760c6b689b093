//! A playlist with its items.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::{Method, StatusCode};
use serde::Deserialize;

use crate::domain::playlists::{self, Item, ItemKind};
use crate::domain::{Error, Paginated, tags};
use crate::ids::PlaylistId;
use crate::web::error::{AppError, Result, consent_button, spotify_error_message};
use crate::web::extract::return_to::playlist_path;
use crate::web::extract::{BackLink, Now, SignedIn, State};
use crate::web::views::pager::{page_not_found, page_path};
use crate::web::views::{AnnotationForm, Layout, PageParam, Pager, PlaylistCard, render_page};

#[derive(Template)]
#[template(path = "playlists/show.html")]
struct PlaylistPage {
    layout: Layout,
    back: BackLink,
    card: PlaylistCard,
    form: AnnotationForm,
    description: Option<String>,
    heart_count: i64,
    items: Items,
    current_path: String,
    consent_button: Option<&'static str>,
}

enum Items {
    Listed {
        rows: Vec<ItemRow>,
        noun: &'static str,
        total: usize,
        pager: Pager,
        /// The number of items that this page should have, if Spotify sent fewer.
        expected_count: Option<usize>,
    },
    Hidden(String),
}

struct ItemRow {
    position: usize,
    name: String,
    artists: String,
    duration: String,
    kind: Option<&'static str>,
    /// Its page at Spotify.
    link: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct ShowParams {
    /// Path of the list from which the playlist was opened.
    from: Option<String>,
    #[serde(flatten)]
    page: PageParam,
}

pub(crate) async fn show(
    app: State,
    Now(now): Now,
    layout: Layout,
    SignedIn(user): SignedIn,
    (method, Path(id), Query(params)): (Method, Path<String>, Query<ShowParams>),
) -> Result {
    let id = parse_id(&id)?;
    let (page, back) = (params.page.number(), BackLink::from_param(params.from.as_deref()));
    let loaded = playlists::load(&app, &user, &id, (page, method == Method::HEAD), now).await?;
    let loaded = loaded.ok_or_else(page_not_found)?;
    let suggestions = tags::suggest(&app, &user, now).await?;
    let (card, error) = (PlaylistCard::from(loaded.playlist).viewed_by(&user), loaded.error.as_ref());
    let path = playlist_path(id.as_str(), back.path.as_str());
    let heart = loaded.heart.unwrap_or_default();
    let form = AnnotationForm::new(heart.own_title.as_deref(), heart.note.as_deref(), &heart.tags);
    Ok(render_page(&PlaylistPage {
        layout: layout.with_title(card.name.clone(), back.section),
        items: items(loaded.items, error, &path)?,
        consent_button: error.and_then(consent_button),
        current_path: page_path(&path, page),
        back,
        form: form.with_suggestions(suggestions),
        card,
        description: loaded.description,
        heart_count: loaded.heart_count,
    }))
}

pub(crate) fn parse_id(text: &str) -> Result<PlaylistId> {
    PlaylistId::parse(text).map_err(|error| {
        let message = format!("This is not a playlist id: {error}.");
        let error = AppError::new(StatusCode::UNPROCESSABLE_ENTITY, "Not a playlist id", message);
        error.with_nothing_saved().with_hearts_link()
    })
}

fn items(items: playlists::PlaylistItems, error: Option<&Error>, path: &str) -> Result<Items> {
    Ok(match items {
        playlists::PlaylistItems::Page(items) => list_items(items, path)?,
        playlists::PlaylistItems::OwnersOnly => Items::Hidden("Spotify shows the songs of a playlist only to its owner and collaborators.".into()),
        playlists::PlaylistItems::Unavailable => Items::Hidden(
            "Spotify no longer shows this playlist. It may be deleted, private, or one of Spotify’s own. Your heart stays until you remove it.".into(),
        ),
        playlists::PlaylistItems::Unknown => Items::Hidden(items_unavailable_message(error)),
    })
}

fn items_unavailable_message(error: Option<&Error>) -> String {
    let reason = error.map_or_else(|| "Spotify could not be reached.".into(), spotify_error_message);
    format!("{reason} Heartlist doesn’t store songs, so they can’t be shown right now.")
}

fn list_items(items: Paginated<Item>, path: &str) -> Result<Items> {
    let (total, pager) = (items.total, Pager::new(&items, path)?);
    let has_episodes = items.entries.iter().any(|item| matches!(item.kind, ItemKind::Episode));
    let noun = match (has_episodes, total) {
        (false, 1) => "song",
        (false, _) => "songs",
        (true, 1) => "episode",
        (true, _) => "songs and episodes",
    };
    let expected = items.expected_entries();
    let expected_count = (items.entries.len() < expected).then_some(expected);
    Ok(Items::Listed { rows: items.entries.into_iter().map(item_row).collect(), noun, total, pager, expected_count })
}

fn item_row(item: Item) -> ItemRow {
    let (kind, placeholder) = match item.kind {
        ItemKind::Track => (None, "Untitled"),
        ItemKind::Episode => (Some("Episode"), "Untitled episode"),
        ItemKind::LocalFile => (Some("Local file"), "Untitled file"),
        ItemKind::Unavailable => (Some("Unavailable"), "No longer available"),
    };
    let path = if matches!(item.kind, ItemKind::Episode) { "episode" } else { "track" };
    let link = item.id.map(|id| format!("https://open.spotify.com/{path}/{id}"));
    let name = if item.name.is_empty() { placeholder.to_owned() } else { item.name };
    let duration =
        item.duration_ms.map(|ms| ms / 1000).map_or_else(String::new, |s| format!("{}:{:02}", s / 60, s % 60));
    ItemRow { position: item.position, name, artists: item.artists.join(", "), duration, kind, link }
}
