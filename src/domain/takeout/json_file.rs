//! JSON: an object with a version, and each heart on a line of its own.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use super::{Kept, Line, Raw, Unreadable, instant, link, listed};

const FORMAT: &str = "heartlist-hearts";
const VERSION: u64 = 1;

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

pub(super) fn lines(hearts: &[Kept], first: bool) -> String {
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
    hearts: Vec<Value>,
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
        serde_json::error::Category::Data => Unreadable::NoHearts,
        _ => Unreadable::BrokenJson { line: error.line(), column: error.column() },
    })?;
    if let Some(later) = file.version.filter(|version| *version > VERSION) {
        return Err(Unreadable::Later(later));
    }
    let heart = |value| serde_json::from_value::<ComingHeart>(value).ok().map(Raw::from);
    Ok((1..).zip(file.hearts).map(|(number, value)| Line { number, heart: heart(value) }).collect())
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
}
