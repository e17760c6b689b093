//! Export and import of hearts as files: CSV for people and their spreadsheets, JSON for programs. Importing an
//! export restores it exactly.

mod csv;
mod json;
mod record;

use futures_util::{Stream, stream};
use time::format_description::well_known::Rfc3339;
use time::macros::{format_description, utc_datetime};
use time::{Date, OffsetDateTime, UtcDateTime, UtcOffset};

use self::record::{FileHeart, FileLine};
use super::annotation::{Annotation, NoteError, TagsError};
use super::reference::{self, ReferenceError};
use super::text::is_visible;
use super::{CurrentUser, Result};
use crate::app::App;
use crate::db;
pub use crate::db::import_export::ExportedHeart;
use crate::db::import_export::{ImportResult, NewHeart};
pub use record::ImportError;

/// Number of hearts that an export holds in memory at a time.
const EXPORT_BATCH: i64 = 1000;
/// Spotify was founded in 2006: earlier dates are wrong.
const MIN_DATE: UtcDateTime = utc_datetime!(2006-01-01 0:00);
/// Maximum number of skipped lines in a report.
const MAX_LISTED_ERRORS: usize = 50;
/// Maximum number of a user's hearts after an import. With more, deleting the account would take too long.
const MAX_HEARTS_PER_USER: i64 = 100_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180, in UTF-8 with a byte order mark.
    Csv,
    /// One object, each heart on a line of its own.
    Json,
}

impl Format {
    pub fn header(self, now: OffsetDateTime) -> String {
        match self {
            Format::Csv => csv::header(),
            Format::Json => json::header(now),
        }
    }

    /// Formats some hearts; `is_first` if they are the first of the file.
    pub fn write(self, hearts: &[ExportedHeart], is_first: bool) -> String {
        match self {
            Format::Csv => csv::write(hearts),
            Format::Json => json::write(hearts, is_first),
        }
    }

    pub fn footer(self) -> &'static str {
        match self {
            Format::Csv => "",
            Format::Json => json::FOOTER,
        }
    }
}

/// Streams the user's hearts in batches, newest first. No database connection is held between batches, so that slow
/// downloads do not occupy one.
pub fn export(app: &App, user: &CurrentUser) -> impl Stream<Item = Result<Vec<ExportedHeart>>> + use<> {
    let (pool, user_id) = (app.db.clone(), user.id);
    stream::try_unfold((pool, None::<ExportedHeart>), move |(pool, last)| async move {
        let mut batch = db::import_export::export(&pool, user_id, last.as_ref(), EXPORT_BATCH).await?;
        for heart in &mut batch {
            heart.name = heart.name.take().filter(|name| is_visible(name));
            heart.owner_name = heart.owner_name.take().filter(|name| is_visible(name));
        }
        let last = batch.last().cloned();
        Ok(last.map(|last| (batch, (pool, Some(last)))))
    })
}

/// Error in a line, which is then skipped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    #[error("This is not a heart that Heartlist exported.")]
    NotAHeart,
    #[error("{}", .0.short_message())]
    Reference(ReferenceError),
    #[error("The date cannot be read. Write it as 2026-11-21 or 2026-11-21T14:02:03Z.")]
    InvalidDate,
    #[error("The date is in the future.")]
    FutureDate,
    /// Before [`MIN_DATE`].
    #[error("The date is before 2006, when Spotify began.")]
    EarlyDate,
    #[error("{0}")]
    Note(NoteError),
    #[error("{0}")]
    Tags(TagsError),
}

/// A parsed file that is not stored yet.
pub struct ImportFile {
    format: Format,
    hearts: Vec<NewHeart>,
    /// Line numbers and errors of the first [`MAX_LISTED_ERRORS`] skipped lines.
    errors: Vec<(usize, LineError)>,
    more_errors: usize,
}

pub struct ImportReport {
    /// Errors are numbered by line in CSV, by heart in JSON.
    pub format: Format,
    pub added: usize,
    /// Hearts that already existed and are unchanged.
    pub existing: usize,
    /// The first skipped lines with their numbers in the file.
    pub errors: Vec<(usize, LineError)>,
    /// The number of further skipped lines.
    pub more_errors: usize,
}

/// The import would give the user more than [`MAX_HEARTS_PER_USER`] hearts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("You can import until you have 100,000 hearts. You have {existing}, and this file would add {new}.")]
pub struct TooManyHearts {
    pub existing: i64,
    pub new: i64,
}

/// Parses an exported file or a handmade table.
///
/// # Errors
/// [`ImportError`] if the file as a whole cannot be read.
pub fn parse(bytes: &[u8], now: OffsetDateTime) -> std::result::Result<ImportFile, ImportError> {
    let (format, lines) = read_lines(bytes)?;
    let mut file = ImportFile { format, hearts: Vec::new(), errors: Vec::new(), more_errors: 0 };
    for FileLine { number, heart } in lines {
        match heart.ok_or(LineError::NotAHeart).and_then(|heart| parse_heart(&heart, now)) {
            Ok(heart) => file.hearts.push(heart),
            Err(error) if file.errors.len() < MAX_LISTED_ERRORS => file.errors.push((number, error)),
            Err(_) => file.more_errors += 1,
        }
    }
    Ok(file)
}

fn read_lines(bytes: &[u8]) -> std::result::Result<(Format, Vec<FileLine>), ImportError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ImportError::NotUtf8)?;
    let text = text.trim_start_matches('\u{feff}');
    match text.trim_start().chars().next() {
        None => Err(ImportError::Empty),
        Some('{' | '[') => Ok((Format::Json, json::read(text)?)),
        Some(_) => Ok((Format::Csv, csv::read(text)?)),
    }
}

fn parse_heart(heart: &FileHeart, now: OffsetDateTime) -> std::result::Result<NewHeart, LineError> {
    let playlist = reference::parse(&heart.playlist).map_err(LineError::Reference)?;
    let annotation = Annotation::parse(&heart.note, &heart.tags).map_err(|error| match (error.note, error.tags) {
        (Some(note), _) => LineError::Note(note),
        (None, Some(tags)) => LineError::Tags(tags),
        (None, None) => LineError::NotAHeart,
    })?;
    let hearted_at = parse_date(heart.hearted_at.trim(), now)?;
    Ok(NewHeart { playlist, hearted_at, annotation: annotation.to_row() })
}

/// Parses a date; an empty one means now.
fn parse_date(text: &str, now: OffsetDateTime) -> std::result::Result<OffsetDateTime, LineError> {
    if text.is_empty() {
        return Ok(now);
    }
    let day = || Date::parse(text, format_description!("[year]-[month]-[day]")).map(|day| day.midnight().assume_utc());
    let time = OffsetDateTime::parse(text, &Rfc3339).or_else(|_| day()).map_err(|_| LineError::InvalidDate)?;
    match time.to_offset(UtcOffset::UTC) {
        time if time > now => Err(LineError::FutureDate),
        time if time < MIN_DATE => Err(LineError::EarlyDate),
        time => Ok(time),
    }
}

/// Adds the file's hearts that do not exist yet, in one transaction. Existing hearts are unchanged, so importing a file
/// twice has no further effect.
pub async fn import(
    app: &App,
    user: &CurrentUser,
    file: ImportFile,
) -> Result<std::result::Result<ImportReport, TooManyHearts>> {
    let ImportFile { format, hearts, errors, more_errors } = file;
    Ok(match db::import_export::import(&app.db, user.id, &hearts, MAX_HEARTS_PER_USER).await? {
        ImportResult::Added(added) => {
            let added = added as usize;
            Ok(ImportReport { format, added, existing: hearts.len() - added, errors, more_errors })
        }
        ImportResult::TooMany { existing, new } => Err(TooManyHearts { existing, new }),
    })
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-21 14:00 UTC);

    #[test]
    fn dates_are_instants_or_days_between_2006_and_now() {
        let table = [
            ("", Ok(NOW)),
            ("2026-11-21T14:00:00Z", Ok(NOW)),
            ("2026-11-21T14:00:00.000001Z", Err(LineError::FutureDate)),
            ("2024-05-06T01:02:03.123456+02:00", Ok(datetime!(2024-05-05 23:02:03.123456 UTC))),
            ("2024-05-06", Ok(datetime!(2024-05-06 0:00 UTC))),
            ("2006-01-01", Ok(datetime!(2006-01-01 0:00 UTC))),
            ("2005-12-31", Err(LineError::EarlyDate)),
            ("1998-02-30", Err(LineError::InvalidDate)),
            ("06.05.2024", Err(LineError::InvalidDate)),
        ];
        for (text, expected) in table {
            assert_eq!(parse_date(text, NOW), expected, "{text}");
        }
    }

    #[test]
    fn a_bom_links_and_missing_or_unknown_columns_are_accepted() {
        let text = "\u{feff} Note ,extra,LINK\r\n'=mine,x,https://open.spotify.com/playlist/3cEYpjA9oz9GiPac4AsH4n?si=1\r\n,,\r\nx,y\r\n";
        let file = parse(text.as_bytes(), NOW).unwrap();
        assert_eq!((file.hearts.len(), file.hearts[0].annotation.note.as_deref()), (1, Some("=mine")));
        let errors = vec![(4, LineError::Reference(ReferenceError::Empty))];
        assert_eq!((file.hearts[0].hearted_at, file.errors), (NOW, errors));
        assert_eq!(parse(b"name,owner\na,b", NOW).err(), Some(ImportError::NoPlaylists));
        assert_eq!(parse(b"\xff\xfe", NOW).err(), Some(ImportError::NotUtf8));
        assert_eq!(parse("\u{feff} \n".as_bytes(), NOW).err(), Some(ImportError::Empty));
    }
}
