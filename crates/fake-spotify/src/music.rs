//! Music that does not exist, the same at every start: all of it follows from seeds.

use super::library::Owner;
use sha2::{Digest, Sha256};

const PLAYLISTS: &str = include_str!("music/playlists.txt");
const ARTISTS: &str = include_str!("music/artists.txt");
const SONGS: &str = include_str!("music/songs.txt");
const OWNERS: &str = include_str!("music/owners.txt");
const MOODS: [&str; 20] = [
    "Slow", "Golden", "Paper", "Midnight", "Velvet", "Salt", "Copper", "Quiet", "Electric", "Borrowed", "Northern",
    "Feather", "Rusty", "Lunar", "Honest", "Plum", "Static", "Barefoot", "Winter", "Lemon",
];
const THINGS: [&str; 21] = [
    "Harbour",
    "Kitchen",
    "Satellites",
    "Orchard",
    "Staircase",
    "Ferry",
    "Greenhouse",
    "Lanterns",
    "Motorway",
    "Balcony",
    "Tides",
    "Arcade",
    "Meadow",
    "Observatory",
    "Laundromat",
    "Bicycle",
    "Attic",
    "Lighthouse",
    "Carousel",
    "Thunder",
    "Postcards",
];
const KINDS: [&str; 5] = ["", " Radio", " Club", " Sessions", " & Friends"];

/// One entry of a playlist.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Track(Song),
    /// A file from somebody's own disk: no ids, no cover.
    Local(Song),
    /// An episode of a podcast.
    Episode(Song),
    /// No longer available: `item` is null.
    Gone,
}

/// What a song is called and who plays it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Song {
    pub(super) id: String,
    pub(super) name: &'static str,
    pub(super) artists: Vec<&'static str>,
    pub(super) album: String,
    pub(super) milliseconds: usize,
    pub(super) explicit: bool,
}

/// Names and descriptions of the playlists somebody thought of.
pub(super) fn playlists() -> impl Iterator<Item = (&'static str, &'static str)> {
    PLAYLISTS.lines().map(|line| line.split_once(" | ").unwrap_or((line, "")))
}

/// A name put together from words; the first 2,100 differ.
pub(super) fn composed_name(i: usize) -> String {
    let mood = MOODS[i % MOODS.len()];
    // The two lengths share no factor, so all pairs come before any comes again.
    let thing = THINGS[i % THINGS.len()];
    let kind = KINDS[i / (MOODS.len() * THINGS.len()) % KINDS.len()];
    format!("{mood} {thing}{kind}")
}

/// Somebody else who makes playlists.
pub(super) fn owner(i: usize) -> Owner {
    let line = nth(OWNERS, i);
    let (id, name) = line.split_once(" | ").unwrap_or((line, line));
    Owner { id: id.to_owned(), display_name: Some(name.to_owned()) }
}

/// What stands at place `at` of a playlist: mostly songs, now and then something odd.
pub(super) fn entry(playlist: &str, at: usize) -> Entry {
    let seed = format!("{playlist} {at}");
    match at % 23 {
        6 => Entry::Local(song(&seed)),
        11 => Entry::Gone,
        17 => Entry::Episode(song(&seed)),
        _ => Entry::Track(song(&seed)),
    }
}

pub(super) fn song(seed: &str) -> Song {
    let mut artists = vec![nth(ARTISTS, dice(&format!("artist {seed}"), usize::MAX))];
    if dice(&format!("guest {seed}"), 6) == 0 {
        artists.push(nth(ARTISTS, dice(&format!("guest's {seed}"), usize::MAX)));
    }
    Song {
        id: base62(&format!("song {seed}"), 22),
        name: nth(SONGS, dice(&format!("title {seed}"), usize::MAX)),
        artists,
        album: composed_name(dice(&format!("album {seed}"), 2100)),
        milliseconds: 95_000 + dice(&format!("length {seed}"), 260_000),
        explicit: dice(&format!("words {seed}"), 9) == 0,
    }
}

/// Between 0 and `sides - 1`, always the same for the same seed.
pub(super) fn dice(seed: &str, sides: usize) -> usize {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in seed.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    // FNV-1a alone leaves neighbours alike; this last stir is splitmix64's.
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^= hash >> 31;
    usize::try_from(hash % (sides as u64)).unwrap_or(0)
}

/// An id as Spotify's look, made from a seed; at most 32 characters.
pub(super) fn base62(seed: &str, length: usize) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let hash = Sha256::digest(seed);
    let digit = |byte: &u8| char::from(DIGITS[usize::from(*byte) % DIGITS.len()]);
    hash.iter().take(length).map(digit).collect()
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
    fn composed_names_differ() {
        let names: HashSet<_> = (0..2100).map(composed_name).collect();
        assert_eq!(names.len(), 2100);
    }

    #[test]
    fn written_names_differ_and_fill_both_shelves() {
        let names: HashSet<_> = playlists().map(|(name, _)| name).collect();
        assert_eq!(names.len(), playlists().count());
        assert!(names.len() >= 100, "{}", names.len());
    }

    #[test]
    fn every_kind_of_entry_comes_early() {
        let entries: Vec<_> = (0..23).map(|at| entry("x", at)).collect();
        assert_eq!(entries.iter().filter(|e| **e == Entry::Gone).count(), 1);
        assert_eq!(entries, (0..23).map(|at| entry("x", at)).collect::<Vec<_>>());
    }
}
