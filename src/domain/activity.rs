//! The activity log of an account.

use time::OffsetDateTime;

use super::{CurrentUser, PAGE_SIZE, Paginated, Result, page_offset};
use crate::app::App;
use crate::db;
pub use crate::db::events::Event;
use crate::ids::{Provider, UserId};

const RECENT_EVENTS: i64 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    Joined(Provider),
    SignedIn(Provider),
    Linked(Provider),
    Unlinked(Provider),
    /// The provider's grant was deleted.
    Disconnected(Provider),
    Exported,
    Imported,
    /// Enabled, or moved to another slug.
    PageEnabled,
    PageDisabled,
    LinkCreated,
    LinkRevoked,
    /// A change of the shared tags, of whether notes are shown, or of the card for other sites.
    SharingChanged,
    /// Created, or given a new address.
    FeedCreated,
    FeedRevoked,
    SessionEnded,
    OtherSessionsEnded,
    /// Another account was merged into this one.
    Merged,
}

impl EventKind {
    /// Returns the name in the database.
    pub fn key(self) -> &'static str {
        match self {
            EventKind::Joined(_) => "joined",
            EventKind::SignedIn(_) => "signed-in",
            EventKind::Linked(_) => "linked",
            EventKind::Unlinked(_) => "unlinked",
            EventKind::Disconnected(_) => "disconnected",
            EventKind::Exported => "exported",
            EventKind::Imported => "imported",
            EventKind::PageEnabled => "page-on",
            EventKind::PageDisabled => "page-off",
            EventKind::LinkCreated => "link-on",
            EventKind::LinkRevoked => "link-off",
            EventKind::SharingChanged => "sharing-changed",
            EventKind::FeedCreated => "feed-on",
            EventKind::FeedRevoked => "feed-off",
            EventKind::SessionEnded => "session-ended",
            EventKind::OtherSessionsEnded => "others-ended",
            EventKind::Merged => "merged",
        }
    }

    fn provider(self) -> Option<Provider> {
        match self {
            EventKind::Joined(provider)
            | EventKind::SignedIn(provider)
            | EventKind::Linked(provider)
            | EventKind::Unlinked(provider)
            | EventKind::Disconnected(provider) => Some(provider),
            _ => None,
        }
    }
}

/// Records an event. A failure is only logged, because the event itself has already happened.
pub async fn record(app: &App, user: UserId, kind: EventKind, device: &str, now: OffsetDateTime) {
    record_with_details(app, user, (kind, None), device, now).await;
}

/// Like [`record`], with details: a sentence for the user.
pub async fn record_with_details(
    app: &App,
    user: UserId,
    (kind, details): (EventKind, Option<String>),
    device: &str,
    now: OffsetDateTime,
) {
    let event = Event {
        at: now,
        kind: kind.key().to_owned(),
        provider: kind.provider().map(|provider| provider.key().to_owned()),
        device: Some(device.to_owned()),
        details,
    };
    if let Err(error) = db::events::record(&app.db, user, &event).await {
        tracing::warn!(%user, kind = event.kind, %error, "an account event could not be recorded");
    }
}

/// Returns the user's latest events, and how many are stored.
pub async fn list_recent(app: &App, user: &CurrentUser) -> Result<(Vec<Event>, i64)> {
    Ok((db::events::list(&app.db, user.id, 0, RECENT_EVENTS).await?, db::events::count(&app.db, user.id).await?))
}

pub async fn list_page(app: &App, user: &CurrentUser, page: usize) -> Result<Paginated<Event>> {
    let total = db::events::count(&app.db, user.id).await? as usize;
    let entries = db::events::list(&app.db, user.id, page_offset(page) as i64, PAGE_SIZE as i64).await?;
    Ok(Paginated { entries, range: page.into(), total })
}
