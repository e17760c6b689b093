//! Hearts on their way in, from a file.

use time::format_description::well_known::Rfc3339;
use time::macros::{format_description, utc_datetime};
use time::{Date, OffsetDateTime, UtcDateTime, UtcOffset};

use super::reference::{self, NotAPlaylist};
use super::takeout::{self, Line, Raw};
pub use super::takeout::{Format, Unreadable};
use super::words::{BadNote, BadTags, Words};
use super::{Caller, Result};
use crate::app::App;
use crate::db;
use crate::db::import_export::{Added, New};

/// When Spotify was founded: no playlist was hearted before.
const BEGINNING: UtcDateTime = utc_datetime!(2006-01-01 0:00);
/// How many refusals are told one by one.
const TOLD: usize = 50;
/// How many hearts of one person imports may make: so many still leave at once when the person does.
const MOST_KEPT: i64 = 100_000;

/// Why a line is not imported, as a sentence for who sent it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no telling what it means.
    #[error("This is not a heart that Heartlist exported.")]
    Unclear,
    /// What stands there is no playlist.
    #[error("{}", .0.brief())]
    NotAPlaylist(NotAPlaylist),
    /// Not a date as we read it.
    #[error("The date cannot be read. Write it as 2026-11-21 or 2026-11-21T14:02:03Z.")]
    NotADate,
    /// Not yet.
    #[error("The date is in the future.")]
    Future,
    /// Before [`BEGINNING`].
    #[error("The date is before 2006, when Spotify began.")]
    TooEarly,
    /// The note cannot be kept.
    #[error("{0}")]
    Note(BadNote),
    /// The tags cannot be kept.
    #[error("{0}")]
    Tags(BadTags),
}

/// A file that was read; nothing of it is kept yet.
pub struct File {
    format: Format,
    good: Vec<New>,
    /// Only the first [`TOLD`] of them.
    refused: Vec<(usize, Refusal)>,
    more_refused: usize,
}

/// What became of a file.
pub struct Report {
    /// What it was: a table's refusals have lines, those of JSON count the hearts.
    pub format: Format,
    /// How many hearts are new.
    pub added: usize,
    /// How many were there already; they stay as they are.
    pub before: usize,
    /// The first of those that are not imported, by their number in the file.
    pub refused: Vec<(usize, Refusal)>,
    /// How many more of those there are.
    pub more_refused: usize,
}

/// Why a file is not kept, though it can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("You can import until you have 100,000 hearts. You have {there}, and this file would add {new}.")]
pub struct Full {
    /// How many hearts the person has.
    pub there: i64,
    /// How many of the file are not among them.
    pub new: i64,
}

/// Reads a file that was exported here, or a table that somebody made.
///
/// # Errors
/// [`Unreadable`] when the file as a whole cannot be understood.
pub fn read(bytes: &[u8], now: OffsetDateTime) -> std::result::Result<File, Unreadable> {
    let (format, lines) = takeout::read(bytes)?;
    let mut file = File { format, good: Vec::new(), refused: Vec::new(), more_refused: 0 };
    for Line { number, heart } in lines {
        match heart.ok_or(Refusal::Unclear).and_then(|raw| heart_of(&raw, now)) {
            Ok(heart) => file.good.push(heart),
            Err(refusal) if file.refused.len() < TOLD => file.refused.push((number, refusal)),
            Err(_) => file.more_refused += 1,
        }
    }
    Ok(file)
}

fn heart_of(raw: &Raw, now: OffsetDateTime) -> std::result::Result<New, Refusal> {
    let playlist = reference::playlist(&raw.playlist).map_err(Refusal::NotAPlaylist)?;
    let words = Words::parse(&raw.note, &raw.tags).map_err(|bad| match (bad.note, bad.tags) {
        (Some(note), _) => Refusal::Note(note),
        (None, Some(tags)) => Refusal::Tags(tags),
        (None, None) => Refusal::Unclear,
    })?;
    let hearted_at = date(raw.hearted_at.trim(), now)?;
    Ok(New { playlist, hearted_at, annotation: words.row() })
}

/// A date that is not said is today's.
fn date(text: &str, now: OffsetDateTime) -> std::result::Result<OffsetDateTime, Refusal> {
    if text.is_empty() {
        return Ok(now);
    }
    let day = || Date::parse(text, format_description!("[year]-[month]-[day]")).map(|day| day.midnight().assume_utc());
    let time = OffsetDateTime::parse(text, &Rfc3339).or_else(|_| day()).map_err(|_| Refusal::NotADate)?;
    match time.to_offset(UtcOffset::UTC) {
        time if time > now => Err(Refusal::Future),
        time if time < BEGINNING => Err(Refusal::TooEarly),
        time => Ok(time),
    }
}

/// Keeps the hearts of a file that are not there yet. What is there stays exactly as it is, so that the same
/// file twice changes nothing. [`Full`], and nothing is kept: there would be too many.
///
/// # Errors
/// When the database fails; then nothing of the file is kept.
pub async fn keep(app: &App, caller: &Caller, file: File) -> Result<std::result::Result<Report, Full>> {
    let File { format, good, refused, more_refused } = file;
    Ok(match db::import_export::import(&app.db, caller.person.id, &good, MOST_KEPT).await? {
        Added::These(added) => {
            let added = added as usize;
            Ok(Report { format, added, before: good.len() - added, refused, more_refused })
        }
        Added::TooMany { there, new } => Err(Full { there, new }),
    })
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-21 14:00 UTC);

    #[test]
    fn dates_are_instants_or_days_between_spotifys_beginning_and_now() {
        let table = [
            ("", Ok(NOW)),
            ("2026-11-21T14:00:00Z", Ok(NOW)),
            ("2026-11-21T14:00:00.000001Z", Err(Refusal::Future)),
            ("2024-05-06T01:02:03.123456+02:00", Ok(datetime!(2024-05-05 23:02:03.123456 UTC))),
            ("2024-05-06", Ok(datetime!(2024-05-06 0:00 UTC))),
            ("2006-01-01", Ok(datetime!(2006-01-01 0:00 UTC))),
            ("2005-12-31", Err(Refusal::TooEarly)),
            ("1998-02-30", Err(Refusal::NotADate)),
            ("06.05.2024", Err(Refusal::NotADate)),
        ];
        for (text, expected) in table {
            assert_eq!(date(text, NOW), expected, "{text}");
        }
    }

    #[test]
    fn a_bom_other_columns_links_and_missing_ones_are_fine() {
        let text = "\u{feff} Note ,extra,LINK\r\n'=mine,x,https://open.spotify.com/playlist/3cEYpjA9oz9GiPac4AsH4n?si=1\r\n,,\r\nx,y\r\n";
        let file = read(text.as_bytes(), NOW).unwrap();
        assert_eq!((file.good.len(), file.good[0].annotation.note.as_deref()), (1, Some("=mine")));
        assert_eq!(
            (file.good[0].hearted_at, file.refused),
            (NOW, vec![(4, Refusal::NotAPlaylist(NotAPlaylist::Empty))])
        );
        assert_eq!(read(b"name,owner\na,b", NOW).err(), Some(Unreadable::NoPlaylists));
        assert_eq!(read(b"\xff\xfe", NOW).err(), Some(Unreadable::NotUtf8));
        assert_eq!(read("\u{feff} \n".as_bytes(), NOW).err(), Some(Unreadable::Empty));
    }
}
