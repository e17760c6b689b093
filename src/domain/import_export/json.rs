//! JSON: a versioned object, with each heart on its own line.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use time::OffsetDateTime;

use super::record::{
    FileHeart, FileLine, ImportError, IsCancelled, LineError, MAX_CELL_BYTES, MAX_CELLS, MAX_HEARTS, check_length,
    format_time, join_tags,
};
use crate::db::import_export::ExportedHeart;
use crate::spotify::playlist_url;

const FORMAT: &str = "heartlist-hearts";
const VERSION: u64 = 1;
/// Maximum length of an entry that is parsed. A JSON escape takes six bytes for one UTF-16 unit.
const MAX_ENTRY_BYTES: usize = 8 * MAX_CELL_BYTES;

pub(super) const FOOTER: &str = "\n]}\n";

pub(super) fn header(now: OffsetDateTime) -> String {
    let exported_at = format_time(now);
    format!("{{\"format\":\"{FORMAT}\",\"version\":{VERSION},\"exported_at\":\"{exported_at}\",\"hearts\":[")
}

#[derive(Serialize)]
struct JsonHeart<'a> {
    playlist_id: &'a str,
    link: String,
    name: Option<&'a str>,
    owner: Option<&'a str>,
    hearted_at: String,
    note: Option<&'a str>,
    tags: &'a [String],
    own_title: Option<&'a str>,
    pin: Option<i16>,
}

pub(super) fn write(hearts: &[ExportedHeart], is_first: bool) -> String {
    let mut text = String::new();
    for (index, heart) in hearts.iter().enumerate() {
        let heart = JsonHeart {
            playlist_id: &heart.playlist_id,
            link: playlist_url(&heart.playlist_id),
            name: heart.name.as_deref(),
            owner: heart.owner_name.as_deref(),
            hearted_at: format_time(heart.hearted_at),
            note: heart.note.as_deref(),
            tags: &heart.tags,
            own_title: heart.own_title.as_deref(),
            pin: heart.pin,
        };
        text.push_str(if is_first && index == 0 { "\n" } else { ",\n" });
        text.push_str(&serde_json::to_string(&heart).expect("strings and lists serialize to JSON"));
    }
    text
}

#[derive(Deserialize)]
struct JsonFile<'a> {
    version: Option<u64>,
    /// Unparsed, so that an invalid entry does not invalidate the others.
    #[serde(borrow)]
    hearts: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct JsonEntry {
    playlist_id: Option<String>,
    link: Option<String>,
    hearted_at: Option<String>,
    note: Option<String>,
    tags: Option<Vec<String>>,
    own_title: Option<String>,
    pin: Option<Value>,
}

fn parse_heart(entry: &RawValue) -> Result<FileHeart, LineError> {
    if entry.get().len() > MAX_ENTRY_BYTES {
        return Err(LineError::TooLong);
    }
    if let Ok(playlist) = serde_json::from_str::<String>(entry.get()) {
        check_length(&playlist)?;
        return Ok(FileHeart { playlist, ..FileHeart::default() });
    }
    let heart: JsonEntry = serde_json::from_str(entry.get()).map_err(|_| LineError::NotAHeart)?;
    let file_heart = FileHeart {
        playlist: heart.playlist_id.or(heart.link).unwrap_or_default(),
        hearted_at: heart.hearted_at.unwrap_or_default(),
        own_title: heart.own_title.unwrap_or_default(),
        note: heart.note.unwrap_or_default(),
        tags: join_tags(&heart.tags.unwrap_or_default()),
        pin: heart.pin.as_ref().and_then(Value::as_i64).and_then(|pin| pin.try_into().ok()),
    };
    let FileHeart { playlist, hearted_at, own_title, note, tags, pin: _ } = &file_heart;
    for value in [playlist, hearted_at, own_title, note, tags] {
        check_length(value)?;
    }
    Ok(file_heart)
}

/// Reads the hearts of a file, and hands each to `add`.
pub(super) fn read(
    text: &str,
    is_cancelled: IsCancelled<'_>,
    add: &mut dyn FnMut(FileLine),
) -> Result<(), ImportError> {
    if text.bytes().filter(|byte| *byte == b',').count() > MAX_CELLS {
        return Err(ImportError::TooMany);
    }
    let file: JsonFile<'_> = serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => ImportError::NoHearts,
        _ => ImportError::BrokenJson { line: error.line(), column: error.column() },
    })?;
    if let Some(version) = file.version.filter(|version| *version > VERSION) {
        return Err(ImportError::NewerVersion(version));
    }
    read_entries(file.hearts, is_cancelled, add)
}

/// Reads an array of links or hearts. `None` if the text is not one.
pub(super) fn read_array(
    text: &str,
    is_cancelled: IsCancelled<'_>,
    add: &mut dyn FnMut(FileLine),
) -> Option<Result<(), ImportError>> {
    let is_small = text.bytes().filter(|byte| *byte == b',').count() <= MAX_CELLS;
    let entries = if is_small { serde_json::from_str(text).ok()? } else { return None };
    Some(read_entries(entries, is_cancelled, add))
}

fn read_entries(
    entries: Vec<&RawValue>,
    is_cancelled: IsCancelled<'_>,
    add: &mut dyn FnMut(FileLine),
) -> Result<(), ImportError> {
    if entries.len() > MAX_HEARTS {
        return Err(ImportError::TooMany);
    }
    for (number, entry) in (1..).zip(entries).take_while(|_| !is_cancelled()) {
        add(FileLine { number, heart: parse_heart(entry) });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_bad_file_has_its_error() {
        let error = |text: &str| read(text, &|| false, &mut |_| {}).unwrap_err();
        assert_eq!(error("{\"hearts\":["), ImportError::BrokenJson { line: 1, column: 11 });
        assert_eq!(error("{\"items\":[]}"), ImportError::NoHearts);
        assert_eq!(error("[1]"), ImportError::NoHearts);
        assert_eq!(error("{\"version\":2,\"hearts\":[]}"), ImportError::NewerVersion(2));
        let mut lines = Vec::new();
        let text = "{\"hearts\":[{\"link\":\"x\",\"tags\":[\"a\",\"b\"],\"more\":1},7]}";
        read(text, &|| false, &mut |line| lines.push(line)).unwrap();
        let heart = lines[0].heart.clone().unwrap();
        assert_eq!((heart.playlist.as_str(), heart.tags.as_str()), ("x", "a, b"));
        assert!(lines[1].number == 2 && lines[1].heart == Err(LineError::NotAHeart));
    }

    #[test]
    fn no_value_of_a_pin_loses_its_heart() {
        for (pin, expected) in
            [("2", Some(2)), ("null", None), ("\"1\"", None), ("1.5", None), ("99999", None), ("[]", None)]
        {
            let mut lines = Vec::new();
            let text = format!("{{\"hearts\":[{{\"link\":\"x\",\"pin\":{pin}}}]}}");
            read(&text, &|| false, &mut |line| lines.push(line)).unwrap();
            assert_eq!(lines[0].heart.as_ref().unwrap().pin, expected, "{pin}");
        }
    }

    #[test]
    fn a_file_with_too_many_hearts_is_rejected() {
        let file = |hearts: usize| format!("{{\"hearts\":[0{}]}}", ",0".repeat(hearts - 1));
        let read = |hearts: usize| {
            let mut count = 0;
            read(&file(hearts), &|| false, &mut |_| count += 1).map(|()| count)
        };
        assert_eq!(read(MAX_HEARTS), Ok(MAX_HEARTS));
        assert_eq!(read(MAX_HEARTS + 1), Err(ImportError::TooMany));
        assert_eq!(read(MAX_CELLS + 2), Err(ImportError::TooMany));
    }
}
