//! Popular: the most hearted playlists.

use askama::Template;
use axum::extract::Query;
use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, VARY};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::Deserialize;

use crate::domain::top::{self, Period, RankedPlaylist};
use crate::web::error::{AppError, not_found};
use crate::web::extract::current_user::MaybeUser;
use crate::web::extract::{Now, State};
use crate::web::views::layout::{Layout, render_page};
use crate::web::views::playlist_card::PlaylistCard;

/// `?when=`: `ever`, or else this week.
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
    week: bool,
    here: &'static str,
}

struct TopRow {
    card: PlaylistCard,
    week: i64,
    ever: i64,
}

pub(crate) async fn show(
    app: State,
    Now(now): Now,
    layout: Layout,
    visitor: MaybeUser,
    Query(at): Query<PeriodParam>,
) -> Result<Response, AppError> {
    if !app.config.top_page {
        return Err(not_found().await);
    }
    let (period, here) = if at.when == "ever" { (Period::AllTime, "/top?when=ever") } else { (Period::Week, "/top") };
    let viewer = visitor.user.map(|user| user.id);
    let rows = top::load(&app, period, viewer, now).await?.into_iter().map(TopRow::from).collect();
    let nobodys = viewer.is_none() && layout.flash.is_none();
    let layout =
        layout.with_title(if period == Period::Week { "Popular this week" } else { "Popular of all time" }, "top");
    let page = render_page(&TopPage { layout, rows, week: period == Period::Week, here });
    Ok(if nobodys { (CACHE_HEADERS, page).into_response() } else { page })
}

/// Half a minute, so that together with the age of the list a page is at most one minute old. Varies by cookie, so that a
/// sign-in shows a new page.
const CACHE_HEADERS: AppendHeaders<[(HeaderName, &str); 2]> =
    AppendHeaders([(CACHE_CONTROL, "public, max-age=30"), (VARY, "cookie")]);

impl From<RankedPlaylist> for TopRow {
    fn from(RankedPlaylist { playlist, hearted, week_hearts: week, total_hearts: ever }: RankedPlaylist) -> Self {
        Self { card: PlaylistCard { hearted, ..playlist.into() }, week, ever }
    }
}
