//! Messages about changes that can be undone as a whole.

use serde::{Deserialize, Serialize};

use crate::count::{count, pluralize};
use crate::domain::annotation::MAX_TAGS;
use crate::domain::heart_changes::Undone;
use crate::domain::hearts::MAX_HEARTS_PER_USER;

/// Number of titles that a message names. It is in a cookie of at most 4 KB.
pub(crate) const MAX_TITLES: usize = 3;
/// Maximum length of a named title.
pub(crate) const MAX_TITLE_CHARS: usize = 60;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ChangeFlash {
    NothingSelected,
    /// The selection has no heart, so that there is nothing to export.
    NoHearts,
    Hearted(Selection),
    Removed(Selection),
    TagsAdded(Selection),
    TagsRemoved(Selection),
    /// With an undo button for the change with this id.
    NoteCleared(i64),
    Undone(Undone),
    ImportUndone(Undone),
    NotUndone,
}

/// The outcome of a change of a selection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Selection {
    /// Number of selected playlists.
    pub(crate) selected: usize,
    /// Number of hearts that were changed.
    pub(crate) hearts: usize,
    pub(crate) over_limit: usize,
    pub(crate) unhearted: usize,
    /// Number of hearts that have too many tags, and the titles of the first.
    pub(crate) full: usize,
    pub(crate) titles: Vec<String>,
    /// Id of the change.
    pub(crate) change: i64,
}

impl ChangeFlash {
    pub(crate) fn is_alert(&self) -> bool {
        matches!(self, Self::NothingSelected | Self::NoHearts | Self::NotUndone)
    }

    /// Id of the change that the message's button undoes.
    pub(crate) fn change(&self) -> Option<i64> {
        match self {
            Self::Hearted(s) | Self::Removed(s) | Self::TagsAdded(s) | Self::TagsRemoved(s) => {
                (s.hearts > 0).then_some(s.change)
            }
            Self::NoteCleared(change) => Some(*change),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Self::NothingSelected => "Nothing was changed. Select at least one playlist first.".into(),
            Self::NoHearts => "Nothing was exported. None of the selected playlists has your heart.".into(),
            Self::Hearted(selection) => selection.text("", "added", "All of them were already hearted."),
            Self::Removed(selection) => selection.text("", "removed", "None of them was hearted any more."),
            Self::TagsAdded(selection) => selection.text("Tags added to ", "", "No tags were added."),
            Self::TagsRemoved(selection) => selection.text("Tags removed from ", "", "No heart had such a tag."),
            Self::NoteCleared(_) => "Note cleared.".into(),
            Self::Undone(Undone { undone, left }) => {
                format!("Undone for {}.{}", pluralize(*undone, "heart"), describe_left(*left))
            }
            Self::ImportUndone(Undone { undone, left }) => format!(
                "The import is taken back: {}. What it added is under Recently removed for 30 days.{}",
                pluralize(*undone, "heart"),
                describe_left(*left)
            ),
            Self::NotUndone => {
                "Nothing was undone. It was undone already, is too long ago, or something else was changed since."
                    .into()
            }
        }
    }
}

impl Selection {
    /// Returns the message; `none` if no heart was changed and there is nothing else to say.
    fn text(&self, before: &str, after: &str, none: &str) -> String {
        let mut sentences = Vec::new();
        if self.hearts > 0 {
            let after = if after.is_empty() { String::new() } else { format!(" {after}") };
            sentences.push(format!("{before}{}{after}.", pluralize(self.hearts, "heart")));
        }
        if self.over_limit > 0 {
            sentences.push(format!(
                "Not added: {}, because {} hearts is the limit.",
                self.over_limit,
                count(MAX_HEARTS_PER_USER)
            ));
        }
        if self.full > 0 {
            let more = match self.full - self.titles.len().min(self.full) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let titles = self.titles.join(", ");
            sentences
                .push(format!("Left as they are, because a heart can have up to {MAX_TAGS} tags: {titles}{more}."));
        }
        match self.unhearted {
            0 => {}
            all if all == self.selected => {
                return "Only hearts have tags, and none of the selected playlists has yours.".into();
            }
            1 => sentences.push(format!("1 of {} has no heart, so it has no tags.", self.selected)),
            count => sentences.push(format!("{count} of {} have no heart, so they have no tags.", self.selected)),
        }
        if sentences.is_empty() { none.into() } else { sentences.join(" ") }
    }
}

fn describe_left(left: u64) -> String {
    match left {
        0 => String::new(),
        1 => " 1 heart was changed since, and stays as it is.".into(),
        left => format!(" {} hearts were changed since, and stay as they are.", count(left)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_tells_what_was_left_and_offers_undo_only_for_what_was_done() {
        let selection = Selection { selected: 15, hearts: 12, change: 7, ..Selection::default() };
        let hearted = ChangeFlash::Hearted(Selection { over_limit: 3, ..selection.clone() });
        assert_eq!(hearted.text(), "12 hearts added. Not added: 3, because 100,000 hearts is the limit.");
        assert_eq!(hearted.change(), Some(7));
        let full = Selection { hearts: 1, full: 5, titles: vec!["A".into(), "B".into()], unhearted: 2, ..selection };
        assert_eq!(
            ChangeFlash::TagsAdded(full).text(),
            "Tags added to 1 heart. Left as they are, because a heart can have up to 10 tags: A, B and 3 more. \
             2 of 15 have no heart, so they have no tags."
        );
        let none = Selection { selected: 2, unhearted: 2, ..Selection::default() };
        assert_eq!(
            ChangeFlash::TagsAdded(none).text(),
            "Only hearts have tags, and none of the selected playlists has yours."
        );
        let nothing = ChangeFlash::Removed(Selection { change: 7, ..Selection::default() });
        assert_eq!((nothing.text().as_str(), nothing.change()), ("None of them was hearted any more.", None));
    }

    #[test]
    fn longest_message_fits_in_a_cookie() {
        let titles = vec!["\u{1f3b5}".repeat(MAX_TITLE_CHARS); MAX_TITLES];
        let selection = Selection { full: usize::MAX, titles, change: i64::MIN, ..Selection::default() };
        let json = serde_json::to_vec(&ChangeFlash::TagsAdded(selection)).unwrap();
        assert!(json.len() * 4 / 3 < 3500, "{}", json.len());
    }
}
