//! News of hearts. Its feed is in `news_feed`.

use askama::Template;
use axum::extract::Query;
use time::OffsetDateTime;

use crate::domain::news::{self, NewsItem, NewsKind};
use crate::domain::text::{UNTITLED, visible_or};
use crate::web::error::Result;
use crate::web::extract::return_to::playlist_path;
use crate::web::extract::{Now, SignedIn, State};
use crate::web::views::{DateView, Layout, PageParam, Pager, display_name, render_page};

#[derive(Template)]
#[template(path = "hearts/news.html")]
struct NewsPage {
    layout: Layout,
    rows: Vec<NewsRow>,
    pager: Pager,
}

struct NewsRow {
    path: String,
    name: String,
    description: String,
    at: DateView,
}

impl NewsRow {
    fn new(item: NewsItem, current_path: &str, now: OffsetDateTime) -> Self {
        Self {
            path: playlist_path(&item.playlist_id, current_path),
            description: describe(&item),
            at: DateView::from(item.at).relative_to(now),
            name: name(item),
        }
    }
}

/// Returns the user's own title, or else Spotify's name.
pub(super) fn name(item: NewsItem) -> String {
    display_name(&item.playlist_id, item.own_title.or(item.name))
}

pub(super) fn describe(item: &NewsItem) -> String {
    let visible = |name: &Option<String>| visible_or(name.clone().unwrap_or_default(), UNTITLED);
    match item.kind {
        NewsKind::Updated => "Updated".into(),
        NewsKind::Renamed => format!("Renamed from “{}” to “{}”", visible(&item.old_name), visible(&item.new_name)),
        NewsKind::Unavailable => "Unavailable on Spotify".into(),
        NewsKind::Back => "Back on Spotify".into(),
    }
}

/// Newest first. Does not call Spotify.
pub(crate) async fn index(
    app: State,
    Now(now): Now,
    layout: Layout,
    SignedIn(user): SignedIn,
    Query(page): Query<PageParam>,
) -> Result {
    let list = news::list(&app, &user, page.number()).await?;
    let pager = Pager::new(&list, "/hearts/news")?;
    let path = pager.current_path();
    Ok(render_page(&NewsPage {
        layout: layout.with_title("News", "hearts"),
        rows: list.entries.into_iter().map(|item| NewsRow::new(item, &path, now)).collect(),
        pager,
    }))
}
