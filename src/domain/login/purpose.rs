//! The purpose of a login: its intent, its reason, and the steps after it.

use serde::{Deserialize, Serialize};

use super::decide::LoginIntent;
use crate::ids::{PlaylistId, Secret};
use crate::oauth::providers::{NOW_PLAYING_SCOPE, SAVING_SCOPES};

/// The steps after a successful login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AfterLogin {
    /// The path to redirect to.
    pub next: String,
    /// The playlist whose heart button was pressed before signing in.
    pub heart: Option<PlaylistId>,
    #[serde(rename = "anew")]
    pub reauth: Option<ReauthReason>,
    /// The invitation that lets a new user join.
    pub invite: Option<Secret>,
}

impl AfterLogin {
    pub fn new(next: impl Into<String>) -> Self {
        Self { next: next.into(), heart: None, reauth: None, invite: None }
    }
}

/// The parameters with which a failed login can start again.
#[derive(Clone, Debug)]
pub struct LoginRetry {
    pub intent: IntentField,
    pub after: AfterLogin,
}

/// Reason for sending a signed-in user to the provider again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReauthReason {
    #[serde(rename = "Renew")]
    RenewConsent,
    #[serde(rename = "NowPlaying")]
    EnableNowPlaying,
    /// Hearts are to be saved in the library at Spotify too.
    EnableSaving,
    /// Before a change that needs a recent sign-in.
    SignInAgain,
}

impl ReauthReason {
    const ALL: [Self; 4] = [Self::RenewConsent, Self::EnableNowPlaying, Self::EnableSaving, Self::SignInAgain];

    /// Returns the value of the form field that chooses it.
    pub fn key(self) -> &'static str {
        match self {
            Self::RenewConsent => "renew-consent",
            Self::EnableNowPlaying => "now-playing",
            Self::EnableSaving => "save-hearts",
            Self::SignInAgain => "sign-in-again",
        }
    }

    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.key() == key)
    }

    /// Returns the optional scopes that are requested.
    pub(super) fn scopes(self) -> &'static [&'static str] {
        match self {
            Self::EnableNowPlaying => &[NOW_PLAYING_SCOPE],
            Self::EnableSaving => &SAVING_SCOPES,
            Self::RenewConsent | Self::SignInAgain => &[],
        }
    }
}

/// The form field that chooses a [`LoginIntent`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IntentField {
    #[default]
    SignIn,
    Link,
    Merge,
}

impl IntentField {
    /// Returns its value; `None` without the field.
    pub fn key(self) -> Option<&'static str> {
        match self {
            Self::SignIn => None,
            Self::Link => Some("link"),
            Self::Merge => Some("merge"),
        }
    }

    pub fn from_key(key: Option<&str>) -> Self {
        let chosen = [Self::Link, Self::Merge].into_iter().find(|intent| intent.key() == key);
        chosen.unwrap_or_default()
    }
}

impl From<LoginIntent> for IntentField {
    fn from(intent: LoginIntent) -> Self {
        match intent {
            LoginIntent::SignIn => Self::SignIn,
            LoginIntent::Link(_) => Self::Link,
            LoginIntent::Merge(_) => Self::Merge,
        }
    }
}
