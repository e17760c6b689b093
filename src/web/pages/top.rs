//! The most hearted playlists.

use askama::Template;
use axum::extract::Query;
use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, VARY};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::Deserialize;

use crate::domain::top::{self, Period, Ranked};
use crate::web::error::{Fault, not_found};
use crate::web::extract::current_user::Visitor;
use crate::web::extract::{Now, State};
use crate::web::views::layout::{Layout, html};
use crate::web::views::playlist_card::Card;

/// `?when=` in an address: anything but `ever` is this week.
#[derive(Deserialize)]
pub(crate) struct When {
    #[serde(default)]
    when: String,
}

#[derive(Template)]
#[template(path = "top/show.html")]
struct Show {
    layout: Layout,
    rows: Vec<Row>,
    week: bool,
    here: &'static str,
}

struct Row {
    card: Card,
    week: i64,
    ever: i64,
}

/// The most hearted playlists, for whoever looks; with heart buttons for who is signed in.
pub(crate) async fn show(
    app: State,
    Now(now): Now,
    layout: Layout,
    visitor: Visitor,
    Query(at): Query<When>,
) -> Result<Response, Fault> {
    if !app.config.top_page {
        return Err(not_found().await);
    }
    let (period, here) = if at.when == "ever" { (Period::Ever, "/top?when=ever") } else { (Period::Week, "/top") };
    let viewer = visitor.caller.map(|caller| caller.person.id);
    let rows = top::list(&app, period, viewer, now).await?.into_iter().map(Row::from).collect();
    let nobodys = viewer.is_none() && layout.notice.is_none();
    let layout = layout.titled(if period == Period::Week { "Popular this week" } else { "Popular of all time" }, "top");
    let page = html(&Show { layout, rows, week: period == Period::Week, here });
    Ok(if nobodys { (KEPT_A_WHILE, page).into_response() } else { page })
}

/// Who signs in meanwhile sees the page anew. Half a minute, so that with the usual age of a list it stays under one.
const KEPT_A_WHILE: AppendHeaders<[(HeaderName, &str); 2]> =
    AppendHeaders([(CACHE_CONTROL, "public, max-age=30"), (VARY, "cookie")]);

impl From<Ranked> for Row {
    fn from(Ranked { playlist, hearted, week, ever }: Ranked) -> Self {
        Self { card: Card { hearted, ..playlist.into() }, week, ever }
    }
}
