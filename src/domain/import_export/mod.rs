//! Export and import of hearts as files: CSV for people and their spreadsheets, JSON for programs. Importing an
//! export restores it exactly.

mod csv;
mod json;
mod record;
mod table;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use encoding_rs::Encoding;
use futures_util::{Stream, stream};
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::{format_description, utc_datetime};
use time::{Date, Duration, OffsetDateTime, PrimitiveDateTime, UtcDateTime, UtcOffset};

use self::record::{FileHeart, FileLine};
use super::annotation::{Annotation, MAX_MERGED_TAGS};
use super::hearts::MAX_HEARTS_PER_USER;
use super::reference;
use super::text::is_visible;
use super::{CurrentUser, Result, run_heart_change};
use crate::app::App;
use crate::count::count;
use crate::db;
use crate::db::heart_changes::{Change, ChangeKind};
pub use crate::db::import_export::ExportedHeart;
use crate::db::import_export::{ImportResult, NewHeart};
use crate::db::pins::MAX_PINS;
use crate::ids::PlaylistId;
pub use record::{ImportError, IsCancelled, LineError};

/// Number of hearts that an export holds in memory at a time.
const EXPORT_BATCH: i64 = 1000;
/// Number of hearts that an import stores at a time: with fifty tags each, and these folded, they take 10 MB.
const IMPORT_BATCH: usize = 1000;
/// Spotify was founded in 2006: earlier dates are wrong.
const MIN_DATE: UtcDateTime = utc_datetime!(2006-01-01 0:00);
/// Time zones are up to 14 hours ahead of UTC.
const MAX_UTC_OFFSET: Duration = Duration::hours(14);
const MAX_LISTED_ERRORS: usize = 50;
/// Number of hearts that an import tries to pin, with a statement or two each.
const MAX_TRIED_PINS: usize = 4 * MAX_PINS;

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
        batch.iter_mut().for_each(hide_invisible_names);
        let last = batch.last().cloned();
        Ok(last.map(|last| (batch, (pool, Some(last)))))
    })
}

/// Returns those of the playlists that the user has hearted, newest first.
pub async fn export_selected(app: &App, user: &CurrentUser, ids: &[PlaylistId]) -> Result<Vec<ExportedHeart>> {
    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
    let mut hearts = db::import_export::export_selected(&app.db, user.id, &ids).await?;
    hearts.iter_mut().for_each(hide_invisible_names);
    Ok(hearts)
}

fn hide_invisible_names(heart: &mut ExportedHeart) {
    heart.name = heart.name.take().filter(|name| is_visible(name));
    heart.owner_name = heart.owner_name.take().filter(|name| is_visible(name));
}

/// A heart of a file. Without the folded texts, which would double its size.
struct ImportedHeart {
    playlist: PlaylistId,
    hearted_at: OffsetDateTime,
    annotation: Annotation,
    pin: Option<i16>,
}

impl ImportedHeart {
    fn to_row(&self) -> NewHeart {
        let Self { playlist, hearted_at, annotation, pin: _ } = self;
        NewHeart { playlist: playlist.clone(), hearted_at: *hearted_at, annotation: annotation.to_row() }
    }
}

/// A parsed file that is not stored yet.
pub struct ImportFile {
    format: Format,
    hearts: Vec<ImportedHeart>,
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
    /// Added hearts that are pinned in the file but were not pinned, because the user has pinned others.
    pub left_unpinned: usize,
    /// The first skipped lines with their numbers in the file.
    pub errors: Vec<(usize, LineError)>,
    /// The number of further skipped lines.
    pub more_errors: usize,
}

/// The import would give the user more than [`MAX_HEARTS_PER_USER`] hearts, or twice as many with removed ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooManyHearts {
    #[error(
        "You can import until you have {} hearts. You have {}, and this file would add {}.",
        count(MAX_HEARTS_PER_USER), count(*.existing), count(*.new)
    )]
    Hearts { existing: i64, new: i64 },
    #[error(
        "{} hearts are under Recently removed, which leaves no room for those of this file. Delete them for good, or wait.",
        count(*.0)
    )]
    Removed(i64),
}

/// Parses an exported file, a table of another program, or a list of links.
///
/// # Errors
/// [`ImportError`] if the file as a whole cannot be read.
pub fn parse(bytes: &[u8], now: OffsetDateTime, is_cancelled: IsCancelled<'_>) -> Result<ImportFile, ImportError> {
    let file = parse_text(&decode(bytes)?, now, is_cancelled);
    if is_cancelled() { Err(ImportError::Cancelled) } else { file }
}

fn parse_text(text: &str, now: OffsetDateTime, is_cancelled: IsCancelled<'_>) -> Result<ImportFile, ImportError> {
    let mut file = ImportFile { format: Format::Json, hearts: Vec::new(), errors: Vec::new(), more_errors: 0 };
    let mut add = |FileLine { number, heart }: FileLine| match heart.and_then(|heart| parse_heart(&heart, now)) {
        Ok(heart) => file.hearts.push(heart),
        Err(error) if file.errors.len() < MAX_LISTED_ERRORS => file.errors.push((number, error)),
        Err(_) => file.more_errors += 1,
    };
    match text.trim_start().chars().next() {
        None => return Err(ImportError::Empty),
        Some('{') => json::read(text, is_cancelled, &mut add)?,
        // A list of links in Markdown begins with a bracket too.
        Some(first) => match (first == '[').then(|| json::read_array(text, is_cancelled, &mut add)).flatten() {
            Some(result) => result?,
            None => {
                table::read(text, is_cancelled, &mut add)?;
                file.format = Format::Csv;
            }
        },
    }
    Ok(file)
}

/// Decodes UTF-8, and UTF-16 with a byte order mark, as spreadsheets save "Unicode text". Other encodings cannot be
/// distinguished. UTF-16 without a byte order mark has a NUL in most characters.
fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, ImportError> {
    let (encoding, mark_length) = Encoding::for_bom(bytes).unwrap_or((encoding_rs::UTF_8, 0));
    let text = encoding.decode_without_bom_handling_and_without_replacement(&bytes[mark_length..]);
    text.filter(|text| !text.contains('\0')).ok_or(ImportError::NotUtf8)
}

fn parse_heart(heart: &FileHeart, now: OffsetDateTime) -> Result<ImportedHeart, LineError> {
    let playlist = reference::parse(&heart.playlist).map_err(LineError::Reference)?;
    let annotation = Annotation::parse_up_to(MAX_MERGED_TAGS, &heart.own_title, &heart.note, &heart.tags);
    let annotation = annotation.map_err(|error| match (error.title.or(error.note), error.tags) {
        (Some(text), _) => LineError::Text(text),
        (None, Some(tags)) => LineError::Tags(tags),
        (None, None) => LineError::NotAHeart,
    })?;
    let hearted_at = parse_date(heart.hearted_at.trim(), now)?;
    let pin = heart.pin.filter(|pin| (1..=MAX_PINS as i16).contains(pin));
    Ok(ImportedHeart { playlist, hearted_at, annotation, pin })
}

/// A time with an offset that RFC 3339 does not allow: without a colon, or after a space.
const WITH_OFFSET: &[BorrowedFormatItem<'_>] = format_description!(
    "[year]-[month]-[day][first [T][ ]][hour]:[minute][optional [:[second][optional [.[subsecond]]]]][optional [ ]][offset_hour sign:mandatory][optional [:]][offset_minute]"
);

/// Parses a date; an empty one means now. One without a time zone may be ahead of UTC, and then means now too.
fn parse_date(text: &str, now: OffsetDateTime) -> Result<OffsetDateTime, LineError> {
    if text.is_empty() {
        return Ok(now);
    }
    let with_offset = OffsetDateTime::parse(text, &Rfc3339).or_else(|_| OffsetDateTime::parse(text, WITH_OFFSET));
    let (time, latest) = match with_offset {
        Ok(time) => (time, now),
        Err(_) => (parse_local_time(text).ok_or(LineError::InvalidDate)?.assume_utc(), now + MAX_UTC_OFFSET),
    };
    match time {
        time if time > latest => Err(LineError::FutureDate),
        time if time < MIN_DATE => Err(LineError::EarlyDate),
        // Between the limits, no offset leads beyond the calendar.
        time => Ok(time.min(now).to_offset(UtcOffset::UTC)),
    }
}

fn parse_local_time(text: &str) -> Option<PrimitiveDateTime> {
    const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
    const MINUTE: &[BorrowedFormatItem<'_>] = format_description!(
        "[year]-[month]-[day][first [T][ ]][hour]:[minute][optional [:[second][optional [.[subsecond]]]]]"
    );
    let day = || Date::parse(text, DAY).ok().map(Date::midnight);
    PrimitiveDateTime::parse(text, MINUTE).ok().or_else(day)
}

/// Adds the file's hearts that do not exist yet, in one transaction. Existing hearts are unchanged, so importing a file
/// twice has no further effect.
pub async fn import(
    app: &App,
    user: &CurrentUser,
    file: ImportFile,
    now: OffsetDateTime,
) -> Result<Result<ImportReport, TooManyHearts>> {
    let ImportFile { format, hearts, errors, more_errors } = file;
    let ids: Vec<_> = hearts.iter().map(|heart| heart.playlist.as_str()).collect();
    let batches = hearts.chunks(IMPORT_BATCH).map(|batch| batch.iter().map(ImportedHeart::to_row).collect());
    let (change, pinned) = (Change::new(user.id, ChangeKind::Import, now), find_pinned(&hearts));
    let imported = db::import_export::import(&app.db, change, (&ids, &pinned), batches, MAX_HEARTS_PER_USER);
    let imported = run_heart_change(&app.heart_changes, user.id, imported).await?;
    app.tag_suggestions.remove(&user.id);
    Ok(match imported {
        ImportResult::Added { hearts: added, left_unpinned } => {
            let added = added as usize;
            Ok(ImportReport { format, added, existing: hearts.len() - added, left_unpinned, errors, more_errors })
        }
        ImportResult::TooMany { existing, new } => Err(TooManyHearts::Hearts { existing, new }),
        ImportResult::TooManyRemoved(removed) => Err(TooManyHearts::Removed(removed)),
    })
}

/// Returns the pinned hearts of a file in the order of their pins. A file may have more than a user can have.
fn find_pinned(hearts: &[ImportedHeart]) -> Vec<PlaylistId> {
    let pinned = hearts.iter().filter_map(|heart| Some((heart.pin?, &heart.playlist)));
    let mut pinned: Vec<_> = pinned.take(MAX_TRIED_PINS).collect();
    pinned.sort_by_key(|(pin, _)| *pin);
    pinned.into_iter().map(|(_, playlist)| playlist.clone()).collect()
}
