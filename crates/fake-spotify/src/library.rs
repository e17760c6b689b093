//! Playlists, and the tidy ways to fill a shelf with them.

use super::music;

/// A playlist as the made-up Spotify keeps it. The text fields are what goes over the wire, so a
/// description is HTML-escaped already.
#[derive(Clone, Debug)]
pub struct Playlist {
    /// 22 base-62 characters.
    pub id: String,
    /// Its name; may be empty.
    pub name: String,
    /// Escaped, maybe with links in it; `None` is null.
    pub description: Option<String>,
    /// Whose it is.
    pub owner: Owner,
    /// Whether others may add to it.
    pub collaborative: bool,
    /// On the owner's profile or not; `None` is null.
    pub public: Option<bool>,
    /// Its cover.
    pub artwork: Artwork,
    /// How often it was changed; decides the `snapshot_id`.
    pub revision: usize,
    /// How many entries it has.
    pub length: usize,
    /// How the list endpoint tells the number of entries.
    pub counts: Counts,
    /// A field the official schema does not have.
    pub primary_color: Option<String>,
    /// More fields nobody announced.
    pub surprises: bool,
}

/// A playlist's owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The user id.
    pub id: String,
    /// The name, if they have one.
    pub display_name: Option<String>,
}

/// The kinds of `images` that were seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Artwork {
    /// `null`, as lists say for an empty playlist.
    Null,
    /// `[]`.
    Empty,
    /// One uploaded picture, its height and width null.
    Uploaded,
    /// Three sizes: 640, 300, 60.
    Mosaic,
    /// One picture whose address has run out: it answers 404.
    Expired,
}

/// The ways to tell the number of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// `items`, as development-mode apps get it since February 2026.
    Items,
    /// `tracks`, as before.
    Tracks,
    /// Both at once, as legacy apps were seen to get.
    Both,
    /// Neither, as for lists one only follows.
    Absent,
    /// `tracks` with a null total, once seen for a personalised list.
    NullTotal,
}

impl Playlist {
    /// A well-kept public playlist; `seed` decides its id, cover and songs.
    pub fn tidy(seed: &str, name: &str, owner: &Owner) -> Self {
        Self {
            id: music::base62(&format!("playlist {seed}"), 22),
            name: name.to_owned(),
            description: Some(String::new()),
            owner: owner.clone(),
            collaborative: false,
            public: Some(true),
            artwork: Artwork::Mosaic,
            revision: 0,
            length: 8 + music::dice(seed, 60),
            counts: Counts::Items,
            primary_color: None,
            surprises: false,
        }
    }
}

/// Ada's dozen: nine of her own, one made with a friend, two she follows.
pub(super) fn tidy(ada: &Owner) -> Vec<Option<Playlist>> {
    let kept = music::playlists().take(12).enumerate();
    let shelf = kept.map(|(i, (name, description))| {
        let mut playlist = Playlist::tidy(&format!("ada {i}"), name, ada);
        playlist.description = Some(description.to_owned());
        match i {
            3 => playlist.collaborative = true,
            6 => playlist.public = Some(false),
            5 | 10 => follow(&mut playlist, music::owner(i)),
            _ => {}
        }
        Some(playlist)
    });
    shelf.collect()
}

/// As many playlists as asked for, their names put together from words.
pub(super) fn composed(key: &str, owner: &Owner, n: usize) -> Vec<Option<Playlist>> {
    let playlist = |i| {
        let name = music::composed_name(i);
        Some(Playlist::tidy(&format!("{key} {i}"), &name, owner))
    };
    (0..n).map(playlist).collect()
}

/// Makes a playlist somebody else's: the list endpoint then tells no number of entries.
pub(super) fn follow(playlist: &mut Playlist, owner: Owner) {
    playlist.owner = owner;
    playlist.counts = Counts::Absent;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_base62_and_differ() {
        let owner = Owner { id: "x".into(), display_name: None };
        let shelf = composed("x", &owner, 2000);
        let ids: std::collections::HashSet<_> = shelf.iter().flatten().map(|p| &p.id).collect();
        assert_eq!(ids.len(), 2000);
        assert!(ids.iter().all(|id| id.len() == 22));
        assert!(ids.iter().all(|id| id.bytes().all(|b| b.is_ascii_alphanumeric())));
    }
}
