//! Calls to Spotify, with cooldowns, a quota for each user, a time budget and call counts.

use std::future::Future;
use std::time::Duration;

use time::OffsetDateTime;

use super::{Error, Result};
use crate::app::App;
use crate::db::cooldowns::{self, Cooldown};
use crate::ids::UserId;
use crate::spotify;

/// How long a page may wait for Spotify, including all calls and token refreshes.
pub const TIME_BUDGET: Duration = Duration::from_secs(8);

/// A Spotify endpoint; rate limits differ between endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    Me,
    MyPlaylists,
    Playlist,
    Items,
    CurrentlyPlaying,
    SaveToLibrary,
    OEmbed,
}

impl Endpoint {
    /// Returns the name in the database.
    pub const fn key(self) -> &'static str {
        match self {
            Endpoint::Me => "me",
            Endpoint::MyPlaylists => "my_playlists",
            Endpoint::Playlist => "playlist",
            Endpoint::Items => "items",
            Endpoint::CurrentlyPlaying => "currently_playing",
            Endpoint::SaveToLibrary => "save_to_library",
            Endpoint::OEmbed => "oembed",
        }
    }

    /// Returns the bucket of short cooldowns, which endpoints share. oEmbed is another service than the Web API.
    const fn shared_bucket(self) -> &'static str {
        match self {
            Endpoint::OEmbed => self.key(),
            _ => cooldowns::ALL_ENDPOINTS,
        }
    }
}

/// Makes a call to Spotify, unless a cooldown is active or `user` has caused too many calls.
///
/// # Errors
/// [`Error::RateLimited`] during a cooldown, without a call, or if Spotify begins one; [`Error::TooManyCalls`] if the
/// user's quota is used up; [`Error::Reconnect`] if the token is invalid.
pub async fn call<T>(
    app: &App,
    endpoint: Endpoint,
    user: Option<UserId>,
    now: OffsetDateTime,
    call: impl Future<Output = spotify::Result<T>>,
) -> Result<T> {
    if let Some(error) = find_cooldown(app, endpoint, now).await? {
        return Err(error);
    }
    if let Some(user) = user {
        let quota = if endpoint == Endpoint::MyPlaylists { &app.library_calls } else { &app.page_calls };
        quota.count(user, now).map_err(|wait| Error::TooManyCalls { until: now + wait, wait })?;
    }
    app.spotify_calls.add(endpoint.key(), now.date());
    match call.await {
        Ok(value) => Ok(value),
        Err(error) => Err(handle_error(app, endpoint, error, now).await),
    }
}

/// Returns the error to report after a recent failure, without calling Spotify again.
pub async fn load_recent_failure(app: &App, endpoint: Endpoint, now: OffsetDateTime) -> Result<Error> {
    let unknown = || Error::SpotifyUnavailable("it failed a moment ago".into());
    Ok(find_cooldown(app, endpoint, now).await?.unwrap_or_else(unknown))
}

async fn find_cooldown(app: &App, endpoint: Endpoint, now: OffsetDateTime) -> Result<Option<Error>> {
    let cooldown = cooldowns::find_active(&app.db, [endpoint.key(), endpoint.shared_bucket()], now).await?;
    Ok(cooldown.map(|cooldown| Error::from_cooldown(cooldown, now)))
}

pub async fn flush_counts(app: &App) -> Result<()> {
    Ok(app.spotify_calls.flush(&app.db).await?)
}

/// Records a cooldown for all processes, if the error calls for one.
async fn handle_error(app: &App, endpoint: Endpoint, error: spotify::Error, now: OffsetDateTime) -> Error {
    let Some((bucket, cooldown)) = cooldown_from(&error, endpoint, now) else { return error.into() };
    tracing::warn!(bucket, quota = cooldown.quota, until = %cooldown.until, "Spotify limits requests");
    match cooldowns::record(&app.db, bucket, cooldown).await {
        Ok(()) => Error::from_cooldown(cooldown, now),
        Err(error) => error.into(),
    }
}

/// Returns the cooldown that an error calls for. A short wait limits requests within 30 seconds and applies to all
/// endpoints; a long one, like an exhausted quota, was seen on one endpoint while others still answered.
fn cooldown_from(error: &spotify::Error, endpoint: Endpoint, now: OffsetDateTime) -> Option<(&'static str, Cooldown)> {
    const MINUTE: Duration = Duration::from_secs(60);
    let (wait, quota) = match error {
        spotify::Error::RateLimited(wait) => {
            let wait = wait.unwrap_or(MINUTE / 2);
            (wait, wait > 10 * MINUTE)
        }
        spotify::Error::QuotaExceeded(wait) => (wait.unwrap_or(60 * MINUTE), true),
        _ => return None,
    };
    // Clamp Retry-After to 1 s – 24 h.
    let wait = wait.clamp(Duration::from_secs(1), 24 * 60 * MINUTE);
    let bucket = if quota { endpoint.key() } else { endpoint.shared_bucket() };
    Some((bucket, Cooldown { until: now + wait, quota }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cooldown_seconds(error: spotify::Error) -> Option<(&'static str, i64, bool)> {
        let now = OffsetDateTime::UNIX_EPOCH;
        cooldown_from(&error, Endpoint::Items, now)
            .map(|(bucket, c)| (bucket, (c.until - now).whole_seconds(), c.quota))
    }

    #[test]
    fn short_waits_apply_to_all_endpoints_and_long_ones_to_one() {
        let wait = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(cooldown_seconds(spotify::Error::RateLimited(wait(3))), Some(("all", 3, false)));
        assert_eq!(cooldown_seconds(spotify::Error::RateLimited(None)), Some(("all", 30, false)));
        assert_eq!(cooldown_seconds(spotify::Error::RateLimited(wait(0))), Some(("all", 1, false)));
        assert_eq!(cooldown_seconds(spotify::Error::RateLimited(wait(80_000))), Some(("items", 80_000, true)));
        assert_eq!(cooldown_seconds(spotify::Error::QuotaExceeded(None)), Some(("items", 3600, true)));
        assert_eq!(cooldown_seconds(spotify::Error::QuotaExceeded(wait(u64::MAX))), Some(("items", 86_400, true)));
        assert_eq!(cooldown_seconds(spotify::Error::NotFound), None);
        let limited = cooldown_from(&spotify::Error::RateLimited(None), Endpoint::OEmbed, OffsetDateTime::UNIX_EPOCH);
        assert_eq!(limited.map(|(bucket, _)| bucket), Some("oembed"));
    }
}
