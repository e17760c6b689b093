//! The most hearted playlists, for everybody to see. Spotify is never asked.

use time::{Duration, OffsetDateTime};

use super::{PAGE, Playlist, Result};
use crate::app::App;
use crate::db::{self, Pool, top::Entry};
use crate::ids::UserId;

/// How old the lists may become, apart from the rest that they need after a long count. With the time until the next
/// look and a browser's copy of the page, a heart counts within a minute.
const AGE: Duration = Duration::seconds(15);
/// How far a follower may be behind: what became private since shows on its lists.
const BEHIND: Duration = Duration::seconds(30);
/// How long one process may take to make them, before another tries; so often is tried what fails.
const LEASE: Duration = Duration::minutes(5);

/// Which hearts count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// Those of the last seven days.
    Week,
    /// All.
    Ever,
}

/// A playlist on the list.
pub struct Ranked {
    /// What its card says: little, where no member's library shows it public and fresh.
    pub playlist: Playlist,
    /// Whether who looks at the list hearts it.
    pub hearted: bool,
    /// Its hearts of the last seven days.
    pub week: i64,
    /// All its hearts.
    pub ever: i64,
}

/// The most hearted playlists of `period` as they were made last, and which of them `viewer` hearts.
///
/// # Errors
/// When the database fails.
pub async fn list(app: &App, period: Period, viewer: Option<UserId>, now: OffsetDateTime) -> Result<Vec<Ranked>> {
    let period = match period {
        Period::Week => "week",
        Period::Ever => "ever",
    };
    let copied = match viewer {
        None => from_follower(app, period, now).await,
        // Who is signed in sees the heart that they pressed a moment ago.
        Some(_) => None,
    };
    let entries = match copied {
        Some(entries) => entries,
        None => db::top::list(&app.db, period, viewer, now).await?,
    };
    Ok(entries.into_iter().map(Ranked::from).collect())
}

/// The list as the follower has it; none: there is no follower, or it is away or behind.
async fn from_follower(app: &App, period: &str, now: OffsetDateTime) -> Option<Vec<Entry>> {
    let read = async |copy: &Pool| {
        let copied_at = db::top::copied_at(copy).await?;
        let young = copied_at.is_some_and(|copied_at| now - copied_at < BEHIND);
        Ok(if young { Some(db::top::list(copy, period, None, now).await?) } else { None })
    };
    app.follower.as_ref()?.read(now, read).await.flatten()
}

/// Makes the lists anew if they are old and no other process does.
///
/// # Errors
/// When the database fails; the old lists stay.
pub async fn refresh(app: &App, now: OffsetDateTime) -> Result<()> {
    let until = now + LEASE;
    if db::top::lease(&app.db, AGE, until, now).await? {
        db::top::make(&app.db, PAGE as i64, until, now).await?;
    }
    Ok(())
}

impl From<Entry> for Ranked {
    fn from(entry: Entry) -> Self {
        let Entry { id, name, owner_name, cover_url, seen_at, hearted, week, ever } = entry;
        let playlist = Playlist {
            id,
            name: name.unwrap_or_default(),
            owner_name,
            cover_url,
            item_count: None,
            public: seen_at.map(|_| true),
            collaborative: false,
            seen_at,
            hearted_at: None,
            changed_at: None,
            gone_at: None,
            note: None,
            tags: Vec::new(),
        };
        Self { playlist, hearted, week, ever }
    }
}
