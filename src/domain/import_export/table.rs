//! Reader for tables: CSV as in RFC 4180, the variants that spreadsheets and other programs write, and lists of links.
//! Separator, line ends, header and columns are decided here and nowhere else.

use std::cmp::Reverse;

use csv::{Reader, ReaderBuilder, StringRecord};

use super::csv::unescape;
use super::record::{
    FileHeart, FileLine, ImportError, IsCancelled, LineError, MAX_CELL_BYTES, MAX_CELLS, MAX_HEARTS, check_length,
};
use crate::domain::reference::{self, ReferenceError};
use crate::ids::PlaylistId;

/// Separators to try, the likeliest last. Spreadsheets write semicolons where numbers have a decimal comma.
const SEPARATORS: [u8; 3] = *b"\t;,";
/// Names of the column of playlists, the likeliest first.
const PLAYLIST_NAMES: [&str; 6] = ["playlist_id", "link", "url", "uri", "playlist", "id"];
const OTHER_NAMES: [&str; 4] = ["hearted_at", "note", "tags", "own_title"];
/// Maximum number of columns that are searched for playlists.
const MAX_COLUMNS: usize = 256;

/// Reads the hearts of a table, and hands each to `add`.
pub(super) fn read(
    text: &str,
    is_cancelled: IsCancelled<'_>,
    add: &mut dyn FnMut(FileLine),
) -> Result<(), ImportError> {
    let (separators, start) = match declared_separator(text) {
        Some((separator, start)) => (vec![separator], start),
        None => (SEPARATORS.to_vec(), 0),
    };
    if text.bytes().filter(|byte| separators.contains(byte)).count() > MAX_CELLS {
        return Err(ImportError::TooManyCells);
    }
    let tables = separators.into_iter().filter_map(|separator| Table::detect(text, start, separator, is_cancelled));
    let table = tables.max_by_key(|table| table.score).ok_or(ImportError::NoPlaylists)?;
    let mut records = Records::new(text, start, table.separator, is_cancelled);
    if table.header_len > 0 {
        records.next();
    }
    let mut count = 0;
    while let Some((number, record)) = records.next() {
        let playlists = table.find_playlists(record);
        count += playlists.len();
        if count > MAX_HEARTS {
            return Err(ImportError::TooMany);
        }
        // Only the first heart has the note, tags and date: a copy for each link of a long line would take much memory.
        for (index, column) in playlists.into_iter().enumerate() {
            let further = || FileHeart { playlist: record[column].to_owned(), ..FileHeart::default() };
            let heart = if index == 0 { table.read_heart(record, column) } else { Ok(further()) };
            add(FileLine { number, heart });
        }
    }
    Ok(())
}

/// Returns the separator of a first line like `sep=;`, which spreadsheets read, and the position after that line.
/// Spreadsheets may pad the line with separators when they save it again.
fn declared_separator(text: &str) -> Option<(u8, usize)> {
    let line = text.trim_start().lines().next()?.split('\r').next()?;
    let (name, rest) = line.trim_start_matches('"').split_once('=')?;
    let (separator, padding) = rest.as_bytes().split_first()?;
    let is_padding = padding.iter().all(|byte| byte == separator || b"\" ,;\t".contains(byte));
    let start = text.len() - text.trim_start().len() + line.len();
    (name.eq_ignore_ascii_case("sep") && separator.is_ascii() && is_padding).then_some((*separator, start))
}

/// The records that are not blank. All are read into the same buffer, because one may be as long as the file.
struct Records<'a> {
    text: &'a str,
    start: usize,
    reader: Reader<&'a [u8]>,
    record: StringRecord,
    /// Number of the line that begins at the position `counted`.
    line: usize,
    counted: usize,
    is_cancelled: IsCancelled<'a>,
}

impl<'a> Records<'a> {
    fn new(text: &'a str, start: usize, separator: u8, is_cancelled: IsCancelled<'a>) -> Self {
        let mut builder = ReaderBuilder::new();
        builder.delimiter(separator).has_headers(false).flexible(true);
        let mut reader = builder.from_reader(&text.as_bytes()[start..]);
        let mut record = StringRecord::new();
        // Without headers the reader keeps two copies of the first record; with them, it returns them first.
        reader.set_headers(StringRecord::new());
        let _ = reader.read_record(&mut record);
        Self { text, start, reader, record, line: 1, counted: 0, is_cancelled }
    }

    /// Returns the next record with its line number.
    fn next(&mut self) -> Option<(usize, &StringRecord)> {
        loop {
            // Text that is in memory and UTF-8 cannot fail to be read.
            if (self.is_cancelled)() || !self.reader.read_record(&mut self.record).ok()? {
                return None;
            }
            if self.record.iter().any(|cell| !cell.trim().is_empty()) {
                break;
            }
        }
        let text = self.text;
        let position = self.start + self.record.position().map_or(0, |position| position.byte() as usize);
        // The reader's position is before any empty lines.
        let begin = text.len() - text[position..].trim_start_matches(['\r', '\n']).len();
        self.line += count_line_ends(&text[self.counted..begin]);
        self.counted = begin;
        Some((self.line, &self.record))
    }
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
    /// Number of cells in the header, 0 without one.
    header_len: usize,
    playlist: usize,
    /// Columns whose cells may be bare ids.
    ids: Vec<usize>,
    hearted_at: Option<usize>,
    note: Option<usize>,
    tags: Option<usize>,
    own_title: Option<usize>,
    pin: Option<usize>,
}

impl Table {
    /// Finds the columns by a separator. The column of playlists is the one in which most cells are a playlist; its
    /// name decides between equals, and where no cell has a link. `None` without such a column.
    fn detect(text: &str, start: usize, separator: u8, is_cancelled: IsCancelled<'_>) -> Option<Self> {
        let mut records = Records::new(text, start, separator, is_cancelled);
        let (_, first) = records.next()?;
        let find = |name: &str| {
            let is_name = |cell: &str| cell.trim_matches(['"', ' ', '\t']).eq_ignore_ascii_case(name);
            first.iter().position(is_name)
        };
        let (named, others) = (PLAYLIST_NAMES.map(find), OTHER_NAMES.map(find));
        // Not among the others, because tables of other programs may have such a column too.
        let pin = find("pin");
        let has_names = named.iter().chain(&others).any(Option::is_some);
        let has_link = first.iter().any(|cell| reference::names_spotify(cell) && reference::parse(cell).is_ok());
        let first_len = first.len();
        // For each column, whether the first record is a header if the playlists are in that column.
        let is_header = |cell| !has_link && is_header(cell, has_names);
        let is_header: Vec<bool> = first.iter().take(MAX_COLUMNS).map(is_header).collect();
        let mut columns = Vec::new();
        count_cells(&mut columns, first);
        // As many as a file may have, and one more: the rest is not read.
        for _ in 0..=MAX_HEARTS {
            let Some((_, record)) = records.next() else { break };
            count_cells(&mut columns, record);
        }
        let ids = add_ids(&mut columns, &named, others.iter().any(Option::is_some));
        let key = |column: usize| {
            let (counts, rank) = (columns[column], named.iter().rev().position(|name| *name == Some(column)));
            let named_rank = rank.filter(|_| counts.links > 0);
            (counts.exact, named_rank, counts.readable, counts.links, rank, Reverse(column))
        };
        let playlist = (0..columns.len()).max_by_key(|column| key(*column))?;
        let counts = columns[playlist];
        if counts.links == 0 && (counts.ids > 0 || !named.contains(&Some(playlist))) {
            return None;
        }
        let has_header = is_header.get(playlist).copied().unwrap_or(!has_link);
        let header_len = if has_header { first_len } else { 0 };
        let [hearted_at, note, tags, own_title] = others.map(|column| column.filter(|_| has_header));
        let pin = pin.filter(|_| has_header);
        let sum = |count: fn(&CellCounts) -> usize| columns.iter().map(count).sum();
        let score = (has_names, sum(|c| c.readable), sum(|c| c.exact), sum(|c| c.links), first_len);
        Some(Self { score, separator, header_len, playlist, ids, hearted_at, note, tags, own_title, pin })
    }

    /// Returns the columns of a record that have a playlist: the column of playlists or, if it has no link, the first
    /// with one; and all further columns that have a link and no name in the header.
    fn find_playlists(&self, record: &StringRecord) -> Vec<usize> {
        let has_name = |column: usize| column < self.header_len;
        let is_other = |column: usize| [self.hearted_at, self.note, self.tags, self.own_title].contains(&Some(column));
        let has_link = |column: usize, cell: &str| match reference::parse(cell) {
            Ok(_) => reference::names_spotify(cell) || self.ids.contains(&column),
            Err(error) => error == ReferenceError::Several,
        };
        let cells = || record.iter().enumerate();
        let linked = cells().filter(|(column, cell)| may_have_playlist(cell) && has_link(*column, cell));
        let linked: Vec<usize> = linked.map(|(column, _)| column).filter(|column| !is_other(*column)).collect();
        let own = record.get(self.playlist).unwrap_or_default();
        let is_link =
            own.len() > MAX_CELL_BYTES || reference::parse(own).map_or_else(ReferenceError::is_spotify_link, |_| true);
        let main = if is_link { self.playlist } else { linked.first().copied().unwrap_or(self.playlist) };
        let nameless = linked.into_iter().filter(|column| *column != main && !has_name(*column));
        [main].into_iter().chain(nameless).collect()
    }

    fn read_heart(&self, record: &StringRecord, playlist: usize) -> Result<FileHeart, LineError> {
        let cell =
            |column: Option<usize>| check_length(column.and_then(|column| record.get(column)).unwrap_or_default());
        Ok(FileHeart {
            playlist: cell(Some(playlist))?.to_owned(),
            hearted_at: cell(self.hearted_at)?.to_owned(),
            own_title: unescape(cell(self.own_title)?),
            note: unescape(cell(self.note)?),
            tags: unescape(cell(self.tags)?),
            pin: cell(self.pin)?.trim().parse().ok(),
        })
    }
}

/// Counts the bare ids of columns that may have them, and returns these columns: a list of ids alone, and a column that
/// has links or a name that says that it has playlists. Other programs have ids of 22 characters too, so the name `id`
/// says so only in a table without links that has another of our columns.
fn add_ids(columns: &mut [CellCounts], named: &[Option<usize>; 6], has_others: bool) -> Vec<usize> {
    let has_links = columns.iter().any(|counts| counts.exact > 0);
    let [names @ .., id] = named;
    let is_allowed = |column: &usize| {
        columns.len() == 1
            || columns[*column].exact > 0
            || names.contains(&Some(*column))
            || (*id == Some(*column) && has_others && !has_links)
    };
    let allowed: Vec<usize> = (0..columns.len()).filter(is_allowed).collect();
    for column in &allowed {
        let counts = &mut columns[*column];
        counts.exact += counts.ids;
        counts.readable += counts.ids;
        counts.links += counts.ids;
    }
    allowed
}

/// Counts the cells of a column that are bare ids, that are a playlist's link and nothing else, that have one in a
/// text, and that have any Spotify link.
#[derive(Clone, Copy, Default)]
struct CellCounts {
    ids: usize,
    exact: usize,
    readable: usize,
    links: usize,
}

fn count_cells(columns: &mut Vec<CellCounts>, record: &StringRecord) {
    columns.resize(columns.len().max(record.len().min(MAX_COLUMNS)), CellCounts::default());
    for (column, cell) in columns.iter_mut().zip(record).filter(|(_, cell)| may_have_playlist(cell)) {
        if !reference::names_spotify(cell) {
            column.ids += 1;
            continue;
        }
        let reference = reference::parse(cell);
        let is_readable = reference.is_ok();
        column.links += usize::from(reference.map_or_else(ReferenceError::is_spotify_link, |_| true));
        column.readable += usize::from(is_readable);
        column.exact += usize::from(is_readable && reference::is_word(cell));
    }
}

/// True if the cell is an id or names Spotify.
fn may_have_playlist(cell: &str) -> bool {
    cell.len() <= MAX_CELL_BYTES && (PlaylistId::parse(cell.trim()).is_ok() || reference::names_spotify(cell))
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
