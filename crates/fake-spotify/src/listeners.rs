//! The people of the made-up world.

use super::library::{self, Counts, Playlist};
use super::{dirty, music};

/// Somebody who can sign in.
#[derive(Clone, Debug)]
pub struct Listener {
    /// How the consent page's radio button and the tests call them; never sent to the app.
    pub key: String,
    /// The `id` of `GET /me`, which Spotify may change.
    pub id: String,
    /// The immutable `account_id`; `None` plays the time before May 2026.
    pub account_id: Option<String>,
    /// What they call themselves, if anything.
    pub display_name: Option<String>,
    /// One line about them for the consent page.
    pub about: String,
    /// Whether the app's owner put them on the allow-list. Who is not can sign in all the same,
    /// and is then refused by every API call.
    pub allow_listed: bool,
    /// What `GET /me/playlists` lists, in order; `None` is the null that stands for a playlist
    /// of Spotify's own.
    pub library: Vec<Option<Playlist>>,
    /// By how much `total` overstates the library.
    pub surplus: usize,
    /// What they are playing.
    pub playing: Playing,
    /// The seed of their picture under `/covers/`.
    pub face: String,
}

/// What `GET /me/player/currently-playing` has to say.
#[derive(Clone, Debug, Default)]
pub enum Playing {
    /// 204.
    #[default]
    Nothing,
    /// A song of the playlist with this id, which may be a foreign one.
    Playlist(String),
    /// A song from nowhere: `context` is null.
    NoContext,
    /// A podcast: `item` is null unless `additional_types=episode` is sent.
    Episode,
    /// An advertisement: no item.
    Ad,
}

impl Listener {
    /// Somebody with this key and no playlists, otherwise ordinary.
    pub fn new(key: &str) -> Self {
        Self {
            key: key.to_owned(),
            id: format!("{key}.test"),
            account_id: Some(music::base62(&format!("account of {key}"), 10)),
            display_name: Some(capitalised(key)),
            about: String::new(),
            allow_listed: true,
            library: Vec::new(),
            surplus: 0,
            playing: Playing::Nothing,
            face: format!("face-{key}"),
        }
    }

    /// Somebody with `n` tidy playlists, all their own.
    pub fn with_library(key: &str, n: usize) -> Self {
        let mut listener = Self::new(key);
        let owner = listener.as_owner();
        listener.about = format!("{n} playlists");
        listener.library = library::composed(key, &owner, n);
        listener
    }

    /// The playlists that really come, each once, in order.
    pub fn playlists(&self) -> Vec<&Playlist> {
        let mut known: Vec<&Playlist> = Vec::new();
        let mut ids = std::collections::HashSet::new();
        for playlist in self.library.iter().flatten() {
            if ids.insert(playlist.id.as_str()) {
                known.push(playlist);
            }
        }
        known
    }

    /// What the consent page calls them.
    pub(super) fn called(&self) -> &str {
        self.display_name.as_deref().unwrap_or(&self.id)
    }

    /// This person as the owner of a playlist.
    pub fn as_owner(&self) -> library::Owner {
        library::Owner { id: self.id.clone(), display_name: self.display_name.clone() }
    }

    /// Puts a new id in place of an old one, be it their own or that of somebody they follow.
    pub(super) fn rename(&mut self, old: &str, new: &str) {
        if self.id == old {
            self.id = new.to_owned();
        }
        let theirs = self.library.iter_mut().flatten();
        for playlist in theirs.filter(|p| p.owner.id == old) {
            playlist.owner.id = new.to_owned();
        }
    }

    /// Two public playlists of their own, as others see them.
    fn for_friends(&self) -> Vec<Playlist> {
        let own = self.playlists().into_iter().filter(|p| p.owner.id == self.id);
        let public = own.filter(|p| p.public == Some(true) && !p.collaborative);
        let mut two: Vec<_> = public.take(2).cloned().collect();
        two.iter_mut().for_each(|p| p.counts = Counts::Absent);
        two
    }

    fn take_up(&mut self, playlists: Vec<Playlist>) {
        let followed = self.library.iter_mut().flatten();
        let followed = followed.filter(|p| p.owner.id != self.id && !p.collaborative);
        for (place, playlist) in followed.zip(playlists) {
            *place = playlist;
        }
    }

    /// Whether they may see what is in a playlist: it is theirs, or they work on it.
    pub(super) fn has_a_hand_in(&self, playlist: &Playlist) -> bool {
        playlist.owner.id == self.id || playlist.collaborative && self.lists(&playlist.id)
    }

    pub(super) fn lists(&self, id: &str) -> bool {
        self.library.iter().flatten().any(|p| p.id == id)
    }
}

/// The usual cast, in the order of the consent page.
pub(super) fn cast() -> Vec<Listener> {
    let (mut mira, mut ada) = (mira(), ada());
    introduce(&mut mira, &mut ada);
    mira.playing = mira.playlists().get(1).map_or(Playing::Nothing, |p| Playing::Playlist(p.id.clone()));
    vec![mira, ada, noor(), tom()]
}

/// Lets two people follow two of each other's playlists, in place of two they followed before.
fn introduce(one: &mut Listener, other: &mut Listener) {
    let (of_one, of_other) = (one.for_friends(), other.for_friends());
    one.take_up(of_other);
    other.take_up(of_one);
}

fn mira() -> Listener {
    let mut mira = Listener::new("mira");
    mira.about = "120 playlists, gathered over years and rather untidy".into();
    mira.library = dirty::library(&mira.as_owner());
    mira.surplus = 3;
    mira
}

fn ada() -> Listener {
    let mut ada = Listener::new("ada");
    ada.about = "a dozen playlists, all in good order".into();
    ada.library = library::tidy(&ada.as_owner());
    ada
}

fn noor() -> Listener {
    let mut noor = Listener::new("noor");
    noor.display_name = None;
    noor.about = "new here: no name, no playlists yet".into();
    noor
}

fn tom() -> Listener {
    let mut tom = Listener::with_library("tom", 5);
    tom.about = "not on the app’s list, so Spotify will turn the app away".into();
    tom.allow_listed = false;
    tom
}

fn capitalised(key: &str) -> String {
    let mut letters = key.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_id_moves_the_playlists_along() {
        let mut ada = ada();
        let before = ada.playlists().iter().filter(|p| p.owner.id == ada.id).count();
        ada.rename("ada.test", "ada_2");
        let after = ada.playlists().iter().filter(|p| p.owner.id == "ada_2").count();
        assert!(before > 0);
        assert_eq!(before, after);
    }

    #[test]
    fn the_cast_is_the_same_at_every_start() {
        let ids = |cast: Vec<Listener>| -> Vec<String> {
            let all = cast.into_iter().flat_map(|l| l.library).flatten();
            all.map(|p| p.id).collect()
        };
        assert_eq!(ids(cast()), ids(cast()));
        let mira = &cast()[0];
        assert_eq!(mira.playlists().len(), 120);
        assert!(mira.library.len() > 120, "nulls and repeats come on top");
    }

    #[test]
    fn mira_and_ada_follow_each_other() {
        let cast = cast();
        let (mira, ada) = (&cast[0], &cast[1]);
        let both = ada.playlists().into_iter().filter(|p| mira.lists(&p.id));
        let owners: Vec<_> = both.map(|p| p.owner.id.as_str()).collect();
        assert_eq!(owners.iter().filter(|id| **id == ada.id).count(), 2);
        assert_eq!(owners.iter().filter(|id| **id == mira.id).count(), 2);
        assert_eq!(ada.playlists().len(), 12);
    }
}
