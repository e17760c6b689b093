//! Messages about saving hearted playlists in the library at Spotify.

use serde::{Deserialize, Serialize};

use crate::domain::saving::NotSaved;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SavingFlash {
    On,
    Off,
    Hearted,
    HeartedOnly(NotSaved),
}

pub(super) const NOT_ALLOWED: &str = "Spotify did not allow Heartlist to save playlists in your library there.";

impl SavingFlash {
    pub(crate) fn text(self) -> String {
        match self {
            Self::On => "Playlists that you heart here are now saved in your Spotify library too.".into(),
            Self::Off => "Hearts are no longer saved at Spotify. What is in your library there stays.".into(),
            Self::Hearted => "Hearted, and saved in your Spotify library.".into(),
            Self::HeartedOnly(reason) => describe_not_saved(reason),
        }
    }
}

/// Returns the message about a heart that only Heartlist has.
pub(crate) fn describe_not_saved(reason: NotSaved) -> String {
    let reason = match reason {
        NotSaved::NotGranted => "Spotify does not allow it. Turn it on again on your account page",
        NotSaved::Reconnect => "Spotify needs you to reconnect",
        NotSaved::NotFound => "Spotify does not show this playlist",
        NotSaved::Unavailable => "Spotify is having trouble",
        NotSaved::NoResponseYet => "Spotify has not answered yet, and it may still appear",
        NotSaved::Limited(minutes) => {
            return format!(
                "Hearted, but not saved in your Spotify library: too many requests to Spotify. It works again in about {minutes} min."
            );
        }
    };
    format!("Hearted, but not saved in your Spotify library: {reason}.")
}
