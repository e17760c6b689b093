//! Mira's shelf: 120 playlists with every oddity that was seen in real libraries.

use super::library::{self, Artwork, Counts, Owner, Playlist};
use super::music;

const SHELF: usize = 120;
/// Where nulls stand among the entries, for playlists of Spotify's own.
const NULLS: [usize; 5] = [3, 27, 58, 77, 110];
/// Entries that come a second time right after: the last of a page of 20 and of a page of 50.
const REPEATED: [usize; 2] = [19, 49];

/// All entries in the order of the list endpoint.
pub(super) fn library(mira: &Owner) -> Vec<Option<Playlist>> {
    let mut shelf: Vec<_> = (0..SHELF).map(|i| Some(ordinary(i, mira))).collect();
    for (at, twist) in TWISTS {
        if let Some(Some(playlist)) = shelf.get_mut(at) {
            twist(playlist);
        }
    }
    for at in NULLS {
        shelf.insert(at, None);
    }
    for at in REPEATED {
        let again = shelf[at].clone();
        shelf.insert(at + 1, again);
    }
    shelf
}

/// Half of them her own, the others followed or made together.
fn ordinary(i: usize, mira: &Owner) -> Playlist {
    let written = music::playlists().nth(i + 12);
    let name = written.map_or_else(|| music::composed_name(i), |(name, _)| name.to_owned());
    let mut playlist = Playlist::tidy(&format!("mira {i}"), &name, mira);
    playlist.description = Some(written.map_or("", |(_, text)| text).to_owned());
    match i % 8 {
        1 | 4 | 6 => library::follow(&mut playlist, music::owner(i)),
        3 => {
            library::follow(&mut playlist, music::owner(i));
            playlist.collaborative = true;
            playlist.public = Some(false);
            playlist.counts = Counts::Items;
        }
        _ => playlist.public = [Some(true), Some(false), None][i % 3],
    }
    playlist.artwork = match i % 5 {
        0 | 2 => Artwork::Uploaded,
        _ => Artwork::Mosaic,
    };
    playlist
}

type Twist = fn(&mut Playlist);

/// The oddities, by place on the shelf before nulls and repeats are put in.
const TWISTS: [(usize, Twist); 26] = [
    (0, |p| p.primary_color = Some("#FFC864".into())),
    (2, |p| p.artwork = Artwork::Null),
    (5, |p| p.artwork = Artwork::Empty),
    (7, |p| (p.length, p.artwork) = (0, Artwork::Null)),
    (9, |p| p.owner.display_name = None),
    (11, |p| p.description = None),
    (13, |p| p.description = Some(linked())),
    (16, |p| p.description = Some("Rock &amp; roll, &quot;B&#x2F;sides&quot; &amp; what&#x27;s left".into())),
    (18, |p| p.description = Some("&lt;script&gt;alert(&#39;hi&#39;)&lt;&#x2F;script&gt; was here".into())),
    (20, |p| p.name = "<b>bold</b> & \"quoted\" <script>alert(1)</script>".into()),
    (21, |p| p.name = String::new()),
    (23, |p| p.name = "   ".into()),
    (24, |p| p.name = hundred("The very long evening in which nobody wanted to go home and ")),
    (26, |p| p.name = hundred("Donaudampfschifffahrtsgesellschaftskapitänsmützenmelodien")),
    (29, |p| p.name = "🌊🪼✨ tidepool rave 👩🏽‍🎤🏳️‍🌈".into()),
    (31, |p| p.name = "أغاني المطر على السطح".into()),
    (32, |p| p.name = "שירים לנסיעה בלילה (live)".into()),
    (34, |p| p.counts = Counts::Tracks),
    (37, |p| p.counts = Counts::Both),
    (40, |p| p.counts = Counts::NullTotal),
    (42, |p| p.counts = Counts::Absent),
    (45, |p| p.surprises = true),
    (48, |p| p.artwork = Artwork::Expired),
    (50, |p| p.length = 1234),
    (53, |p| p.name = "a\u{202e}drawkcab\u{202c} & Z\u{335}a\u{338}l\u{337}g\u{335}o\u{336}".into()),
    (118, |p| (p.description, p.owner.display_name) = (None, None)),
];

/// A description as Spotify's own editors write them: a link in the text.
fn linked() -> String {
    let other = music::base62("playlist mira 0", 22);
    format!(r#"More of this: <a href="spotify:playlist:{other}">the other half</a> &amp; then bed."#)
}

/// Exactly a hundred characters, the most a name may have.
fn hundred(words: &str) -> String {
    words.chars().cycle().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_straddle_the_pages() {
        let mira = Owner { id: "mira.test".into(), display_name: None };
        let shelf = library(&mira);
        let id = |at: usize| shelf[at].as_ref().map(|p| p.id.clone());
        assert!(id(19).is_some() && id(19) == id(20));
        assert!(id(49).is_some() && id(49) == id(50));
        assert_eq!(shelf.iter().filter(|p| p.is_none()).count(), NULLS.len());
        assert_eq!(hundred("ab").chars().count(), 100);
    }
}
