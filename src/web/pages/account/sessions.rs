//! The sessions on the account page.

use axum::Form;
use serde::Deserialize;

use crate::app::App;
use crate::domain::{CurrentUser, sessions};
use crate::web::error::Result;
use crate::web::extract::{Device, Now, SignedIn, State};
use crate::web::flash::{self, Flash};
use crate::web::views::TimeView;

pub(crate) struct SessionRow {
    /// Short id of the session, safe to show in a page.
    pub(crate) short_id: String,
    pub(crate) device: String,
    pub(crate) since: TimeView,
    pub(crate) last_seen: Option<TimeView>,
    pub(crate) is_current: bool,
}

impl From<sessions::SessionInfo> for SessionRow {
    fn from(session: sessions::SessionInfo) -> Self {
        Self {
            short_id: session.hash_prefix,
            device: session.device.unwrap_or_else(|| "An unknown browser".into()),
            since: TimeView::date_and_time(session.since),
            last_seen: session.last_seen_at.map(TimeView::date_and_time),
            is_current: session.is_current,
        }
    }
}

pub(crate) async fn list(app: &App, user: &CurrentUser) -> Result<Vec<SessionRow>> {
    Ok(sessions::list(app, user).await?.into_iter().map(SessionRow::from).collect())
}

#[derive(Deserialize)]
pub(crate) struct EndSessionForm {
    /// [`SessionRow::short_id`] of one session. Without it, all other sessions are ended.
    session: Option<String>,
}

/// Ends one of the user's other sessions, or all of them.
pub(crate) async fn destroy(
    app: State,
    Now(now): Now,
    SignedIn(user): SignedIn,
    Device(device): Device,
    Form(form): Form<EndSessionForm>,
) -> Result {
    let message = match form.session {
        Some(short_id) => {
            sessions::end(&app, &user, &short_id, &device, now).await?;
            Flash::SessionEnded
        }
        None => {
            sessions::end_others(&app, &user, &device, now).await?;
            Flash::OtherSessionsEnded
        }
    };
    Ok(flash::redirect("/account#sessions", message))
}
