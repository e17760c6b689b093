//! CSV: a header, then one record per heart.

use csv::{ReaderBuilder, StringRecord, Terminator, Trim, WriterBuilder};

use super::record::{FileHeart, FileLine, ImportError, MAX_CELLS, MAX_HEARTS, format_time, join_tags, playlist_url};
use crate::db::import_export::ExportedHeart;

const COLUMNS: [&str; 7] = ["playlist_id", "link", "name", "owner", "hearted_at", "note", "tags"];

/// Spreadsheets may evaluate a cell that begins with one of these as a formula; the full-width forms only in some
/// languages (<https://owasp.org/www-community/attacks/CSV_Injection>).
const FORMULA_PREFIXES: [char; 11] = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r', '\n'];

/// Begins with a byte order mark: without it, spreadsheets assume another encoding.
pub(super) fn header() -> String {
    format!("\u{feff}{}\r\n", COLUMNS.join(","))
}

pub(super) fn write(hearts: &[ExportedHeart]) -> String {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    for heart in hearts {
        let escape_optional = |text: &Option<String>| escape(text.as_deref().unwrap_or_default());
        let record = [
            heart.playlist_id.clone(),
            playlist_url(&heart.playlist_id),
            escape_optional(&heart.name),
            escape_optional(&heart.owner_name),
            format_time(heart.hearted_at),
            escape_optional(&heart.note),
            escape(&join_tags(&heart.tags)),
        ];
        writer.write_record(record).expect("writing to memory does not fail");
    }
    let bytes = writer.into_inner().expect("flushing to memory does not fail");
    String::from_utf8(bytes).expect("CSV of UTF-8 text is UTF-8")
}

/// True if a spreadsheet would evaluate `cell` without its leading apostrophes.
fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(FORMULA_PREFIXES)
}

/// Marks a formula as text with an apostrophe. An escaped formula gets another one, so that [`unescape`] is exact.
fn escape(cell: &str) -> String {
    if is_formula(cell) { format!("'{cell}") } else { cell.to_owned() }
}

/// Reverses [`escape`], and changes nothing else.
fn unescape(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|_| is_formula(cell)).unwrap_or(cell)
}

/// Positions of the columns that are imported.
struct Columns {
    playlist: usize,
    hearted_at: Option<usize>,
    note: Option<usize>,
    tags: Option<usize>,
}

impl Columns {
    fn find(header: &StringRecord) -> Option<Self> {
        let position = |name: &str| header.iter().position(|cell| cell.trim().eq_ignore_ascii_case(name));
        Some(Self {
            playlist: ["playlist_id", "id", "link", "playlist", "url"].into_iter().find_map(position)?,
            hearted_at: position("hearted_at"),
            note: position("note"),
            tags: position("tags"),
        })
    }

    fn read_heart(&self, record: &StringRecord) -> FileHeart {
        let cell = |column: Option<usize>| column.and_then(|column| record.get(column)).unwrap_or_default();
        FileHeart {
            playlist: cell(Some(self.playlist)).to_owned(),
            hearted_at: cell(self.hearted_at).to_owned(),
            note: unescape(cell(self.note)).to_owned(),
            tags: unescape(cell(self.tags)).to_owned(),
        }
    }
}

pub(super) fn read(text: &str) -> Result<Vec<FileLine>, ImportError> {
    // No imported cell spans lines, so line endings can be normalized to count lines.
    let text = text.replace("\r\n", "\n");
    let delimiter = detect_delimiter(&text);
    if text.bytes().filter(|byte| *byte == delimiter).count() > MAX_CELLS {
        return Err(ImportError::TooManyCells);
    }
    let mut reader =
        ReaderBuilder::new().delimiter(delimiter).flexible(true).trim(Trim::Headers).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|_| ImportError::NoPlaylists)?;
    let columns = Columns::find(header).ok_or(ImportError::NoPlaylists)?;
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|_| ImportError::NotUtf8)?;
        // Spreadsheets may write rows of empty cells.
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if lines.len() == MAX_HEARTS {
            return Err(ImportError::TooMany);
        }
        lines.push(FileLine { number: line_number(&record, &text), heart: Some(columns.read_heart(&record)) });
    }
    Ok(lines)
}

/// Returns the line on which a record begins. The reader's position is before any empty lines.
fn line_number(record: &StringRecord, text: &str) -> usize {
    let Some(position) = record.position() else { return 0 };
    let rest = text.as_bytes().get(position.byte() as usize..).unwrap_or_default();
    position.line() as usize + rest.iter().take_while(|byte| **byte == b'\n').count()
}

/// Detects the delimiter: where numbers have a decimal comma, spreadsheets use semicolons.
fn detect_delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let count = |delimiter: &u8| header.bytes().filter(|byte| byte == delimiter).count();
    // `max_by_key` returns the last of equals: a comma for a single column.
    *b"\t;,".iter().max_by_key(|delimiter| count(delimiter)).unwrap_or(&b',')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::OffsetDateTime;

    use super::*;
    use crate::domain::annotation::Annotation;

    #[test]
    fn formulas_are_escaped_and_unescaped_exactly() {
        for (cell, escaped) in [
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
            assert_eq!((escape(cell).as_str(), unescape(escaped)), (escaped, cell));
        }
    }

    #[test]
    fn line_numbers_match_an_editors() {
        let text = "link;note\r\na;\"two\r\nlines\"\r\n\r\n\r\nc;\r\n;\r\nb;x\r\n";
        let lines = read(text).unwrap();
        let numbers: Vec<_> =
            lines.iter().map(|line| (line.number, line.heart.as_ref().unwrap().playlist.as_str())).collect();
        assert_eq!(numbers, [(2, "a"), (6, "c"), (8, "b")]);
    }

    #[test]
    fn a_file_with_too_many_cells_is_rejected() {
        let wide = |cells: usize| read(&format!("id,note\na{}", ",".repeat(cells))).map(|lines| lines.len());
        assert_eq!(wide(MAX_CELLS - 1), Ok(1));
        assert_eq!(wide(MAX_CELLS), Err(ImportError::TooManyCells));
    }

    prop_compose! {
        fn heart()(id in "[0-9A-Za-z]{22}", name in proptest::option::of("\\PC{0,12}|[=+@＝＋－＠'\t\r\n\",;-]{0,4}"),
                   micros in 1_136_073_600_000_000i64..1_900_000_000_000_000,
                   note in "[=+@' \",;\\PC-]{0,20}|'{0,3}[=+@＝＋－＠-]?\\PC{0,9}", tags in "[=+@＝＋－＠',\\PC-]{0,20}") -> ExportedHeart {
            let annotation = Annotation::parse(&note, &tags).unwrap_or_default();
            let hearted_at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).unwrap();
            ExportedHeart { playlist_id: id, owner_name: name.clone(), name, hearted_at,
                   note: annotation.note().map(str::to_owned), tags: annotation.tags().to_vec() }
        }
    }

    proptest! {
        #[test]
        fn an_export_imports_exactly_and_no_cell_is_a_formula(hearts in proptest::collection::vec(heart(), 0..6)) {
            let text = header() + &write(&hearts);
            let imported: Vec<_> = read(text.trim_start_matches('\u{feff}')).unwrap().into_iter().map(|line| line.heart.unwrap()).collect();
            prop_assert_eq!(imported.len(), hearts.len());
            for (imported, heart) in imported.iter().zip(&hearts) {
                prop_assert_eq!(&imported.playlist, &heart.playlist_id);
                prop_assert_eq!(&imported.hearted_at, &format_time(heart.hearted_at));
                prop_assert_eq!(&imported.note, heart.note.as_deref().unwrap_or_default());
                prop_assert_eq!(&imported.tags, &join_tags(&heart.tags));
            }
            for record in csv::Reader::from_reader(text.as_bytes()).records() {
                prop_assert!(record.unwrap().iter().all(|cell| !cell.starts_with(FORMULA_PREFIXES)));
            }
        }

        #[test]
        fn unescape_reverses_escape(cell in "'{0,3}[=+@＝＋－＠\t\r\n-]{0,2}\\PC{0,5}") {
            let escaped = escape(&cell);
            prop_assert!(!escaped.starts_with(FORMULA_PREFIXES));
            prop_assert_eq!(unescape(&escaped), cell);
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = read(&format!("id,note\n{text}"));
            let _ = read(&text);
        }
    }
}
