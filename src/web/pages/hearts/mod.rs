//! Adding and removing hearts; the pages are in the modules.

pub(crate) mod add;
pub(crate) mod annotation;
pub(crate) mod bulk;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod index;
pub(crate) mod news;
pub(crate) mod news_feed;
pub(crate) mod pin;
pub(crate) mod removed;
pub(crate) mod renewal;

use axum::extract::Path;
use axum::response::IntoResponse;
use axum::{Form, Json};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::app::App;
use crate::domain::hearts;
use crate::domain::saving::{self, NotSaved};
use crate::ids::PlaylistId;
use crate::web::error::{AppError, Result};
use crate::web::extract::return_to::list_anchor;
use crate::web::extract::{MaybeUser, Now, Referer, State};
use crate::web::flash::saving::{SavingFlash, describe_not_saved};
use crate::web::flash::{self, Flash};
use crate::web::pages::playlists::show::parse_id;
use crate::web::views::DateView;

/// The playlist's id, and the page with the button.
type HeartTarget = (Path<String>, Referer);

#[derive(Serialize)]
struct HeartState {
    playlist_id: String,
    hearted: bool,
    /// As the card shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hearted_at: Option<String>,
    /// Why it was not saved in the library at Spotify, if it was to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_saved: Option<String>,
}

pub(crate) async fn add(
    app: State,
    Now(now): Now,
    maybe_user: MaybeUser,
    (Path(id), Referer(page)): HeartTarget,
) -> Result {
    let id = parse_id(&id)?;
    let heart = set_heart(&app, Now(now), maybe_user, (&id, true), page.as_str()).await?;
    let hearted_at = heart.hearted_at.map(|date| DateView::from(date).relative_to(now).to_string());
    let not_saved = heart.saved.and_then(Result::err).map(describe_not_saved);
    Ok(Json(HeartState { playlist_id: id.into(), hearted: true, hearted_at, not_saved }).into_response())
}

pub(crate) async fn remove(
    app: State,
    now: Now,
    maybe_user: MaybeUser,
    (Path(id), Referer(page)): HeartTarget,
) -> Result {
    let id = parse_id(&id)?;
    set_heart(&app, now, maybe_user, (&id, false), page.as_str()).await?;
    let state = HeartState { playlist_id: id.into(), hearted: false, hearted_at: None, not_saved: None };
    Ok(Json(state).into_response())
}

struct NewHeart {
    /// `None` if it was removed.
    hearted_at: Option<OffsetDateTime>,
    /// Whether it was saved at Spotify too; `None` if it was not to be.
    saved: Option<Result<(), NotSaved>>,
}

async fn set_heart(
    app: &App,
    Now(now): Now,
    maybe_user: MaybeUser,
    (id, hearted): (&PlaylistId, bool),
    from: &str,
) -> Result<NewHeart> {
    let user = maybe_user.user.ok_or_else(|| sign_in_required(from, hearted, id))?;
    if !hearted {
        hearts::remove(app, user.id, id, now).await?;
        return Ok(NewHeart { hearted_at: None, saved: None });
    }
    let hearted_at = Some(hearts::add(app, user.id, id, now).await?);
    Ok(NewHeart { hearted_at, saved: saving::save(app, &user, id, now).await })
}

/// Error for a visitor who is not signed in. The sign-in adds a requested heart, but never removes one, because another
/// user may sign in.
fn sign_in_required(from: &str, hearted: bool, id: &PlaylistId) -> AppError {
    match hearted {
        true => AppError::sign_in_required(from).with_heart(id),
        false => AppError::sign_in_required_for_form(from),
    }
}

/// The form of the heart button, for browsers without scripts.
#[derive(Deserialize)]
pub(crate) struct HeartForm {
    hearted: bool,
}

/// Adds or removes a heart and redirects to its entry on the page with the button.
pub(crate) async fn update(
    app: State,
    now: Now,
    maybe_user: MaybeUser,
    (Path(id), Referer(page)): HeartTarget,
    Form(form): Form<HeartForm>,
) -> Result {
    let id = parse_id(&id)?;
    let anchor = list_anchor(Some(page.as_str()), &id);
    let message = match set_heart(&app, now, maybe_user, (&id, form.hearted), &anchor).await?.saved {
        Some(Ok(())) => Flash::Saving(SavingFlash::Hearted),
        Some(Err(reason)) => Flash::Saving(SavingFlash::HeartedOnly(reason)),
        None if form.hearted => Flash::Hearted,
        None => Flash::Unhearted(id),
    };
    Ok(flash::redirect(&anchor, message))
}
