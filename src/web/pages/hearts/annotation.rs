//! The title, note and tags of a heart.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::app::App;
use crate::domain::annotation::{self, Annotation, MAX_TAGS};
use crate::domain::{CurrentUser, Error, playlists, tags};
use crate::ids::PlaylistId;
use crate::web::error::{AppError, Result};
use crate::web::extract::return_to::list_anchor;
use crate::web::extract::{FromParam, Now, SafePath, SignedIn, State};
use crate::web::flash::changes::ChangeFlash;
use crate::web::flash::{self, Flash};
use crate::web::pages::playlists::show::parse_id;
use crate::web::views::{AnnotationForm, Layout, PlaylistCard, render_page};

#[derive(Template)]
#[template(path = "hearts/annotation.html")]
struct AnnotationPage {
    layout: Layout,
    card: PlaylistCard,
    form: AnnotationForm,
    /// Page that the form returns to.
    current_path: String,
    /// The playlist's entry on that page.
    entry_path: String,
}

/// The form on a page of its own.
pub(crate) async fn edit(
    app: State,
    layout: Layout,
    SignedIn(user): SignedIn,
    Now(now): Now,
    (Path(id), Query(query)): (Path<String>, Query<FromParam>),
) -> Result {
    let card = load_card(&app, &user, &parse_id(&id)?).await?;
    let form = card.annotation_form().with_suggestions(tags::suggest(&app, &user, now).await?);
    Ok(annotation_page(
        layout.with_title(format!("Title, note and tags: {}", card.name), "hearts"),
        card,
        form,
        query.from,
    ))
}

#[derive(Deserialize)]
pub(crate) struct AnnotationParams {
    /// Missing in forms of an earlier release; the title then stays.
    title: Option<String>,
    #[serde(default)]
    note: String,
    #[serde(default)]
    tags: String,
    #[serde(default)]
    from: Option<String>,
}

/// Saves the title, note and tags and redirects to `from`. Renders the form again if they are invalid.
pub(crate) async fn update(
    app: State,
    layout: Layout,
    SignedIn(user): SignedIn,
    Now(now): Now,
    (Path(id), Form(params)): (Path<String>, Form<AnnotationParams>),
) -> Result {
    let id = parse_id(&id)?;
    let card = load_card(&app, &user, &id).await?;
    let title = params.title.or_else(|| card.own_title.clone()).unwrap_or_default();
    // The form has several lines for it, and a pasted text may have tabs.
    let is_break = |c: char| c.is_whitespace() && (c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'));
    let note = params.note.replace("\r\n", " ").replace(is_break, " ");
    let max_tags = MAX_TAGS.max(card.tags.len());
    let annotation = match Annotation::parse_up_to(max_tags, &title, &note, &params.tags) {
        Ok(annotation) => annotation,
        Err(error) => {
            let form = AnnotationForm::invalid(&title, &note, &params.tags, error);
            let form = form.with_suggestions(tags::suggest(&app, &user, now).await?);
            let layout = layout.with_title(format!("Title, note and tags – not saved: {}", card.name), "hearts");
            return Ok(
                (StatusCode::UNPROCESSABLE_ENTITY, annotation_page(layout, card, form, params.from)).into_response()
            );
        }
    };
    match annotation::save(&app, &user, &id, &annotation, now).await {
        Err(Error::NotFound) => Err(not_hearted()),
        cleared => {
            let cleared = cleared?.map(|change| Flash::Change(ChangeFlash::NoteCleared(change)));
            let message = cleared.unwrap_or(Flash::AnnotationSaved);
            Ok(flash::redirect(&list_anchor(params.from.as_deref(), &id), message))
        }
    }
}

async fn load_card(app: &App, user: &CurrentUser, id: &PlaylistId) -> Result<PlaylistCard> {
    let playlist = playlists::find(app, user, id).await?;
    let card = playlist.map(|playlist| PlaylistCard::from(playlist).viewed_by(user));
    card.filter(|card| card.hearted).ok_or_else(not_hearted)
}

fn annotation_page(layout: Layout, card: PlaylistCard, form: AnnotationForm, from: Option<String>) -> Response {
    let current_path = from.filter(|from| SafePath::parse(from).is_some()).unwrap_or_else(|| "/hearts".into());
    let entry_path = list_anchor(Some(&current_path), &card.id);
    render_page(&AnnotationPage { layout, card, form, current_path, entry_path })
}

/// Error for a heart that was removed meanwhile, perhaps in another tab.
pub(super) fn not_hearted() -> AppError {
    let message =
        "A title, note, tags and pin belong to a heart, and this playlist no longer has yours. Heart it again first.";
    AppError::new(StatusCode::NOT_FOUND, "Not hearted any more", message).with_nothing_saved().with_hearts_link()
}
