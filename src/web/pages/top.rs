//! Popular: the most hearted playlists.

use askama::Template;
use axum::extract::Query;
use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, VARY};
use axum::response::{AppendHeaders, IntoResponse};
use serde::Deserialize;

use crate::domain::top::{self, Period, RankedPlaylist};
use crate::web::error::{Result, not_found};
use crate::web::extract::{MaybeUser, Now, State};
use crate::web::views::{Layout, PlaylistCard, render_page};

/// The query parameter `when`: `ever` for all time, anything else for this week.
#[derive(Deserialize)]
pub(crate) struct PeriodParam {
    #[serde(default)]
    when: String,
}

#[derive(Template)]
#[template(path = "top/show.html")]
struct TopPage {
    layout: Layout,
    rows: Vec<TopRow>,
    is_week: bool,
    current_path: &'static str,
}

struct TopRow {
    card: PlaylistCard,
    week_hearts: i64,
    total_hearts: i64,
}

pub(crate) async fn show(
    app: State,
    Now(now): Now,
    layout: Layout,
    maybe_user: MaybeUser,
    Query(params): Query<PeriodParam>,
) -> Result {
    if !app.config.top_page {
        return Err(not_found().await);
    }
    let (period, current_path) =
        if params.when == "ever" { (Period::Ever, "/top?when=ever") } else { (Period::Week, "/top") };
    let viewer = maybe_user.user.map(|user| user.id);
    let rows: Vec<_> = top::load(&app, period, viewer, now).await?.into_iter().map(TopRow::from).collect();
    let layout = Layout { has_top_page: layout.has_top_page || !rows.is_empty(), ..layout };
    let is_cacheable = viewer.is_none() && layout.flash.is_none();
    let layout =
        layout.with_title(if period == Period::Week { "Popular this week" } else { "Popular of all time" }, "top");
    let page = render_page(&TopPage { layout, rows, is_week: period == Period::Week, current_path });
    Ok(if is_cacheable { (CACHE_HEADERS, page).into_response() } else { page })
}

/// With `max-age` of half a minute, a page is at most a minute old, including the age of the list. Varies by cookie, so
/// that signing in shows a new page.
const CACHE_HEADERS: AppendHeaders<[(HeaderName, &str); 2]> =
    AppendHeaders([(CACHE_CONTROL, "public, max-age=30"), (VARY, "cookie")]);

impl From<RankedPlaylist> for TopRow {
    fn from(RankedPlaylist { playlist, hearted, week_hearts, total_hearts }: RankedPlaylist) -> Self {
        Self { card: PlaylistCard { hearted, ..playlist.into() }, week_hearts, total_hearts }
    }
}
