//! What Heartlist decides: who may, what if, which, when.

pub mod account;
pub mod activity;
pub mod asking;
pub mod doctor;
mod error;
mod fetch;
pub mod hearts;
pub mod library;
pub mod now_playing;
pub mod playlists;
pub mod reference;
pub mod registration;
pub mod sessions;
pub mod sign_in;
pub mod sweep;
mod text;
pub mod tokens;

use serde::{Deserialize, Serialize};

pub use crate::db::playlists::Playlist;
pub use crate::db::sessions::{DEVICE, SIGNED_IN_AT, USER_ID, key as session_key};
use crate::ids::{Digested, UserId};
pub use crate::oauth::{Grant, Scopes};
pub use error::{Error, Result};

/// How many playlists one page shows.
pub const PAGE: usize = 50;

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Their id with us.
    pub id: UserId,
    /// What they are called.
    pub name: String,
}

/// Who asks: a person, the session they ask through, and what they let us do at Spotify.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The person.
    pub person: Person,
    /// What the database calls their session.
    pub session: Digested,
    /// None: Spotify must be connected again.
    pub grant: Option<Grant>,
}

/// One page of a longer list.
pub struct Paged<T> {
    /// What stands on this page.
    pub entries: Vec<T>,
    /// Which page this is, from 1.
    pub page: usize,
    /// How many entries there are in all.
    pub total: usize,
}

impl<T> Paged<T> {
    /// How many pages there are; an empty list has one.
    pub fn pages(&self) -> usize {
        self.total.div_ceil(PAGE).max(1)
    }
}

/// Where page `page` begins; a page that cannot be is the first.
fn offset(page: usize) -> usize {
    page.clamp(1, 1_000_000).saturating_sub(1) * PAGE
}
