//! What can go wrong, in the words of the domain; `web/error.rs` turns each into a status and a page.

use std::time::Duration;

use time::OffsetDateTime;

use crate::db::cooldowns::Cooldown;
use crate::{db, oauth, spotify};

/// The domain's answers that are not what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such playlist, or not for this person.
    #[error("not found")]
    NotFound,
    /// Spotify does not let this person use this server: not on the app's list of users.
    #[error("Spotify does not know this person as a user of the app")]
    NotAllowed,
    /// Spotify paused the whole app: its owner's Premium subscription lapsed.
    #[error("Spotify paused the app: its owner needs Premium")]
    Paused,
    /// The consent is over: Spotify must be connected again.
    #[error("Spotify must be connected again")]
    Reconnect,
    /// Spotify is not connected: it never was in this session, or the person disconnected it.
    #[error("Spotify is not connected")]
    NotConnected,
    /// Nobody may ask Spotify for a while.
    #[error("Spotify asks to wait until {until}")]
    SlowDown {
        /// Until when.
        until: OffsetDateTime,
        /// How long that is from now.
        wait: Duration,
        /// Whether it is the allowance of the day that is used up.
        quota: bool,
    },
    /// Spotify did not answer in time.
    #[error("Spotify did not answer in time")]
    SpotifySlow,
    /// Spotify cannot be reached, or its answer cannot be used.
    #[error("Spotify is away: {0}")]
    SpotifyAway(String),
    /// Spotify refuses the app's own id or secret: the operator has to mend it.
    #[error("Spotify refuses the app itself: {0}")]
    Misconfigured(String),
    /// The account of who asks was deleted meanwhile, by another request.
    #[error("the account is gone")]
    AccountGone,
    /// The database cannot be reached.
    #[error("the database is away: {0}")]
    DatabaseAway(db::Error),
    /// A fault of ours, or of our settings.
    #[error("{0}")]
    Internal(String),
}

/// The domain's answers.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// What a cool-down means to who asks now.
    pub(super) fn slow_down(cooldown: Cooldown, now: OffsetDateTime) -> Self {
        let wait = (cooldown.until - now).unsigned_abs();
        Error::SlowDown { until: cooldown.until, wait, quota: cooldown.quota }
    }

    /// Whether it is Spotify's trouble, which kept data can bridge.
    pub fn spotify_is_away(&self) -> bool {
        matches!(
            self,
            Error::SlowDown { .. }
                | Error::SpotifySlow
                | Error::SpotifyAway(_)
                | Error::Paused
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
            db::Error::Away(_) => Error::DatabaseAway(error),
            db::Error::OwnerGone => Error::AccountGone,
            db::Error::Query(_) | db::Error::Sealed(_) => Error::Internal(error.to_string()),
        }
    }
}

impl From<spotify::Error> for Error {
    fn from(error: spotify::Error) -> Self {
        use spotify::Error as Said;
        match error {
            Said::Unauthorized => Error::Reconnect,
            Said::Forbidden { premium: true } => Error::Paused,
            Said::Forbidden { premium: false } => Error::NotAllowed,
            Said::NotFound => Error::NotFound,
            // `asking` has made these a cool-down before they come here.
            Said::SlowDown(_) | Said::QuotaUsedUp(_) => Error::SpotifyAway(error.to_string()),
            Said::TimedOut => Error::SpotifySlow,
            Said::Away(_) | Said::Unreadable(_) => Error::SpotifyAway(error.to_string()),
        }
    }
}

impl From<oauth::Error> for Error {
    fn from(error: oauth::Error) -> Self {
        match error {
            oauth::Error::InvalidGrant => Error::Reconnect,
            oauth::Error::TimedOut => Error::SpotifySlow,
            oauth::Error::Unavailable(_) => Error::SpotifyAway(error.to_string()),
            oauth::Error::Misconfigured(why) => Error::Misconfigured(why),
        }
    }
}
