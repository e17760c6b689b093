//! What this is, and who you are here.

use askama::Template;
use axum::response::Response;

use super::State;
use super::error::Fault;
use super::layout::{Layout, Moment, html};
use super::session::Visitor;
use crate::domain::account::{self, Account};

#[derive(Template)]
#[template(path = "about/show.html")]
struct About {
    layout: Layout,
    version: &'static str,
    licence: &'static str,
    /// Where the source is; empty when this build does not say.
    source: &'static str,
    you: Option<You>,
}

/// What the account page says too.
struct You {
    name: String,
    since: Moment,
    ways: Vec<(String, Moment, Moment)>,
    asks_again: Option<Moment>,
    hearts: i64,
}

impl From<Account> for You {
    fn from(account: Account) -> Self {
        let ways = account.identities.iter();
        Self {
            since: Moment::day(account.since),
            ways: ways.map(|way| (way.label(), Moment::day(way.created_at), Moment::day(way.last_used_at))).collect(),
            asks_again: account.asks_again.map(Moment::day),
            hearts: account.hearts,
            name: account.name,
        }
    }
}

/// About the app, and about who is signed in, if anybody is.
pub(super) async fn show(app: State, layout: Layout, visitor: Visitor) -> Result<Response, Fault> {
    let you = match &visitor.caller {
        Some(caller) => account::of(&app, caller).await?.map(You::from),
        None => None,
    };
    Ok(html(&About {
        layout: layout.titled("About", ""),
        version: env!("CARGO_PKG_VERSION"),
        licence: env!("CARGO_PKG_LICENSE"),
        source: env!("CARGO_PKG_REPOSITORY"),
        you,
    }))
}
