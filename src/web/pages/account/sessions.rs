//! Where somebody is signed in: a part of the account page, and the buttons in it.

use axum::Form;
use axum::response::Response;
use serde::Deserialize;

use crate::app::App;
use crate::domain::{Caller, sessions};
use crate::web::error::AppError;
use crate::web::extract::current_user::SignedIn;
use crate::web::extract::device::Device;
use crate::web::extract::{Now, State};
use crate::web::flash::{self, Flash};
use crate::web::views::time::TimeView;

/// A session in the list.
pub(crate) struct Row {
    pub(crate) mark: String,
    pub(crate) device: String,
    pub(crate) since: TimeView,
    pub(crate) last_seen: Option<TimeView>,
    pub(crate) here: bool,
}

impl From<sessions::SignedIn> for Row {
    fn from(session: sessions::SignedIn) -> Self {
        Self {
            mark: session.mark,
            device: session.device.unwrap_or_else(|| "An unknown browser".into()),
            since: TimeView::day_and_clock(session.since),
            last_seen: session.last_seen_at.map(TimeView::day_and_clock),
            here: session.here,
        }
    }
}

/// Where the caller is signed in, this session first.
pub(crate) async fn of(app: &App, caller: &Caller) -> Result<Vec<Row>, AppError> {
    Ok(sessions::of(app, caller).await?.into_iter().map(Row::from).collect())
}

/// Which session to end.
#[derive(Deserialize)]
pub(crate) struct Which {
    /// The mark of one; none: all but this one.
    #[serde(default)]
    session: Option<String>,
}

/// Ends another session of who is signed in, or all others.
pub(crate) async fn end(
    app: State,
    Now(now): Now,
    SignedIn(caller): SignedIn,
    Device(device): Device,
    Form(which): Form<Which>,
) -> Result<Response, AppError> {
    let said = match which.session {
        Some(mark) => {
            sessions::end(&app, &caller, &mark, &device, now).await?;
            Flash::SessionEnded
        }
        None => {
            sessions::end_others(&app, &caller, &device, now).await?;
            Flash::OthersEnded
        }
    };
    Ok(flash::redirect("/account#sessions", said))
}
