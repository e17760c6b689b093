//! JSON: an object with a version, and each heart on a line of its own.

use std::fmt;

use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use time::OffsetDateTime;

use super::{ExportedHeart, Line, MOST, Raw, Unreadable, instant, link, listed};

const FORMAT: &str = "heartlist-hearts";
const VERSION: u64 = 1;

/// The longest heart that is read, in bytes: many times what Heartlist writes.
const LONGEST: usize = 64 * 1024;
/// By what the reader's own error is told from those of the JSON.
const TOO_MANY: &str = "too many hearts";

/// What stands behind the last heart.
pub(super) const TAIL: &str = "\n]}\n";

pub(super) fn head(now: OffsetDateTime) -> String {
    let exported_at = instant(now);
    format!("{{\"format\":\"{FORMAT}\",\"version\":{VERSION},\"exported_at\":\"{exported_at}\",\"hearts\":[")
}

/// A heart that leaves.
#[derive(Serialize)]
struct Leaving<'a> {
    playlist_id: &'a str,
    link: String,
    name: Option<&'a str>,
    owner: Option<&'a str>,
    hearted_at: String,
    note: Option<&'a str>,
    tags: &'a [String],
}

pub(super) fn lines(hearts: &[ExportedHeart], first: bool) -> String {
    let mut text = String::new();
    for (place, heart) in hearts.iter().enumerate() {
        let leaving = Leaving {
            playlist_id: &heart.playlist_id,
            link: link(&heart.playlist_id),
            name: heart.name.as_deref(),
            owner: heart.owner_name.as_deref(),
            hearted_at: instant(heart.hearted_at),
            note: heart.note.as_deref(),
            tags: &heart.tags,
        };
        text.push_str(if first && place == 0 { "\n" } else { ",\n" });
        text.push_str(&serde_json::to_string(&leaving).expect("texts and lists are JSON"));
    }
    text
}

/// A file that comes back.
#[derive(Deserialize)]
struct Coming {
    version: Option<u64>,
    #[serde(deserialize_with = "at_most")]
    hearts: Vec<Line>,
}

/// Reads up to [`MOST`] hearts and no further.
fn at_most<'de, D: Deserializer<'de>>(list: D) -> Result<Vec<Line>, D::Error> {
    list.deserialize_seq(Hearts)
}

struct Hearts;

impl<'de> Visitor<'de> for Hearts {
    type Value = Vec<Line>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a list of hearts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut lines = Vec::new();
        // As it stands in the file: whatever somebody put there is built only once it is known to be a heart.
        while let Some(text) = list.next_element::<&RawValue>()? {
            if lines.len() == MOST {
                return Err(A::Error::custom(TOO_MANY));
            }
            lines.push(Line { number: lines.len() + 1, heart: heart(text.get()) });
        }
        Ok(lines)
    }
}

/// None: there is no telling what it means.
fn heart(text: &str) -> Option<Raw> {
    let short = Some(text).filter(|text| text.len() <= LONGEST)?;
    serde_json::from_str::<ComingHeart>(short).ok().map(Raw::from)
}

/// A heart in it.
#[derive(Deserialize)]
struct ComingHeart {
    playlist_id: Option<String>,
    link: Option<String>,
    hearted_at: Option<String>,
    note: Option<String>,
    tags: Option<Vec<String>>,
}

impl From<ComingHeart> for Raw {
    fn from(heart: ComingHeart) -> Self {
        Raw {
            playlist: heart.playlist_id.or(heart.link).unwrap_or_default(),
            hearted_at: heart.hearted_at.unwrap_or_default(),
            note: heart.note.unwrap_or_default(),
            tags: listed(&heart.tags.unwrap_or_default()),
        }
    }
}

pub(super) fn read(text: &str) -> Result<Vec<Line>, Unreadable> {
    let file: Coming = serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data if error.to_string().starts_with(TOO_MANY) => Unreadable::TooMany,
        serde_json::error::Category::Data => Unreadable::NoHearts,
        _ => Unreadable::BrokenJson { line: error.line(), column: error.column() },
    })?;
    if let Some(later) = file.version.filter(|version| *version > VERSION) {
        return Err(Unreadable::Later(later));
    }
    Ok(file.hearts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_ours_is_told_apart() {
        let why = |text: &str| read(text).map(|_| ()).unwrap_err();
        assert_eq!(why("{\"hearts\":["), Unreadable::BrokenJson { line: 1, column: 11 });
        assert_eq!(why("{\"items\":[]}"), Unreadable::NoHearts);
        assert_eq!(why("[1]"), Unreadable::NoHearts);
        assert_eq!(why("{\"version\":2,\"hearts\":[]}"), Unreadable::Later(2));
        let lines = read("{\"hearts\":[{\"link\":\"x\",\"tags\":[\"a\",\"b\"],\"more\":1},7]}").unwrap();
        let heart = lines[0].heart.clone().unwrap();
        assert_eq!((heart.playlist.as_str(), heart.tags.as_str()), ("x", "a, b"));
        assert!(lines[1].number == 2 && lines[1].heart.is_none());
    }

    #[test]
    fn reading_stops_behind_the_last_heart_that_a_file_may_bring() {
        let file = |hearts: usize, end: &str| format!("{{\"hearts\":[0{}{end}", ",0".repeat(hearts - 1));
        assert_eq!(read(&file(MOST, "]}")).unwrap().len(), MOST);
        // What is broken further on is not met any more.
        assert_eq!(read(&file(MOST + 1, ",!")).err(), Some(Unreadable::TooMany));
    }

    #[test]
    fn a_heart_beyond_all_measure_is_none() {
        let heart = |tags| format!("{{\"hearts\":[{{\"link\":\"x\",\"tags\":[\"a\"{}]}}]}}", ",\"a\"".repeat(tags));
        assert!(read(&heart(10)).unwrap()[0].heart.is_some());
        assert!(read(&heart(LONGEST)).unwrap()[0].heart.is_none());
    }
}
