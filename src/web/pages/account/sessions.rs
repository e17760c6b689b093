//! The sessions on the account page, and ending them.

use axum::Form;
use axum::response::Response;
use serde::Deserialize;

use crate::app::App;
use crate::domain::{CurrentUser, sessions};
use crate::web::error::AppError;
use crate::web::extract::current_user::SignedIn;
use crate::web::extract::device::Device;
use crate::web::extract::{Now, State};
use crate::web::flash::{self, Flash};
use crate::web::views::time::TimeView;

pub(crate) struct SessionRow {
    pub(crate) mark: String,
    pub(crate) device: String,
    pub(crate) since: TimeView,
    pub(crate) last_seen: Option<TimeView>,
    pub(crate) here: bool,
}

impl From<sessions::SessionInfo> for SessionRow {
    fn from(session: sessions::SessionInfo) -> Self {
        Self {
            mark: session.hash_prefix,
            device: session.device.unwrap_or_else(|| "An unknown browser".into()),
            since: TimeView::day_and_clock(session.since),
            last_seen: session.last_seen_at.map(TimeView::day_and_clock),
            here: session.is_current,
        }
    }
}

/// Returns the caller's sessions, the current one first.
pub(crate) async fn list(app: &App, caller: &CurrentUser) -> Result<Vec<SessionRow>, AppError> {
    Ok(sessions::list(app, caller).await?.into_iter().map(SessionRow::from).collect())
}

#[derive(Deserialize)]
pub(crate) struct EndSessionForm {
    /// The session's mark. Without it all other sessions are ended.
    session: Option<String>,
}

/// Ends one of the user's other sessions, or all of them.
pub(crate) async fn destroy(
    app: State,
    Now(now): Now,
    SignedIn(caller): SignedIn,
    Device(device): Device,
    Form(form): Form<EndSessionForm>,
) -> Result<Response, AppError> {
    let notice = match form.session {
        Some(mark) => {
            sessions::end(&app, &caller, &mark, &device, now).await?;
            Flash::SessionEnded
        }
        None => {
            sessions::end_others(&app, &caller, &device, now).await?;
            Flash::OthersEnded
        }
    };
    Ok(flash::redirect("/account#sessions", notice))
}
