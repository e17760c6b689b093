//! Where somebody is signed in: a part of the account page, and the buttons in it.

use axum::Form;
use axum::response::Response;
use serde::Deserialize;

use super::device::Device;
use super::error::Fault;
use super::layout::Moment;
use super::notice::{self, Notice};
use super::session::SignedIn;
use super::{Now, State};
use crate::app::App;
use crate::domain::{Caller, sessions};

/// A session in the list.
pub(super) struct Row {
    pub(super) mark: String,
    pub(super) device: String,
    pub(super) since: Moment,
    pub(super) last_seen: Option<Moment>,
    pub(super) here: bool,
}

impl From<sessions::SignedIn> for Row {
    fn from(session: sessions::SignedIn) -> Self {
        Self {
            mark: session.mark,
            device: session.device.unwrap_or_else(|| "An unknown browser".into()),
            since: Moment::day_and_clock(session.since),
            last_seen: session.last_seen_at.map(Moment::day_and_clock),
            here: session.here,
        }
    }
}

/// Where the caller is signed in, this session first.
pub(super) async fn of(app: &App, caller: &Caller) -> Result<Vec<Row>, Fault> {
    Ok(sessions::of(app, caller).await?.into_iter().map(Row::from).collect())
}

/// Which session to end.
#[derive(Deserialize)]
pub(super) struct Which {
    /// The mark of one; none: all but this one.
    #[serde(default)]
    session: Option<String>,
}

/// Ends another session of who is signed in, or all others.
pub(super) async fn end(
    app: State,
    Now(now): Now,
    SignedIn(caller): SignedIn,
    Device(device): Device,
    Form(which): Form<Which>,
) -> Result<Response, Fault> {
    let said = match which.session {
        Some(mark) => {
            sessions::end(&app, &caller, &mark, &device, now).await?;
            Notice::SessionEnded
        }
        None => {
            sessions::end_others(&app, &caller, &device, now).await?;
            Notice::OthersEnded
        }
    };
    Ok(notice::redirect("/account#sessions", said))
}
