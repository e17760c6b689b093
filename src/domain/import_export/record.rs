//! A heart in a file, and the errors of a heart and of a whole file.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::domain::annotation::{MAX_FIELD_BYTES, TagsError, TextError};
use crate::domain::reference::ReferenceError;

/// Maximum number of hearts in a file; they are held in memory until they are stored. The import page states it too.
pub(super) const MAX_HEARTS: usize = 50_000;
/// Maximum number of separators in a file, all of which may be in one line: a cell takes eight bytes of memory, an
/// entry of JSON sixteen. A file of [`MAX_HEARTS`] hearts may have more; the file-size limit is usually reached first.
pub(super) const MAX_CELLS: usize = 400_000;
/// Maximum length of a cell that is parsed.
pub(super) const MAX_CELL_BYTES: usize = MAX_FIELD_BYTES;

/// Returns true once the request was dropped.
pub type IsCancelled<'a> = &'a (dyn Fn() -> bool + 'a);

/// A heart in a file, not yet validated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FileHeart {
    /// An id or a link.
    pub(super) playlist: String,
    /// Empty if the file has no date.
    pub(super) hearted_at: String,
    pub(super) own_title: String,
    pub(super) note: String,
    /// Comma-separated.
    pub(super) tags: String,
    /// Its place among the pinned hearts. Anything but a number counts as none.
    pub(super) pin: Option<i16>,
}

pub(super) struct FileLine {
    /// The line number in CSV, the heart's number in JSON; counted from 1.
    pub(super) number: usize,
    pub(super) heart: Result<FileHeart, LineError>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    #[error("This is not a heart that Heartlist exported.")]
    NotAHeart,
    /// More than [`MAX_CELL_BYTES`].
    #[error("This is too long. Perhaps a quotation mark is missing.")]
    TooLong,
    #[error("{}", .0.short_message())]
    Reference(ReferenceError),
    #[error("The date cannot be read. Write it as 2026-11-21 or 2026-11-21T14:02:03Z.")]
    InvalidDate,
    #[error("The date is in the future.")]
    FutureDate,
    #[error("The date is before 2006, when Spotify began.")]
    EarlyDate,
    #[error("{0}")]
    Text(TextError),
    #[error("{0}")]
    Tags(TagsError),
}

/// Returns a cell that is short enough to be parsed.
pub(super) fn check_length(cell: &str) -> Result<&str, LineError> {
    if cell.len() > MAX_CELL_BYTES { Err(LineError::TooLong) } else { Ok(cell) }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    #[error("No file was chosen, or the file is empty.")]
    Empty,
    #[error("This file is not UTF-8 text. In a spreadsheet, save it as CSV UTF-8.")]
    NotUtf8,
    #[error("This is neither a table with a column of playlist links or ids, nor a JSON file with hearts.")]
    NoPlaylists,
    /// The request was dropped, so nobody sees this.
    #[error("The import was cancelled.")]
    Cancelled,
    /// More than [`MAX_HEARTS`].
    #[error("This file has more than 50,000 hearts. Split it into parts.")]
    TooMany,
    /// More than [`MAX_CELLS`].
    #[error("This table has more than 400,000 cells. Split it into parts, or leave out the other columns.")]
    TooManyCells,
    #[error("This JSON file cannot be read: it ends early or is damaged at line {line}, column {column}.")]
    BrokenJson { line: usize, column: usize },
    /// JSON without hearts.
    #[error("This JSON file is not one that Heartlist exported.")]
    NoHearts,
    #[error("This file is version {0}, and Heartlist reads version 1. Export it as CSV instead.")]
    NewerVersion(u64),
}

/// Formats a time in UTC with all its digits, so that an import restores it exactly.
pub(super) fn format_time(time: OffsetDateTime) -> String {
    time.to_offset(time::UtcOffset::UTC).format(&Rfc3339).expect("RFC 3339 represents years up to 9999")
}

pub(super) fn join_tags(tags: &[String]) -> String {
    tags.join(", ")
}
