//! Hearts that were taken back: the page of them, and what its buttons ask for.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query};
use axum::response::Response;
use serde::Deserialize;

use crate::domain::Error;
use crate::domain::hearts::{self, RemovedHeart};
use crate::web::error::AppError;
use crate::web::extract::current_user::SignedIn;
use crate::web::extract::return_to::{list_anchor, playlist_path};
use crate::web::extract::{Now, State};
use crate::web::flash::{self, Flash};
use crate::web::pages::account::delete::Sure;
use crate::web::pages::playlists::show::parse_id;
use crate::web::views::layout::{Layout, render_page};
use crate::web::views::pager::{PageParam, Pager};
use crate::web::views::playlist_card::display_name;
use crate::web::views::time::DateView;

#[derive(Template)]
#[template(path = "hearts/removed.html")]
struct Page {
    layout: Layout,
    rows: Vec<RemovedRow>,
    total: usize,
    pager: Pager,
    here: String,
}

/// A heart that was taken back.
struct RemovedRow {
    id: String,
    /// Where the playlist has its page.
    path: String,
    name: String,
    owner: Option<String>,
    hearted_at: DateView,
    removed_at: DateView,
    note: Option<String>,
    tags: Vec<String>,
}

impl From<RemovedHeart> for RemovedRow {
    fn from(row: RemovedHeart) -> Self {
        Self {
            path: playlist_path(&row.id, "/hearts/removed"),
            name: display_name(&row.id, row.name),
            owner: row.owner_name,
            hearted_at: DateView::from(row.hearted_at),
            removed_at: DateView::from(row.removed_at),
            note: row.note,
            tags: row.tags,
            id: row.id,
        }
    }
}

/// What was taken back in the last 30 days, the latest first; Spotify is not asked.
pub(crate) async fn index(
    app: State,
    Now(now): Now,
    layout: Layout,
    SignedIn(caller): SignedIn,
    Query(at): Query<PageParam>,
) -> Result<Response, AppError> {
    let removed = hearts::removed(&app, &caller, at.number(), now).await?;
    let pager = Pager::new(&removed, "/hearts/removed")?;
    Ok(render_page(&Page {
        layout: layout.with_title("Recently removed", "hearts"),
        total: removed.total,
        here: pager.current_path(),
        pager,
        rows: removed.entries.into_iter().map(RemovedRow::from).collect(),
    }))
}

/// What the buttons beside a removed heart ask for.
#[derive(Deserialize)]
pub(crate) struct RemovedHeartForm {
    #[serde(default)]
    action: Action,
    #[serde(default)]
    from: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    /// The heart, as it was.
    #[default]
    Restore,
    /// That nothing of it is kept.
    Delete,
}

/// Gives a heart back, or forgets it for good, and returns to where that was asked.
pub(crate) async fn update(
    app: State,
    Now(now): Now,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
    Form(form): Form<RemovedHeartForm>,
) -> Result<Response, AppError> {
    let id = parse_id(&id)?;
    let notice = match form.action {
        Action::Restore => match hearts::restore(&app, &caller, &id, now).await {
            Err(Error::NotFound) => Flash::NotRestored,
            restored => restored.map(|()| Flash::Restored)?,
        },
        Action::Delete => hearts::delete_removed(&app, &caller, Some(&id)).await.map(|()| Flash::DeletedForGood)?,
    };
    Ok(flash::redirect(&list_anchor(form.from.as_deref(), &id), notice))
}

/// Forgets for good all that was taken back.
pub(crate) async fn destroy_all(
    app: State,
    SignedIn(caller): SignedIn,
    Form(sure): Form<Sure>,
) -> Result<Response, AppError> {
    if !sure.is_ticked() {
        return Ok(flash::redirect("/hearts/removed", Flash::NotForgotten));
    }
    hearts::delete_removed(&app, &caller, None).await?;
    Ok(flash::redirect("/hearts/removed", Flash::DeletedForGood))
}
