//! Spotify's JSON: only the fields that Heartlist reads. All but a playlist's id may be missing, null or of the wrong
//! type.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use url::Url;

use super::PAGE_SIZE;
use super::error::Error;
use super::pictures::PictureHosts;
use crate::ids::PlaylistId;

/// Deserializes a field to `None` if it does not have its type, so that one bad field does not spoil the response.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    let value = Value::deserialize(from).ok().map(|value| match value {
        Value::String(text) => replace_unprintable(cut(text)).into(),
        value => value,
    });
    Ok(value.and_then(|value| T::deserialize(value).ok()))
}

fn required_text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    String::deserialize(from).map(cut).map(replace_unprintable)
}

/// Longest text that is read, in bytes. Names have at most a hundred characters and descriptions three hundred, before
/// their links.
const MAX_TEXT_BYTES: usize = 4 * 1024;

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
    text
}

/// Replaces characters that the HTML standard forbids (13.2.3.5: most controls, and noncharacters) with U+FFFD.
/// Postgres cannot store NUL either.
fn replace_unprintable(text: String) -> String {
    let is_forbidden = |c: char| {
        c.is_control() && !"\t\n\u{c}\r".contains(c)
            || matches!(c, '\u{fdd0}'..='\u{fdef}')
            || matches!(u32::from(c) & 0xffff, 0xfffe | 0xffff)
    };
    if text.contains(is_forbidden) { text.replace(is_forbidden, "\u{fffd}") } else { text }
}

/// Like [`lenient`], for a list. Invalid entries become `None`, so that positions stay. A list with entries of which
/// none can be read is of the wrong type.
fn lenient_list<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Option<Vec<Option<T>>>, D::Error> {
    let Some(list) = lenient::<D, Vec<Value>>(from)? else { return Ok(None) };
    let has_entries = list.iter().any(|entry| !entry.is_null());
    let entries: Vec<Option<T>> = list.into_iter().map(|entry| T::deserialize(entry).ok()).collect();
    Ok(Some(entries).filter(|entries| !has_entries || entries.iter().any(Option::is_some)))
}

/// Like [`lenient`], for a count, which may also be text or a number such as `60.0`.
fn lenient_count<'de, D: Deserializer<'de>>(from: D) -> Result<Option<usize>, D::Error> {
    Ok(match lenient::<D, Value>(from)? {
        Some(Value::Number(number)) => number.to_string().trim_end_matches(".0").parse().ok(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    })
}

/// Parses a response. Lone surrogates, which JSON can escape and UTF-8 cannot hold, become U+FFFD.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    let invalid = |error: serde_json::Error| Error::InvalidResponse(error.to_string());
    match serde_json::from_slice(body) {
        Ok(parsed) => Ok(parsed),
        Err(_) => serde_json::from_str(&replace_lone_surrogates(&String::from_utf8_lossy(body))).map_err(invalid),
    }
}

fn replace_lone_surrogates(json: &str) -> String {
    let mut output = String::with_capacity(json.len());
    let mut rest = json;
    while let Some((before, from)) = rest.find('\\').map(|at| rest.split_at(at)) {
        output.push_str(before);
        let escape = match (code_unit(from), from.get(6..).and_then(code_unit)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => &from[..12],
            (Some(0xD800..=0xDFFF), _) => {
                output.push('\u{fffd}');
                rest = &from[6..];
                continue;
            }
            // A two-character escape; the second may be a backslash itself.
            _ => &from[..from.char_indices().nth(2).map_or(from.len(), |(at, _)| at)],
        };
        output.push_str(escape);
        rest = &from[escape.len()..];
    }
    output.push_str(rest);
    output
}

/// Returns the code unit if the text begins with a `\u` escape.
fn code_unit(json: &str) -> Option<u32> {
    u32::from_str_radix(json.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[derive(Debug, Deserialize)]
pub struct Me {
    /// The immutable id; present since May 2026.
    #[serde(default, deserialize_with = "lenient")]
    pub account_id: Option<String>,
    /// The older id, which Spotify advises against for identifying users.
    #[serde(default, deserialize_with = "lenient")]
    pub id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub display_name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
pub struct Page<T> {
    /// The entries; `None` for null or invalid ones. The list itself is missing where Spotify withholds it.
    #[serde(default, deserialize_with = "lenient_list")]
    pub items: Option<Vec<Option<T>>>,
    /// The next page's URL. Only its offset is used: it may point to another host or a dead path.
    #[serde(default, deserialize_with = "lenient")]
    pub next: Option<String>,
    /// May count more entries than Spotify returns.
    #[serde(default, deserialize_with = "lenient_count")]
    pub total: Option<usize>,
    /// The maximum number of entries, which may be less than requested.
    #[serde(default, deserialize_with = "lenient_count")]
    pub limit: Option<usize>,
    #[serde(default, deserialize_with = "lenient_count")]
    pub offset: Option<usize>,
}

impl<T> Page<T> {
    /// Returns the distance from the page at `offset` to the next one: the stated limit, because a page may have fewer
    /// entries than that, or else the number of entries; less if the next page's URL says so.
    pub fn step(&self, offset: usize) -> usize {
        let limit = self.limit.unwrap_or_default().min(PAGE_SIZE);
        let step = self.items.as_ref().map_or(0, Vec::len).max(limit);
        let next = self.next.as_deref().and_then(|next| Url::parse(next).ok());
        let next_offset = next.and_then(|url| url.query_pairs().find(|(name, _)| name == "offset")?.1.parse().ok());
        let stated_step = next_offset.and_then(|next: usize| next.checked_sub(offset));
        stated_step.filter(|stated| (1..step).contains(stated)).unwrap_or(step)
    }
}

#[derive(Debug, Deserialize)]
pub struct Playlist {
    pub id: PlaylistId,
    /// May be empty.
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
    /// HTML, with links.
    #[serde(default, deserialize_with = "lenient")]
    pub description: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub collaborative: Option<bool>,
    /// Whether it is on the owner's profile.
    #[serde(default, deserialize_with = "lenient")]
    pub public: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub owner: Option<Owner>,
    #[serde(default, deserialize_with = "lenient_list")]
    pub images: Option<Vec<Option<Image>>>,
    #[serde(default, deserialize_with = "lenient")]
    pub snapshot_id: Option<String>,
    /// The contents, since February 2026; in lists of playlists only their number.
    #[serde(default, deserialize_with = "lenient")]
    items: Option<Page<PlaylistItem>>,
    /// The same under its old name.
    #[serde(default, deserialize_with = "lenient")]
    tracks: Option<Page<PlaylistItem>>,
}

impl Playlist {
    pub fn item_count(&self) -> Option<usize> {
        [&self.items, &self.tracks].into_iter().flatten().find_map(|page| page.total)
    }

    /// Returns the first items; `None` where Spotify withholds them.
    pub fn into_items(self) -> Option<Page<PlaylistItem>> {
        [self.items, self.tracks].into_iter().flatten().find(|page| page.items.is_some())
    }

    /// Returns the URL of the smallest cover that is at least 300 pixels wide.
    pub fn cover(&self, hosts: &PictureHosts) -> Option<&str> {
        pick_cover(self.images.as_deref()?, hosts)
    }
}

/// Returns the smallest image that is large enough for a card, or else the first.
fn pick_cover<'a>(images: &'a [Option<Image>], hosts: &PictureHosts) -> Option<&'a str> {
    let images: Vec<_> = images.iter().flatten().filter(|image| hosts.is_allowed(&image.url)).collect();
    let large = images.iter().filter(|image| image.width.is_none_or(|width| width >= 300.0));
    let best = large.min_by(|a, b| a.width.unwrap_or(f64::MAX).total_cmp(&b.width.unwrap_or(f64::MAX)));
    best.or(images.first()).map(|image| image.url.as_str())
}

#[derive(Debug, Deserialize)]
pub struct Owner {
    #[serde(default, deserialize_with = "lenient")]
    pub display_name: Option<String>,
    /// For older accounts, it is the user name.
    #[serde(default, deserialize_with = "lenient")]
    pub id: Option<String>,
}

/// An image. Its URL expires within a day.
#[derive(Debug, Deserialize)]
pub struct Image {
    #[serde(deserialize_with = "required_text")]
    pub url: String,
    /// `None` for uploaded images.
    #[serde(default, deserialize_with = "lenient")]
    pub width: Option<f64>,
}

#[derive(Debug, Deserialize)]
pub struct PlaylistItem {
    #[serde(default, deserialize_with = "lenient")]
    item: Option<Track>,
    #[serde(default, deserialize_with = "lenient")]
    track: Option<Track>,
    /// A file on the owner's computer.
    #[serde(default, deserialize_with = "lenient")]
    pub is_local: Option<bool>,
}

impl PlaylistItem {
    /// Returns the track or episode; `None` if it is unavailable.
    pub fn track_or_episode(&self) -> Option<&Track> {
        self.item.as_ref().or(self.track.as_ref())
    }
}

#[derive(Debug, Deserialize)]
pub struct Artist {
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
}

/// What the user is playing. Advertisements have no item, nor do episodes without `additional_types`.
#[derive(Debug, Default, Deserialize)]
pub struct CurrentlyPlaying {
    /// `track`, `episode`, `ad` or `unknown`.
    #[serde(rename = "currently_playing_type", default, deserialize_with = "lenient")]
    pub kind: Option<String>,
    /// False while paused.
    #[serde(default, deserialize_with = "lenient")]
    pub is_playing: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub item: Option<Track>,
    #[serde(default, deserialize_with = "lenient")]
    pub context: Option<Context>,
}

/// A track or podcast episode.
#[derive(Debug, Default, Deserialize)]
pub struct Track {
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
    /// `track` or `episode`.
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub kind: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub duration_ms: Option<u64>,
    /// Such as `spotify:track:ID`; a local file's URI has no id.
    #[serde(default, deserialize_with = "lenient")]
    pub uri: Option<String>,
    /// `None` for episodes.
    #[serde(default, deserialize_with = "lenient_list")]
    pub artists: Option<Vec<Option<Artist>>>,
    #[serde(default, deserialize_with = "lenient")]
    pub album: Option<AlbumOrShow>,
    #[serde(default, deserialize_with = "lenient")]
    pub show: Option<AlbumOrShow>,
    #[serde(default, deserialize_with = "lenient_list")]
    images: Option<Vec<Option<Image>>>,
}

impl Track {
    /// Returns the id in a URI such as `spotify:track:ID`.
    pub fn id(&self) -> Option<&str> {
        let mut parts = self.uri.as_deref()?.split(':');
        let is_supported = parts.next() == Some("spotify") && matches!(parts.next(), Some("track" | "episode"));
        let id = parts.next().filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric()))?;
        (is_supported && parts.next().is_none()).then_some(id)
    }

    /// Returns its own cover, or that of its album or show.
    pub fn cover(&self, hosts: &PictureHosts) -> Option<&str> {
        let sources = [&self.album, &self.show].into_iter().flatten().map(|source| &source.images);
        std::iter::once(&self.images).chain(sources).find_map(|images| pick_cover(images.as_deref()?, hosts))
    }
}

#[derive(Debug, Default, Deserialize)]
pub struct AlbumOrShow {
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "lenient_list")]
    images: Option<Vec<Option<Image>>>,
}

/// The playlist, album, artist or show that is being played.
#[derive(Debug, Default, Deserialize)]
pub struct Context {
    /// `playlist`, `album`, `artist`, `show`, `collection`; others are possible.
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub kind: Option<String>,
    /// Such as `spotify:playlist:ID`, also for other users' playlists.
    #[serde(default, deserialize_with = "lenient")]
    pub uri: Option<String>,
    /// The same as an API URL.
    #[serde(default, deserialize_with = "lenient")]
    pub href: Option<String>,
}

/// An oEmbed response.
#[derive(Debug, Default, Deserialize)]
pub struct Embed {
    /// The playlist's name.
    #[serde(default, deserialize_with = "lenient")]
    pub title: Option<String>,
}

#[cfg(test)]
mod tests;
