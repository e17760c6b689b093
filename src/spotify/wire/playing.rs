//! What somebody plays now.

use serde::Deserialize;

use super::{Artist, Image, best, lenient, lenient_list};

/// The player's answer. Advertisements have no item, nor have episodes without `additional_types`.
#[derive(Debug, Default, Deserialize)]
pub struct CurrentlyPlaying {
    /// `track`, `episode`, `ad` or `unknown`.
    #[serde(rename = "currently_playing_type", default, deserialize_with = "lenient")]
    pub kind: Option<String>,
    /// False while it rests.
    #[serde(default, deserialize_with = "lenient")]
    pub is_playing: Option<bool>,
    /// What plays.
    #[serde(default, deserialize_with = "lenient")]
    pub item: Option<Playable>,
    /// From what it plays.
    #[serde(default, deserialize_with = "lenient")]
    pub context: Option<Context>,
}

/// A track or an episode.
#[derive(Debug, Default, Deserialize)]
pub struct Playable {
    /// Its title.
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
    /// `track` or `episode`.
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub kind: Option<String>,
    /// Such as `spotify:track:ID`; a file on somebody's machine has no id in it.
    #[serde(default, deserialize_with = "lenient")]
    pub uri: Option<String>,
    /// Who plays; none for episodes.
    #[serde(default, deserialize_with = "lenient_list")]
    pub artists: Option<Vec<Option<Artist>>>,
    /// Where a track comes from.
    #[serde(default, deserialize_with = "lenient")]
    pub album: Option<Source>,
    /// Where an episode comes from.
    #[serde(default, deserialize_with = "lenient")]
    pub show: Option<Source>,
    /// An episode's own pictures.
    #[serde(default, deserialize_with = "lenient_list")]
    images: Option<Vec<Option<Image>>>,
}

impl Playable {
    /// Its picture, or that of where it comes from.
    pub fn cover(&self) -> Option<&str> {
        let sources = [&self.album, &self.show].into_iter().flatten().map(|source| &source.images);
        std::iter::once(&self.images).chain(sources).find_map(|images| best(images.as_deref()?))
    }
}

/// An album or a show.
#[derive(Debug, Default, Deserialize)]
pub struct Source {
    /// What it is called.
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "lenient_list")]
    images: Option<Vec<Option<Image>>>,
}

/// From what something plays.
#[derive(Debug, Default, Deserialize)]
pub struct Context {
    /// `playlist`, `album`, `artist`, `show`, `collection`; others are possible.
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub kind: Option<String>,
    /// Such as `spotify:playlist:ID`, for a foreign playlist too.
    #[serde(default, deserialize_with = "lenient")]
    pub uri: Option<String>,
    /// The same as an address of the API.
    #[serde(default, deserialize_with = "lenient")]
    pub href: Option<String>,
}
