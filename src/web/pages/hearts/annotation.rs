//! The title, note and tags of a heart.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::app::App;
use crate::domain::annotation::{self, Annotation, MAX_TAGS, OldAnnotation, SaveResult};
use crate::domain::{CurrentUser, playlists, tags};
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
    /// True if the title, note or tags have changed since the form was opened.
    is_outdated: bool,
    /// Page that the form returns to.
    current_path: String,
    /// The playlist's entry on that page.
    entry_path: String,
}

impl AnnotationPage {
    fn new(layout: Layout, card: PlaylistCard, form: AnnotationForm, from: Option<String>) -> Self {
        let current_path = from.filter(|from| SafePath::parse(from).is_some()).unwrap_or_else(|| "/hearts".into());
        let entry_path = list_anchor(Some(&current_path), &card.id);
        Self { layout, card, form, is_outdated: false, current_path, entry_path }
    }
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
    let layout = layout.with_title(format!("Title, note and tags: {}", card.name), "hearts");
    Ok(render_page(&AnnotationPage::new(layout, card, form, query.from)))
}

#[derive(Deserialize)]
pub(crate) struct AnnotationParams {
    /// Missing in forms of an earlier release; the title then stays.
    title: Option<String>,
    #[serde(default)]
    note: String,
    #[serde(default)]
    tags: String,
    from: Option<String>,
    /// Missing in forms of an earlier release, which overwrite what was saved meanwhile.
    version: Option<String>,
}

/// Saves the title, note and tags and redirects to `from`. Renders the form again if they are invalid, or if others were
/// saved since it was opened.
pub(crate) async fn update(
    app: State,
    layout: Layout,
    SignedIn(user): SignedIn,
    Now(now): Now,
    (Path(id), Form(params)): (Path<String>, Form<AnnotationParams>),
) -> Result {
    let id = parse_id(&id)?;
    // The form has several lines for it, and a pasted text may have tabs.
    let is_break = |c: char| c.is_whitespace() && (c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'));
    let note = params.note.replace("\r\n", " ").replace(is_break, " ");
    loop {
        let card = load_card(&app, &user, &id).await.map_err(AppError::with_nothing_saved)?;
        let title = params.title.as_deref().or(card.own_title.as_deref()).unwrap_or_default();
        let annotation = Annotation::parse_up_to(MAX_TAGS.max(card.tags.len()), title, &note, &params.tags);
        let stored = card.annotation_form();
        let is_stored = |typed: &Annotation| AnnotationForm::from(typed).version == stored.version;
        let is_outdated = params.version.as_ref().is_some_and(|version| *version != stored.version)
            && !annotation.as_ref().is_ok_and(is_stored);
        let annotation = match annotation {
            Ok(annotation) if !is_outdated => annotation,
            annotation => {
                let form = stored.with_input(title, &note, &params.tags).with_error(annotation.err());
                let form = form.with_suggestions(tags::suggest(&app, &user, now).await?);
                let page = AnnotationPage::new(layout, card, form, params.from);
                return Ok(render_unsaved(AnnotationPage { is_outdated, ..page }));
            }
        };
        let old = OldAnnotation { own_title: card.own_title.as_deref(), note: card.note.as_deref(), tags: &card.tags };
        let message = match annotation::save(&app, &user, (&id, old), &annotation, now).await? {
            SaveResult::Saved => Flash::AnnotationSaved,
            SaveResult::NoteCleared(change) => Flash::Change(ChangeFlash::NoteCleared(change)),
            // Something has been saved since the card was loaded.
            SaveResult::Outdated => continue,
        };
        return Ok(flash::redirect(&list_anchor(params.from.as_deref(), &id), message));
    }
}

fn render_unsaved(page: AnnotationPage) -> Response {
    let layout = page.layout.with_title(format!("Title, note and tags – not saved: {}", page.card.name), "hearts");
    let status = if page.is_outdated { StatusCode::CONFLICT } else { StatusCode::UNPROCESSABLE_ENTITY };
    (status, render_page(&AnnotationPage { layout, ..page })).into_response()
}

async fn load_card(app: &App, user: &CurrentUser, id: &PlaylistId) -> Result<PlaylistCard> {
    let playlist = playlists::find(app, user, id).await?;
    let card = playlist.map(|playlist| PlaylistCard::from(playlist).viewed_by(user));
    card.filter(|card| card.hearted).ok_or_else(not_hearted)
}

/// Error for a heart that was removed meanwhile, perhaps in another tab.
pub(super) fn not_hearted() -> AppError {
    let message =
        "A title, note, tags and pin belong to a heart, and this playlist no longer has yours. Heart it again first.";
    AppError::new(StatusCode::NOT_FOUND, "Not hearted any more", message).with_hearts_link()
}
