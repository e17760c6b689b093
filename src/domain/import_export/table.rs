//! Reader for tables: CSV as in RFC 4180, the variants that spreadsheets and other programs write, and lists of links.
//! Separator, line ends, header and columns are decided here and nowhere else.

use std::cmp::Reverse;

use csv::{ReaderBuilder, StringRecord};

use super::csv::unescape;
use super::record::{
    FileHeart, FileLine, ImportError, IsCancelled, LineError, MAX_CELL_BYTES, MAX_CELLS, MAX_HEARTS, check_length,
};
use crate::domain::reference::{self, ReferenceError};
use crate::ids::PlaylistId;

/// Separators to try, the likeliest last. Spreadsheets write semicolons where numbers have a decimal comma.
const SEPARATORS: [u8; 3] = *b"\t;,";
/// Names of the column of playlists, the likeliest first.
const PLAYLIST_NAMES: [&str; 5] = ["playlist_id", "id", "link", "playlist", "url"];
const OTHER_NAMES: [&str; 3] = ["hearted_at", "note", "tags"];
/// Maximum number of columns that are searched for playlists.
const MAX_COLUMNS: usize = 256;

pub(super) fn read(text: &str, is_cancelled: IsCancelled<'_>) -> Result<Vec<FileLine>, ImportError> {
    let (separators, start) = match declared_separator(text) {
        Some((separator, start)) => (vec![separator], start),
        None => (SEPARATORS.to_vec(), 0),
    };
    if text.bytes().filter(|byte| separators.contains(byte)).count() > MAX_CELLS {
        return Err(ImportError::TooManyCells);
    }
    let tables = separators.into_iter().filter_map(|separator| Table::detect(text, start, separator, is_cancelled));
    let table = tables.max_by_key(|table| table.score).ok_or(ImportError::NoPlaylists)?;
    let mut lines = Vec::new();
    for (number, record) in records(text, start, table.separator, is_cancelled).skip(table.has_header.into()) {
        if lines.len() == MAX_HEARTS {
            return Err(ImportError::TooMany);
        }
        lines.push(FileLine { number, heart: table.read_heart(&record) });
    }
    Ok(lines)
}

/// Returns the separator of a first line like `sep=;`, which spreadsheets read, and the position after that line.
fn declared_separator(text: &str) -> Option<(u8, usize)> {
    let line = text.trim_start().lines().next()?.split('\r').next()?;
    let (name, separator) = line.trim_matches('"').split_once('=')?;
    let [separator] = separator.as_bytes() else { return None };
    let start = text.len() - text.trim_start().len() + line.len();
    name.eq_ignore_ascii_case("sep").then_some((*separator, start))
}

/// Returns the records that are not blank, each with its line number.
fn records<'a>(
    text: &'a str,
    start: usize,
    separator: u8,
    is_cancelled: IsCancelled<'a>,
) -> impl Iterator<Item = (usize, StringRecord)> + 'a {
    let mut builder = ReaderBuilder::new();
    let reader = builder.delimiter(separator).has_headers(false).flexible(true).from_reader(&text.as_bytes()[start..]);
    let (mut line, mut counted) = (1, 0);
    reader
        .into_records()
        .take_while(move |_| !is_cancelled())
        // Text that is in memory and UTF-8 cannot fail to be read.
        .filter_map(Result::ok)
        .filter(|record| record.iter().any(|cell| !cell.trim().is_empty()))
        .map(move |record| {
            let position = start + record.position().map_or(0, |position| position.byte() as usize);
            // The reader's position is before any empty lines.
            let begin = text.len() - text[position..].trim_start_matches(['\r', '\n']).len();
            line += count_line_ends(&text[counted..begin]);
            counted = begin;
            (line, record)
        })
}

/// Counts line ends of all systems. The reader's own line numbers count line feeds only.
fn count_line_ends(text: &str) -> usize {
    text.matches(['\r', '\n']).count() - text.matches("\r\n").count()
}

/// How well a separator fits: known names in the header, cells from which a playlist is read, those that are nothing
/// else, cells with any Spotify link, and cells in the first line.
type Score = (bool, usize, usize, usize, usize);

struct Table {
    score: Score,
    separator: u8,
    has_header: bool,
    playlist: usize,
    hearted_at: Option<usize>,
    note: Option<usize>,
    tags: Option<usize>,
}

impl Table {
    /// Finds the columns by a separator. The column of playlists is the one with most cells that are one; its name
    /// decides between equals, and where no cell has a link. `None` without such a column.
    fn detect(text: &str, start: usize, separator: u8, is_cancelled: IsCancelled<'_>) -> Option<Self> {
        let mut records = records(text, start, separator, is_cancelled).map(|(_, record)| record).peekable();
        let first = records.peek()?.clone();
        let columns = count_cells(records);
        let find = |name: &str| first.iter().position(|cell| cell.trim().eq_ignore_ascii_case(name));
        let named = PLAYLIST_NAMES.map(find);
        let key = |column: usize| {
            let (counts, rank) = (columns[column], named.iter().rev().position(|name| *name == Some(column)));
            (counts.exact, rank.filter(|_| counts.links > 0), counts.readable, counts.links, rank, Reverse(column))
        };
        let playlist = (0..columns.len()).max_by_key(|column| key(*column))?;
        let counts = columns[playlist];
        if counts.links == 0 && !named.contains(&Some(playlist)) {
            return None;
        }
        let others = OTHER_NAMES.map(find);
        let has_names = named.iter().chain(&others).any(Option::is_some);
        let has_header = is_header(first.get(playlist).unwrap_or_default(), has_names);
        let [hearted_at, note, tags] = others.map(|column| column.filter(|_| has_header));
        let score = (has_names, counts.readable, counts.exact, counts.links, first.len());
        Some(Self { score, separator, has_header, playlist, hearted_at, note, tags })
    }

    fn read_heart(&self, record: &StringRecord) -> Result<FileHeart, LineError> {
        let cell =
            |column: Option<usize>| check_length(column.and_then(|column| record.get(column)).unwrap_or_default());
        Ok(FileHeart {
            playlist: cell(Some(self.playlist))?.to_owned(),
            hearted_at: cell(self.hearted_at)?.to_owned(),
            note: unescape(cell(self.note)?),
            tags: unescape(cell(self.tags)?),
        })
    }
}

/// Counts the cells of a column that are a playlist and nothing else, that have one in a text, and that have any
/// Spotify link.
#[derive(Clone, Copy, Default)]
struct CellCounts {
    exact: usize,
    readable: usize,
    links: usize,
}

fn count_cells(records: impl Iterator<Item = StringRecord>) -> Vec<CellCounts> {
    let mut columns = Vec::<CellCounts>::new();
    // One more than a file may have, with its header: the rest is not read.
    for record in records.take(MAX_HEARTS + 2) {
        columns.resize(columns.len().max(record.len().min(MAX_COLUMNS)), CellCounts::default());
        for (column, cell) in columns.iter_mut().zip(&record).filter(|(_, cell)| may_have_playlist(cell)) {
            let is_readable = reference::parse(cell).is_ok();
            column.links += 1;
            column.readable += usize::from(is_readable);
            column.exact += usize::from(is_readable && reference::is_word(cell));
        }
    }
    columns
}

/// True if the cell is an id or names Spotify. Parsing takes a hundred times longer.
fn may_have_playlist(cell: &str) -> bool {
    let names_spotify = || cell.as_bytes().windows(5).any(|part| part.eq_ignore_ascii_case(b"spoti"));
    cell.len() <= MAX_CELL_BYTES && (PlaylistId::parse(cell.trim()).is_ok() || names_spotify())
}

/// True if `cell`, the first in the column of playlists, belongs to a header. What might be a mistyped link does not,
/// unless the line has names of known columns: a skipped line is reported, a header is not.
fn is_header(cell: &str, has_known_names: bool) -> bool {
    let may_be_link = cell.contains(|c: char| matches!(c, '/' | ':') || c.is_ascii_digit());
    match reference::parse(cell) {
        Err(ReferenceError::Empty | ReferenceError::Unrecognized) => has_known_names || !may_be_link,
        _ => false,
    }
}
