//! What happened to an account, for its owner's eyes.

use time::OffsetDateTime;

use super::{Caller, PAGE, Paged, Result, offset};
use crate::app::App;
use crate::db;
pub use crate::db::events::Event;
use crate::ids::{Provider, UserId};

/// How many events the account page shows.
const LATEST: i64 = 20;

/// What can happen to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody new came, by this provider.
    Joined(Provider),
    /// Its owner signed in.
    SignedIn(Provider),
    /// A way in was added.
    Linked(Provider),
    /// A way in was taken away.
    Unlinked(Provider),
    /// The keys that a provider gave us were forgotten.
    Disconnected(Provider),
    /// The hearts were taken along as a file.
    Exported,
    /// Hearts came from a file.
    Imported,
    /// A public page was switched on, or moved.
    PageOn,
    /// The public page was switched off.
    PageOff,
    /// A secret link was made.
    LinkOn,
    /// The secret link was switched off.
    LinkOff,
    /// Another session was ended from here.
    SessionEnded,
    /// All other sessions were ended from here.
    OthersEnded,
}

impl Kind {
    /// The word in the database.
    pub fn key(self) -> &'static str {
        match self {
            Kind::Joined(_) => "joined",
            Kind::SignedIn(_) => "signed-in",
            Kind::Linked(_) => "linked",
            Kind::Unlinked(_) => "unlinked",
            Kind::Disconnected(_) => "disconnected",
            Kind::Exported => "exported",
            Kind::Imported => "imported",
            Kind::PageOn => "page-on",
            Kind::PageOff => "page-off",
            Kind::LinkOn => "link-on",
            Kind::LinkOff => "link-off",
            Kind::SessionEnded => "session-ended",
            Kind::OthersEnded => "others-ended",
        }
    }

    fn provider(self) -> Option<Provider> {
        match self {
            Kind::Joined(provider)
            | Kind::SignedIn(provider)
            | Kind::Linked(provider)
            | Kind::Unlinked(provider)
            | Kind::Disconnected(provider) => Some(provider),
            _ => None,
        }
    }
}

/// Keeps that something happened to an account. It has happened, whether or not that can be kept: a failure
/// goes to the log.
pub async fn note(app: &App, user: UserId, kind: Kind, device: &str, now: OffsetDateTime) {
    let event = Event {
        at: now,
        kind: kind.key().to_owned(),
        provider: kind.provider().map(|provider| provider.key().to_owned()),
        device: Some(device.to_owned()),
    };
    if let Err(error) = db::events::note(&app.db, user, &event).await {
        tracing::warn!(%user, kind = event.kind, %error, "what happened to an account could not be kept");
    }
}

/// What happened last to the caller's account, and how much is kept of it in all.
pub async fn latest(app: &App, caller: &Caller) -> Result<(Vec<Event>, i64)> {
    let user = caller.person.id;
    Ok((db::events::newest(&app.db, user, 0, LATEST).await?, db::events::count(&app.db, user).await?))
}

/// Page `page` of what happened to the caller's account, newest first.
pub async fn newest(app: &App, caller: &Caller, page: usize) -> Result<Paged<Vec<Event>>> {
    let user = caller.person.id;
    let total = db::events::count(&app.db, user).await? as usize;
    let entries = db::events::newest(&app.db, user, offset(page) as i64, PAGE as i64).await?;
    Ok(Paged { entries, at: page.into(), total })
}
