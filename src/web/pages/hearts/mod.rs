//! Hearts: what the buttons ask for.

pub(crate) mod annotation;
pub(crate) mod by_link;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod index;
pub(crate) mod removed;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::domain::hearts;
use crate::ids::PlaylistId;
use crate::web::error::AppError;
use crate::web::extract::current_user::MaybeUser;
use crate::web::extract::return_to::{Referer, list_anchor};
use crate::web::extract::{Now, State};
use crate::web::flash::{self, Flash};
use crate::web::pages::playlists::show::parse_id;

/// The playlist of a heart, and the page on which the button is.
type HeartTarget = (Path<String>, Referer);

/// Answer to the script: the state of the heart.
#[derive(Serialize)]
struct HeartState {
    playlist_id: String,
    hearted: bool,
}

/// Adds a heart.
pub(crate) async fn add(
    app: State,
    now: Now,
    visitor: MaybeUser,
    (Path(id), Referer(page)): HeartTarget,
) -> Result<Response, AppError> {
    let id = parse_id(&id)?;
    set_heart(&app, now, visitor, (&id, true), page.as_str()).await?;
    Ok(Json(HeartState { playlist_id: id.into(), hearted: true }).into_response())
}

/// Removes a heart.
pub(crate) async fn remove(
    app: State,
    now: Now,
    visitor: MaybeUser,
    (Path(id), Referer(page)): HeartTarget,
) -> Result<Response, AppError> {
    let id = parse_id(&id)?;
    set_heart(&app, now, visitor, (&id, false), page.as_str()).await?;
    Ok(Json(HeartState { playlist_id: id.into(), hearted: false }).into_response())
}

async fn set_heart(
    app: &App,
    Now(now): Now,
    visitor: MaybeUser,
    (id, hearted): (&PlaylistId, bool),
    from: &str,
) -> Result<(), AppError> {
    let user = visitor.user.ok_or_else(|| signed_out(from, hearted, id))?.person.id;
    let changed = match hearted {
        true => hearts::add(app, user, id, now).await,
        false => hearts::remove(app, user, id, now).await,
    };
    Ok(changed?)
}

/// Sends to the sign-in page, which remembers a heart that was to be given. Whoever signs in there may be somebody
/// else, so that no heart is taken back by it.
fn signed_out(from: &str, hearted: bool, id: &PlaylistId) -> AppError {
    match hearted {
        true => AppError::signed_out(from).with_heart(id),
        false => AppError::signed_out_nothing_changed(from),
    }
}

/// The same as a form, for browsers without script.
#[derive(Deserialize)]
pub(crate) struct HeartForm {
    hearted: bool,
}

/// Sets a heart as the form asks and returns to its place on the page of the button.
pub(crate) async fn set(
    app: State,
    now: Now,
    visitor: MaybeUser,
    (Path(id), Referer(page)): HeartTarget,
    Form(form): Form<HeartForm>,
) -> Result<Response, AppError> {
    let id = parse_id(&id)?;
    let place = list_anchor(Some(page.as_str()), &id);
    set_heart(&app, now, visitor, (&id, form.hearted), &place).await?;
    Ok(match form.hearted {
        true => flash::redirect(&place, Flash::Hearted),
        false => flash::redirect_with_playlist(&place, Flash::Unhearted, id),
    })
}
