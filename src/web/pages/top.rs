//! The most hearted playlists.

use askama::Template;
use axum::extract::Query;
use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, VARY};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::Deserialize;

use crate::domain::top::{self, Period, Ranked};
use crate::web::error::{AppError, not_found};
use crate::web::extract::current_user::MaybeUser;
use crate::web::extract::{Now, State};
use crate::web::views::layout::{Layout, render_page};
use crate::web::views::playlist_card::PlaylistCard;

/// `?when=` in an address: anything but `ever` is this week.
#[derive(Deserialize)]
pub(crate) struct PeriodParam {
    #[serde(default)]
    when: String,
}

#[derive(Template)]
#[template(path = "top/show.html")]
struct Show {
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

/// The most hearted playlists, for whoever looks; with heart buttons for who is signed in.
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
    let (period, here) = if at.when == "ever" { (Period::Ever, "/top?when=ever") } else { (Period::Week, "/top") };
    let viewer = visitor.user.map(|caller| caller.person.id);
    let rows = top::list(&app, period, viewer, now).await?.into_iter().map(TopRow::from).collect();
    let nobodys = viewer.is_none() && layout.flash.is_none();
    let layout =
        layout.with_title(if period == Period::Week { "Popular this week" } else { "Popular of all time" }, "top");
    let page = render_page(&Show { layout, rows, week: period == Period::Week, here });
    Ok(if nobodys { (CACHE_HEADERS, page).into_response() } else { page })
}

/// Who signs in meanwhile sees the page anew. Half a minute, so that with the usual age of a list it stays under one.
const CACHE_HEADERS: AppendHeaders<[(HeaderName, &str); 2]> =
    AppendHeaders([(CACHE_CONTROL, "public, max-age=30"), (VARY, "cookie")]);

impl From<Ranked> for TopRow {
    fn from(Ranked { playlist, hearted, week, ever }: Ranked) -> Self {
        Self { card: PlaylistCard { hearted, ..playlist.into() }, week, ever }
    }
}
