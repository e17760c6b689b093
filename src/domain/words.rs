//! What a person writes beside a heart: a note of one line, and tags.
//!
//! Nobody else reads it, the log included: [`Words`] does not print.

use std::fmt;

use super::text::{fold, is_quote};
use super::{Caller, Error, Result};
use crate::app::App;
use crate::db;
use crate::ids::PlaylistId;

/// The longest note, in characters.
pub const LONGEST_NOTE: usize = 280;
/// The longest tag, in characters.
pub const LONGEST_TAG: usize = 30;
/// What is no part of a tag: elsewhere a sign tells tags from words, and some write it here, too.
pub(super) const BEFORE_TAG: [char; 2] = ['#', ' '];
/// How many tags a heart may have.
pub const MOST_TAGS: usize = 10;

/// A note and tags that may be kept.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Words {
    note: Option<String>,
    tags: Vec<String>,
}

/// Why a note cannot be kept, as a sentence for who wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadNote {
    /// More than [`LONGEST_NOTE`] characters, namely so many.
    #[error("A note can have up to {LONGEST_NOTE} characters; this one has {0}.")]
    TooLong(usize),
    /// It holds a line break or another character that is not for reading.
    #[error("A note is a single line of text, without line breaks or control characters.")]
    NotOneLine,
}

/// Why tags cannot be kept, as a sentence for who wrote them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTags {
    /// More than [`MOST_TAGS`], namely so many.
    #[error("A heart can have up to {MOST_TAGS} tags; these are {0}.")]
    TooMany(usize),
    /// One has more than [`LONGEST_TAG`] characters: the how manieth, and how many characters.
    #[error("A tag can have up to {LONGEST_TAG} characters; tag {0} has {1}. Separate tags with commas.")]
    TooLong(usize, usize),
    /// A character that is not for reading, or the quotation mark that the search needs around a tag of two words.
    #[error("A tag is plain text, without quotation marks, line breaks or control characters.")]
    NotPlain,
}

/// Why a note or tags cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadWords {
    /// None: the note is good.
    pub note: Option<BadNote>,
    /// None: the tags are good.
    pub tags: Option<BadTags>,
}

impl Words {
    /// Reads a note, and tags with commas between them. Tags stay as they were typed, but for a `#` before them, each
    /// once whatever its capitals, in the order given.
    ///
    /// # Errors
    /// [`BadWords`], which says in sentences what was expected.
    pub fn parse(written: &str, listed: &str) -> std::result::Result<Self, BadWords> {
        match (note(written), tags(listed)) {
            (Ok(note), Ok(tags)) => Ok(Self { note, tags }),
            (note, tags) => Err(BadWords { note: note.err(), tags: tags.err() }),
        }
    }

    /// The note; none: nothing was written.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// The tags, in the order given.
    pub fn tags(&self) -> &[String] {
        &self.tags
    }

    /// What is written to the database.
    pub(super) fn row(&self) -> db::hearts::Annotation {
        let (note, tags) = (self.note.clone(), self.tags.clone());
        let note_folded = note.as_deref().map(fold);
        let tags_folded = tags.iter().map(|tag| fold(tag)).collect();
        db::hearts::Annotation { note, tags, note_folded, tags_folded }
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Words(..)")
    }
}

fn note(text: &str) -> std::result::Result<Option<String>, BadNote> {
    let text = text.trim();
    if text.chars().any(unreadable) {
        return Err(BadNote::NotOneLine);
    }
    match text.chars().count() {
        0 => Ok(None),
        1..=LONGEST_NOTE => Ok(Some(text.to_owned())),
        more => Err(BadNote::TooLong(more)),
    }
}

fn tags(text: &str) -> std::result::Result<Vec<String>, BadTags> {
    if text.trim().chars().any(|c| unreadable(c) || is_quote(c)) {
        return Err(BadTags::NotPlain);
    }
    let mut tags: Vec<String> = Vec::new();
    for given in text.split(',') {
        let words = given.split_whitespace().collect::<Vec<_>>().join(" ");
        let tag = words.trim_start_matches(BEFORE_TAG);
        let again = |known: &String| known.to_lowercase() == tag.to_lowercase();
        if !fold(tag).is_empty() && !tags.iter().any(again) {
            tags.push(tag.to_owned());
        }
    }
    if tags.len() > MOST_TAGS {
        return Err(BadTags::TooMany(tags.len()));
    }
    let lengths = tags.iter().map(|tag| tag.chars().count());
    match lengths.zip(1..).find(|(length, _)| *length > LONGEST_TAG) {
        Some((length, place)) => Err(BadTags::TooLong(place, length)),
        None => Ok(tags),
    }
}

/// Control characters, and the two separators that break a line like one.
fn unreadable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Writes `words` beside the caller's heart, in place of what stood there.
///
/// # Errors
/// [`Error::NotFound`] when the playlist has no heart of theirs, or the database's; then nothing has changed.
pub async fn keep(app: &App, caller: &Caller, playlist: &PlaylistId, words: &Words) -> Result<()> {
    match db::hearts::annotate(&app.db, caller.person.id, playlist, &words.row()).await? {
        true => Ok(()),
        false => Err(Error::NotFound),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::search::Search;

    fn kept(note: &str, tags: &str) -> (Option<String>, Vec<String>) {
        let words = Words::parse(note, tags).unwrap();
        (words.note, words.tags)
    }

    #[test]
    fn words_are_trimmed_and_a_tag_is_kept_once_as_it_was_first_typed() {
        let (note, tags) = kept("  For the long drive  ", " Rain,, rain ,  Late   Night,ÉTÉ, ");
        assert_eq!(note.as_deref(), Some("For the long drive"));
        assert_eq!(tags, ["Rain", "Late Night", "ÉTÉ"]);
        assert_eq!(kept(" ", " , "), (None, vec![]));
        assert_eq!(kept("", "#loud, # Loud,#,C#,\u{301}").1, ["loud", "C#"]);
    }

    #[test]
    fn what_is_too_much_is_refused_in_words() {
        let refused = |note: &str, tags: &str| Words::parse(note, tags).map(|_| ()).unwrap_err();
        assert!(Words::parse(&"é".repeat(280), &["x".repeat(30), "ü".repeat(30)].join(",")).is_ok());
        let both = refused(&"é".repeat(281), &"x".repeat(31));
        assert_eq!((both.note, both.tags), (Some(BadNote::TooLong(281)), Some(BadTags::TooLong(1, 31))));
        assert_eq!(refused("", "a,b,c,d,e,f,g,h,i,j,k").tags, Some(BadTags::TooMany(11)));
        for bad in ["a\nb", "a\u{0}b", "a\u{2028}b", "a\tb"] {
            let both = refused(bad, bad);
            assert_eq!((both.note, both.tags), (Some(BadNote::NotOneLine), Some(BadTags::NotPlain)), "{bad:?}");
        }
        for bad in ["two \"words\"", "“two” words", "„deutsch“"] {
            assert_eq!(refused("", bad).tags, Some(BadTags::NotPlain), "{bad}");
        }
    }

    #[test]
    fn words_do_not_print() {
        assert!(!format!("{:?}", Words::parse("hush", "secret").unwrap()).contains("hush"));
    }

    proptest! {
        #[test]
        fn what_was_kept_is_kept_again_as_it_is(note in "\\PC{0,40}", tags in "[\\PC,]{0,60}") {
            if let Ok(words) = Words::parse(&note, &tags) {
                let again = Words::parse(words.note().unwrap_or_default(), &words.tags().join(", ")).unwrap();
                prop_assert!(again == words);
            }
        }

        #[test]
        fn every_tag_can_be_searched_for(tags in "[\\PC,#]{0,60}") {
            for tag in Words::parse("", &tags).unwrap_or_default().tags() {
                prop_assert_eq!(Search::parse(&format!("tag:\"{tag}\"")).filter().tags, [fold(tag)]);
            }
        }
    }
}
