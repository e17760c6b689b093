//! Playlists as Spotify stores them.

use crate::seed::{base62, number_below};

/// A playlist. The text fields go over the wire unchanged, so a description is HTML-escaped already.
#[derive(Clone, Debug)]
pub struct Playlist {
    /// 22 base-62 characters.
    pub id: String,
    /// May be empty.
    pub name: String,
    /// Escaped, possibly with links in it; `None` is sent as null.
    pub description: Option<String>,
    /// The user shown as its owner.
    pub owner: Owner,
    /// Whether others may add to it.
    pub collaborative: bool,
    /// Whether it is on the owner's profile; `None` is sent as null.
    pub public: Option<bool>,
    /// Its cover images.
    pub artwork: Artwork,
    /// Number of changes so far; determines the `snapshot_id`.
    pub revision: usize,
    /// Number of entries.
    pub length: usize,
    /// Where the list endpoint puts the number of entries.
    pub counts: CountField,
    /// A field that the official schema does not have.
    pub primary_color: Option<String>,
    /// Whether to send more fields that no documentation mentions.
    pub has_unknown_fields: bool,
}

/// A playlist's owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The user id.
    pub id: String,
    /// The name, if they have one.
    pub display_name: Option<String>,
}

/// Shapes of `images` seen in real responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Artwork {
    /// `null`, as in lists for an empty playlist.
    Null,
    /// `[]`.
    Empty,
    /// One uploaded picture with null height and width.
    Uploaded,
    /// Three sizes: 640, 300, 60.
    Mosaic,
    /// One picture whose address has expired and returns 404.
    Expired,
    /// One picture at this address, whatever it is.
    At(&'static str),
}

/// The field that holds the number of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountField {
    /// `items`, as sent to development-mode apps since February 2026.
    Items,
    /// `tracks`, as before.
    Tracks,
    /// Both at once, as seen by legacy apps.
    Both,
    /// Neither, as for playlists the user only follows.
    Absent,
    /// `tracks` with a null total, seen once for a personalised playlist.
    NullTotal,
}

impl Playlist {
    /// A public playlist with nothing unusual; `seed` determines its id, cover and songs.
    pub fn new(seed: &str, name: &str, owner: &Owner) -> Self {
        Self {
            id: base62(&format!("playlist {seed}"), 22),
            name: name.to_owned(),
            description: Some(String::new()),
            owner: owner.clone(),
            collaborative: false,
            public: Some(true),
            artwork: Artwork::Mosaic,
            revision: 0,
            length: 8 + number_below(seed, 60),
            counts: CountField::Items,
            primary_color: None,
            has_unknown_fields: false,
        }
    }

    /// Gives the playlist to somebody else. The list endpoint omits the number of entries of followed playlists.
    pub(crate) fn set_followed(&mut self, owner: Owner) {
        self.owner = owner;
        self.counts = CountField::Absent;
    }
}
