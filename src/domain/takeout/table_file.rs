//! The table: one line for each heart, names of the columns first.

use csv::{ReaderBuilder, StringRecord, Terminator, Trim, WriterBuilder};

use super::{ExportedHeart, Line, MOST, Raw, Unreadable, instant, link, listed};

const COLUMNS: [&str; 7] = ["playlist_id", "link", "name", "owner", "hearted_at", "note", "tags"];

/// A cell that begins with one of these may be run as a formula by a spreadsheet, in some languages in full width too
/// (<https://owasp.org/www-community/attacks/CSV_Injection>).
const FORMULA: [char; 11] = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r', '\n'];

/// How many cells are looked at, commas within them included: an empty one takes eight times its place in memory.
const MOST_CELLS: usize = 1_000_000;

/// Without the mark, spreadsheets take UTF-8 for something else.
pub(super) fn head() -> String {
    format!("\u{feff}{}\r\n", COLUMNS.join(","))
}

pub(super) fn lines(hearts: &[ExportedHeart]) -> String {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    for heart in hearts {
        let text = |text: &Option<String>| harmless(text.as_deref().unwrap_or_default());
        let record = [
            heart.playlist_id.clone(),
            link(&heart.playlist_id),
            text(&heart.name),
            text(&heart.owner_name),
            instant(heart.hearted_at),
            text(&heart.note),
            harmless(&listed(&heart.tags)),
        ];
        writer.write_record(record).expect("memory takes every record");
    }
    let bytes = writer.into_inner().expect("memory is never full");
    String::from_utf8(bytes).expect("text stays text")
}

/// Whether a spreadsheet would calculate `cell`, were it not for the marks before it.
fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(FORMULA)
}

/// Marks a formula as text. One that bears the mark already gets another, so that [`as_written`] is exact.
fn harmless(cell: &str) -> String {
    if is_formula(cell) { format!("'{cell}") } else { cell.to_owned() }
}

/// Takes back what [`harmless`] did, and nothing else.
fn as_written(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|_| is_formula(cell)).unwrap_or(cell)
}

/// Where the columns are that come back.
struct Places {
    playlist: usize,
    hearted_at: Option<usize>,
    note: Option<usize>,
    tags: Option<usize>,
}

impl Places {
    fn of(header: &StringRecord) -> Option<Self> {
        let place = |name: &str| header.iter().position(|cell| cell.trim().eq_ignore_ascii_case(name));
        Some(Self {
            playlist: ["playlist_id", "id", "link", "playlist", "url"].into_iter().find_map(place)?,
            hearted_at: place("hearted_at"),
            note: place("note"),
            tags: place("tags"),
        })
    }

    fn heart(&self, record: &StringRecord) -> Raw {
        let cell = |place: Option<usize>| place.and_then(|place| record.get(place)).unwrap_or_default();
        Raw {
            playlist: cell(Some(self.playlist)).to_owned(),
            hearted_at: cell(self.hearted_at).to_owned(),
            note: as_written(cell(self.note)).to_owned(),
            tags: as_written(cell(self.tags)).to_owned(),
        }
    }
}

pub(super) fn read(text: &str) -> Result<Vec<Line>, Unreadable> {
    // Nothing that comes back spans lines, so that one kind of line end is enough to count them.
    let text = text.replace("\r\n", "\n");
    let delimiter = delimiter(&text);
    if text.bytes().filter(|byte| *byte == delimiter).count() > MOST_CELLS {
        return Err(Unreadable::TooManyCells);
    }
    let mut reader =
        ReaderBuilder::new().delimiter(delimiter).flexible(true).trim(Trim::Headers).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|_| Unreadable::NoPlaylists)?;
    let places = Places::of(header).ok_or(Unreadable::NoPlaylists)?;
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|_| Unreadable::NotUtf8)?;
        // Spreadsheets leave rows of empty cells behind.
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if lines.len() == MOST {
            return Err(Unreadable::TooMany);
        }
        lines.push(Line { number: number(&record, &text), heart: Some(places.heart(&record)) });
    }
    Ok(lines)
}

/// The line on which a record begins: the reader counts from where it began to look, empty lines included.
fn number(record: &StringRecord, text: &str) -> usize {
    let Some(position) = record.position() else { return 0 };
    let ahead = text.as_bytes().get(position.byte() as usize..).unwrap_or_default();
    position.line() as usize + ahead.iter().take_while(|byte| **byte == b'\n').count()
}

/// Where a comma stands in numbers, spreadsheets part cells by semicolons.
fn delimiter(text: &str) -> u8 {
    let names = text.lines().next().unwrap_or_default();
    let count = |mark: &u8| names.bytes().filter(|byte| byte == mark).count();
    // Of equals the last one wins: a single column is parted by nothing.
    *b"\t;,".iter().max_by_key(|mark| count(mark)).unwrap_or(&b',')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::OffsetDateTime;

    use super::*;
    use crate::domain::words::Words;

    #[test]
    fn formulas_are_marked_and_the_mark_alone_is_taken_off() {
        for (cell, marked) in [
            ("=1+1", "'=1+1"),
            ("'=1+1", "''=1+1"),
            ("@home", "'@home"),
            ("＝1+1", "'＝1+1"),
            ("'＠home", "''＠home"),
            ("－", "'－"),
            ("＋49", "'＋49"),
            ("'", "'"),
            ("'tis", "'tis"),
            ("''", "''"),
            ("plain -x", "plain -x"),
            ("", ""),
        ] {
            assert_eq!((harmless(cell).as_str(), as_written(marked)), (marked, cell));
        }
    }

    #[test]
    fn lines_are_counted_as_an_editor_shows_them() {
        let text = "link;note\r\na;\"two\r\nlines\"\r\n\r\n\r\nc;\r\n;\r\nb;x\r\n";
        let lines = read(text).unwrap();
        let numbers: Vec<_> =
            lines.iter().map(|line| (line.number, line.heart.as_ref().unwrap().playlist.as_str())).collect();
        assert_eq!(numbers, [(2, "a"), (6, "c"), (8, "b")]);
    }

    #[test]
    fn a_file_of_nothing_but_commas_is_not_read() {
        let wide = |cells: usize| read(&format!("id,note\na{}", ",".repeat(cells))).map(|lines| lines.len());
        assert_eq!(wide(MOST_CELLS - 1), Ok(1));
        assert_eq!(wide(MOST_CELLS), Err(Unreadable::TooManyCells));
    }

    prop_compose! {
        fn heart()(id in "[0-9A-Za-z]{22}", name in proptest::option::of("\\PC{0,12}|[=+@＝＋－＠'\t\r\n\",;-]{0,4}"),
                   micros in 1_136_073_600_000_000i64..1_900_000_000_000_000,
                   note in "[=+@' \",;\\PC-]{0,20}|'{0,3}[=+@＝＋－＠-]?\\PC{0,9}", tags in "[=+@＝＋－＠',\\PC-]{0,20}") -> ExportedHeart {
            let words = Words::parse(&note, &tags).unwrap_or_default();
            let hearted_at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).unwrap();
            ExportedHeart { playlist_id: id, owner_name: name.clone(), name, hearted_at,
                   note: words.note().map(str::to_owned), tags: words.tags().to_vec() }
        }
    }

    proptest! {
        #[test]
        fn what_leaves_comes_back_and_no_cell_is_a_formula(hearts in proptest::collection::vec(heart(), 0..6)) {
            let text = head() + &lines(&hearts);
            let back: Vec<_> = read(text.trim_start_matches('\u{feff}')).unwrap().into_iter().map(|line| line.heart.unwrap()).collect();
            prop_assert_eq!(back.len(), hearts.len());
            for (raw, heart) in back.iter().zip(&hearts) {
                prop_assert_eq!(&raw.playlist, &heart.playlist_id);
                prop_assert_eq!(&raw.hearted_at, &instant(heart.hearted_at));
                prop_assert_eq!(&raw.note, heart.note.as_deref().unwrap_or_default());
                prop_assert_eq!(&raw.tags, &listed(&heart.tags));
            }
            for record in csv::Reader::from_reader(text.as_bytes()).records() {
                prop_assert!(record.unwrap().iter().all(|cell| !cell.starts_with(FORMULA)));
            }
        }

        #[test]
        fn every_cell_is_itself_again(cell in "'{0,3}[=+@＝＋－＠\t\r\n-]{0,2}\\PC{0,5}") {
            let marked = harmless(&cell);
            prop_assert!(!marked.starts_with(FORMULA));
            prop_assert_eq!(as_written(&marked), cell);
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = read(&format!("id,note\n{text}"));
            let _ = read(&text);
        }
    }
}
