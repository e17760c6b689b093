//! Domain errors; `web/error.rs` maps each to a status and a page.

use std::time::Duration;

use time::OffsetDateTime;

use crate::db::cooldowns::Cooldown;
use crate::{db, oauth, spotify};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Missing, or not visible to this user.
    #[error("not found")]
    NotFound,
    #[error("the user is not on the app's list of users at Spotify")]
    NotAllowed,
    /// Spotify has paused the app: its owner's Premium subscription has lapsed.
    #[error("Spotify paused the app: its owner needs Premium")]
    AppPaused,
    #[error("Spotify must be connected again")]
    Reconnect,
    /// Spotify was never connected in this session, or the user disconnected it.
    #[error("Spotify is not connected")]
    NotConnected,
    #[error("Spotify limits requests until {until}")]
    RateLimited { until: OffsetDateTime, wait: Duration, quota: bool },
    /// The user has caused too many calls to Spotify. All users share the app's quota.
    #[error("the user has caused too many calls until {until}")]
    TooManyCalls { until: OffsetDateTime, wait: Duration },
    #[error("Spotify did not answer in time")]
    SpotifyTimeout,
    /// Spotify is unreachable, or its response is invalid.
    #[error("Spotify is unavailable: {0}")]
    SpotifyUnavailable(String),
    #[error("Spotify listed {listed} of {total} playlists")]
    IncompleteLibrary { listed: usize, total: usize },
    /// Spotify rejects the app's client id or secret: the operator has to fix it.
    #[error("Spotify refuses the app itself: {0}")]
    Misconfigured(String),
    /// A search was ended by a limit on its time, or too many of the user's or of all searches were under way.
    #[error("a search took too long")]
    SearchTooSlow,
    /// An earlier change of many hearts of the same user is still under way.
    #[error("an earlier change of the user's hearts is under way")]
    ChangeUnderWay,
    /// A tag could not be changed on all hearts, because some were edited at the same time.
    #[error("hearts were edited while a tag was changed")]
    TagConflict,
    /// The user's account was deleted by another request.
    #[error("the account was deleted")]
    AccountDeleted,
    #[error("the database is unavailable: {0}")]
    DatabaseUnavailable(db::Error),
    /// A bug, or an invalid configuration.
    #[error("{0}")]
    Internal(String),
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(super) fn from_cooldown(cooldown: Cooldown, now: OffsetDateTime) -> Self {
        let wait = (cooldown.until - now).unsigned_abs();
        Error::RateLimited { until: cooldown.until, wait, quota: cooldown.quota }
    }

    /// True if Spotify cannot be read, so that stored data is shown instead.
    pub fn is_spotify_failure(&self) -> bool {
        matches!(
            self,
            Error::RateLimited { .. }
                | Error::TooManyCalls { .. }
                | Error::SpotifyTimeout
                | Error::SpotifyUnavailable(_)
                | Error::IncompleteLibrary { .. }
                | Error::AppPaused
                | Error::Misconfigured(_)
                | Error::NotAllowed
                | Error::Reconnect
                | Error::NotConnected
        )
    }
}

impl From<db::Error> for Error {
    fn from(error: db::Error) -> Self {
        match error {
            db::Error::Unavailable(_) => Error::DatabaseUnavailable(error),
            db::Error::SearchTooSlow => Error::SearchTooSlow,
            db::Error::UserGone => Error::AccountDeleted,
            db::Error::Query(_) | db::Error::Decrypt(_) => Error::Internal(error.to_string()),
        }
    }
}

impl From<spotify::Error> for Error {
    fn from(error: spotify::Error) -> Self {
        match error {
            spotify::Error::Unauthorized => Error::Reconnect,
            spotify::Error::Forbidden { premium: true } => Error::AppPaused,
            spotify::Error::Forbidden { premium: false } => Error::NotAllowed,
            spotify::Error::NotFound => Error::NotFound,
            // `spotify_calls` has already turned these into a cooldown.
            spotify::Error::RateLimited(_) | spotify::Error::QuotaExceeded(_) => {
                Error::SpotifyUnavailable(error.to_string())
            }
            spotify::Error::TimedOut => Error::SpotifyTimeout,
            spotify::Error::Unavailable(_) | spotify::Error::InvalidResponse(_) => {
                Error::SpotifyUnavailable(error.to_string())
            }
        }
    }
}

impl From<oauth::Error> for Error {
    fn from(error: oauth::Error) -> Self {
        match error {
            oauth::Error::InvalidGrant => Error::Reconnect,
            oauth::Error::TimedOut => Error::SpotifyTimeout,
            oauth::Error::Denied | oauth::Error::Rejected(_) | oauth::Error::Unavailable(_) => {
                Error::SpotifyUnavailable(error.to_string())
            }
            oauth::Error::Misconfigured(reason) => Error::Misconfigured(reason),
        }
    }
}
