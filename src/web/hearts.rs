//! Hearts: what the buttons ask for.

pub(super) mod by_link;
pub(super) mod export;
pub(super) mod import;
pub(super) mod page;
pub(super) mod removed;
pub(super) mod words;

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tower_sessions::Session;

use super::error::Fault;
use super::health::Who;
use super::next::{CameFrom, SafePath};
use super::notice::{self, Notice};
use super::playlists::parse_id;
use super::session::{self, Visitor};
use super::{Now, State};
use crate::app::App;
use crate::domain::{hearts, session_key};
use crate::ids::PlaylistId;

/// The playlist whose heart is pressed, and the page on which it is.
type Place = (Path<String>, CameFrom);

/// What a script is told when a heart is set.
#[derive(Serialize)]
struct Set {
    playlist_id: String,
    hearted: bool,
    /// How many people heart this playlist now.
    hearts: i64,
}

/// Hearts a playlist.
pub(super) async fn give(app: State, now: Now, presser: Presser, at: Place) -> Result<Response, Fault> {
    put(app, now, presser, at, true).await
}

/// Takes a heart back.
pub(super) async fn take_back(app: State, now: Now, presser: Presser, at: Place) -> Result<Response, Fault> {
    put(app, now, presser, at, false).await
}

async fn put(
    app: State,
    Now(now): Now,
    presser: Presser,
    (Path(id), CameFrom(page)): Place,
    hearted: bool,
) -> Result<Response, Fault> {
    let id = parse_id(&id)?;
    let hearts = presser.press(&app, &id, hearted, now).await?;
    let hearts = hearts.ok_or_else(|| signed_out(page.as_str(), hearted, &id))?;
    Ok(Json(Set { playlist_id: id.into(), hearted, hearts }).into_response())
}

/// Who presses a heart. The session is not opened for it where that can be helped: a press is the one thing that is
/// done in a hurry.
pub(super) struct Presser {
    session: Session,
    who: Option<Who>,
}

impl Presser {
    /// Sets the heart; none: nobody is signed in.
    async fn press(self, app: &App, id: &PlaylistId, hearted: bool, now: OffsetDateTime) -> Result<Option<i64>, Fault> {
        let Some(key) = self.session.id().map(session_key) else { return Ok(None) };
        let pressed = match hearts::press(app, key, id, hearted, now).await? {
            None => match Visitor::of(self.session).await?.caller.map(|caller| caller.person.id) {
                None => return Ok(None),
                Some(user) => (user, hearts::set(app, user, id, hearted, now).await?),
            },
            Some(pressed) => pressed,
        };
        self.who.inspect(|who| who.is(pressed.0));
        Ok(Some(pressed.1))
    }
}

impl FromRequestParts<Arc<App>> for Presser {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Fault> {
        let session = session::of(parts)?;
        Ok(Self { session, who: parts.extensions.get().cloned() })
    }
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
    presser: Presser,
    (Path(id), CameFrom(page)): Place,
    Form(form): Form<HeartForm>,
) -> Result<Response, Fault> {
    let id = parse_id(&id)?;
    let from = form.from.as_deref().and_then(SafePath::parse).unwrap_or(page);
    let pressed = presser.press(&app, &id, form.hearted, now).await?;
    pressed.ok_or_else(|| signed_out(from.as_str(), form.hearted, &id))?;
    Ok(match form.hearted {
        true => notice::redirect(from.as_str(), Notice::Hearted),
        false => notice::redirect_about(from.as_str(), Notice::Unhearted, id),
    })
}
