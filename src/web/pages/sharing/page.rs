//! The page of shared hearts.

use askama::Template;
use axum::extract::Query;

use crate::web::error::{AppError, Result};
use crate::web::extract::{Now, State};
use crate::web::pages::sharing::request::SharedPageRequest;
use crate::web::views::{Layout, PageParam, Pager, PlaylistCard, absolute_url, preview_image_url};

#[derive(Template)]
#[template(path = "sharing/page.html")]
struct SharedHeartsPage {
    layout: Layout,
    owner: String,
    cards: Vec<PlaylistCard>,
    total: usize,
    pager: Pager,
    /// Path of the first page, and prefix of the feeds' paths.
    path: String,
    canonical_url: String,
    /// True for a secret link, false for a public page.
    is_secret: bool,
    preview_image: String,
}

/// Does not load the user, so that the page is the same for everybody.
pub(crate) async fn show(
    app: State,
    Now(now): Now,
    request: SharedPageRequest,
    Query(page): Query<PageParam>,
) -> Result {
    let shared = request.load(&app, (page.number(), true), now).await?;
    let pager = Pager::new(&shared.hearts, request.path.as_str())?;
    let current_path = pager.current_path();
    let page = SharedHeartsPage {
        // Not the page's own path, to which a sign-in cannot return.
        layout: Layout::without_user(&app, "/").with_title(format!("{}’s hearts", shared.owner), "shared"),
        owner: shared.owner,
        total: shared.hearts.total,
        cards: shared.hearts.entries.into_iter().map(PlaylistCard::from).collect(),
        canonical_url: absolute_url(&app, &current_path),
        is_secret: request.is_secret(),
        preview_image: preview_image_url(&app),
        path: request.path.clone(),
        pager,
    };
    Ok(request.respond("text/html; charset=utf-8", page.render().map_err(AppError::internal)?))
}
