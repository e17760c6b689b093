//! The page of shared hearts.

use askama::Template;
use axum::extract::Query;

use crate::count::pluralize;
use crate::web::error::{AppError, Result};
use crate::web::extract::{Now, State};
use crate::web::pages::sharing::request::{SharedPageRequest, tag_path};
use crate::web::views::{Layout, PageParam, Pager, PlaylistCard, absolute_url};

#[derive(Template)]
#[template(path = "sharing/page.html")]
struct SharedHeartsPage {
    layout: Layout,
    owner: String,
    /// First letter or digit of the owner's name, if it has one.
    initial: Option<char>,
    /// The tag that all of these hearts have, if the page is about one.
    tag: Option<String>,
    /// Tags with a page of their own, with its path.
    shared_tags: Vec<(String, String)>,
    cards: Vec<PlaylistCard>,
    total: usize,
    pager: Pager,
    /// Path of the first page, and prefix of the feeds' paths.
    path: String,
    /// Path of all hearts.
    root: String,
    canonical_url: String,
    /// URL of the first page.
    shared_url: String,
    /// Name of the share for the page that adds a heart.
    reference: String,
    /// True for a secret link, false for a public page.
    is_secret: bool,
    preview_image: String,
    preview_alt: String,
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
    let title = match &shared.tag {
        Some(tag) => format!("{}’s hearts: {tag}", shared.owner),
        None => format!("{}’s hearts", shared.owner),
    };
    let total = shared.hearts.total;
    let preview_alt = format!("{title}, {} on Heartlist", pluralize(total, "playlist"));
    let tag_link = |tag: String| (tag_path(&request.root, &tag), tag);
    let page = SharedHeartsPage {
        // Not the page's own path, to which a sign-in cannot return.
        layout: Layout::without_user(&app, "/").with_title(title, "shared"),
        initial: shared.owner.chars().find(|c| c.is_alphanumeric()).and_then(|c| c.to_uppercase().next()),
        owner: shared.owner,
        shared_tags: shared.shared_tags.into_iter().filter(|_| shared.tag.is_none()).map(tag_link).collect(),
        tag: shared.tag,
        total,
        cards: shared.hearts.entries.into_iter().map(PlaylistCard::from).collect(),
        canonical_url: absolute_url(&app, &current_path),
        is_secret: request.is_secret(),
        preview_image: absolute_url(&app, &format!("{}/preview.png", request.path)),
        preview_alt,
        shared_url: absolute_url(&app, &request.path),
        reference: request.address.reference(),
        path: request.path.clone(),
        root: request.root.clone(),
        pager,
    };
    Ok(request.respond("text/html; charset=utf-8", page.render().map_err(AppError::internal)?))
}
