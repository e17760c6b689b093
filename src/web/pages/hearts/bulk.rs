//! Changes of several selected playlists, and their undo.

use std::sync::Arc;

use askama::Template;
use axum::extract::RawForm;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Form};
use serde::Deserialize;
use url::form_urlencoded;

use crate::domain::activity::{self, EventKind};
use crate::domain::annotation::parse_tags;
use crate::domain::heart_changes::{self, ChangeKind, Changed, HeartAction, MAX_SELECTED};
use crate::domain::import_export::{self, Format};
use crate::ids::PlaylistId;
use crate::web::error::{AppError, Result};
use crate::web::extract::return_to::list_anchor;
use crate::web::extract::{Device, Now, SafePath, SignedIn, State};
use crate::web::flash::changes::{ChangeFlash, MAX_TITLE_CHARS, MAX_TITLES, Selection};
use crate::web::flash::{self, Flash};
use crate::web::middleware::rate_limit::RateLimit;
use crate::web::pages::hearts::export;
use crate::web::pages::playlists::show::parse_id;
use crate::web::views::{Layout, display_name, render_page, sanitize_for_redisplay};

/// Number of playlists as which an export counts at the least: each is an event of the account, so there may be as many
/// as of all hearts.
const MIN_EXPORT_WEIGHT: usize = 33;

/// The form of a selection. Its checkboxes repeat the field `id`, which `Form` cannot read.
struct BulkForm {
    action: String,
    tags: String,
    ids: Vec<PlaylistId>,
    from: SafePath,
}

/// The selection with its field for tags, if these were refused.
#[derive(Template)]
#[template(path = "hearts/bulk_tags.html")]
struct BulkTagsPage {
    layout: Layout,
    form: BulkForm,
    error: String,
}

enum Action {
    Change(HeartAction),
    Export(Format),
}

impl BulkForm {
    fn parse(body: &[u8]) -> Result<Self> {
        let (mut ids, mut action, mut tags, mut from) = (Vec::new(), String::new(), String::new(), None);
        for (name, value) in form_urlencoded::parse(body) {
            match &*name {
                "id" if ids.len() < MAX_SELECTED => {
                    let id = parse_id(&value)?;
                    if !ids.contains(&id) {
                        ids.push(id);
                    }
                }
                "id" => return Err(invalid(format!("Select up to {MAX_SELECTED} playlists at a time."))),
                "action" => action = value.into_owned(),
                "tags" => tags = value.into_owned(),
                "from" => from = Some(value.into_owned()),
                _ => {}
            }
        }
        Ok(Self { action, tags, ids, from: SafePath::parse_or_playlists(from.as_deref()) })
    }

    /// Returns the action, or why its tags are refused.
    fn parse_action(&self) -> Result<Result<Action, String>> {
        let with_tags = |action: fn(Vec<String>) -> HeartAction| match parse_tags(&self.tags) {
            Ok(tags) if tags.is_empty() => Err("Type the tags first, separated by commas.".into()),
            tags => tags.map(|tags| Action::Change(action(tags))).map_err(|error| error.to_string()),
        };
        Ok(match &*self.action {
            "heart" => Ok(Action::Change(HeartAction::Add)),
            "remove" => Ok(Action::Change(HeartAction::Remove)),
            "tag" => with_tags(HeartAction::AddTags),
            "untag" => with_tags(HeartAction::RemoveTags),
            "export-csv" => Ok(Action::Export(Format::Csv)),
            "export-json" => Ok(Action::Export(Format::Json)),
            _ => return Err(invalid("There is no such button.".into())),
        })
    }
}

fn tags_page(layout: Layout, form: BulkForm, error: String) -> Response {
    let title = if form.action == "untag" { "Remove tags – not removed" } else { "Add tags – not added" };
    let form = BulkForm { tags: sanitize_for_redisplay(&form.tags), ..form };
    let page = BulkTagsPage { layout: layout.with_title(title, "hearts"), form, error };
    (StatusCode::UNPROCESSABLE_ENTITY, render_page(&page)).into_response()
}

fn invalid(message: String) -> AppError {
    let error = AppError::new(StatusCode::UNPROCESSABLE_ENTITY, "The selection was not changed", message);
    error.with_nothing_saved().with_link("/playlists", "My playlists").with_hearts_link()
}

/// Changes or exports the selected hearts. Renders the selection with the field for tags again if these are invalid.
pub(crate) async fn update(
    app: State,
    Now(now): Now,
    (layout, SignedIn(user), Device(device)): (Layout, SignedIn, Device),
    Extension(limit): Extension<Arc<RateLimit>>,
    RawForm(body): RawForm,
) -> Result {
    let form = BulkForm::parse(&body)?;
    let redirect = |message| Ok(flash::redirect(form.from.as_str(), Flash::Change(message)));
    if form.ids.is_empty() {
        return redirect(ChangeFlash::NothingSelected);
    }
    let action = match form.parse_action()? {
        Ok(action) => action,
        Err(error) => return Ok(tags_page(layout, form, error)),
    };
    let weight = match action {
        Action::Change(_) => form.ids.len(),
        Action::Export(_) => form.ids.len().max(MIN_EXPORT_WEIGHT),
    };
    // The form has been counted as one.
    limit.count_more(user.id, weight as u32 - 1).map_err(|wait| limit.error(wait))?;
    match action {
        Action::Change(action) => {
            let changed = heart_changes::apply(&app, &user, action.clone(), &form.ids, now).await?;
            let message = describe(&action, form.ids.len(), changed);
            Ok(flash::redirect(&anchor(&form.from, &action, &form.ids[0]), Flash::Change(message)))
        }
        Action::Export(format) => {
            let hearts = import_export::export_selected(&app, &user, &form.ids).await?;
            if hearts.is_empty() {
                return redirect(ChangeFlash::NoHearts);
            }
            activity::record(&app, user.id, EventKind::Exported, &device, now).await;
            let text = format!("{}{}{}", format.header(now), format.write(&hearts, true), format.footer());
            Ok(export::file_response(format, now, text.into()))
        }
    }
}

/// Path of the first card of the selection. The list of hearts lacks it once it is removed.
fn anchor(from: &SafePath, action: &HeartAction, first: &PlaylistId) -> String {
    let list = from.as_str().split('#').next().unwrap_or_default();
    match action {
        HeartAction::Remove if list.starts_with("/hearts") => format!("{list}#results"),
        _ => list_anchor(Some(list), first),
    }
}

fn describe(action: &HeartAction, selected: usize, changed: Changed) -> ChangeFlash {
    let Changed { hearts, over_limit, unhearted, full, id: change } = changed;
    let titles = full.iter().take(MAX_TITLES).map(|heart| {
        let title = display_name(&heart.playlist_id, heart.own_title.clone().or_else(|| heart.name.clone()));
        title.chars().take(MAX_TITLE_CHARS).collect()
    });
    let (full, titles) = (full.len(), titles.collect());
    let selection = Selection { selected, hearts, over_limit, unhearted, full, titles, change };
    match action {
        HeartAction::Add => ChangeFlash::Hearted(selection),
        HeartAction::Remove => ChangeFlash::Removed(selection),
        HeartAction::AddTags(_) => ChangeFlash::TagsAdded(selection),
        HeartAction::RemoveTags(_) => ChangeFlash::TagsRemoved(selection),
    }
}

#[derive(Deserialize)]
pub(crate) struct UndoForm {
    change: i64,
    from: Option<String>,
}

/// Undoes the last change of hearts and redirects to `from`.
pub(crate) async fn undo(app: State, Now(now): Now, SignedIn(user): SignedIn, Form(form): Form<UndoForm>) -> Result {
    let undone = heart_changes::undo(&app, &user, ChangeKind::Edit, form.change, now).await?;
    let message = undone.map_or(ChangeFlash::NotUndone, ChangeFlash::Undone);
    Ok(flash::redirect(SafePath::parse_or_playlists(form.from.as_deref()).as_str(), Flash::Change(message)))
}
