//! What people write beside a heart: a note and tags, and the small form for them.

use axum::Form;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::domain::Error;
use crate::domain::words::{self, BadWords, Words};
use crate::ids::PlaylistId;
use crate::web::error::{AppError, Link};
use crate::web::extract::current_user::SignedIn;
use crate::web::extract::return_to::SafePath;
use crate::web::extract::{Now, State};
use crate::web::flash::{self, Flash};
use crate::web::pages::hearts::by_link::same_page;
use crate::web::pages::playlists::show::parse_id;
use crate::web::views::layout::{Layout, sanitize_for_redisplay};
use crate::web::views::playlist_card::PlaylistCard;

/// What stands in the fields beside one heart.
#[derive(Clone)]
pub(crate) struct AnnotationForm {
    pub(crate) id: String,
    pub(crate) note: String,
    pub(crate) tags: String,
    /// Why the note was not kept.
    pub(crate) note_error: Option<String>,
    /// Why the tags were not kept.
    pub(crate) tags_error: Option<String>,
}

impl AnnotationForm {
    /// What is kept.
    pub(crate) fn of(card: &PlaylistCard) -> Self {
        let note = card.note.clone().unwrap_or_default();
        Self { id: card.id.clone(), note, tags: card.tags.join(", "), note_error: None, tags_error: None }
    }

    /// What was typed, with the reasons against it.
    fn refused(id: String, form: AnnotationParams, bad: BadWords) -> Self {
        let (note, tags) = (sanitize_for_redisplay(&form.note), sanitize_for_redisplay(&form.tags));
        let (bad_note, bad_tags) = (bad.note.map(|bad| bad.to_string()), bad.tags.map(|bad| bad.to_string()));
        Self { id, note, tags, note_error: bad_note, tags_error: bad_tags }
    }

    /// Whether something was typed that could not be kept.
    pub(crate) fn is_refused(&self) -> bool {
        self.note_error.is_some() || self.tags_error.is_some()
    }
}

/// The form beside a heart.
#[derive(Deserialize)]
pub(crate) struct AnnotationParams {
    #[serde(default)]
    note: String,
    #[serde(default)]
    tags: String,
    #[serde(default)]
    from: Option<String>,
}

/// Keeps the note and the tags beside a heart. What cannot be kept comes back as it was typed, with the reason.
pub(crate) async fn update(
    app: State,
    Now(now): Now,
    layout: Layout,
    SignedIn(caller): SignedIn,
    (Path(id), Form(form)): (Path<String>, Form<AnnotationParams>),
) -> Result<Response, AppError> {
    let id = parse_id(&id)?;
    let words = match Words::parse(&form.note, &form.tags) {
        Ok(words) => words,
        Err(bad) => {
            let from = form.from.clone();
            let layout = Layout { draft: Some(AnnotationForm::refused(id.into(), form, bad)), ..layout };
            let page = same_page(app, now, layout, caller, from.as_deref()).await?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
    };
    words::keep(&app, &caller, &id, &words).await.map_err(missing_heart)?;
    Ok(flash::redirect(&return_path(form.from.as_deref(), &id), Flash::AnnotationSaved))
}

/// The heart was taken back meanwhile, in another tab perhaps.
fn missing_heart(error: Error) -> AppError {
    let Error::NotFound = error else { return error.into() };
    let told = "A note and tags belong to a heart, and this playlist no longer has yours. Heart it again first.";
    let mut fault = AppError::new(StatusCode::NOT_FOUND, "Not hearted any more", told).nothing_saved();
    fault.recovery_links = vec![Link { href: "/hearts", text: "My hearts" }];
    fault
}

/// The place of a playlist on the page that a form came from; the hearts when it does not say.
pub(crate) fn return_path(from: Option<&str>, id: &PlaylistId) -> String {
    let page = from.and_then(SafePath::parse);
    let page = page.as_ref().map_or("/hearts", |page| page.as_str().split('#').next().unwrap_or_default());
    format!("{page}#p-{id}")
}
