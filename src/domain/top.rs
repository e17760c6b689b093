//! The most hearted playlists, visible to everybody, and the counts behind them. Spotify is never called.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use time::{Duration, OffsetDateTime};

use super::text::is_visible;
use super::{PAGE_SIZE, Playlist, Result};
use crate::app::App;
use crate::db::top::{Candidate, TopEntry};
use crate::db::{self, Pool};
use crate::ids::{PlaylistId, UserId};

/// Maximum age of the counts; a pause after a slow count adds to it. With the job's interval and the browser's cache, a
/// heart counts within a minute.
const MAX_AGE: Duration = Duration::seconds(15);
/// A replica that lags more is not read: a playlist that became private meanwhile would still be listed.
const MAX_REPLICA_LAG: Duration = Duration::seconds(30);
/// How long one process may count before another takes over. A failed count is retried at this interval.
const LEASE: Duration = Duration::minutes(5);
/// A count is followed by a pause of this many times its duration, so that counting takes at most 1/20 of a core.
const PAUSE_FACTOR: i32 = 20;
const MAX_PAUSE: Duration = Duration::minutes(5);
/// A playlist is listed once this many users have hearted it.
const MIN_HEARTS: i64 = 2;
/// Some user's library must have had the playlist as public this recently: its owner may have made it private since.
const MAX_UNSEEN: Duration = Duration::WEEK;
/// Candidates are read in batches, to fill a list of [`PAGE_SIZE`] public playlists.
const CANDIDATES_PER_QUERY: i64 = 200;
const MAX_CANDIDATES: i64 = 2000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// The last seven days.
    Week,
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

/// Returns the name of a playlist that everybody may see on the popular list.
pub async fn public_name(app: &App, playlist: &PlaylistId) -> Result<Option<String>> {
    let name = if app.config.top_page { db::top::find_name(&app.db, playlist).await? } else { None };
    Ok(name.filter(|name| is_visible(name)))
}

pub struct RankedPlaylist {
    pub playlist: Playlist,
    /// True if the viewer has hearted it.
    pub hearted: bool,
    /// Hearts of the last seven days.
    pub week_hearts: i64,
    pub total_hearts: i64,
}

/// Returns the latest list for `period`, with the viewer's hearts. Signed-out visitors read it from the replica, if
/// there is one and it is recent enough.
pub async fn load(
    app: &App,
    period: Period,
    viewer: Option<UserId>,
    now: OffsetDateTime,
) -> Result<Vec<RankedPlaylist>> {
    let from_replica = match viewer {
        None => load_from_replica(app, period, now).await,
        Some(_) => None,
    };
    let entries = match from_replica {
        Some(entries) => entries,
        None => db::top::load(&app.db, period.key()).await?,
    };
    if !entries.is_empty() {
        app.has_popular.store(true, Ordering::Relaxed);
    }
    let hearted = match viewer {
        Some(user) if !entries.is_empty() => {
            let ids: Vec<_> = entries.iter().map(|entry| entry.id.clone()).collect();
            db::hearts::filter_hearted(&app.db, user, &ids).await?
        }
        _ => Vec::new(),
    };
    Ok(entries.into_iter().map(|entry| to_ranked(hearted.contains(&entry.id), entry)).collect())
}

async fn load_from_replica(app: &App, period: Period, now: OffsetDateTime) -> Option<Vec<TopEntry>> {
    let read = async |replica: &Pool| {
        let as_of = db::top::replica_as_of(replica).await?;
        let is_recent = as_of.is_some_and(|as_of| now - as_of < MAX_REPLICA_LAG);
        Ok(if is_recent { Some(db::top::load(replica, period.key()).await?) } else { None })
    };
    app.replica.as_ref()?.read(now, read).await.flatten()
}

fn to_ranked(hearted: bool, entry: TopEntry) -> RankedPlaylist {
    let TopEntry { id, name, owner_name, cover_url, seen_at, week, ever } = entry;
    let playlist = Playlist {
        id,
        name: Some(name),
        owner_name,
        cover_url,
        public: Some(true),
        seen_at: Some(seen_at),
        ..Playlist::default()
    };
    RankedPlaylist { playlist, hearted, week_hearts: week, total_hearts: ever }
}

/// Recounts all hearts and rebuilds the lists, if they are out of date and no other process is doing so. Then updates
/// [`App::has_popular`] of this process.
pub async fn refresh(app: &App, now: OffsetDateTime) -> Result<()> {
    let until = now + LEASE;
    if db::heart_counts::lease(&app.db, MAX_AGE, until, now).await? {
        let start = tokio::time::Instant::now();
        db::heart_counts::refresh(&app.db, LEASE, now).await?;
        if app.config.top_page {
            for period in [Period::Week, Period::Ever] {
                let entries = build_list(app, period, now).await?;
                db::top::replace(&app.db, period.key(), &entries).await?;
            }
        }
        let elapsed: Duration = start.elapsed().try_into().unwrap_or(MAX_PAUSE);
        db::heart_counts::release(&app.db, until, now, (elapsed * PAUSE_FACTOR).min(MAX_PAUSE)).await?;
    }
    if app.config.top_page {
        app.has_popular.store(db::top::has_entries(&app.db).await?, Ordering::Relaxed);
    }
    Ok(())
}

/// Builds a list: the most hearted playlists that libraries recently had as public, with Spotify's names and not with
/// titles that users gave them.
async fn build_list(app: &App, period: Period, now: OffsetDateTime) -> Result<Vec<TopEntry>> {
    let mut entries = Vec::with_capacity(PAGE_SIZE);
    for offset in (0..MAX_CANDIDATES).step_by(CANDIDATES_PER_QUERY as usize) {
        let rows = (offset, CANDIDATES_PER_QUERY);
        let candidates = db::top::most_hearted(&app.db, MIN_HEARTS, period == Period::Week, rows).await?;
        let ids: Vec<_> = candidates.iter().map(|candidate| candidate.id.clone()).collect();
        let public = db::top::find_public(&app.db, &ids, now - MAX_UNSEEN).await?;
        let mut public: HashMap<_, _> = public.into_iter().map(|seen| (seen.id.clone(), seen)).collect();
        entries.extend(
            candidates
                .into_iter()
                .filter_map(|Candidate { id, week, ever }| Some(TopEntry { week, ever, ..public.remove(&id)? })),
        );
        if entries.len() >= PAGE_SIZE || ids.len() < CANDIDATES_PER_QUERY as usize {
            break;
        }
    }
    entries.truncate(PAGE_SIZE);
    Ok(entries)
}
