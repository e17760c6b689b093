//! The page of one's hearts.

use crate::domain::hearts::{self, Listed};
use crate::web::error::Fault;
use crate::web::extract::current_user::SignedIn;
use crate::web::extract::list_query::{Asked, Finding, HEARTS};
use crate::web::extract::{Now, State};
use crate::web::views::layout::{Layout, html};
use crate::web::views::pager::Pager;
use crate::web::views::playlist_card::Card;
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
pub(crate) async fn show(
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
