//! Spotify users and their libraries.

use crate::music;
use crate::playlist::{Owner, Playlist};

/// Somebody who can sign in.
#[derive(Clone, Debug)]
pub struct User {
    /// Name in the consent form and in tests; never sent to the app.
    pub key: String,
    /// The `id` of `GET /me`, which Spotify may change.
    pub id: String,
    /// The immutable `account_id`; `None` imitates Spotify before May 2026. Documented ones are ten letters and
    /// digits, so no real account can have this.
    pub account_id: Option<String>,
    /// The name on their profile, if any.
    pub display_name: Option<String>,
    /// One line about them for the consent page.
    pub about: String,
    /// Whether the app's owner put them on the allow-list. Spotify lets others sign in, then refuses every API call.
    pub is_allow_listed: bool,
    /// Entries of `GET /me/playlists` in order; `None` is the null that stands for a playlist made by Spotify.
    pub library: Vec<Option<Playlist>>,
    /// By how much `total` overstates the library.
    pub total_excess: usize,
    /// Current playback.
    pub playing: Playing,
    /// Seed of their picture under `/covers/`.
    pub picture_seed: String,
}

/// Responses of `GET /me/player/currently-playing`.
#[derive(Clone, Debug, Default)]
pub enum Playing {
    /// 204.
    #[default]
    Nothing,
    /// A song of the playlist with this id, which need not be in their library.
    Playlist(String),
    /// A song outside any playlist: `context` is null.
    NoContext,
    /// A podcast: `item` is null unless `additional_types=episode` is sent.
    Episode,
    /// An advertisement: `item` is null.
    Ad,
}

impl User {
    /// A user with an empty library and otherwise ordinary values.
    pub fn new(key: &str) -> Self {
        Self {
            key: key.to_owned(),
            id: format!("{key}.test"),
            account_id: Some(format!("made-up-{key}")),
            display_name: Some(capitalize(key)),
            about: String::new(),
            is_allow_listed: true,
            library: Vec::new(),
            total_excess: 0,
            playing: Playing::Nothing,
            picture_seed: format!("face-{key}"),
        }
    }

    /// Returns a user with `count` ordinary playlists.
    pub fn with_library(key: &str, count: usize) -> Self {
        let mut user = Self::new(key);
        let owner = user.to_owner();
        let playlist = |i| Playlist::new(&format!("{key} {i}"), &music::generated_name(i), &owner);
        user.about = format!("{count} playlists");
        user.library = (0..count).map(|i| Some(playlist(i))).collect();
        user
    }

    /// The playlists of the library in order, without nulls and repeated entries.
    pub fn playlists(&self) -> Vec<&Playlist> {
        let mut playlists: Vec<&Playlist> = Vec::new();
        let mut ids = std::collections::HashSet::new();
        for playlist in self.library.iter().flatten() {
            if ids.insert(playlist.id.as_str()) {
                playlists.push(playlist);
            }
        }
        playlists
    }

    /// Their name on the consent page.
    pub(crate) fn label(&self) -> &str {
        self.display_name.as_deref().unwrap_or(&self.id)
    }

    /// This user as the owner of a playlist.
    pub fn to_owner(&self) -> Owner {
        Owner { id: self.id.clone(), display_name: self.display_name.clone() }
    }

    /// Replaces a user id: their own, or that of an owner in their library.
    pub(crate) fn change_id(&mut self, old: &str, new: &str) {
        if self.id == old {
            self.id = new.to_owned();
        }
        let playlists = self.library.iter_mut().flatten();
        for playlist in playlists.filter(|playlist| playlist.owner.id == old) {
            playlist.owner.id = new.to_owned();
        }
    }

    /// Whether they may see a playlist's items: they own it or collaborate on it.
    pub(crate) fn can_see_items(&self, playlist: &Playlist) -> bool {
        playlist.owner.id == self.id || playlist.collaborative && self.has_in_library(&playlist.id)
    }

    pub(crate) fn has_in_library(&self, id: &str) -> bool {
        self.library.iter().flatten().any(|playlist| playlist.id == id)
    }
}

fn capitalize(key: &str) -> String {
    let mut letters = key.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn playlist_ids_are_distinct_and_base62() {
        let user = User::with_library("x", 2000);
        let ids: std::collections::HashSet<_> = user.library.iter().flatten().map(|playlist| &playlist.id).collect();
        assert_eq!(ids.len(), 2000);
        assert!(ids.iter().all(|id| id.len() == 22));
        assert!(ids.iter().all(|id| id.bytes().all(|b| b.is_ascii_alphanumeric())));
    }

    #[test]
    fn a_new_user_id_is_applied_to_owned_playlists() {
        let mut user = User::with_library("ada", 3);
        user.change_id("ada.test", "ada_2");
        assert_eq!(user.id, "ada_2");
        assert!(user.playlists().iter().all(|playlist| playlist.owner.id == "ada_2"));
    }
}
