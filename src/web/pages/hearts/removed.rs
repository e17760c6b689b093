//! Removed hearts, which can be restored for 30 days.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query};
use serde::Deserialize;

use crate::domain::Error;
use crate::domain::hearts::{self, RemovedHeart};
use crate::domain::text::is_visible;
use crate::web::error::Result;
use crate::web::extract::return_to::{list_anchor, playlist_path};
use crate::web::extract::{Now, SignedIn, State};
use crate::web::flash::{self, Flash};
use crate::web::pages::account::delete::ConfirmForm;
use crate::web::pages::playlists::show::parse_id;
use crate::web::views::{DateView, Layout, PageParam, Pager, display_name, render_page, spotify_name};

#[derive(Template)]
#[template(path = "hearts/removed.html")]
struct RemovedPage {
    layout: Layout,
    rows: Vec<RemovedRow>,
    total: usize,
    pager: Pager,
    current_path: String,
}

struct RemovedRow {
    id: String,
    path: String,
    name: String,
    cover: Option<String>,
    spotify_name: Option<String>,
    owner: Option<String>,
    hearted_at: DateView,
    removed_at: DateView,
    note: Option<String>,
    tags: Vec<String>,
}

impl RemovedRow {
    fn new(row: RemovedHeart, current_path: &str) -> Self {
        Self {
            path: playlist_path(&row.id, current_path),
            spotify_name: spotify_name(row.name.as_deref(), row.own_title.as_deref()),
            name: display_name(&row.id, row.own_title.or(row.name)),
            cover: row.cover_url,
            owner: row.owner_name.filter(|owner| is_visible(owner)),
            hearted_at: DateView::from(row.hearted_at),
            removed_at: DateView::from(row.removed_at),
            note: row.note,
            tags: row.tags,
            id: row.id,
        }
    }
}

/// Most recently removed first. Does not call Spotify.
pub(crate) async fn index(
    app: State,
    Now(now): Now,
    layout: Layout,
    SignedIn(user): SignedIn,
    Query(page): Query<PageParam>,
) -> Result {
    let removed = hearts::list_removed(&app, &user, page.number(), now).await?;
    let pager = Pager::new(&removed, "/hearts/removed")?;
    let current_path = pager.current_path();
    Ok(render_page(&RemovedPage {
        layout: layout.with_title("Recently removed", "hearts"),
        total: removed.total,
        rows: removed.entries.into_iter().map(|row| RemovedRow::new(row, &current_path)).collect(),
        current_path,
        pager,
    }))
}

#[derive(Deserialize)]
pub(crate) struct RemovedHeartForm {
    #[serde(default)]
    action: Action,
    from: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    #[default]
    Restore,
    Delete,
}

/// Restores a heart or deletes it for good, and redirects to its entry.
pub(crate) async fn update(
    app: State,
    Now(now): Now,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
    Form(form): Form<RemovedHeartForm>,
) -> Result {
    let id = parse_id(&id)?;
    let message = match form.action {
        Action::Restore => match hearts::restore(&app, &user, &id, now).await {
            Err(Error::NotFound) => Flash::NotRestored,
            restored => restored.map(|()| Flash::Restored)?,
        },
        Action::Delete => describe_deleted(hearts::delete_removed(&app, &user, Some(&id)).await?),
    };
    Ok(flash::redirect(&list_anchor(form.from.as_deref(), &id), message))
}

pub(crate) async fn destroy_all(app: State, SignedIn(user): SignedIn, Form(form): Form<ConfirmForm>) -> Result {
    if !form.is_confirmed() {
        return Ok(flash::redirect("/hearts/removed", Flash::NotConfirmed));
    }
    let deleted = hearts::delete_removed(&app, &user, None).await?;
    Ok(flash::redirect("/hearts/removed", describe_deleted(deleted)))
}

fn describe_deleted(hearts: u64) -> Flash {
    if hearts > 0 { Flash::DeletedForGood } else { Flash::NothingDeleted }
}
