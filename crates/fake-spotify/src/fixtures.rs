//! The four users of a fresh server.

use crate::messy_data;
use crate::music;
use crate::playlist::{CountField, Owner, Playlist};
use crate::user::{Playing, User};

/// The users in the order of the consent page.
pub(crate) fn users() -> Vec<User> {
    let (mut mira, mut ada) = (mira(), ada());
    follow_each_other(&mut mira, &mut ada);
    mira.playing = mira.playlists().get(1).map_or(Playing::Nothing, |p| Playing::Playlist(p.id.clone()));
    vec![mira, ada, noor(), tom()]
}

fn mira() -> User {
    let mut mira = User::new("mira");
    mira.about = "120 playlists, collected over years and rather messy".into();
    mira.library = messy_data::library(&mira.to_owner());
    mira.total_excess = 3;
    mira
}

fn ada() -> User {
    let mut ada = User::new("ada");
    ada.about = "12 tidy playlists".into();
    ada.library = adas_library(&ada.to_owner());
    ada
}

fn noor() -> User {
    let mut noor = User::new("noor");
    noor.display_name = None;
    noor.about = "new to Spotify: no name, no playlists yet".into();
    noor
}

fn tom() -> User {
    let mut tom = User::with_library("tom", 5);
    tom.about = "not on the app’s allow-list: Spotify refuses the app".into();
    tom.is_allow_listed = false;
    tom
}

/// Ten playlists of her own, of which one is private and one collaborative, and two that she follows.
fn adas_library(ada: &Owner) -> Vec<Option<Playlist>> {
    let written = music::written_playlists().take(12).enumerate();
    let playlists = written.map(|(i, (name, description))| {
        let mut playlist = Playlist::new(&format!("ada {i}"), name, ada);
        playlist.description = Some(description.to_owned());
        match i {
            3 => playlist.collaborative = true,
            6 => playlist.public = Some(false),
            5 | 10 => playlist.set_followed(music::owner(i)),
            _ => {}
        }
        Some(playlist)
    });
    playlists.collect()
}

/// Replaces two followed playlists of each user with two of the other's.
fn follow_each_other(one: &mut User, other: &mut User) {
    let (of_one, of_other) = (two_public_playlists(one), two_public_playlists(other));
    replace_followed(one, of_other);
    replace_followed(other, of_one);
}

/// Two public playlists that the user owns, as the library of a follower lists them.
fn two_public_playlists(user: &User) -> Vec<Playlist> {
    let own = user.playlists().into_iter().filter(|playlist| playlist.owner.id == user.id);
    let public = own.filter(|playlist| playlist.public == Some(true) && !playlist.collaborative);
    let mut two: Vec<_> = public.take(2).cloned().collect();
    two.iter_mut().for_each(|playlist| playlist.counts = CountField::Absent);
    two
}

fn replace_followed(user: &mut User, replacements: Vec<Playlist>) {
    let library = user.library.iter_mut().flatten();
    let followed = library.filter(|playlist| playlist.owner.id != user.id && !playlist.collaborative);
    for (playlist, replacement) in followed.zip(replacements) {
        *playlist = replacement;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixtures_are_the_same_on_every_start() {
        let ids = |users: Vec<User>| -> Vec<String> {
            let playlists = users.into_iter().flat_map(|user| user.library).flatten();
            playlists.map(|playlist| playlist.id).collect()
        };
        assert_eq!(ids(users()), ids(users()));
        let mira = &users()[0];
        assert_eq!(mira.playlists().len(), 120);
        assert!(mira.library.len() > 120, "nulls and repeated entries come on top");
    }

    #[test]
    fn mira_and_ada_follow_each_other() {
        let users = users();
        let (mira, ada) = (&users[0], &users[1]);
        let both = ada.playlists().into_iter().filter(|playlist| mira.has_in_library(&playlist.id));
        let owners: Vec<_> = both.map(|playlist| playlist.owner.id.as_str()).collect();
        assert_eq!(owners.iter().filter(|id| **id == ada.id).count(), 2);
        assert_eq!(owners.iter().filter(|id| **id == mira.id).count(), 2);
        assert_eq!(ada.playlists().len(), 12);
    }
}
