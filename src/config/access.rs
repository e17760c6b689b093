//! Registration policy, and limits on requests.

use std::num::NonZeroU32;

use time::Duration;
use url::Url;

use super::env_reader::EnvReader;
use crate::ids::{IdentityRef, InvalidIdentityRef, Registration};

#[derive(Clone, Debug)]
pub struct Access {
    pub registration: Registration,
    /// The people who become operators when they sign in.
    pub operators: Vec<IdentityRef>,
    /// Mail address or page of the operators, as a URL.
    pub contact: Option<Url>,
    /// The number of users that Spotify allows for the app, if known.
    pub spotify_users: Option<NonZeroU32>,
    /// The number of trusted proxies in a row, each of which appends an address to `X-Forwarded-For`.
    pub trusted_proxies: usize,
    /// Logins that one IP address may start in ten minutes.
    pub logins_per_address: NonZeroU32,
    /// Hearts that one person may add or remove in a minute.
    pub hearts_per_minute: NonZeroU32,
    /// Lifetime of a session from the sign-in.
    pub session_ttl: Duration,
    /// Lifetime of a session from its last request.
    pub session_idle_ttl: Duration,
}

/// Enough for a household or an office behind one IP address.
const DEFAULT_LOGINS_PER_ADDRESS: NonZeroU32 = NonZeroU32::new(30).expect("not zero");
/// More than a person can click.
const DEFAULT_HEARTS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(60).expect("not zero");

/// The lifetime of a consent at Spotify.
const DEFAULT_SESSION_DAYS: i64 = 180;
const DEFAULT_SESSION_IDLE_DAYS: i64 = 60;
/// Chrome keeps no cookie longer (developer.chrome.com/blog/cookie-max-age-expires).
const MAX_SESSION_DAYS: i64 = 400;

impl EnvReader<'_> {
    pub(super) fn access(&mut self, dyno: bool) -> Access {
        Access {
            registration: self.registration(),
            operators: self.operators(),
            contact: self.parse("CONTACT", "a mail address or an https:// URL", parse_contact),
            spotify_users: self.count("SPOTIFY_LISTENERS"),
            // Heroku's router appends the client's address.
            trusted_proxies: self.number("TRUSTED_PROXY", "number of proxies", 0..=9, usize::from(dyno)),
            logins_per_address: self.count("SIGN_INS_PER_ADDRESS").unwrap_or(DEFAULT_LOGINS_PER_ADDRESS),
            hearts_per_minute: self.count("HEARTS_PER_MINUTE").unwrap_or(DEFAULT_HEARTS_PER_MINUTE),
            session_ttl: self.days("SESSION_DAYS", DEFAULT_SESSION_DAYS),
            session_idle_ttl: self.days("SESSION_IDLE_DAYS", DEFAULT_SESSION_IDLE_DAYS),
        }
    }

    fn registration(&mut self) -> Registration {
        let parse = |text: &str| match text {
            "open" => Some(Registration::Open),
            "invite" => Some(Registration::Invite),
            "closed" => Some(Registration::Closed),
            _ => None,
        };
        self.parse("REGISTRATION", "`open`, `invite` or `closed`", parse).unwrap_or_default()
    }

    fn operators(&mut self) -> Vec<IdentityRef> {
        let Some(list) = self.get("OPERATOR") else { return Vec::new() };
        let operators = list.split(',').filter(|text| !text.trim().is_empty()).map(str::parse);
        operators.collect::<Result<_, _>>().unwrap_or_else(|error: InvalidIdentityRef| {
            self.error(format!("OPERATOR cannot be read: {error}; several are separated by commas"));
            Vec::new()
        })
    }

    fn days(&mut self, name: &str, default: i64) -> Duration {
        Duration::days(self.number(name, "number of days", 1..=MAX_SESSION_DAYS, default))
    }

    fn count(&mut self, name: &str) -> Option<NonZeroU32> {
        self.parse(name, "a whole number above 0", |text| text.parse().ok())
    }
}

fn parse_contact(text: &str) -> Option<Url> {
    let url = if text.contains(':') { Url::parse(text) } else { Url::parse(&format!("mailto:{text}")) };
    url.ok().filter(|url| match url.scheme() {
        "https" => url.has_host(),
        "mailto" => url.path().split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty()),
        _ => false,
    })
}
