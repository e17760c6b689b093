//! The page that others see.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;

use crate::web::error::AppError;
use crate::web::extract::{Now, State};
use crate::web::pages::sharing::visibility::Asked;
use crate::web::views::layout::{Layout, absolute_url, preview_image_url};
use crate::web::views::pager::{PageParam, Pager};
use crate::web::views::playlist_card::PlaylistCard;

#[derive(Template)]
#[template(path = "sharing/page.html")]
struct Page {
    layout: Layout,
    owner: String,
    cards: Vec<PlaylistCard>,
    total: usize,
    pager: Pager,
    /// The path of the first page, to which the feeds' names are added.
    path: String,
    /// The page's one address, whole.
    address: String,
    /// Whether only those know it whom it was given to.
    secret: bool,
    picture: String,
}

/// Somebody's hearts, for whoever opens the address. The page knows no visitor, so that it is the same for all.
pub(crate) async fn show(
    app: State,
    Now(now): Now,
    asked: Asked,
    Query(at): Query<PageParam>,
) -> Result<Response, AppError> {
    let shown = asked.shown(&app, at.number(), now).await?;
    let pager = Pager::new(&shown.hearts, asked.path.as_str())?;
    let here = pager.current_path();
    let text = Page {
        // Not its own path: nobody is sent back here from a sign-in.
        layout: Layout::without_user(&app, "/").with_title(format!("Hearts of {}", shown.owner), "shared"),
        owner: shown.owner,
        total: shown.hearts.total,
        cards: shown.hearts.entries.into_iter().map(PlaylistCard::from).collect(),
        address: absolute_url(&app, &here),
        secret: asked.is_secret(),
        picture: preview_image_url(&app),
        path: asked.path.clone(),
        pager,
    };
    Ok(asked.answer("text/html; charset=utf-8", text.render().map_err(AppError::internal)?))
}
