//! CSV: a header, then one record per heart.

use csv::{QuoteStyle, Terminator, WriterBuilder};

use super::record::{format_time, join_tags};
use crate::db::import_export::ExportedHeart;
use crate::domain::text::is_visible;
use crate::spotify::playlist_url;

const COLUMNS: [&str; 9] = ["playlist_id", "link", "name", "owner", "hearted_at", "note", "tags", "own_title", "pin"];

/// Characters at which a program may split a line, whichever separator it was written for.
const SEPARATORS: [char; 5] = [',', ';', '\t', '\r', '\n'];
/// Spreadsheets may evaluate a cell that begins with one of these as a formula; the full-width forms only in some
/// languages (<https://owasp.org/www-community/attacks/CSV_Injection>).
const FORMULA_PREFIXES: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
/// Trailing marker of the current escape scheme; cells of earlier releases lack it. No note and no tag ends with a
/// space.
const ESCAPE_MARK: char = ' ';

/// Begins with a byte order mark: without it, spreadsheets assume another encoding.
pub(super) fn header() -> String {
    format!("\u{feff}{}\r\n", COLUMNS.join(","))
}

/// Quotes every cell, because a program may split a line at another separator than the comma.
pub(super) fn write(hearts: &[ExportedHeart]) -> String {
    let mut writer =
        WriterBuilder::new().quote_style(QuoteStyle::Always).terminator(Terminator::CRLF).from_writer(Vec::new());
    for heart in hearts {
        writer.write_record(cells(heart)).expect("memory, and records of one length");
    }
    String::from_utf8(writer.into_inner().expect("memory")).expect("cells are UTF-8")
}

fn cells(heart: &ExportedHeart) -> [String; COLUMNS.len()] {
    [
        heart.playlist_id.clone(),
        playlist_url(&heart.playlist_id),
        escape(heart.name.as_deref().unwrap_or_default()),
        escape(heart.owner_name.as_deref().unwrap_or_default()),
        format_time(heart.hearted_at),
        escape(heart.note.as_deref().unwrap_or_default()),
        escape(&join_tags(&heart.tags)),
        escape(heart.own_title.as_deref().unwrap_or_default()),
        heart.pin.map(|pin| pin.to_string()).unwrap_or_default(),
    ]
}

/// Puts an apostrophe before each character that would begin a formula: the first visible one of the cell, and the
/// first after each separator, because a program may split the line at another one than it was written for.
fn escape(cell: &str) -> String {
    let mut escaped = map_formulas(cell, |before| before.push('\''));
    if unescape(&escaped) != cell {
        escaped.push(ESCAPE_MARK);
    }
    escaped
}

/// Reverses [`escape`], and the escapes of earlier releases, which only escaped the first character. Changes nothing
/// else.
pub(super) fn unescape(cell: &str) -> String {
    let is_formula = |cell: &str| cell.trim_start_matches('\'').starts_with(FORMULA_PREFIXES);
    match cell.strip_suffix(ESCAPE_MARK) {
        Some(cell) => map_formulas(cell, |before| {
            if before.ends_with('\'') {
                before.pop();
            }
        }),
        None => cell.strip_prefix('\'').filter(|_| is_formula(cell)).unwrap_or(cell).to_owned(),
    }
}

/// Copies `cell` and calls `edit` with the text before each character that begins a formula.
fn map_formulas(cell: &str, edit: impl Fn(&mut String)) -> String {
    let (mut text, mut is_start) = (String::with_capacity(cell.len()), true);
    for c in cell.chars() {
        let is_formula = is_start && FORMULA_PREFIXES.contains(&c);
        if is_formula {
            edit(&mut text);
        }
        is_start = SEPARATORS.contains(&c) || (is_start && !is_formula && is_skipped(c));
        text.push(c);
    }
    text
}

/// True for what may stand before a formula: characters that do not show, and quotation marks and apostrophes, which
/// programs may strip.
fn is_skipped(c: char) -> bool {
    matches!(c, '\'' | '"') || !is_visible(c.encode_utf8(&mut [0; 4]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::OffsetDateTime;

    use super::super::{FileLine, table};
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
            ("x;=1;'+2, y", "x;'=1;''+2, y "),
            ("rain, '-x'", "rain, ''-x' "),
            ("=1;@2", "'=1;'@2 "),
            (" =1", " '=1 "),
            ("x ", "x  "),
            ("", ""),
        ] {
            assert_eq!((escape(cell).as_str(), unescape(escaped).as_str()), (escaped, cell));
        }
    }

    /// True if no part is a formula, for programs that split at any of the separators and know no quotation marks.
    fn is_defused(text: &str) -> bool {
        let is_skipped =
            |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\u{200b}' | '\u{3164}' | '\u{2800}');
        text.split(SEPARATORS).all(|part| !part.trim_start_matches(is_skipped).starts_with(FORMULA_PREFIXES))
    }

    prop_compose! {
        fn heart()(id in "[0-9A-Za-z]{22}", name in proptest::option::of("\\PC{0,12}|[=+@＝＋－＠'\t\r\n\",;-]{0,4}"),
                   micros in 1_136_073_600_000_000i64..1_900_000_000_000_000,
                   note in "[=+@' \",;\\PC-]{0,20}|'{0,3}[=+@＝＋－＠-]?\\PC{0,9}", tags in "[=+@＝＋－＠',\\PC-]{0,20}",
                   pin in proptest::option::of(1i16..=4)) -> ExportedHeart {
            let annotation = Annotation::parse(&note, &note, &tags).unwrap_or_default();
            let hearted_at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).unwrap();
            ExportedHeart { playlist_id: id, owner_name: name.clone(), name, hearted_at,
                   own_title: annotation.own_title().map(str::to_owned),
                   note: annotation.note().map(str::to_owned), tags: annotation.tags(), pin }
        }
    }

    proptest! {
        #[test]
        fn an_export_imports_exactly_and_no_cell_is_a_formula(hearts in proptest::collection::vec(heart(), 0..6)) {
            let text = format!("{}{}", header(), write(&hearts));
            let mut imported = Vec::new();
            let add = &mut |line: FileLine| imported.push(line.heart.unwrap());
            let _ = table::read(text.trim_start_matches('\u{feff}'), &|| false, add);
            prop_assert_eq!(imported.len(), hearts.len());
            for (imported, heart) in imported.iter().zip(&hearts) {
                let line = write(std::slice::from_ref(heart));
                prop_assert!(line.starts_with('"') && line.contains("Z\",\""), "every cell is quoted");
                prop_assert_eq!(&imported.playlist, &heart.playlist_id);
                prop_assert_eq!(&imported.hearted_at, &format_time(heart.hearted_at));
                prop_assert_eq!(&imported.note, heart.note.as_deref().unwrap_or_default());
                prop_assert_eq!(&imported.own_title, heart.own_title.as_deref().unwrap_or_default());
                prop_assert_eq!(&imported.tags, &join_tags(&heart.tags));
                prop_assert_eq!(imported.pin, heart.pin);
            }
            prop_assert!(is_defused(&text));
        }

        #[test]
        fn unescape_reverses_escape(cell in "[=+@＝'\" ,;\t\r\n\u{200b}\u{3164}x-]{0,12}|\\PC{0,20}") {
            let escaped = escape(&cell);
            prop_assert!(is_defused(&escaped));
            prop_assert_eq!(unescape(&escaped), cell);
        }

        /// Earlier releases escaped the first character only.
        #[test]
        fn exports_of_earlier_releases_are_unescaped_exactly(note in "[=+@＝' \",;x-]{0,12}|\\PC{0,20}") {
            let note = note.trim();
            let is_formula = note.trim_start_matches('\'').starts_with(FORMULA_PREFIXES);
            let exported = if is_formula { format!("'{note}") } else { note.to_owned() };
            prop_assert_eq!(unescape(&exported), note);
        }
    }
}
