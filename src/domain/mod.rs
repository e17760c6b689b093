//! Business logic: permissions, limits and calls to Spotify.

pub mod account;
pub mod account_merge;
pub mod activity;
pub mod annotation;
pub mod cleanup;
pub mod collation;
pub mod displays;
pub mod doctor;
mod error;
pub mod folding;
pub mod heart_changes;
pub mod hearts;
pub mod identities;
pub mod import_export;
pub mod library;
pub mod login;
pub mod news;
pub mod now_playing;
pub mod operators;
mod paging;
pub mod playlists;
pub mod reference;
pub mod registration;
pub mod renewal;
pub mod saving;
pub mod search;
pub mod sessions;
pub mod sharing;
pub mod spotify_calls;
pub mod tags;
pub mod text;
pub mod tokens;
pub mod top;

use std::panic::resume_unwind;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

pub use crate::db::playlists::Playlist;
pub use crate::db::sessions::{DEVICE, DISPLAYS, SIGN_IN, SIGNED_IN_AT, USER_ID, hash_id as session_key};
use crate::ids::{TokenHash, UserId};
use crate::in_progress::Queue;
pub use crate::oauth::{Grant, Scopes};
pub use error::{Error, Result};

pub const PAGE_SIZE: usize = 50;

/// The name of a user whose provider gives no visible one.
pub const DEFAULT_NAME: &str = "listener";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: UserId,
    pub name: String,
}

/// The user of a request, their session, and their grant at Spotify.
#[derive(Clone, Debug)]
pub struct CurrentUser {
    pub id: UserId,
    pub name: String,
    /// The user's Spotify id as the owner of playlists, if Spotify is or was connected in this session.
    pub spotify_handle: Option<String>,
    pub session: TokenHash,
    /// `None` if Spotify must be connected first, or again.
    pub grant: Option<Grant>,
    /// True if Spotify ended the session's previous grant.
    pub has_expired_grant: bool,
    /// True if playlists that they heart are saved at Spotify too.
    pub saves_to_library: bool,
    pub displays: displays::Displays,
}

impl CurrentUser {
    /// Returns the error for a call without a grant: it has expired, or there never was one.
    fn missing_grant_error(&self) -> Error {
        if self.has_expired_grant { Error::Reconnect } else { Error::NotConnected }
    }
}

/// Runs computations of more than a few milliseconds on a blocking thread, so that they delay no other request.
async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(work).await.unwrap_or_else(|error| resume_unwind(error.into_panic()))
}

/// How long a change of hearts waits for earlier ones of the same user.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs `change`, which may wait for locks on the user's hearts, once the user's earlier changes in `queue` have ended.
/// Those that wait hold no connection to the database.
///
/// # Errors
/// [`Error::ChangeUnderWay`] if too many wait, or for longer than [`CHANGE_TIMEOUT`].
async fn run_heart_change<T, E>(
    queue: &Queue<UserId>,
    user: UserId,
    change: impl Future<Output = Result<T, E>>,
) -> Result<T>
where
    Error: From<E>,
{
    let _permit = queue.enter(user, CHANGE_TIMEOUT).await.ok_or(Error::ChangeUnderWay)?;
    Ok(change.await?)
}

/// Consecutive pages that are displayed together, counted from 1; usually one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageRange {
    pub first: usize,
    /// At least `first`.
    pub last: usize,
}

impl PageRange {
    /// Returns the offset and limit for the database.
    fn offset_limit(self) -> (i64, i64) {
        (page_offset(self.first) as i64, (PAGE_SIZE * (1 + self.last - self.first)) as i64)
    }
}

impl From<usize> for PageRange {
    fn from(page: usize) -> Self {
        Self { first: page, last: page }
    }
}

#[derive(Serialize, Deserialize)]
pub struct Paginated<T> {
    pub entries: Vec<T>,
    pub range: PageRange,
    pub total: usize,
}

impl<T> Paginated<T> {
    /// An empty list has one page.
    pub fn page_count(&self) -> usize {
        self.total.div_ceil(PAGE_SIZE).max(1)
    }

    /// The number of entries that the pages should have by the total.
    pub fn expected_entries(&self) -> usize {
        (self.range.last * PAGE_SIZE).min(self.total).saturating_sub(page_offset(self.range.first))
    }
}

/// Returns the offset of a page, clamped to valid page numbers.
fn page_offset(page: usize) -> usize {
    page.clamp(1, 1_000_000).saturating_sub(1) * PAGE_SIZE
}
