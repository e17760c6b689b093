//! Registration policy, and limits on requests.

use std::num::NonZeroU32;

use time::Duration;
use url::Url;

use super::env_reader::EnvReader;
use crate::ids::{IdentityRef, InvalidIdentityRef};

/// Policy for new accounts. Existing users can always sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Registration {
    #[default]
    Open,
    /// Users with an invitation.
    Invite,
    Closed,
}

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
    /// Hearts that one session may add or remove in a minute.
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

const MAX_TRUSTED_PROXIES: usize = 9;
/// As long as a consent at Spotify.
const DEFAULT_SESSION_DAYS: i64 = 180;
const DEFAULT_SESSION_IDLE_DAYS: i64 = 60;
/// Chrome keeps no cookie longer (developer.chrome.com/blog/cookie-max-age-expires).
const MAX_SESSION_DAYS: i64 = 400;

impl EnvReader<'_> {
    pub(super) fn access(&mut self, dyno: bool) -> Access {
        Access {
            registration: self.registration(),
            operators: self.operators(),
            contact: self.contact(),
            spotify_users: self.number("SPOTIFY_LISTENERS"),
            trusted_proxies: self.trusted_proxies(dyno),
            logins_per_address: self.number("SIGN_INS_PER_ADDRESS").unwrap_or(DEFAULT_LOGINS_PER_ADDRESS),
            hearts_per_minute: self.number("HEARTS_PER_MINUTE").unwrap_or(DEFAULT_HEARTS_PER_MINUTE),
            session_ttl: self.days("SESSION_DAYS", DEFAULT_SESSION_DAYS),
            session_idle_ttl: self.days("SESSION_IDLE_DAYS", DEFAULT_SESSION_IDLE_DAYS),
        }
    }

    fn trusted_proxies(&mut self, dyno: bool) -> usize {
        // Heroku's router appends the client's address.
        let Some(text) = self.get("TRUSTED_PROXY") else { return usize::from(dyno) };
        text.parse().ok().filter(|proxies| *proxies <= MAX_TRUSTED_PROXIES).unwrap_or_else(|| {
            self.error(format!("TRUSTED_PROXY is not a number of proxies from 0 to {MAX_TRUSTED_PROXIES}"));
            0
        })
    }

    fn registration(&mut self) -> Registration {
        match self.get("REGISTRATION").as_deref() {
            None | Some("open") => Registration::Open,
            Some("invite") => Registration::Invite,
            Some("closed") => Registration::Closed,
            Some(_) => {
                self.error("REGISTRATION is not `open`, `invite` or `closed`");
                Registration::Closed
            }
        }
    }

    fn operators(&mut self) -> Vec<IdentityRef> {
        let Some(list) = self.get("OPERATOR") else { return Vec::new() };
        let operators = list.split(',').filter(|text| !text.trim().is_empty()).map(str::parse);
        operators.collect::<Result<_, _>>().unwrap_or_else(|error: InvalidIdentityRef| {
            self.error(format!("OPERATOR cannot be read: {error}; several are separated by commas"));
            Vec::new()
        })
    }

    fn contact(&mut self) -> Option<Url> {
        let text = self.get("CONTACT")?;
        let url = match text.contains(':') {
            true => Url::parse(&text),
            false => Url::parse(&format!("mailto:{text}")),
        };
        let is_contact = |url: &Url| match url.scheme() {
            "https" => url.has_host(),
            "mailto" => url.path().split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty()),
            _ => false,
        };
        let url = url.ok().filter(is_contact);
        if url.is_none() {
            self.error("CONTACT is not a mail address or an https:// URL");
        }
        url
    }

    fn days(&mut self, name: &str, default: i64) -> Duration {
        let days = match self.get(name) {
            Some(text) => text.parse().ok().filter(|days| (1..=MAX_SESSION_DAYS).contains(days)),
            None => Some(default),
        };
        if days.is_none() {
            self.error(format!("{name} is not a number of days from 1 to {MAX_SESSION_DAYS}"));
        }
        Duration::days(days.unwrap_or(default))
    }

    fn number(&mut self, name: &str) -> Option<NonZeroU32> {
        let number = self.get(name)?.parse().ok();
        if number.is_none() {
            self.error(format!("{name} is not a whole number above 0"));
        }
        number
    }
}
