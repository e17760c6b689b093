//! Hearts: the buttons' addresses, and the page of one's own.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use serde::{Deserialize, Serialize};

use super::error::Fault;
use super::layout::{Card, Layout, html};
use super::next::SafePath;
use super::notice::{self, Notice};
use super::playlists::{PageParam, address, no_such_page, parse_id};
use super::session::{SignedIn, Visitor};
use super::{Now, State};
use crate::domain::hearts;
use crate::ids::PlaylistId;

/// What a script is told when a heart is set.
#[derive(Serialize)]
struct Set {
    playlist_id: String,
    hearted: bool,
    /// How many people heart this playlist now.
    hearts: i64,
}

/// Hearts a playlist.
pub(super) async fn give(app: State, now: Now, who: Visitor, id: Path<String>) -> Result<Response, Fault> {
    put(app, now, who, id, true).await
}

/// Takes a heart back.
pub(super) async fn take_back(app: State, now: Now, who: Visitor, id: Path<String>) -> Result<Response, Fault> {
    put(app, now, who, id, false).await
}

async fn put(
    app: State,
    Now(now): Now,
    visitor: Visitor,
    Path(id): Path<String>,
    hearted: bool,
) -> Result<Response, Fault> {
    let id = parse_id(&id)?;
    let Some(caller) = visitor.caller else {
        // The script knows which page it is on, and tells the sign-in page itself.
        return Err(sign_in_first(&SafePath::or_playlists(None), &id, hearted));
    };
    let hearts = hearts::set(&app, &caller, &id, hearted, now).await?;
    Ok(Json(Set { playlist_id: id.into(), hearted, hearts }).into_response())
}

/// The same as a form, for browsers without script.
#[derive(Deserialize)]
pub(super) struct HeartForm {
    hearted: bool,
    #[serde(default)]
    from: Option<String>,
}

/// Sets a heart as the form asks and returns to where it was pressed.
pub(super) async fn set(
    app: State,
    Now(now): Now,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(form): Form<HeartForm>,
) -> Result<Response, Fault> {
    let id = parse_id(&id)?;
    let from = SafePath::or_playlists(form.from.as_deref());
    let Some(caller) = visitor.caller else {
        return Err(sign_in_first(&from, &id, form.hearted));
    };
    hearts::set(&app, &caller, &id, form.hearted, now).await?;
    Ok(notice::redirect(from.as_str(), if form.hearted { Notice::Hearted } else { Notice::Unhearted }))
}

/// The button was pressed by nobody we know: the heart that was given is kept for after the sign-in.
fn sign_in_first(from: &SafePath, id: &PlaylistId, hearted: bool) -> Fault {
    Fault::signed_out(from.as_str()).with_heart(hearted.then_some(id))
}

#[derive(Template)]
#[template(path = "hearts/index.html")]
struct Index {
    layout: Layout,
    cards: Vec<Card>,
    total: usize,
    page: usize,
    pages: usize,
    here: String,
}

/// The hearts of who is signed in, newest first; Spotify is not asked.
pub(super) async fn index(
    app: State,
    layout: Layout,
    SignedIn(caller): SignedIn,
    Query(at): Query<PageParam>,
) -> Result<Response, Fault> {
    let hearts = hearts::newest(&app, &caller, at.number()).await?;
    let (page, pages) = (hearts.page, hearts.pages());
    if page > pages {
        return Err(no_such_page());
    }
    Ok(html(&Index {
        layout: layout.titled("Hearts", "hearts"),
        total: hearts.total,
        page,
        pages,
        here: address("/hearts", page),
        cards: hearts.entries.into_iter().map(Card::from).collect(),
    }))
}
