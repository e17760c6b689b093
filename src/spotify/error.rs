//! What Spotify says when it does not say what was asked.

use std::time::Duration;

use serde::Deserialize;

/// An answer that did not come, or was a no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// 401: the access token is over, or was never good.
    #[error("the access token is not good any more")]
    Unauthorized,
    /// 403: not on the app's list of users, or not this person's to read. `premium`: the body speaks of the
    /// owner's subscription, which pauses the whole app. Its wording changes; it is a hint and no more.
    #[error("forbidden (premium: {premium})")]
    Forbidden {
        /// Whether the body speaks of a Premium subscription.
        premium: bool,
    },
    /// 404, and 400, which a malformed id may get.
    #[error("not found")]
    NotFound,
    /// 429: too many requests within half a minute.
    #[error("too many requests, wait {0:?}")]
    SlowDown(Option<Duration>),
    /// 429 with a reason: the developer's allowance of the day is used up.
    #[error("the quota is used up, wait {0:?}")]
    QuotaUsedUp(Option<Duration>),
    /// Spotify was silent for too long.
    #[error("no answer in time")]
    TimedOut,
    /// Spotify cannot be reached, or answered with a fault of its own.
    #[error("away: {0}")]
    Away(String),
    /// An answer that is not what the reference describes.
    #[error("unreadable: {0}")]
    Unreadable(String),
}

#[derive(Deserialize)]
struct Told {
    error: Reason,
}

#[derive(Deserialize)]
struct Reason {
    reason: Option<String>,
}

impl Error {
    /// Whether a second try may do better.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Error::Away(_))
    }

    /// Reads a status and what came with it; bodies may be JSON, plain text, HTML or nothing.
    pub(super) fn of(status: u16, wait: Option<u64>, body: &[u8]) -> Self {
        let wait = wait.map(Duration::from_secs);
        let quota = || {
            serde_json::from_slice::<Told>(body)
                .is_ok_and(|told| told.error.reason.as_deref() == Some("QUOTA_EXCEEDED"))
        };
        match status {
            // The player says 401 also when a scope is missing, which no new token brings.
            401 if says(body, "permissions missing") => Error::Forbidden { premium: false },
            401 => Error::Unauthorized,
            403 => Error::Forbidden { premium: says(body, "premium") },
            400 | 404 => Error::NotFound,
            429 if quota() => Error::QuotaUsedUp(wait),
            429 => Error::SlowDown(wait),
            504 => Error::TimedOut,
            500..=599 => Error::Away(format!("status {status}")),
            _ => Error::Unreadable(format!("status {status}")),
        }
    }
}

/// Whether a body, of whatever kind, holds these words. Spotify's wordings change: a hint and no more.
fn says(body: &[u8], words: &str) -> bool {
    String::from_utf8_lossy(body).to_ascii_lowercase().contains(words)
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() { Error::TimedOut } else { Error::Away(error.without_url().to_string()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_403_may_have_any_body() {
        for body in
            ["", "User not registered in the Developer Dashboard", r#"{"error":{"status":403,"message":"Forbidden"}}"#]
        {
            assert_eq!(Error::of(403, None, body.as_bytes()), Error::Forbidden { premium: false });
        }
        let paused = "Active premium subscription required for the owner of the app.";
        assert_eq!(Error::of(403, None, paused.as_bytes()), Error::Forbidden { premium: true });
    }

    #[test]
    fn a_missing_scope_is_no_stale_token() {
        let body = br#"{"error":{"status":401,"message":"Permissions missing"}}"#;
        assert_eq!(Error::of(401, None, body), Error::Forbidden { premium: false });
        assert_eq!(Error::of(401, None, b""), Error::Unauthorized);
    }

    #[test]
    fn the_two_kinds_of_429_are_told_apart() {
        let quota = br#"{"error":{"status":429,"message":"Too many requests","reason":"QUOTA_EXCEEDED"}}"#;
        assert_eq!(Error::of(429, None, quota), Error::QuotaUsedUp(None));
        assert_eq!(Error::of(429, Some(3), b"Too many requests"), Error::SlowDown(Some(Duration::from_secs(3))));
    }
}
