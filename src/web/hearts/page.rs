//! The page of one's hearts.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;

use crate::domain::hearts;
use crate::web::error::Fault;
use crate::web::layout::{Card, Layout, html};
use crate::web::playlists::{PageParam, address, no_such_page};
use crate::web::session::SignedIn;
use crate::web::{Now, State};

#[derive(Template)]
#[template(path = "hearts/index.html")]
struct Page {
    layout: Layout,
    cards: Vec<Card>,
    total: usize,
    page: usize,
    pages: usize,
    here: String,
}

/// The hearts of who is signed in, newest first; Spotify is not asked.
pub(in crate::web) async fn show(
    app: State,
    Now(now): Now,
    layout: Layout,
    SignedIn(caller): SignedIn,
    Query(at): Query<PageParam>,
) -> Result<Response, Fault> {
    let hearts = hearts::newest(&app, &caller, at.number()).await?;
    let (page, pages) = (hearts.page, hearts.pages());
    if page > pages {
        return Err(no_such_page());
    }
    Ok(html(&Page {
        layout: layout.titled("Hearts", "hearts"),
        total: hearts.total,
        page,
        pages,
        here: address("/hearts", page),
        cards: hearts.entries.into_iter().map(|heart| Card::dated(heart, now)).collect(),
    }))
}
