//! What this is, and who you are here.

use askama::Template;
use axum::response::Response;

use crate::domain::{Caller, account};
use crate::web::error::Fault;
use crate::web::extract::State;
use crate::web::extract::current_user::Visitor;
use crate::web::pages::account::identities;
use crate::web::pages::account::identities::Linked;
use crate::web::views::layout::{Layout, html};
use crate::web::views::time::Moment;

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
    ways: Vec<Linked>,
    asks_again: Option<Moment>,
    hearts: i64,
}

async fn you(app: &State, caller: &Caller) -> Result<Option<You>, Fault> {
    let Some(account) = account::of(app, caller).await? else { return Ok(None) };
    Ok(Some(You {
        since: Moment::day(account.since),
        ways: identities::shown(app, caller).await?.linked,
        asks_again: account.asks_again.map(Moment::day),
        hearts: account.hearts,
        name: account.name,
    }))
}

/// About the app, and about who is signed in, if anybody is.
pub(crate) async fn show(app: State, layout: Layout, visitor: Visitor) -> Result<Response, Fault> {
    let you = match &visitor.caller {
        Some(caller) => you(&app, caller).await?,
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
