//! Renews what is stored of hearted playlists that Spotify has not shown for a while: by the library, which has most of
//! them, and by a call for each of some others.

use futures_util::{StreamExt, stream};
use serde::Deserialize;
use time::{Duration, OffsetDateTime};
use tokio::time::{Instant, timeout_at};

use super::library::{self, LibraryRequest};
use super::{CurrentUser, Error, Playlist, Result, playlists, search, spotify_calls};
use crate::app::App;
use crate::db::{hearts, news};
use crate::ids::PlaylistId;

/// Maximum age of the stored data of a hearted playlist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MaxAge {
    /// For a renewal that the user asked for: URLs of covers expire within a day.
    #[default]
    Day,
    /// For an automatic renewal: a call a day for each playlist would use up the app's quota.
    Week,
}

impl MaxAge {
    fn before(self, now: OffsetDateTime) -> OffsetDateTime {
        now - if self == MaxAge::Day { Duration::DAY } else { Duration::WEEK }
    }
}

/// Number of playlists that a renewal asks for one by one.
const MAX_PLAYLISTS: i64 = 20;
const CONCURRENT_CALLS: usize = 4;

/// Counts the user's hearts whose data is older than a week, if one of `shown` is and Spotify can be asked. Returns 0 if
/// that takes too long, or a connection of searches broke, because the page matters more.
pub async fn count_stale(app: &App, user: &CurrentUser, shown: &[Playlist], now: OffsetDateTime) -> Result<usize> {
    let before = MaxAge::Week.before(now);
    let is_stale = |playlist: &Playlist| playlist.gone_at.is_none() && playlist.seen_at.is_none_or(|at| at < before);
    if user.grant.is_none() || !shown.iter().any(is_stale) {
        return Ok(0);
    }
    match count_before(app, user, before).await {
        Err(Error::SearchTooSlow | Error::DatabaseUnavailable(_)) => Ok(0),
        count => count,
    }
}

/// Counts the hearts whose data is from before `before`. Reads all of the user's, like a search.
async fn count_before(app: &App, user: &CurrentUser, before: OffsetDateTime) -> Result<usize> {
    let count = async { Ok(hearts::count_stale(&app.search_db, user.id, before).await?) };
    Ok(search::run(app, user.id, count).await? as usize)
}

pub struct Renewal {
    /// The number of hearts whose data was too old.
    pub total: usize,
    pub renewed: usize,
    /// Why Spotify did not send all that it was asked for.
    pub error: Option<Error>,
}

/// Renews the data of hearts that is older than `max_age`, as far as the time budget of a page allows. Does nothing
/// while another renewal of the same user runs.
pub async fn renew(app: &App, user: &CurrentUser, max_age: MaxAge, now: OffsetDateTime) -> Result<Renewal> {
    let before = max_age.before(now);
    let total = count_before(app, user, before).await?;
    let error = match app.renewals.try_acquire(user.id) {
        Some(_permit) => {
            let deadline = Instant::now() + spotify_calls::TIME_BUDGET;
            let result = timeout_at(deadline, renew_some(app, user, before, now)).await;
            result.unwrap_or(Err(Error::SpotifyTimeout)).err()
        }
        None => None,
    };
    match error {
        Some(error) if !error.is_spotify_failure() => Err(error),
        error => {
            let left = count_before(app, user, before).await?;
            Ok(Renewal { total, renewed: total.saturating_sub(left), error })
        }
    }
}

/// # Errors
/// An error that ended the renewal, or the last one of a single playlist.
async fn renew_some(app: &App, user: &CurrentUser, before: OffsetDateTime, now: OffsetDateTime) -> Result<()> {
    match library::update(app, user, LibraryRequest::RefreshIfOld, now).await {
        // The other playlists do not depend on it.
        Ok(_) | Err(Error::IncompleteLibrary { .. }) => {}
        Err(error) => return Err(error),
    }
    let stale = hearts::list_stale(&app.db, user.id, before, MAX_PLAYLISTS).await?;
    let ids: Vec<_> = stale.iter().filter_map(|id| PlaylistId::parse(id).ok()).collect();
    let renewals = ids.into_iter().map(async |id| renew_playlist(app, user, &id, now).await);
    let mut renewals = stream::iter(renewals).buffer_unordered(CONCURRENT_CALLS);
    let mut last = Ok(());
    while let Some(result) = renewals.next().await {
        match result {
            Ok(()) => {}
            Err(error @ (Error::SpotifyUnavailable(_) | Error::SpotifyTimeout)) => last = Err(error),
            Err(error) => return Err(error),
        }
    }
    last
}

async fn renew_playlist(app: &App, user: &CurrentUser, id: &PlaylistId, now: OffsetDateTime) -> Result<()> {
    match playlists::fetch_and_record(app, user, id, now).await {
        Err(Error::NotFound) => Ok(news::mark_unavailable(&app.db, user.id, id, now).await?),
        result => result,
    }
}
