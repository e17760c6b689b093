//! Hearts that were taken back: the page of them, and what its buttons ask for.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query};
use axum::response::Response;
use serde::Deserialize;

use crate::domain::Error;
use crate::domain::hearts::{self, RemovedHeart};
use crate::web::error::Fault;
use crate::web::extract::current_user::SignedIn;
use crate::web::extract::return_to::playlist_address;
use crate::web::extract::{Now, State};
use crate::web::flash::{self, Notice};
use crate::web::pages::account::delete::Sure;
use crate::web::pages::hearts::annotation::back;
use crate::web::pages::playlists::show::parse_id;
use crate::web::views::layout::{Layout, html};
use crate::web::views::pager::{PageParam, Pager};
use crate::web::views::playlist_card::readable;
use crate::web::views::time::Day;

#[derive(Template)]
#[template(path = "hearts/removed.html")]
struct Page {
    layout: Layout,
    rows: Vec<Row>,
    total: usize,
    pager: Pager,
    here: String,
}

/// A heart that was taken back.
struct Row {
    id: String,
    /// Where the playlist has its page.
    address: String,
    name: String,
    owner: Option<String>,
    hearted_at: Day,
    removed_at: Day,
    note: Option<String>,
    tags: Vec<String>,
}

impl From<RemovedHeart> for Row {
    fn from(row: RemovedHeart) -> Self {
        Self {
            address: playlist_address(&row.id, "/hearts/removed"),
            name: readable(&row.id, row.name),
            owner: row.owner_name,
            hearted_at: Day::from(row.hearted_at),
            removed_at: Day::from(row.removed_at),
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
) -> Result<Response, Fault> {
    let removed = hearts::removed(&app, &caller, at.number(), now).await?;
    let pager = Pager::of(&removed, "/hearts/removed")?;
    Ok(html(&Page {
        layout: layout.titled("Recently removed", "hearts"),
        total: removed.total,
        here: pager.here(),
        pager,
        rows: removed.entries.into_iter().map(Row::from).collect(),
    }))
}

/// What the buttons beside a removed heart ask for.
#[derive(Deserialize)]
pub(crate) struct Decision {
    #[serde(default)]
    want: Want,
    #[serde(default)]
    from: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Want {
    /// The heart, as it was.
    #[default]
    Back,
    /// That nothing of it is kept.
    Gone,
}

/// Gives a heart back, or forgets it for good, and returns to where that was asked.
pub(crate) async fn decide(
    app: State,
    Now(now): Now,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
    Form(form): Form<Decision>,
) -> Result<Response, Fault> {
    let id = parse_id(&id)?;
    let notice = match form.want {
        Want::Back => match hearts::restore(&app, &caller, &id, now).await {
            Err(Error::NotFound) => Notice::NotRestored,
            restored => restored.map(|()| Notice::Restored)?,
        },
        Want::Gone => hearts::delete_removed(&app, &caller, Some(&id)).await.map(|()| Notice::ForgottenForGood)?,
    };
    Ok(flash::redirect(&back(form.from.as_deref(), &id), notice))
}

/// Forgets for good all that was taken back.
pub(crate) async fn forget_all(
    app: State,
    SignedIn(caller): SignedIn,
    Form(sure): Form<Sure>,
) -> Result<Response, Fault> {
    if !sure.is_ticked() {
        return Ok(flash::redirect("/hearts/removed", Notice::NotForgotten));
    }
    hearts::delete_removed(&app, &caller, None).await?;
    Ok(flash::redirect("/hearts/removed", Notice::ForgottenForGood))
}
