//! Hearts: the buttons' addresses, and the page of one's own.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::error::Fault;
use super::layout::{Card, Layout, LinkField, html};
use super::next::{CameFrom, SafePath};
use super::notice::{self, Notice};
use super::playlists::{PageParam, address, no_such_page, parse_id};
use super::session::{SignedIn, Visitor};
use super::{Now, State, library};
use crate::domain::hearts::{self, Added};
use crate::domain::{Caller, Error, reference};
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
pub(super) async fn give(app: State, now: Now, visitor: Visitor, id: Path<String>) -> Result<Response, Fault> {
    put(app, now, visitor, id, true).await
}

/// Takes a heart back.
pub(super) async fn take_back(app: State, now: Now, visitor: Visitor, id: Path<String>) -> Result<Response, Fault> {
    put(app, now, visitor, id, false).await
}

async fn put(
    app: State,
    Now(now): Now,
    visitor: Visitor,
    Path(id): Path<String>,
    hearted: bool,
) -> Result<Response, Fault> {
    let id = parse_id(&id)?;
    let caller = visitor.caller.ok_or_else(|| signed_out("/playlists", hearted, &id))?;
    let hearts = hearts::set(&app, &caller, &id, hearted, now).await?;
    Ok(Json(Set { playlist_id: id.into(), hearted, hearts }).into_response())
}

/// Sends to the sign-in page, which remembers a heart that was to be given.
fn signed_out(from: &str, hearted: bool, id: &PlaylistId) -> Fault {
    Fault::signed_out(from).with_heart(hearted.then_some(id))
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
    (Path(id), CameFrom(page)): (Path<String>, CameFrom),
    Form(form): Form<HeartForm>,
) -> Result<Response, Fault> {
    let id = parse_id(&id)?;
    let from = form.from.as_deref().and_then(SafePath::parse).unwrap_or(page);
    let caller = visitor.caller.ok_or_else(|| signed_out(from.as_str(), form.hearted, &id))?;
    hearts::set(&app, &caller, &id, form.hearted, now).await?;
    Ok(notice::redirect(from.as_str(), if form.hearted { Notice::Hearted } else { Notice::Unhearted }))
}

/// The form for a link.
#[derive(Deserialize)]
pub(super) struct LinkForm {
    #[serde(default)]
    link: String,
    #[serde(default)]
    from: Option<String>,
}

/// Hearts the playlist that a link names. What cannot be hearted comes back with the reason beside it.
pub(super) async fn by_link(
    app: State,
    Now(now): Now,
    layout: Layout,
    visitor: Visitor,
    Form(form): Form<LinkForm>,
) -> Result<Response, Fault> {
    let wanted = reference::playlist(&form.link);
    let caller = visitor.caller.ok_or_else(|| Fault::signed_out("/hearts").with_heart(wanted.as_ref().ok()))?;
    let refusal = match wanted {
        Err(refusal) => refusal.to_string(),
        Ok(id) => match hearts::add(&app, &caller, &id, now).await {
            Err(Error::NotFound) => NOT_SHOWN.to_owned(),
            added => return Ok(notice::redirect("/hearts", added?.into())),
        },
    };
    let layout = Layout { link: LinkField { typed: form.link, refusal: Some(refusal) }, ..layout };
    let page = same_page(app, now, layout, caller, form.from.as_deref()).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

const NOT_SHOWN: &str = "Spotify shows you no such playlist, so it was not hearted: it may be deleted, private, or made by Spotify itself. Look whether the link opens in Spotify.";

impl From<Added> for Notice {
    fn from(added: Added) -> Self {
        match added {
            Added::New => Notice::HeartedByLink,
            Added::Nameless => Notice::HeartedNameless,
            Added::Before => Notice::HeartedBefore,
        }
    }
}

/// The page at `from` on which the form stood, as far as it can be shown; else the hearts.
async fn same_page(
    app: State,
    now: OffsetDateTime,
    layout: Layout,
    caller: Caller,
    from: Option<&str>,
) -> Result<Response, Fault> {
    let from = from.and_then(SafePath::parse).and_then(|from| from.as_str().parse::<Uri>().ok()).unwrap_or_default();
    let at = Query::try_from_uri(&from).unwrap_or_default();
    let signed_in = SignedIn(caller.clone());
    let shown = match from.path() {
        "/playlists" => library::index(app.clone(), Now(now), layout.clone(), signed_in, at).await,
        _ => index(app.clone(), Now(now), layout.clone(), signed_in, at).await,
    };
    match shown {
        Err(_) => index(app, Now(now), layout, SignedIn(caller), Query::default()).await,
        shown => shown,
    }
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
    Now(now): Now,
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
        cards: hearts.entries.into_iter().map(|heart| Card::dated(heart, now)).collect(),
    }))
}
