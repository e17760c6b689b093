//! The page of one's hearts.

use crate::domain::hearts::{self, Listed};
use crate::web::error::Fault;
use crate::web::finding::{Asked, Finding, HEARTS};
use crate::web::layout::{Card, Layout, html};
use crate::web::pager::Pager;
use crate::web::session::SignedIn;
use crate::web::{Now, State};
use askama::Template;
use axum::extract::Query;
use axum::response::Response;

#[derive(Template)]
#[template(path = "hearts/index.html")]
struct Page {
    layout: Layout,
    finding: Finding,
    cards: Vec<Card>,
    pager: Pager,
    here: String,
}

/// The hearts of who is signed in; Spotify is not asked.
pub(in crate::web) async fn show(
    app: State,
    Now(now): Now,
    layout: Layout,
    SignedIn(caller): SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    let finding = Finding::of(&asked, &HEARTS);
    let Listed { hearts, all } = hearts::list(&app, &caller, &finding.wanted()).await?;
    let pager = Pager::of(&hearts, finding.address())?;
    Ok(html(&Page {
        layout: Layout { editing: finding.editing(), ..layout.titled(finding.title("Hearts"), "hearts") },
        finding: finding.counted(all, hearts.total),
        here: pager.here(),
        pager,
        cards: hearts.entries.into_iter().map(|playlist| Card::dated(playlist, now)).collect(),
    }))
}
