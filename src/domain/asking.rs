//! Asks Spotify: never before a cool-down ends, never longer than a visitor waits, every call counted.

use std::future::Future;
use std::time::Duration;

use time::OffsetDateTime;

use super::{Error, Result};
use crate::app::App;
use crate::db::cooldowns::{self, Cooldown};
use crate::spotify;

/// How long a page may wait for Spotify, all calls and renewals together.
pub const BUDGET: Duration = Duration::from_secs(8);

/// What is asked; Spotify's allowances differ between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Who somebody is.
    Me,
    /// Somebody's playlists.
    MyPlaylists,
    /// One playlist.
    Playlist,
    /// What is in a playlist.
    Items,
    /// What somebody plays now.
    CurrentlyPlaying,
}

impl Endpoint {
    /// Its name in the database.
    pub fn key(self) -> &'static str {
        match self {
            Endpoint::Me => "me",
            Endpoint::MyPlaylists => "my_playlists",
            Endpoint::Playlist => "playlist",
            Endpoint::Items => "items",
            Endpoint::CurrentlyPlaying => "currently_playing",
        }
    }
}

/// The answer of `call`, if it may be made now.
///
/// # Errors
/// [`Error::SlowDown`] without a call while a cool-down lasts, or when Spotify begins one;
/// [`Error::Reconnect`] when the token is not good.
pub async fn ask<T>(
    app: &App,
    endpoint: Endpoint,
    now: OffsetDateTime,
    call: impl Future<Output = spotify::Result<T>>,
) -> Result<T> {
    permit(app, endpoint, now).await?;
    match call.await {
        Ok(answer) => Ok(answer),
        Err(said) => Err(heed(app, endpoint, said, now).await),
    }
}

/// Why Spotify, which failed a moment ago, is not asked again just yet: a cool-down, or what it failed for.
pub async fn trouble(app: &App, endpoint: Endpoint, now: OffsetDateTime) -> Result<Error> {
    Ok(match cooldowns::standing(&app.db, endpoint.key(), now).await? {
        Some(cooldown) => Error::slow_down(cooldown, now),
        None => Error::SpotifyAway("it failed a moment ago".into()),
    })
}

/// Counts a call that is about to be made.
///
/// # Errors
/// [`Error::SlowDown`] while a cool-down lasts; then it must not be made.
async fn permit(app: &App, endpoint: Endpoint, now: OffsetDateTime) -> Result<()> {
    if let Some(cooldown) = cooldowns::standing(&app.db, endpoint.key(), now).await? {
        return Err(Error::slow_down(cooldown, now));
    }
    app.spotify_calls.add(endpoint.key(), now.date());
    Ok(())
}

/// Writes how often Spotify was called since the last time.
pub async fn flush_counts(app: &App) -> Result<()> {
    Ok(app.spotify_calls.flush(&app.db).await?)
}

/// Makes a cool-down, for all processes, of an answer that asks for one.
async fn heed(app: &App, endpoint: Endpoint, said: spotify::Error, now: OffsetDateTime) -> Error {
    let Some((bucket, cooldown)) = cooldown(&said, endpoint, now) else { return said.into() };
    tracing::warn!(bucket, quota = cooldown.quota, until = %cooldown.until, "Too many requests to Spotify");
    match cooldowns::note(&app.db, bucket, cooldown).await {
        Ok(()) => Error::slow_down(cooldown, now),
        Err(error) => error.into(),
    }
}

/// What an answer means for further calls. A short wait is about requests in half a minute and concerns all
/// endpoints; a long one, like a used-up quota, was seen on one endpoint while others still answered.
fn cooldown(said: &spotify::Error, endpoint: Endpoint, now: OffsetDateTime) -> Option<(&'static str, Cooldown)> {
    const MINUTE: Duration = Duration::from_secs(60);
    let (wait, quota) = match said {
        spotify::Error::SlowDown(wait) => {
            let wait = wait.unwrap_or(MINUTE / 2);
            (wait, wait > 10 * MINUTE)
        }
        spotify::Error::QuotaUsedUp(wait) => (wait.unwrap_or(60 * MINUTE), true),
        _ => return None,
    };
    // Longest first: an absurd number must not close the shop for good, nor a zero open it at once.
    let wait = wait.clamp(Duration::from_secs(1), 24 * 60 * MINUTE);
    let bucket = if quota { endpoint.key() } else { cooldowns::ALL };
    Some((bucket, Cooldown { until: now + wait, quota }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(said: spotify::Error) -> Option<(&'static str, i64, bool)> {
        let now = OffsetDateTime::UNIX_EPOCH;
        cooldown(&said, Endpoint::Items, now).map(|(bucket, c)| (bucket, (c.until - now).whole_seconds(), c.quota))
    }

    #[test]
    fn short_waits_concern_all_and_long_ones_an_endpoint() {
        let wait = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(seconds(spotify::Error::SlowDown(wait(3))), Some(("all", 3, false)));
        assert_eq!(seconds(spotify::Error::SlowDown(None)), Some(("all", 30, false)));
        assert_eq!(seconds(spotify::Error::SlowDown(wait(0))), Some(("all", 1, false)));
        assert_eq!(seconds(spotify::Error::SlowDown(wait(80_000))), Some(("items", 80_000, true)));
        assert_eq!(seconds(spotify::Error::QuotaUsedUp(None)), Some(("items", 3600, true)));
        assert_eq!(seconds(spotify::Error::QuotaUsedUp(wait(u64::MAX))), Some(("items", 86_400, true)));
        assert_eq!(seconds(spotify::Error::NotFound), None);
    }
}
