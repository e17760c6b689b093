//! Spotify's JSON: only the fields we read, every one of them allowed to be missing, null or wrong.

mod playing;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::Error;
use crate::ids::PlaylistId;

pub use playing::{Context, CurrentlyPlaying, Playable, Source};

/// Takes a field if it fits its type, and nothing otherwise: one odd field must not cost the answer.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    let told = Value::deserialize(from).ok().map(|value| match value {
        Value::String(text) => readable(text).into(),
        value => value,
    });
    Ok(told.and_then(|value| T::deserialize(value).ok()))
}

/// A text that must be there.
fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    String::deserialize(from).map(readable)
}

/// A text in which the sign for what cannot be shown stands where JSON has a character that no page may hold: most
/// controls, and what Unicode says is none (HTML, 13.2.3.5). The first of them, Postgres does not store either.
fn readable(text: String) -> String {
    let unfit = |c: char| {
        c.is_control() && !"\t\n\u{c}\r".contains(c)
            || matches!(c, '\u{fdd0}'..='\u{fdef}')
            || matches!(u32::from(c) & 0xffff, 0xfffe | 0xffff)
    };
    if text.contains(unfit) { text.replace(unfit, "\u{fffd}") } else { text }
}

/// The same for a list: entries that do not fit are none, so that places still count.
fn lenient_list<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Option<Vec<Option<T>>>, D::Error> {
    let list = lenient::<D, Vec<Value>>(from)?;
    Ok(list.map(|entries| entries.into_iter().map(|entry| T::deserialize(entry).ok()).collect()))
}

/// Reads an answer. Half a surrogate pair, which JSON can spell and no text can hold, becomes the sign for
/// what cannot be shown.
///
/// # Errors
/// [`Error::Unreadable`] when it is not JSON of this shape.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    let unreadable = |error: serde_json::Error| Error::Unreadable(error.to_string());
    match serde_json::from_slice(body) {
        Ok(answer) => Ok(answer),
        Err(_) => serde_json::from_str(&without_halves(&String::from_utf8_lossy(body))).map_err(unreadable),
    }
}

/// The same JSON with every escape of half a surrogate pair replaced.
fn without_halves(json: &str) -> String {
    let mut whole = String::with_capacity(json.len());
    let mut rest = json;
    while let Some((before, from)) = rest.find('\\').map(|at| rest.split_at(at)) {
        whole.push_str(before);
        let taken = match (unit(from), from.get(6..).and_then(unit)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => &from[..12],
            (Some(0xD800..=0xDFFF), _) => {
                whole.push('\u{fffd}');
                rest = &from[6..];
                continue;
            }
            // An escape of two characters; the second may be a backslash itself.
            _ => &from[..from.char_indices().nth(2).map_or(from.len(), |(at, _)| at)],
        };
        whole.push_str(taken);
        rest = &from[taken.len()..];
    }
    whole.push_str(rest);
    whole
}

/// The code unit of the escape at the beginning, if it is one of the long kind.
fn unit(json: &str) -> Option<u32> {
    u32::from_str_radix(json.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

/// The person of a token.
#[derive(Debug, Deserialize)]
pub struct Me {
    /// Immutable, for telling people apart; since May 2026.
    #[serde(default, deserialize_with = "lenient")]
    pub account_id: Option<String>,
    /// The older id, which Spotify advises against for this.
    #[serde(default, deserialize_with = "lenient")]
    pub id: Option<String>,
    /// What the person is called, if they say.
    #[serde(default, deserialize_with = "lenient")]
    pub display_name: Option<String>,
}

/// A stretch of a list.
#[derive(Debug, Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
pub struct Page<T> {
    /// The entries; none in place of what was null or does not fit. Missing: the regime withholds them.
    #[serde(default, deserialize_with = "lenient_list")]
    pub items: Option<Vec<Option<T>>>,
    /// An address of the next stretch, which may be another host's or a dead path: only a sign that there is more.
    #[serde(default, deserialize_with = "lenient")]
    pub next: Option<String>,
    /// How many entries Spotify counts, at least as many as it shows.
    #[serde(default, deserialize_with = "lenient")]
    pub total: Option<usize>,
}

/// A playlist, in a list or alone.
#[derive(Debug, Deserialize)]
pub struct Playlist {
    /// The one field without which a playlist is of no use to us.
    pub id: PlaylistId,
    /// As its owner wrote it, perhaps empty.
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
    /// Escaped for HTML, with links in it.
    #[serde(default, deserialize_with = "lenient")]
    pub description: Option<String>,
    /// Whether several people may change it.
    #[serde(default, deserialize_with = "lenient")]
    pub collaborative: Option<bool>,
    /// Whether it stands on the owner's profile.
    #[serde(default, deserialize_with = "lenient")]
    pub public: Option<bool>,
    /// Who made it.
    #[serde(default, deserialize_with = "lenient")]
    pub owner: Option<Owner>,
    /// Up to three sizes, the widest first.
    #[serde(default, deserialize_with = "lenient_list")]
    pub images: Option<Vec<Option<Image>>>,
    /// Changes with the contents.
    #[serde(default, deserialize_with = "lenient")]
    pub snapshot_id: Option<String>,
    /// The contents, as they are called since February 2026; in lists only how many.
    #[serde(default, deserialize_with = "lenient")]
    items: Option<Page<Row>>,
    /// The same by its older name.
    #[serde(default, deserialize_with = "lenient")]
    tracks: Option<Page<Row>>,
}

impl Playlist {
    /// How many items the playlist has, where Spotify says.
    pub fn item_count(&self) -> Option<usize> {
        [&self.items, &self.tracks].into_iter().flatten().find_map(|page| page.total)
    }

    /// The first items, where Spotify shows them.
    pub fn into_items(self) -> Option<Page<Row>> {
        [self.items, self.tracks].into_iter().flatten().find(|page| page.items.is_some())
    }

    /// The picture that suits a card best: at least 300 pixels wide if there is one.
    pub fn cover(&self) -> Option<&str> {
        best(self.images.as_deref()?)
    }
}

/// The smallest picture that is large enough for a card; of too small ones the first.
fn best(images: &[Option<Image>]) -> Option<&str> {
    let web = |image: &&Image| image.url.starts_with("https://") || image.url.starts_with("http://");
    let images: Vec<_> = images.iter().flatten().filter(web).collect();
    let wide = images.iter().filter(|image| image.width.is_none_or(|width| width >= 300.0));
    let best = wide.min_by(|a, b| a.width.unwrap_or(f64::MAX).total_cmp(&b.width.unwrap_or(f64::MAX)));
    best.or(images.first()).map(|image| image.url.as_str())
}

/// Who made a playlist.
#[derive(Debug, Deserialize)]
pub struct Owner {
    /// What they are called, if they say.
    #[serde(default, deserialize_with = "lenient")]
    pub display_name: Option<String>,
    /// Their id, which reads like a name for older accounts.
    #[serde(default, deserialize_with = "lenient")]
    pub id: Option<String>,
}

/// A picture; its address ends within a day.
#[derive(Debug, Deserialize)]
pub struct Image {
    /// Where it is.
    #[serde(deserialize_with = "text")]
    pub url: String,
    /// In pixels; none for a picture that somebody uploaded.
    #[serde(default, deserialize_with = "lenient")]
    pub width: Option<f64>,
}

/// A place in a playlist.
#[derive(Debug, Deserialize)]
pub struct Row {
    #[serde(default, deserialize_with = "lenient")]
    item: Option<Item>,
    #[serde(default, deserialize_with = "lenient")]
    track: Option<Item>,
    /// A file on somebody's machine.
    #[serde(default, deserialize_with = "lenient")]
    pub is_local: Option<bool>,
}

impl Row {
    /// What stands in this place; none when it is not available.
    pub fn item(&self) -> Option<&Item> {
        self.item.as_ref().or(self.track.as_ref())
    }
}

/// A track or an episode.
#[derive(Debug, Deserialize)]
pub struct Item {
    /// Its title.
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
    /// Who plays; none for episodes.
    #[serde(default, deserialize_with = "lenient_list")]
    pub artists: Option<Vec<Option<Artist>>>,
    /// How long it lasts, in milliseconds.
    #[serde(default, deserialize_with = "lenient")]
    pub duration_ms: Option<u64>,
    /// `track` or `episode`.
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub kind: Option<String>,
}

/// Who plays.
#[derive(Debug, Deserialize)]
pub struct Artist {
    /// Their name.
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
}

#[cfg(test)]
mod tests;
