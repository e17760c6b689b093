//! Messages about what is shared.

use serde::{Deserialize, Serialize};

/// A change of what is shared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SharingFlash {
    PageOn,
    PageMoved,
    PageOff,
    LinkOn,
    LinkOff,
    LinkKept,
    TagShared(String),
    /// Shared once there is a public page or a secret link.
    TagChosen(String),
    TagUnshared,
    NotesShown,
    /// Shown once there is a public page or a secret link.
    NotesChosen,
    NotesHidden,
    EmbedOn,
    EmbedOff,
}

impl SharingFlash {
    pub(super) fn text(&self) -> String {
        match self {
            Self::PageOn => "Your public page is on.".into(),
            Self::PageMoved => "Your public page has its new address. The old one no longer works.".into(),
            Self::PageOff => "Your public page is off. Its address no longer shows anything.".into(),
            Self::LinkOn => "Here is your secret link.".into(),
            Self::LinkOff => "Your secret link is off. It no longer shows anything.".into(),
            Self::LinkKept => "Your secret link was on already, and was not replaced.".into(),
            Self::TagShared(tag) => format!("The tag “{tag}” is shared. Its page is below."),
            Self::TagChosen(tag) => {
                format!("The tag “{tag}” is shared once you turn on a public page or a secret link.")
            }
            Self::TagUnshared => "That tag is no longer shared. Its page no longer shows anything.".into(),
            Self::NotesShown => "Your notes are shown to visitors.".into(),
            Self::NotesChosen => {
                "Your notes are shown to visitors once you turn on a public page or a secret link.".into()
            }
            Self::NotesHidden => "Your notes are hidden from visitors.".into(),
            Self::EmbedOn => "Other sites can show your card. The code for them is below.".into(),
            Self::EmbedOff => "The card is off. Sites that show it show nothing.".into(),
        }
    }
}
