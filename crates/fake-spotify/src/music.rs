//! Made-up songs, artists and playlist names. Everything is derived from seeds and so the same on every start.

use crate::playlist::Owner;
use crate::seed::{base62, number_below};

const PLAYLISTS: &str = include_str!("music/playlists.txt");
const ARTISTS: &str = include_str!("music/artists.txt");
const SONGS: &str = include_str!("music/songs.txt");
const OWNERS: &str = include_str!("music/owners.txt");
const MOODS: [&str; 20] = [
    "Slow", "Golden", "Paper", "Midnight", "Velvet", "Salt", "Copper", "Quiet", "Electric", "Borrowed", "Northern",
    "Feather", "Rusty", "Lunar", "Honest", "Plum", "Static", "Barefoot", "Winter", "Lemon",
];
const NOUNS: [&str; 21] = [
    "Harbour", "Kitchen", "Satellites", "Orchard", "Staircase", "Ferry", "Greenhouse", "Lanterns", "Motorway",
    "Balcony", "Tides", "Arcade", "Meadow", "Observatory", "Laundromat", "Bicycle", "Attic", "Lighthouse", "Carousel",
    "Thunder", "Postcards",
];
const SUFFIXES: [&str; 5] = ["", " Radio", " Club", " Sessions", " & Friends"];

/// One entry of a playlist.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Track(Song),
    /// A file from the user's own disk: no ids, no cover.
    Local(Song),
    /// An episode of a podcast.
    Episode(Song),
    /// No longer available: `item` is null.
    Unavailable,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Song {
    pub(crate) id: String,
    pub(crate) name: &'static str,
    pub(crate) artists: Vec<&'static str>,
    pub(crate) album: String,
    pub(crate) duration_ms: usize,
    pub(crate) is_explicit: bool,
}

/// Names and descriptions written by hand.
pub(crate) fn written_playlists() -> impl Iterator<Item = (&'static str, &'static str)> {
    PLAYLISTS.lines().map(|line| line.split_once(" | ").unwrap_or((line, "")))
}

/// A playlist name assembled from words; the first 2,100 differ.
pub(crate) fn generated_name(i: usize) -> String {
    let mood = MOODS[i % MOODS.len()];
    // The two lengths are coprime, so every pair appears once before any repeats.
    let noun = NOUNS[i % NOUNS.len()];
    let suffix = SUFFIXES[i / (MOODS.len() * NOUNS.len()) % SUFFIXES.len()];
    format!("{mood} {noun}{suffix}")
}

/// The owner of a followed playlist.
pub(crate) fn owner(i: usize) -> Owner {
    let line = nth(OWNERS, i);
    let (id, name) = line.split_once(" | ").unwrap_or((line, line));
    Owner { id: id.to_owned(), display_name: Some(name.to_owned()) }
}

/// The entry at a position of a playlist: mostly songs, sometimes one of the other kinds.
pub(crate) fn entry(playlist_id: &str, position: usize) -> Entry {
    let seed = format!("{playlist_id} {position}");
    match position % 23 {
        6 => Entry::Local(song(&seed)),
        11 => Entry::Unavailable,
        17 => Entry::Episode(song(&seed)),
        _ => Entry::Track(song(&seed)),
    }
}

pub(crate) fn song(seed: &str) -> Song {
    let mut artists = vec![nth(ARTISTS, number_below(&format!("artist {seed}"), usize::MAX))];
    if number_below(&format!("guest {seed}"), 6) == 0 {
        artists.push(nth(ARTISTS, number_below(&format!("guest's {seed}"), usize::MAX)));
    }
    Song {
        id: base62(&format!("song {seed}"), 22),
        name: nth(SONGS, number_below(&format!("title {seed}"), usize::MAX)),
        artists,
        album: generated_name(number_below(&format!("album {seed}"), 2100)),
        duration_ms: 95_000 + number_below(&format!("length {seed}"), 260_000),
        is_explicit: number_below(&format!("words {seed}"), 9) == 0,
    }
}

fn nth(lines: &'static str, i: usize) -> &'static str {
    let count = lines.lines().count();
    lines.lines().nth(i % count).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn generated_names_differ() {
        let names: HashSet<_> = (0..2100).map(generated_name).collect();
        assert_eq!(names.len(), 2100);
    }

    #[test]
    fn written_names_differ_and_suffice_for_ada_and_mira() {
        let names: HashSet<_> = written_playlists().map(|(name, _)| name).collect();
        assert_eq!(names.len(), written_playlists().count());
        assert!(names.len() >= 100, "{}", names.len());
    }

    #[test]
    fn the_first_entries_have_every_kind() {
        let entries: Vec<_> = (0..23).map(|at| entry("x", at)).collect();
        assert_eq!(entries.iter().filter(|e| **e == Entry::Unavailable).count(), 1);
        assert_eq!(entries, (0..23).map(|at| entry("x", at)).collect::<Vec<_>>());
    }
}
