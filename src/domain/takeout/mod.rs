//! Hearts in a file: a table (CSV) for people and their spreadsheets, JSON for programs. Either comes back
//! through [`super::import`] as it left.

mod json_file;
mod table_file;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub use crate::db::import_export::ExportedHeart;

/// How many hearts one file may bring: what is read of it lies in memory until it is kept.
/// The page that takes a file names the number too.
pub(super) const MOST: usize = 50_000;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values after RFC 4180, in UTF-8 with a byte order mark.
    Table,
    /// One object, each heart on a line of its own.
    Json,
}

impl Format {
    /// What stands before the first heart.
    pub fn head(self, now: OffsetDateTime) -> String {
        match self {
            Format::Table => table_file::head(),
            Format::Json => json_file::head(now),
        }
    }

    /// The lines for `hearts`; `first`: nothing stands before them.
    pub fn lines(self, hearts: &[ExportedHeart], first: bool) -> String {
        match self {
            Format::Table => table_file::lines(hearts),
            Format::Json => json_file::lines(hearts, first),
        }
    }

    /// What stands behind the last heart.
    pub fn tail(self) -> &'static str {
        match self {
            Format::Table => "",
            Format::Json => json_file::TAIL,
        }
    }
}

/// A heart as it stands in a file, not yet checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Raw {
    /// An id or a link.
    pub(super) playlist: String,
    /// Empty: not said.
    pub(super) hearted_at: String,
    pub(super) note: String,
    /// With commas between them.
    pub(super) tags: String,
}

/// A line of a file.
pub(super) struct Line {
    /// In a table the line, in JSON the heart, counted from 1.
    pub(super) number: usize,
    /// None: there is no telling what it means.
    pub(super) heart: Option<Raw>,
}

/// Why a file as a whole cannot be read, as a sentence for who sent it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// No file was chosen, or nothing is in it.
    #[error("No file was chosen, or the file is empty.")]
    Empty,
    /// Not text, or text of another encoding.
    #[error("This file is not UTF-8 text. In a spreadsheet, save it as CSV UTF-8.")]
    NotUtf8,
    /// A table without the one column that is needed.
    #[error(
        "This is neither a table whose first line names a column playlist_id or link, nor a JSON file with hearts."
    )]
    NoPlaylists,
    /// More than [`MOST`].
    #[error("This file has more than 50,000 hearts. Split it into parts.")]
    TooMany,
    /// A table of very many cells, most of them empty.
    #[error("This table has more than a million cells. Split it into parts, or leave out the other columns.")]
    TooManyCells,
    /// JSON that ends early or is none, and where.
    #[error("This JSON file cannot be read: it ends early or is damaged at line {line}, column {column}.")]
    BrokenJson {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// JSON that does not hold hearts.
    #[error("This JSON file is not one that Heartlist exported.")]
    NoHearts,
    /// JSON of a later version.
    #[error("This file is version {0}, and this server reads version 1. Export it as CSV instead.")]
    Later(u64),
}

/// Reads what either [`Format`] writes, and what people make of it in a spreadsheet.
pub(super) fn read(bytes: &[u8]) -> Result<(Format, Vec<Line>), Unreadable> {
    let text = std::str::from_utf8(bytes).map_err(|_| Unreadable::NotUtf8)?;
    let text = text.trim_start_matches('\u{feff}');
    match text.trim_start().chars().next() {
        None => Err(Unreadable::Empty),
        Some('{' | '[') => Ok((Format::Json, json_file::read(text)?)),
        Some(_) => Ok((Format::Table, table_file::read(text)?)),
    }
}

fn link(playlist_id: &str) -> String {
    format!("https://open.spotify.com/playlist/{playlist_id}")
}

/// In UTC and whole, so that it is the same instant when it comes back.
fn instant(time: OffsetDateTime) -> String {
    time.to_offset(time::UtcOffset::UTC).format(&Rfc3339).expect("a time of our era has this form")
}

/// As the form takes them: with commas between them.
fn listed(tags: &[String]) -> String {
    tags.join(", ")
}
