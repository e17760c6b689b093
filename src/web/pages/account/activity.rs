//! The account's activity: the latest events for the account page, and the page with all events.

use askama::Template;
use axum::extract::Query;

use crate::app::App;
use crate::domain::CurrentUser;
use crate::domain::activity::{self, Event};
use crate::ids::Provider;
use crate::web::error::Result;
use crate::web::extract::{SignedIn, State};
use crate::web::views::{Layout, PageParam, Pager, TimeView, render_page};

#[derive(Template)]
#[template(path = "account/activity.html")]
struct ActivityPage {
    layout: Layout,
    events: Vec<EventRow>,
    pager: Pager,
}

pub(crate) struct EventRow {
    pub(crate) time: TimeView,
    pub(crate) description: String,
    pub(crate) device: Option<String>,
}

impl From<Event> for EventRow {
    fn from(event: Event) -> Self {
        let provider = event.provider.as_deref().map(Provider::label_of).unwrap_or_default();
        let with_provider = |verb: &str| format!("{verb} {provider}");
        let description = match event.kind.as_str() {
            "joined" => with_provider("Joined with"),
            "signed-in" => with_provider("Signed in with"),
            "linked" => with_provider("Linked"),
            "unlinked" => with_provider("Unlinked"),
            "disconnected" => with_provider("Disconnected"),
            "exported" => "Exported hearts to a file".into(),
            "imported" => "Imported hearts from a file".into(),
            "page-on" => "Turned the public page on".into(),
            "page-off" => "Turned the public page off".into(),
            "link-on" => "Created a secret link".into(),
            "link-off" => "Turned the secret link off".into(),
            "sharing-changed" => "Changed what shared pages show".into(),
            "feed-on" => "Created a private feed".into(),
            "feed-off" => "Turned the private feed off".into(),
            "session-ended" => "Signed out another device".into(),
            "others-ended" => "Signed out everywhere else".into(),
            "merged" => "Joined with another account of yours".into(),
            other => other.to_owned(),
        };
        let description = match event.details {
            Some(details) => format!("{description}: {details}"),
            None => description,
        };
        Self { time: TimeView::date_and_time(event.at), description, device: event.device }
    }
}

/// Returns the latest events, and whether there are more.
pub(crate) async fn latest(app: &App, user: &CurrentUser) -> Result<(Vec<EventRow>, bool)> {
    let (events, total) = activity::list_recent(app, user).await?;
    let has_more = total > events.len() as i64;
    Ok((events.into_iter().map(EventRow::from).collect(), has_more))
}

pub(crate) async fn index(
    app: State,
    layout: Layout,
    SignedIn(user): SignedIn,
    Query(page): Query<PageParam>,
) -> Result {
    let list = activity::list_page(&app, &user, page.number()).await?;
    Ok(render_page(&ActivityPage {
        layout: layout.with_title("Activity", "account"),
        pager: Pager::new(&list, "/account/activity")?,
        events: list.entries.into_iter().map(EventRow::from).collect(),
    }))
}
