//! The page of one's hearts.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use time::OffsetDateTime;

use crate::domain::Playlist;
use crate::domain::hearts::{self, Listed};
use crate::web::error::Fault;
use crate::web::filling::{Asking, Listing, fill};
use crate::web::finding::{Asked, Finding, HEARTS};
use crate::web::layout::{Card, Layout};
use crate::web::pager::Pager;
use crate::web::session::SignedIn;
use crate::web::{Now, State};

#[derive(Hash, Template)]
#[template(path = "hearts/index.html")]
struct Page {
    layout: Layout,
    finding: Finding,
    cards: Vec<Card>,
    pager: Pager,
    here: String,
    /// When the hour began, by which the age of names is told.
    hour: OffsetDateTime,
}

impl Listing for Page {
    fn lay_out(&mut self, playlists: Vec<Playlist>) {
        self.cards = playlists.into_iter().map(|playlist| Card::dated(playlist, self.hour)).collect();
    }
}

/// The hearts of who is signed in; Spotify is not asked.
pub(in crate::web) async fn show(
    app: State,
    (Now(now), asking): (Now, Asking),
    layout: Layout,
    SignedIn(caller): SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    let finding = Finding::of(&asked, &HEARTS);
    let Listed { hearts, all } = hearts::list(&app, &caller, &finding.wanted()).await?;
    let pager = Pager::of(&hearts, finding.address())?;
    let page = Page {
        layout: layout.titled(finding.title("Hearts"), "hearts"),
        finding: finding.counted(all, hearts.total),
        cards: Vec::new(),
        here: pager.here(),
        pager,
        hour: now.truncate_to_hour(),
    };
    fill(&app, &caller, asking, page, &hearts.entries).await
}
