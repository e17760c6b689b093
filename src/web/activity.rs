//! What happened to the account: a part of the account page, and a page with all of it.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use super::State;
use super::error::Fault;
use super::layout::{Layout, Moment, html};
use super::session::SignedIn;
use crate::app::App;
use crate::domain::Caller;
use crate::domain::activity::{self, Event};
use crate::ids::Provider;

#[derive(Template)]
#[template(path = "account/activity.html")]
struct Activity {
    layout: Layout,
    events: Vec<Line>,
    page: usize,
    pages: usize,
    here: &'static str,
}

/// An event in the list.
pub(super) struct Line {
    pub(super) at: Moment,
    pub(super) what: String,
    pub(super) device: Option<String>,
}

impl From<Event> for Line {
    fn from(event: Event) -> Self {
        let through = |words: &str| {
            let known = [Provider::Spotify].into_iter().find(|known| Some(known.key()) == event.provider.as_deref());
            let label = known.map_or_else(|| event.provider.clone().unwrap_or_default(), |known| known.label().into());
            format!("{words} {label}")
        };
        let what = match event.kind.as_str() {
            "joined" => through("Came for the first time, through"),
            "signed-in" => through("Signed in through"),
            "linked" => through("Added a way in:"),
            "unlinked" => through("Removed a way in:"),
            "disconnected" => through("Disconnected"),
            "exported" => "Took the hearts along as a file".into(),
            "imported" => "Brought hearts in from a file".into(),
            "session-ended" => "Ended another session".into(),
            "others-ended" => "Signed out everywhere else".into(),
            other => other.to_owned(),
        };
        Self { at: Moment::day_and_clock(event.at), what, device: event.device }
    }
}

/// What happened last to the caller's account, and whether there is more.
pub(super) async fn latest(app: &App, caller: &Caller) -> Result<(Vec<Line>, bool), Fault> {
    let (events, kept) = activity::latest(app, caller).await?;
    let more = kept > events.len() as i64;
    Ok((events.into_iter().map(Line::from).collect(), more))
}

/// Which page of it.
#[derive(Default, Deserialize)]
pub(super) struct At {
    #[serde(default)]
    page: Option<String>,
}

/// All that is kept of what happened to the account of who is signed in.
pub(super) async fn show(
    app: State,
    layout: Layout,
    SignedIn(caller): SignedIn,
    Query(at): Query<At>,
) -> Result<Response, Fault> {
    let page = at.page.and_then(|page| page.parse().ok()).unwrap_or(1).max(1);
    let list = activity::newest(&app, &caller, page).await?;
    Ok(html(&Activity {
        layout: layout.titled("Activity", "account"),
        pages: list.pages(),
        page: list.page,
        events: list.entries.into_iter().map(Line::from).collect(),
        here: "/account/activity",
    }))
}
