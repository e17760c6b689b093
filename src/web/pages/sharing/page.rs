//! The page of shared hearts.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;

use crate::web::error::AppError;
use crate::web::extract::{Now, State};
use crate::web::pages::sharing::visibility::SharedAddress;
use crate::web::views::layout::{Layout, absolute_url, preview_image_url};
use crate::web::views::pager::{PageParam, Pager};
use crate::web::views::playlist_card::PlaylistCard;

#[derive(Template)]
#[template(path = "sharing/page.html")]
struct SharedPage {
    layout: Layout,
    owner: String,
    cards: Vec<PlaylistCard>,
    total: usize,
    pager: Pager,
    /// Path of the first page and prefix of the feeds.
    path: String,
    /// Canonical URL.
    address: String,
    /// True for a secret link.
    secret: bool,
    picture: String,
}

/// Has no user, so that the page is the same for everybody.
pub(crate) async fn show(
    app: State,
    Now(now): Now,
    asked: SharedAddress,
    Query(at): Query<PageParam>,
) -> Result<Response, AppError> {
    let shown = asked.load(&app, at.number(), now).await?;
    let pager = Pager::new(&shown.hearts, asked.path.as_str())?;
    let here = pager.current_path();
    let text = SharedPage {
        // Not its own path: a sign-in does not return here.
        layout: Layout::without_user(&app, "/").with_title(format!("{}’s hearts", shown.owner), "shared"),
        owner: shown.owner,
        total: shown.hearts.total,
        cards: shown.hearts.entries.into_iter().map(PlaylistCard::from).collect(),
        address: absolute_url(&app, &here),
        secret: asked.is_secret(),
        picture: preview_image_url(&app),
        path: asked.path.clone(),
        pager,
    };
    Ok(asked.respond("text/html; charset=utf-8", text.render().map_err(AppError::internal)?))
}
