//! Mira's library: 120 playlists with every irregularity that was seen in real libraries.

use crate::music;
use crate::playlist::{Artwork, CountField, Owner, Playlist};
use crate::seed::base62;

const PLAYLISTS: usize = 120;
/// Positions of null entries, which stand for playlists made by Spotify.
const NULL_POSITIONS: [usize; 5] = [3, 27, 58, 77, 110];
/// Positions of entries that are repeated right after: the last of a page of 20 and of a page of 50.
const REPEATED_POSITIONS: [usize; 2] = [19, 49];

/// All entries in the order of the list endpoint.
pub(crate) fn library(mira: &Owner) -> Vec<Option<Playlist>> {
    let mut library: Vec<_> = (0..PLAYLISTS).map(|i| Some(ordinary_playlist(i, mira))).collect();
    for (position, change) in IRREGULARITIES {
        if let Some(Some(playlist)) = library.get_mut(position) {
            change(playlist);
        }
    }
    for position in NULL_POSITIONS {
        library.insert(position, None);
    }
    for position in REPEATED_POSITIONS {
        let repeated = library[position].clone();
        library.insert(position + 1, repeated);
    }
    library
}

/// Half of the playlists are her own, the others followed or collaborative.
fn ordinary_playlist(i: usize, mira: &Owner) -> Playlist {
    let written = music::written_playlists().nth(i + 12);
    let name = written.map_or_else(|| music::generated_name(i), |(name, _)| name.to_owned());
    let mut playlist = Playlist::new(&format!("mira {i}"), &name, mira);
    playlist.description = Some(written.map_or("", |(_, text)| text).to_owned());
    match i % 8 {
        1 | 4 | 6 => playlist.set_followed(music::owner(i)),
        3 => {
            playlist.set_followed(music::owner(i));
            playlist.collaborative = true;
            playlist.public = Some(false);
            playlist.counts = CountField::Items;
        }
        _ => playlist.public = [Some(true), Some(false), None][i % 3],
    }
    playlist.artwork = match i % 5 {
        0 | 2 => Artwork::Uploaded,
        _ => Artwork::Mosaic,
    };
    playlist
}

type Change = fn(&mut Playlist);

/// The irregularities, by position before nulls and repeats are inserted.
const IRREGULARITIES: [(usize, Change); 26] = [
    (0, |p| p.primary_color = Some("#FFC864".into())),
    (2, |p| p.artwork = Artwork::Null),
    (5, |p| p.artwork = Artwork::Empty),
    (7, |p| (p.length, p.artwork) = (0, Artwork::Null)),
    (9, |p| p.owner.display_name = None),
    (11, |p| p.description = None),
    (13, |p| p.description = Some(description_with_link())),
    (16, |p| p.description = Some("Rock &amp; roll, &quot;B&#x2F;sides&quot; &amp; what&#x27;s left".into())),
    (18, |p| p.description = Some("&lt;script&gt;alert(&#39;hi&#39;)&lt;&#x2F;script&gt; was here".into())),
    (20, |p| p.name = "<b>bold</b> & \"quoted\" <script>alert(1)</script>".into()),
    (21, |p| p.name = String::new()),
    (23, |p| p.name = "   ".into()),
    (24, |p| p.name = repeat_to_100("The very long evening in which nobody wanted to go home and ")),
    (26, |p| p.name = repeat_to_100("Donaudampfschifffahrtsgesellschaftskapitänsmützenmelodien")),
    (29, |p| p.name = "🌊🪼✨ tidepool rave 👩🏽‍🎤🏳️‍🌈".into()),
    (31, |p| p.name = "أغاني المطر على السطح".into()),
    (32, |p| p.name = "שירים לנסיעה בלילה (live)".into()),
    (34, |p| p.counts = CountField::Tracks),
    (37, |p| p.counts = CountField::Both),
    (40, |p| p.counts = CountField::NullTotal),
    (42, |p| p.counts = CountField::Absent),
    (45, |p| p.has_unknown_fields = true),
    (48, |p| p.artwork = Artwork::Expired),
    (50, |p| p.length = 1234),
    (53, |p| p.name = "a\u{202e}drawkcab\u{202c} & Z\u{335}a\u{338}l\u{337}g\u{335}o\u{336}".into()),
    (118, |p| (p.description, p.owner.display_name) = (None, None)),
];

/// A description with a link, as Spotify's editors write them.
fn description_with_link() -> String {
    let other = base62("playlist mira 0", 22);
    format!(r#"More of this: <a href="spotify:playlist:{other}">the other half</a> &amp; then bed."#)
}

/// Exactly 100 characters, the maximum length of a name.
fn repeat_to_100(words: &str) -> String {
    words.chars().cycle().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_entries_cross_page_borders() {
        let mira = Owner { id: "mira.test".into(), display_name: None };
        let library = library(&mira);
        let id = |position: usize| library[position].as_ref().map(|p| p.id.clone());
        assert!(id(19).is_some() && id(19) == id(20));
        assert!(id(49).is_some() && id(49) == id(50));
        assert_eq!(library.iter().filter(|p| p.is_none()).count(), NULL_POSITIONS.len());
        assert_eq!(repeat_to_100("ab").chars().count(), 100);
    }
}
