//! The card of a playlist in a list.

use time::OffsetDateTime;

use crate::domain::text::{UNTITLED, is_visible, visible_or};
use crate::domain::{CurrentUser, Playlist};
use crate::web::views::annotation_form::AnnotationForm;
use crate::web::views::time::DateView;

/// Tags on a card, which has one line for them.
const MAX_SHOWN_TAGS: usize = 3;
/// Names up to this length fit into the two lines of a card.
const MAX_SHOWN_NAME_BYTES: usize = 28;

pub(crate) struct PlaylistCard {
    pub(crate) id: String,
    /// The user's own title, or else Spotify's name.
    pub(crate) name: String,
    pub(crate) own_title: Option<String>,
    /// Spotify's name, if it is known and another one stands in its place.
    pub(crate) spotify_name: Option<String>,
    pub(crate) owner: Option<String>,
    pub(crate) owner_id: Option<String>,
    /// True if the playlist is known to be the viewer's own.
    pub(crate) is_own: bool,
    pub(crate) cover: Option<String>,
    pub(crate) item_count: Option<i32>,
    pub(crate) public: Option<bool>,
    pub(crate) collaborative: bool,
    pub(crate) hearted: bool,
    pub(crate) is_pinned: bool,
    pub(crate) hearted_at: Option<DateView>,
    /// When the playlist was first seen to have changed after it was hearted.
    pub(crate) updated_at: Option<DateView>,
    pub(crate) unavailable_since: Option<DateView>,
    /// When Spotify last returned this name, if more than a day ago.
    pub(crate) name_seen_on: Option<DateView>,
    pub(crate) note: Option<String>,
    pub(crate) tags: Vec<String>,
    /// The form for title, note and tags, if it is open.
    pub(crate) annotation_form: Option<AnnotationForm>,
}

impl PlaylistCard {
    /// Returns the form with the stored title, note and tags.
    pub(crate) fn annotation_form(&self) -> AnnotationForm {
        AnnotationForm::new(self.own_title.as_deref(), self.note.as_deref(), &self.tags)
    }

    /// The name without the user's own title; empty if it is not known.
    pub(crate) fn name_without_own_title(&self) -> &str {
        let name = self.own_title.is_none().then_some(&self.name);
        self.spotify_name.as_ref().or(name).map_or("", |name| name)
    }

    /// With `is_own`, for a page of the user's.
    pub(crate) fn viewed_by(self, user: &CurrentUser) -> Self {
        Self { is_own: self.owner_id.is_some() && self.owner_id == user.spotify_handle, ..self }
    }

    /// With `name_seen_on`, for pages that do not call Spotify.
    pub(crate) fn with_name_date(playlist: Playlist, now: OffsetDateTime) -> Self {
        let name_seen_on = playlist.seen_at.filter(|seen| now - *seen > time::Duration::days(1));
        Self { name_seen_on: name_seen_on.map(DateView::from), ..Self::for_list(playlist, now) }
    }

    /// With dates relative to `now`.
    pub(crate) fn for_list(playlist: Playlist, now: OffsetDateTime) -> Self {
        let card = Self::from(playlist);
        let relative = |date: Option<DateView>| date.map(|date| date.relative_to(now));
        Self {
            hearted_at: relative(card.hearted_at),
            updated_at: relative(card.updated_at),
            unavailable_since: relative(card.unavailable_since),
            ..card
        }
    }

    /// True if there is anything for `playlists/_extras.html` to show.
    pub(crate) fn has_extras(&self) -> bool {
        let has_date = self.unavailable_since.is_some() || self.updated_at.is_some();
        has_date || self.spotify_name.is_some() || self.note.is_some() || !self.tags.is_empty()
    }

    /// True if a card may cut the name, which it then has as a tooltip.
    pub(crate) fn has_long_name(&self) -> bool {
        self.name.len() > MAX_SHOWN_NAME_BYTES
    }

    pub(crate) fn first_tags(&self) -> &[String] {
        &self.tags[..self.tags.len().min(MAX_SHOWN_TAGS)]
    }

    /// Number of tags after the first ones.
    pub(crate) fn more_tags(&self) -> Option<usize> {
        self.tags.len().checked_sub(MAX_SHOWN_TAGS).filter(|count| *count > 0)
    }
}

impl From<Playlist> for PlaylistCard {
    fn from(playlist: Playlist) -> Self {
        Self {
            spotify_name: spotify_name(playlist.name.as_deref(), playlist.own_title.as_deref()),
            name: display_name(&playlist.id, playlist.own_title.clone().or(playlist.name)),
            own_title: playlist.own_title,
            owner: playlist.owner_name.filter(|owner| is_visible(owner)),
            owner_id: playlist.owner_id,
            is_own: false,
            cover: playlist.cover_url,
            item_count: playlist.item_count,
            public: playlist.public,
            collaborative: playlist.collaborative,
            hearted: playlist.hearted_at.is_some(),
            is_pinned: playlist.is_pinned,
            hearted_at: playlist.hearted_at.map(DateView::from),
            updated_at: playlist.changed_at.map(DateView::from),
            unavailable_since: playlist.gone_at.map(DateView::from),
            name_seen_on: None,
            note: playlist.note,
            tags: playlist.tags,
            annotation_form: None,
            id: playlist.id,
        }
    }
}

/// Returns Spotify's name if it is visible and the user's own title is another one.
pub(crate) fn spotify_name(name: Option<&str>, own_title: Option<&str>) -> Option<String> {
    let own_title = own_title?;
    name.filter(|name| is_visible(name) && *name != own_title).map(str::to_owned)
}

/// The playlist's name, with a substitute for an invisible or unknown one.
pub(crate) fn display_name(id: &str, name: Option<String>) -> String {
    match name {
        Some(name) => visible_or(name, UNTITLED),
        // Includes the end, because the ids of Spotify's own playlists all begin alike.
        None => format!("Playlist {}…{}", &id[..4], &id[id.len() - 4..]),
    }
}
