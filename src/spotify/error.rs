//! Errors of Spotify's Web API.

use std::time::Duration;

use serde::Deserialize;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// 401: the access token has expired or is invalid.
    #[error("the access token is invalid or expired")]
    Unauthorized,
    /// 403: the user is not on the app's list of users or may not read the resource.
    #[error("forbidden (premium: {premium})")]
    Forbidden {
        /// Whether the body mentions Premium: the owner's subscription has lapsed, which pauses the whole app.
        /// Spotify's wording changes, so this is only a hint.
        premium: bool,
    },
    /// 404, and 400, which a malformed id may get.
    #[error("not found")]
    NotFound,
    /// 429: too many requests within 30 seconds.
    #[error("too many requests, wait {0:?}")]
    RateLimited(Option<Duration>),
    /// 429 with a reason: the developer's daily quota is used up.
    #[error("the quota is used up, wait {0:?}")]
    QuotaExceeded(Option<Duration>),
    #[error("no answer in time")]
    TimedOut,
    /// Spotify is unreachable or had an internal error.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// The response does not have the documented format.
    #[error("invalid response: {0}")]
    InvalidResponse(String),
}

#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorDetails,
}

#[derive(Deserialize)]
struct ErrorDetails {
    reason: Option<String>,
}

impl Error {
    pub(super) fn is_transient(&self) -> bool {
        matches!(self, Error::Unavailable(_))
    }

    /// Maps a status and body to an error; bodies may be JSON, plain text, HTML or empty.
    pub(super) fn from_response(status: u16, retry_after: Option<u64>, body: &[u8]) -> Self {
        let retry_after = retry_after.map(Duration::from_secs);
        let is_quota_exceeded = || {
            serde_json::from_slice::<ErrorBody>(body)
                .is_ok_and(|body| body.error.reason.as_deref() == Some("QUOTA_EXCEEDED"))
        };
        match status {
            // The player endpoint answers 401 for a missing scope, which a new token does not fix.
            401 if contains_ignore_case(body, "permissions missing") => Error::Forbidden { premium: false },
            401 => Error::Unauthorized,
            403 => Error::Forbidden { premium: contains_ignore_case(body, "premium") },
            400 | 404 => Error::NotFound,
            429 if is_quota_exceeded() => Error::QuotaExceeded(retry_after),
            429 => Error::RateLimited(retry_after),
            504 => Error::TimedOut,
            500..=599 => Error::Unavailable(format!("status {status}")),
            _ => Error::InvalidResponse(format!("status {status}")),
        }
    }
}

fn contains_ignore_case(body: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(body).to_ascii_lowercase().contains(text)
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() { Error::TimedOut } else { Error::Unavailable(error.without_url().to_string()) }
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
            assert_eq!(Error::from_response(403, None, body.as_bytes()), Error::Forbidden { premium: false });
        }
        let paused = "Active premium subscription required for the owner of the app.";
        assert_eq!(Error::from_response(403, None, paused.as_bytes()), Error::Forbidden { premium: true });
    }

    #[test]
    fn a_missing_scope_is_not_an_expired_token() {
        let body = br#"{"error":{"status":401,"message":"Permissions missing"}}"#;
        assert_eq!(Error::from_response(401, None, body), Error::Forbidden { premium: false });
        assert_eq!(Error::from_response(401, None, b""), Error::Unauthorized);
    }

    #[test]
    fn the_two_kinds_of_429_are_told_apart() {
        let quota_exceeded = br#"{"error":{"status":429,"message":"Too many requests","reason":"QUOTA_EXCEEDED"}}"#;
        assert_eq!(Error::from_response(429, None, quota_exceeded), Error::QuotaExceeded(None));
        assert_eq!(
            Error::from_response(429, Some(3), b"Too many requests"),
            Error::RateLimited(Some(Duration::from_secs(3)))
        );
    }
}
