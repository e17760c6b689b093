//! Who may join, and from where people come.

use std::num::NonZeroU32;

use super::Reader;

/// Who may join as somebody new. Who has an account signs in in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Registration {
    /// Everybody.
    #[default]
    Open,
    /// Whom an operator invited; and the first person ever, who becomes the operator.
    Invite,
    /// Nobody.
    Closed,
}

/// What is set about people.
#[derive(Clone, Debug)]
pub struct People {
    /// Who may join.
    pub registration: Registration,
    /// How many listeners Spotify lets in; none: not known.
    pub listeners: Option<NonZeroU32>,
    /// Whether a proxy stands before us that tells, last in `X-Forwarded-For`, who asked it.
    pub behind_proxy: bool,
    /// How many sign-ins one address may start in ten minutes.
    pub sign_ins: NonZeroU32,
    /// How many hearts one person may give or take back in a minute.
    pub hearts: NonZeroU32,
}

/// Enough for a household or an office behind one address.
const SIGN_INS: NonZeroU32 = NonZeroU32::new(30).expect("not zero");
/// More than fingers can press.
const HEARTS: NonZeroU32 = NonZeroU32::new(60).expect("not zero");

impl Reader<'_> {
    pub(super) fn people(&mut self, dyno: bool) -> People {
        People {
            registration: self.registration(),
            listeners: self.number("SPOTIFY_LISTENERS"),
            // Heroku's router adds the address that it saw at the end.
            behind_proxy: dyno || self.get("TRUSTED_PROXY").is_some_and(|value| value != "0"),
            sign_ins: self.number("SIGN_INS_PER_ADDRESS").unwrap_or(SIGN_INS),
            hearts: self.number("HEARTS_PER_MINUTE").unwrap_or(HEARTS),
        }
    }

    fn registration(&mut self) -> Registration {
        match self.get("REGISTRATION").as_deref() {
            None | Some("open") => Registration::Open,
            Some("invite") => Registration::Invite,
            Some("closed") => Registration::Closed,
            Some(_) => {
                self.fault("REGISTRATION is none of `open`, `invite` and `closed`");
                Registration::Closed
            }
        }
    }

    fn number(&mut self, name: &str) -> Option<NonZeroU32> {
        let number = self.get(name)?.parse().ok();
        if number.is_none() {
            self.fault(format!("{name} is not a whole number from 1 up"));
        }
        number
    }
}
