//! The account page.

use askama::Template;
use axum::Form;
use axum::response::Response;
use serde::Deserialize;

use super::error::Fault;
use super::layout::{Layout, Moment, html};
use super::notice::{self, Notice};
use super::session::{SignedIn, Visitor};
use super::{State, activity, identities, sessions};
use crate::domain::{self, account};

#[derive(Template)]
#[template(path = "account/show.html")]
struct Show {
    layout: Layout,
    name: String,
    since: Moment,
    ways: identities::Shown,
    hearts: i64,
    asks_again: Option<Moment>,
    connected: bool,
    lapsed: bool,
    sessions: Vec<sessions::Row>,
    events: Vec<activity::Line>,
    /// Whether there are more events than these.
    more: bool,
}

/// Who is signed in, and since when.
pub(super) async fn show(app: State, layout: Layout, SignedIn(caller): SignedIn) -> Result<Response, Fault> {
    let account = account::of(&app, &caller).await?.ok_or_else(|| Fault::signed_out("/account"))?;
    let sessions = domain::sessions::of(&app, &caller).await?;
    let (events, kept) = domain::activity::latest(&app, &caller).await?;
    Ok(html(&Show {
        layout: layout.titled("Account", "account"),
        sessions: sessions.into_iter().map(Into::into).collect(),
        more: kept > events.len() as i64,
        events: events.into_iter().map(Into::into).collect(),
        name: account.name,
        since: Moment::day(account.since),
        ways: identities::shown(&app, &caller).await?,
        hearts: account.hearts,
        connected: account.asks_again.is_some(),
        lapsed: caller.lapsed,
        asks_again: account.asks_again.map(Moment::day),
    }))
}

/// Forgets the keys to the Spotify account of who is signed in, in all their sessions.
pub(super) async fn disconnect(app: State, SignedIn(caller): SignedIn) -> Result<Response, Fault> {
    account::disconnect(&app, &caller).await?;
    Ok(notice::redirect("/account", Notice::Disconnected))
}

/// The box that says that somebody is sure.
#[derive(Deserialize)]
pub(super) struct Sure {
    #[serde(default)]
    sure: Option<String>,
}

/// Deletes the account of who is signed in, for good.
pub(super) async fn delete(
    app: State,
    visitor: Visitor,
    SignedIn(caller): SignedIn,
    Form(form): Form<Sure>,
) -> Result<Response, Fault> {
    if form.sure.as_deref() != Some("yes") {
        return Ok(notice::redirect("/account", Notice::NotSure));
    }
    account::delete(&app, &caller).await?;
    visitor.sign_out().await?;
    Ok(notice::redirect("/", Notice::Deleted))
}
