//! Registration policy, and limits on requests.

use std::num::NonZeroU32;

use super::env_reader::EnvReader;

/// Policy for new accounts. Existing users can always sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Registration {
    #[default]
    Open,
    /// Users with an invitation, and the first user, who becomes the operator.
    Invite,
    Closed,
}

#[derive(Clone, Debug)]
pub struct Access {
    pub registration: Registration,
    /// The number of users that Spotify allows for the app, if known.
    pub spotify_users: Option<NonZeroU32>,
    /// Whether a trusted proxy appends the client's address to `X-Forwarded-For`.
    pub is_behind_proxy: bool,
    /// Logins that one IP address may start in ten minutes.
    pub logins_per_address: NonZeroU32,
    /// Hearts that one session may add or remove in a minute.
    pub hearts_per_minute: NonZeroU32,
}

/// Enough for a household or an office behind one IP address.
const DEFAULT_LOGINS_PER_ADDRESS: NonZeroU32 = NonZeroU32::new(30).expect("not zero");
/// More than a person can click.
const DEFAULT_HEARTS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(60).expect("not zero");

impl EnvReader<'_> {
    pub(super) fn access(&mut self, dyno: bool) -> Access {
        Access {
            registration: self.registration(),
            spotify_users: self.number("SPOTIFY_LISTENERS"),
            // Heroku's router appends the client's address.
            is_behind_proxy: dyno || self.get("TRUSTED_PROXY").is_some_and(|value| value != "0"),
            logins_per_address: self.number("SIGN_INS_PER_ADDRESS").unwrap_or(DEFAULT_LOGINS_PER_ADDRESS),
            hearts_per_minute: self.number("HEARTS_PER_MINUTE").unwrap_or(DEFAULT_HEARTS_PER_MINUTE),
        }
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

    fn number(&mut self, name: &str) -> Option<NonZeroU32> {
        let number = self.get(name)?.parse().ok();
        if number.is_none() {
            self.error(format!("{name} is not a whole number above 0"));
        }
        number
    }
}
