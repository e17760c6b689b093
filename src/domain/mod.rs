//! What Heartlist decides: who may, what if, which, when.

pub mod account;
pub mod activity;
pub mod asking;
pub mod doctor;
mod error;
pub mod export;
mod fetch;
pub mod hearts;
pub mod identities;
pub mod import;
pub mod library;
pub mod login;
pub mod now_playing;
pub mod playlists;
pub mod reference;
pub mod registration;
pub mod search;
pub mod sessions;
pub mod sharing;
pub mod sweep;
pub mod takeout;
pub mod text;
pub mod tokens;
pub mod top;
pub mod words;

use serde::{Deserialize, Serialize};

pub use crate::db::playlists::Playlist;
pub use crate::db::sessions::{DEVICE, SIGN_IN, SIGNED_IN_AT, USER_ID, hash_id as session_key};
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
    /// None: Spotify must be connected first, or again.
    pub grant: Option<Grant>,
    /// Whether Spotify itself ended what this session was allowed before.
    pub lapsed: bool,
}

impl Caller {
    /// Why Spotify cannot be asked for who has no grant: they never gave one here or took it back, or it is over.
    fn without_grant(&self) -> Error {
        if self.lapsed { Error::Reconnect } else { Error::NotConnected }
    }
}

/// Pages of a longer list that are shown together, from 1; most often one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first of them.
    pub first: usize,
    /// The last of them, not before the first.
    pub last: usize,
}

impl Span {
    /// Where it begins and how many entries it holds, for the database.
    fn stretch(self) -> (i64, i64) {
        (offset(self.first) as i64, (PAGE * (1 + self.last - self.first)) as i64)
    }
}

impl From<usize> for Span {
    fn from(page: usize) -> Self {
        Self { first: page, last: page }
    }
}

/// One page of a longer list, or a few that follow each other.
pub struct Paged<L> {
    /// What stands there.
    pub entries: L,
    /// Which pages these are.
    pub at: Span,
    /// How many entries there are in all.
    pub total: usize,
}

impl<L> Paged<L> {
    /// How many pages there are; an empty list has one.
    pub fn pages(&self) -> usize {
        self.total.div_ceil(PAGE).max(1)
    }
}

/// Where page `page` begins; a page that cannot be is the first.
fn offset(page: usize) -> usize {
    page.clamp(1, 1_000_000).saturating_sub(1) * PAGE
}
