//! Hearts: what the buttons ask for.

pub(super) mod by_link;
pub(super) mod export;
pub(super) mod import;
pub(super) mod page;
pub(super) mod removed;
pub(super) mod words;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use serde::{Deserialize, Serialize};

use super::error::Fault;
use super::next::{CameFrom, SafePath};
use super::notice::{self, Notice};
use super::playlists::parse_id;
use super::session::Visitor;
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

/// Sends to the sign-in page, which remembers a heart that was to be given. Whoever signs in there may be somebody
/// else, so that no heart is taken back by it.
fn signed_out(from: &str, hearted: bool, id: &PlaylistId) -> Fault {
    match hearted {
        true => Fault::signed_out(from).with_heart(id),
        false => Fault::signed_out_meanwhile(from),
    }
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
    Ok(match form.hearted {
        true => notice::redirect(from.as_str(), Notice::Hearted),
        false => notice::redirect_about(from.as_str(), Notice::Unhearted, id),
    })
}
