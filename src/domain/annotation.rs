//! A heart's private title, note and tags. The `Debug` output of [`Annotation`] omits them, so that they cannot reach
//! the log.

use std::collections::HashSet;
use std::fmt;

use time::OffsetDateTime;

use super::text::{fold, is_quote, is_visible};
use super::{CurrentUser, Result, run_heart_change};
use crate::app::App;
use crate::db;
use crate::db::heart_changes::{self, Change, ChangeKind};
pub use crate::db::hearts::OldAnnotation;
use crate::ids::{PlaylistId, Provider};

/// Spotify's limit on names of playlists.
pub const MAX_TITLE_CHARS: usize = 100;
pub const MAX_NOTE_CHARS: usize = 280;
pub const MAX_TAG_CHARS: usize = 30;
/// Maximum number of tags that a heart is given. A merge keeps those of both accounts, which can be more.
pub const MAX_TAGS: usize = 10;
/// Maximum number of tags that an import restores: those of a merged account for each provider.
pub const MAX_MERGED_TAGS: usize = Provider::ALL.len() * MAX_TAGS;
/// Maximum length of a note, or of all tags, that is parsed: 280 characters take up to 1,120 bytes, fifty tags up to
/// 6,098.
pub(super) const MAX_FIELD_BYTES: usize = 8192;
/// Characters that separate tags: the comma, its forms in other scripts, and the ideographic one.
pub const TAG_SEPARATORS: &str = ",，﹐︐、﹑､︑،፣";
/// Stripped from the start of a tag, because some people write `#rain`.
const TAG_PREFIXES: [char; 4] = ['#', '＃', '﹟', ' '];

/// A valid title, note and tags.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Annotation {
    own_title: Option<String>,
    note: Option<String>,
    /// Separated by commas. An import holds many: as a list, fifty short ones would take 2 KB.
    tags: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    #[error("A {noun} can have up to {max} characters; this one has {count}.")]
    TooLong { noun: &'static str, max: usize, count: usize },
    #[error("A {noun} is a single line of text, without line breaks or control characters.")]
    NotOneLine { noun: &'static str },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagsError {
    /// The maximum.
    #[error("A heart can have up to {0} tags, and these are more.")]
    TooMany(usize),
    /// More than [`MAX_FIELD_BYTES`].
    #[error("This is too much: a heart can have up to {MAX_TAGS} tags of {MAX_TAG_CHARS} characters.")]
    TooLongTogether,
    /// The position of a tag, from 1, and its length.
    #[error("A tag can have up to {MAX_TAG_CHARS} characters; tag {0} has {1}. Separate tags with commas.")]
    TooLong(usize, usize),
    /// Quotation marks are rejected because a search needs them around a tag of two words.
    #[error("A tag is plain text, without quotation marks, line breaks or control characters.")]
    NotPlain,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnnotationError {
    pub title: Option<TextError>,
    pub note: Option<TextError>,
    pub tags: Option<TagsError>,
}

impl Annotation {
    /// Parses a title, a note and up to [`MAX_TAGS`] tags separated by commas. Tags stay as typed but lose a leading
    /// `#`; tags that a search cannot tell apart are one.
    pub fn parse(own_title: &str, note: &str, tags: &str) -> Result<Self, AnnotationError> {
        Self::parse_up_to(MAX_TAGS, own_title, note, tags)
    }

    /// Parses like [`Self::parse`], but up to `max_tags` tags.
    pub fn parse_up_to(max_tags: usize, own_title: &str, note: &str, tags: &str) -> Result<Self, AnnotationError> {
        let own_title = parse_line("title", own_title, MAX_TITLE_CHARS);
        let note = parse_line("note", note, MAX_NOTE_CHARS);
        match (own_title, note, parse_tags_up_to(max_tags, tags)) {
            (Ok(own_title), Ok(note), Ok(tags)) => Ok(Self { own_title, note, tags: tags.join(",") }),
            (title, note, tags) => Err(AnnotationError { title: title.err(), note: note.err(), tags: tags.err() }),
        }
    }

    pub fn own_title(&self) -> Option<&str> {
        self.own_title.as_deref()
    }

    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    pub fn tags(&self) -> Vec<String> {
        self.tags.split(',').filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
    }

    pub(super) fn to_row(&self) -> db::hearts::AnnotationRow {
        let (Self { own_title, note, tags: _ }, tags) = (self.clone(), self.tags());
        let own_title_folded = own_title.as_deref().map(fold);
        let note_folded = note.as_deref().map(fold);
        let tags_folded = tags.iter().map(|tag| fold_tag(tag)).collect();
        db::hearts::AnnotationRow { own_title, note, tags, own_title_folded, note_folded, tags_folded }
    }
}

impl fmt::Debug for Annotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Annotation(..)")
    }
}

/// Returns the form of a tag that is stored for the search, and that the search looks for.
pub fn fold_tag(tag: &str) -> String {
    fold(tag).trim_start_matches(TAG_PREFIXES).to_owned()
}

/// Splits a text into tags, without empty, invisible and repeated ones.
pub(super) fn split_tags(text: &str) -> impl Iterator<Item = String> {
    let mut seen = HashSet::new();
    text.split(|c| TAG_SEPARATORS.contains(c)).filter_map(move |part| {
        let tag = part.split_whitespace().collect::<Vec<_>>().join(" ");
        let tag = tag.trim_start_matches(|c| TAG_PREFIXES.contains(&c) || !is_visible(c.encode_utf8(&mut [0; 4])));
        let folded = fold_tag(tag);
        let is_new = !folded.is_empty() && is_visible(tag) && seen.insert(folded);
        is_new.then(|| tag.to_owned())
    })
}

/// Parses a line of text; `None` if it shows nothing.
fn parse_line(noun: &'static str, text: &str, max: usize) -> Result<Option<String>, TextError> {
    let text = text.trim();
    match text.chars().count() {
        count if text.len() > MAX_FIELD_BYTES => Err(TextError::TooLong { noun, max, count }),
        _ if text.chars().any(is_unprintable) => Err(TextError::NotOneLine { noun }),
        _ if !is_visible(text) => Ok(None),
        count if count > max => Err(TextError::TooLong { noun, max, count }),
        _ => Ok(Some(text.to_owned())),
    }
}

/// Parses up to [`MAX_TAGS`] tags separated by commas.
pub fn parse_tags(text: &str) -> Result<Vec<String>, TagsError> {
    parse_tags_up_to(MAX_TAGS, text)
}

fn parse_tags_up_to(max: usize, text: &str) -> Result<Vec<String>, TagsError> {
    let text = text.trim();
    if text.len() > MAX_FIELD_BYTES {
        return Err(TagsError::TooLongTogether);
    }
    if text.chars().any(|c| is_unprintable(c) || is_quote(c)) {
        return Err(TagsError::NotPlain);
    }
    let tags = first_tags(max, split_tags(text))?;
    let lengths = tags.iter().map(|tag| tag.chars().count());
    match lengths.zip(1..).find(|(length, _)| *length > MAX_TAG_CHARS) {
        Some((length, position)) => Err(TagsError::TooLong(position, length)),
        None => Ok(tags),
    }
}

fn first_tags(max: usize, mut tags: impl Iterator<Item = String>) -> Result<Vec<String>, TagsError> {
    let first: Vec<_> = tags.by_ref().take(max).collect();
    if tags.next().is_none() { Ok(first) } else { Err(TagsError::TooMany(max)) }
}

/// True for control characters and for the two separators that break lines.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaveResult {
    Saved,
    /// Id of the change, which can be undone.
    NoteCleared(i64),
    /// Nothing was saved: the heart was removed, or is not as `old` any more.
    Outdated,
}

/// Replaces the title, note and tags of the user's heart, which were `old`.
pub async fn save(
    app: &App,
    user: &CurrentUser,
    (playlist, old): (&PlaylistId, OldAnnotation<'_>),
    annotation: &Annotation,
    now: OffsetDateTime,
) -> Result<SaveResult> {
    let (change, row) = (Change::new(user.id, ChangeKind::Edit, now), annotation.to_row());
    let clears_note = annotation.note.is_none() && old.note.is_some();
    let is_saved = match clears_note {
        true => {
            let annotated = heart_changes::annotate(&app.db, change, playlist, old, &row);
            run_heart_change(&app.heart_changes, user.id, annotated).await?
        }
        false => {
            let annotated = db::hearts::annotate(&app.db, user.id, playlist, old, &row);
            run_heart_change(&app.single_changes, user.id, annotated).await?
        }
    };
    app.tag_suggestions.remove(&user.id);
    Ok(match (is_saved, clears_note) {
        (false, _) => SaveResult::Outdated,
        (true, true) => SaveResult::NoteCleared(change.id()),
        (true, false) => SaveResult::Saved,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::search::SearchQuery;

    fn parse_both(note: &str, tags: &str) -> (Option<String>, Vec<String>) {
        let annotation = Annotation::parse("", note, tags).unwrap();
        (annotation.note.clone(), annotation.tags())
    }

    #[test]
    fn text_is_trimmed_and_a_repeated_tag_is_dropped() {
        let (note, tags) = parse_both("  For the long drive  ", " Rain,, rain ,  Late   Night,ÉTÉ, ");
        assert_eq!(note.as_deref(), Some("For the long drive"));
        assert_eq!(tags, ["Rain", "Late Night", "ÉTÉ"]);
        assert_eq!(parse_both(" ", " , "), (None, vec![]));
        assert_eq!(parse_both("", "#loud, # Loud,#,C#,\u{301}").1, ["loud", "C#"]);
    }

    #[test]
    fn tags_are_separated_by_the_commas_of_every_script() {
        for text in ["雨，夜", "雨、夜", "雨﹐夜", "雨､夜", "雨 , 夜", "雨،夜"] {
            assert_eq!(parse_both("", text).1, ["雨", "夜"], "{text}");
        }
        assert_eq!(parse_both("", "rock; pop/jazz").1, ["rock; pop/jazz"], "nothing else separates");
        assert_eq!(parse_both("", "🄂, x").1, ["🄂", "x"], "it folds to 1 and a comma");
    }

    #[test]
    fn tags_that_search_cannot_tell_apart_are_one() {
        for (text, tags) in [
            ("Été, ete, ÉTÉ", vec!["Été"]),
            ("＃rain, #rain, \u{200f}#rain, rain", vec!["rain"]),
            ("ﾊﾊ, ハハ, パパ", vec!["ﾊﾊ", "パパ"]),
            ("\u{3164}, \u{2800}, \u{200b}#, \u{ad}, x", vec!["x"]),
        ] {
            assert_eq!(parse_both("", text).1, tags, "{text}");
        }
        assert_eq!(parse_both("\u{2800}\u{200f}", "").0, None, "an invisible note is none");
    }

    #[test]
    fn text_over_the_limits_is_rejected() {
        let parse_error = |note: &str, tags: &str| Annotation::parse(note, note, tags).map(|_| ()).unwrap_err();
        assert!(
            Annotation::parse(&"é".repeat(100), &"é".repeat(280), &["x".repeat(30), "ü".repeat(30)].join(",")).is_ok()
        );
        let error = parse_error(&"é".repeat(281), &"x".repeat(31));
        assert_eq!(error.tags, Some(TagsError::TooLong(1, 31)));
        assert_eq!(error.title, Some(TextError::TooLong { noun: "title", max: 100, count: 281 }));
        assert_eq!(error.note, Some(TextError::TooLong { noun: "note", max: 280, count: 281 }));
        assert_eq!(parse_error("", "a,b,c,d,e,f,g,h,i,j,k").tags, Some(TagsError::TooMany(MAX_TAGS)));
        for bad in ["a\nb", "a\u{0}b", "a\u{2028}b", "a\tb"] {
            let error = parse_error(bad, bad);
            assert_eq!(error.tags, Some(TagsError::NotPlain), "{bad:?}");
            assert_eq!(error.title, Some(TextError::NotOneLine { noun: "title" }), "{bad:?}");
            assert_eq!(error.note, Some(TextError::NotOneLine { noun: "note" }), "{bad:?}");
        }
        for bad in ["two \"words\"", "“two” words", "„deutsch“"] {
            assert_eq!(parse_error("", bad).tags, Some(TagsError::NotPlain), "{bad}");
        }
    }

    #[test]
    fn a_long_field_is_rejected_before_it_is_parsed() {
        for long in ["a\0,".repeat(20_000), "١٢,\"".repeat(10_000), format!("a{}b\n", ",".repeat(65_000))] {
            let error = Annotation::parse("", &long, &long).map(|_| ()).unwrap_err();
            assert_eq!(error.tags, Some(TagsError::TooLongTogether));
            assert!(matches!(error.note, Some(TextError::TooLong { .. })));
        }
        let repeated = "rain,".repeat(400);
        assert_eq!(parse_both(&" ".repeat(65_000), &repeated), (None, vec!["rain".to_owned()]));
    }

    #[test]
    fn parsing_stops_at_the_eleventh_tag() {
        let parts = std::cell::Cell::new(0);
        let tags = (1..).map(|n: u32| n.to_string()).inspect(|_| parts.set(parts.get() + 1));
        assert_eq!(first_tags(MAX_TAGS, tags).unwrap_err(), TagsError::TooMany(MAX_TAGS));
        assert_eq!(parts.get(), MAX_TAGS + 1);
    }

    #[test]
    fn debug_output_omits_the_words() {
        assert!(!format!("{:?}", Annotation::parse("hush", "hush", "secret").unwrap()).contains("hush"));
    }

    proptest! {
        #[test]
        fn parsing_is_idempotent(title in "\\PC{0,40}", note in "\\PC{0,40}", tags in "[\\PC,]{0,60}") {
            if let Ok(annotation) = Annotation::parse(&title, &note, &tags) {
                let title = annotation.own_title().unwrap_or_default();
                let (note, tags) = (annotation.note().unwrap_or_default(), annotation.tags().join(", "));
                prop_assert!(Annotation::parse(title, note, &tags).unwrap() == annotation);
            }
        }

        #[test]
        fn every_tag_can_be_searched_for(tags in "[\\PC,#]{0,60}") {
            for tag in Annotation::parse("", "", &tags).unwrap_or_default().tags() {
                prop_assert_eq!(SearchQuery::parse(&format!("tag:\"{tag}\"")).to_filter().include.tags, [fold_tag(&tag)]);
            }
        }
    }
}
