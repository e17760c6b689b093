//! Adding a heart by link.

use askama::Template;
use axum::Form;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;

use crate::domain::hearts::{self, AddedByLink};
use crate::domain::{Error, reference};
use crate::web::error::{AppError, Result};
use crate::web::extract::{BackLink, MaybeUser, Now, State};
use crate::web::flash::{self, Flash};
use crate::web::views::{Layout, render_page, sanitize_for_redisplay};

/// The form with an invalid link.
#[derive(Template)]
#[template(path = "hearts/add_by_link.html")]
struct AddByLinkPage {
    layout: Layout,
    back: BackLink,
    link: String,
    error: String,
}

#[derive(Deserialize)]
pub(crate) struct AddByLinkForm {
    #[serde(default)]
    link: String,
    #[serde(default)]
    from: Option<String>,
}

/// Adds a heart for the playlist of a link. Renders the form again if the link is invalid.
pub(crate) async fn create(
    app: State,
    Now(now): Now,
    layout: Layout,
    maybe_user: MaybeUser,
    Form(form): Form<AddByLinkForm>,
) -> Result {
    let id = reference::parse(&form.link);
    let user = maybe_user.user.ok_or_else(|| match &id {
        Ok(id) => AppError::sign_in_required("/hearts").with_heart(id),
        Err(_) => AppError::sign_in_required_for_form("/hearts"),
    })?;
    let error = match id {
        Err(error) => error.to_string(),
        Ok(id) => match hearts::add_by_link(&app, &user, &id, now).await {
            Err(Error::NotFound) => NOT_FOUND_MESSAGE.to_owned(),
            added => return Ok(flash::redirect("/hearts", added?.into())),
        },
    };
    let page = render_page(&AddByLinkPage {
        layout: layout.with_title("Add by link – not hearted", "hearts"),
        back: BackLink::from_param(Some(form.from.as_deref().unwrap_or("/hearts"))),
        link: sanitize_for_redisplay(&form.link),
        error,
    });
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

const NOT_FOUND_MESSAGE: &str = "Spotify does not show this playlist, so it was not hearted. It may be deleted, private, or one of Spotify’s own. Check that the link opens in Spotify.";

impl From<AddedByLink> for Flash {
    fn from(added: AddedByLink) -> Self {
        match added {
            AddedByLink::Added => Flash::HeartedByLink,
            AddedByLink::AddedWithoutName => Flash::HeartedWithoutName,
            AddedByLink::AlreadyHearted => Flash::AlreadyHearted,
        }
    }
}
