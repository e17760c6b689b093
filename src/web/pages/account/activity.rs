//! What happened to the account: a part of the account page, and a page with all of it.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;

use crate::app::App;
use crate::domain::Caller;
use crate::domain::activity::{self, Event};
use crate::ids::Provider;
use crate::web::error::AppError;
use crate::web::extract::State;
use crate::web::extract::current_user::SignedIn;
use crate::web::views::layout::{Layout, render_page};
use crate::web::views::pager::{PageParam, Pager};
use crate::web::views::time::TimeView;

#[derive(Template)]
#[template(path = "account/activity.html")]
struct Activity {
    layout: Layout,
    events: Vec<Line>,
    pager: Pager,
}

/// An event in the list.
pub(crate) struct Line {
    pub(crate) at: TimeView,
    pub(crate) what: String,
    pub(crate) device: Option<String>,
}

impl From<Event> for Line {
    fn from(event: Event) -> Self {
        let through = |words: &str| {
            let known = event.provider.as_deref().and_then(Provider::with_key);
            let label = known.map_or_else(|| event.provider.clone().unwrap_or_default(), |known| known.label().into());
            format!("{words} {label}")
        };
        let what = match event.kind.as_str() {
            "joined" => through("Joined with"),
            "signed-in" => through("Signed in with"),
            "linked" => through("Linked"),
            "unlinked" => through("Unlinked"),
            "disconnected" => through("Disconnected"),
            "exported" => "Exported hearts to a file".into(),
            "imported" => "Imported hearts from a file".into(),
            "page-on" => "Turned the public page on".into(),
            "page-off" => "Turned the public page off".into(),
            "link-on" => "Made a secret link".into(),
            "link-off" => "Turned the secret link off".into(),
            "session-ended" => "Signed out another device".into(),
            "others-ended" => "Signed out everywhere else".into(),
            other => other.to_owned(),
        };
        Self { at: TimeView::day_and_clock(event.at), what, device: event.device }
    }
}

/// What happened last to the caller's account, and whether there is more.
pub(crate) async fn latest(app: &App, caller: &Caller) -> Result<(Vec<Line>, bool), AppError> {
    let (events, kept) = activity::latest(app, caller).await?;
    let more = kept > events.len() as i64;
    Ok((events.into_iter().map(Line::from).collect(), more))
}

/// All that is kept of what happened to the account of who is signed in.
pub(crate) async fn show(
    app: State,
    layout: Layout,
    SignedIn(caller): SignedIn,
    Query(at): Query<PageParam>,
) -> Result<Response, AppError> {
    let list = activity::newest(&app, &caller, at.number()).await?;
    Ok(render_page(&Activity {
        layout: layout.with_title("Activity", "account"),
        pager: Pager::new(&list, "/account/activity")?,
        events: list.entries.into_iter().map(Line::from).collect(),
    }))
}
