//! The most hearted playlists, for everybody to see, and the count of hearts they come from. Spotify is never asked.

use std::collections::HashMap;

use time::{Duration, OffsetDateTime};

use super::{PAGE, Playlist, Result};
use crate::app::App;
use crate::db::top::{Candidate, Entry};
use crate::db::{self, Pool};
use crate::ids::UserId;

/// How old the counts may become, apart from the rest after a long count. With the interval of the job and the browser's
/// copy of the page, a heart counts within a minute.
const MAX_AGE: Duration = Duration::seconds(15);
/// How far a replica may be behind: what became private since then shows on its lists.
const MAX_REPLICA_LAG: Duration = Duration::seconds(30);
/// How long one process may take to count before another tries; a failing count is tried again this often.
const LEASE: Duration = Duration::minutes(5);
/// A count is followed by a rest of so many times its own duration, so that it takes a twentieth of one core at most.
const REST_FACTOR: i32 = 20;
/// The longest rest.
const MAX_REST: Duration = Duration::minutes(5);
/// How many people must heart a playlist before it is listed.
const MIN_HEARTS: i64 = 3;
/// How recently a member must have seen a playlist as public.
const FRESH: Duration = Duration::days(30);
/// How many playlists are looked at, at a time and at most, to fill a list of [`PAGE`] public ones.
const CANDIDATES: (i64, i64) = (200, 2000);

/// Which hearts count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// Those of the last seven days.
    Week,
    /// All.
    Ever,
}

impl Period {
    fn key(self) -> &'static str {
        match self {
            Period::Week => "week",
            Period::Ever => "ever",
        }
    }
}

/// A playlist on a list.
pub struct Ranked {
    /// What its card shows.
    pub playlist: Playlist,
    /// Whether the viewer hearts it.
    pub hearted: bool,
    /// Its hearts of the last seven days.
    pub week: i64,
    /// All its hearts.
    pub ever: i64,
}

/// Returns the list of `period` as it was last made, with the viewer's hearts. Signed-out visitors read it from the
/// replica, if there is one and it is recent enough.
pub async fn list(app: &App, period: Period, viewer: Option<UserId>, now: OffsetDateTime) -> Result<Vec<Ranked>> {
    let copied = match viewer {
        None => from_replica(app, period, now).await,
        Some(_) => None,
    };
    let entries = match copied {
        Some(entries) => entries,
        None => db::top::list(&app.db, period.key()).await?,
    };
    let hearted = match viewer {
        Some(user) if !entries.is_empty() => {
            let ids: Vec<_> = entries.iter().map(|entry| entry.id.clone()).collect();
            db::hearts::hearted_among(&app.db, user, &ids).await?
        }
        _ => Vec::new(),
    };
    Ok(entries.into_iter().map(|entry| ranked(hearted.contains(&entry.id), entry)).collect())
}

async fn from_replica(app: &App, period: Period, now: OffsetDateTime) -> Option<Vec<Entry>> {
    let read = async |replica: &Pool| {
        let read_at = db::top::replica_read_at(replica).await?;
        let recent = read_at.is_some_and(|read_at| now - read_at < MAX_REPLICA_LAG);
        Ok(if recent { Some(db::top::list(replica, period.key()).await?) } else { None })
    };
    app.follower.as_ref()?.read(now, read).await.flatten()
}

fn ranked(hearted: bool, entry: Entry) -> Ranked {
    let Entry { id, name, owner_name, cover_url, seen_at, week, ever } = entry;
    let playlist = Playlist {
        id,
        name: Some(name),
        owner_name,
        cover_url,
        item_count: None,
        public: Some(true),
        collaborative: false,
        seen_at: Some(seen_at),
        hearted_at: None,
        changed_at: None,
        gone_at: None,
        note: None,
        tags: Vec::new(),
    };
    Ranked { playlist, hearted, week, ever }
}

/// Counts all hearts and makes the lists, if they are old and no other process does.
pub async fn refresh(app: &App, now: OffsetDateTime) -> Result<()> {
    let until = now + LEASE;
    if !db::heart_counts::lease(&app.db, MAX_AGE, until, now).await? {
        return Ok(());
    }
    let start = tokio::time::Instant::now();
    db::heart_counts::refresh(&app.db, LEASE, now).await?;
    if app.config.top_page {
        for period in [Period::Week, Period::Ever] {
            let entries = make(app, period, now).await?;
            db::top::replace(&app.db, period.key(), &entries).await?;
        }
    }
    let took: Duration = start.elapsed().try_into().unwrap_or(MAX_REST);
    db::heart_counts::release(&app.db, until, now, (took * REST_FACTOR).min(MAX_REST)).await?;
    Ok(())
}

/// Makes the list of `period`: the most hearted playlists that members lately saw as public.
async fn make(app: &App, period: Period, now: OffsetDateTime) -> Result<Vec<Entry>> {
    let (step, most) = CANDIDATES;
    let mut entries = Vec::with_capacity(PAGE);
    for offset in (0..most).step_by(step as usize) {
        let rows = (offset, step);
        let candidates = match period {
            Period::Week => db::top::most_hearted_this_week(&app.db, MIN_HEARTS, rows).await?,
            Period::Ever => db::top::most_hearted(&app.db, MIN_HEARTS, rows).await?,
        };
        let ids: Vec<_> = candidates.iter().map(|candidate| candidate.id.clone()).collect();
        let public = db::top::public_among(&app.db, &ids, now - FRESH).await?;
        let mut public: HashMap<_, _> = public.into_iter().map(|seen| (seen.id.clone(), seen)).collect();
        entries.extend(candidates.into_iter().filter_map(|Candidate { id, week, ever }| {
            let seen = public.remove(&id)?;
            let (name, owner_name, cover_url, seen_at) = (seen.name, seen.owner_name, seen.cover_url, seen.seen_at);
            Some(Entry { id, name, owner_name, cover_url, seen_at, week, ever })
        }));
        if entries.len() >= PAGE || ids.len() < step as usize {
            break;
        }
    }
    entries.truncate(PAGE);
    Ok(entries)
}
