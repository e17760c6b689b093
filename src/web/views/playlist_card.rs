//! A playlist as an entry of a list.

use time::OffsetDateTime;

use crate::domain::Playlist;
use crate::web::views::time::Day;

/// A playlist in a list.
pub(crate) struct Card {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) owner: Option<String>,
    pub(crate) cover: Option<String>,
    pub(crate) items: Option<i32>,
    pub(crate) public: Option<bool>,
    pub(crate) collaborative: bool,
    pub(crate) hearted: bool,
    pub(crate) hearted_at: Option<Day>,
    /// When it was first seen to have changed since it was hearted.
    pub(crate) changed_at: Option<Day>,
    pub(crate) gone_at: Option<Day>,
    /// From when its name is, once that is a while ago.
    pub(crate) named_on: Option<Day>,
    pub(crate) note: Option<String>,
    pub(crate) tags: Vec<String>,
}

impl Card {
    /// A card for a page that never asks Spotify: it says how old its name is, from a day on.
    pub(crate) fn dated(playlist: Playlist, now: OffsetDateTime) -> Self {
        let old = playlist.seen_at.filter(|seen| now - *seen > time::Duration::days(1));
        Self { named_on: old.map(Day::from), ..Self::from(playlist) }
    }
}

impl From<Playlist> for Card {
    fn from(playlist: Playlist) -> Self {
        Self {
            name: readable(&playlist.id, playlist.name),
            owner: playlist.owner_name,
            cover: playlist.cover_url,
            items: playlist.item_count,
            public: playlist.public,
            collaborative: playlist.collaborative,
            hearted: playlist.hearted_at.is_some(),
            hearted_at: playlist.hearted_at.map(Day::from),
            changed_at: playlist.changed_at.map(Day::from),
            gone_at: playlist.gone_at.map(Day::from),
            named_on: None,
            note: playlist.note,
            tags: playlist.tags,
            id: playlist.id,
        }
    }
}

/// Returns what a playlist is called, also where its name is empty or unknown.
pub(crate) fn readable(id: &str, name: Option<String>) -> String {
    match name {
        Some(name) if !name.trim().is_empty() => name,
        Some(_) => "Untitled playlist".into(),
        // Spotify's own all begin alike, so the end tells them apart.
        None => format!("Playlist {}…{}", &id[..4], &id[id.len() - 4..]),
    }
}
