//! Fetches a user's library in pages, within the time budget of a request.

use std::time::Duration;

use futures_util::future::join_all;
use time::OffsetDateTime;
use tokio::time::{Instant, timeout_at};

use crate::app::App;
use crate::domain::spotify_calls::{self, Endpoint};
use crate::domain::{CurrentUser, Error, Result, tokens};
use crate::spotify::{PAGE_SIZE, wire};

type Page = wire::Page<wire::Playlist>;

/// Concurrent requests after the first page.
const CONCURRENT_REQUESTS: usize = 4;
/// Part of the time budget that is reserved for storing the result.
const STORE_RESERVE: Duration = Duration::from_millis(500);
/// Spotify's maximum offset, according to its API reference.
const MAX_OFFSET: usize = 100_000;

/// A library fetch in progress.
pub(super) struct LibraryFetch {
    /// Contiguous pages.
    pages: Vec<Page>,
    /// The number of pages that [`Self::take_new`] has returned.
    taken_pages: usize,
    /// The offset after the last page.
    pub(super) fetched_count: usize,
    /// The error that stopped the fetch early.
    pub(super) error: Option<Error>,
    deadline: Instant,
}

impl LibraryFetch {
    pub(super) fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// True before the first [`Self::take_new`].
    pub(super) fn is_first_batch(&self) -> bool {
        self.taken_pages == 0
    }

    /// Returns the entries fetched since the last call.
    pub(super) fn take_new(&mut self) -> impl Iterator<Item = &wire::Playlist> {
        let start = std::mem::replace(&mut self.taken_pages, self.pages.len());
        self.pages[start..].iter().flat_map(|page| &page.items).flatten().flatten()
    }

    /// Returns Spotify's total, but at least the fetched count.
    pub(super) fn total(&self) -> usize {
        let total = self.pages.first().and_then(|page| page.total);
        total.unwrap_or(self.fetched_count).clamp(self.fetched_count.min(MAX_OFFSET), MAX_OFFSET)
    }
}

/// Fetches the first page, at offset `from`.
pub(super) async fn start(app: &App, user: &CurrentUser, from: usize, now: OffsetDateTime) -> LibraryFetch {
    let deadline = Instant::now() + spotify_calls::TIME_BUDGET - STORE_RESERVE;
    let first = tokens::with_token(app, user, Endpoint::MyPlaylists, now, |token| async move {
        app.spotify.my_playlists(&token, from).await
    });
    let mut fetched = LibraryFetch::new(from, deadline);
    match timeout_at(deadline, first).await.unwrap_or(Err(Error::SpotifyTimeout)) {
        Ok(page) => fetched.push(page),
        Err(error) => fetched.error = Some(error),
    }
    fetched
}

/// Fetches the pages at `offsets`, with the token that may have been refreshed for the first page.
async fn fetch_pages(app: &App, user: &CurrentUser, offsets: Vec<usize>, now: OffsetDateTime) -> Vec<Result<Page>> {
    let user = match tokens::reload_grant(app, user).await {
        Ok(user) => user,
        Err(error) => return vec![Err(error)],
    };
    let pages = offsets.into_iter().map(|offset| {
        tokens::with_token(app, &user, Endpoint::MyPlaylists, now, move |token| async move {
            app.spotify.my_playlists(&token, offset).await
        })
    });
    join_all(pages).await
}

impl LibraryFetch {
    fn new(from: usize, deadline: Instant) -> Self {
        Self { pages: Vec::new(), taken_pages: 0, fetched_count: from, error: None, deadline }
    }

    /// Fetches the next few pages by computed offsets, because `next` may point to a dead URL.
    pub(super) async fn fetch_next(&mut self, app: &App, user: &CurrentUser, now: OffsetDateTime) {
        match timeout_at(self.deadline, fetch_pages(app, user, self.next_offsets(), now)).await {
            Ok(results) => results.into_iter().for_each(|result| self.push_result(result)),
            Err(_) => self.error = Some(Error::SpotifyTimeout),
        }
    }

    fn push(&mut self, page: Page) {
        // A page may have fewer entries than its limit; the offset still advances by the limit.
        self.fetched_count += PAGE_SIZE;
        self.pages.push(page);
    }

    /// Ignores pages after the first error: they would leave a gap.
    fn push_result(&mut self, result: Result<Page>) {
        match result {
            _ if self.error.is_some() => {}
            Ok(page) => self.push(page),
            Err(error) => self.error = Some(error),
        }
    }

    pub(super) fn has_more(&self) -> bool {
        let is_followed =
            |page: &Page| page.next.is_some() && page.items.as_ref().is_some_and(|items| !items.is_empty());
        self.error.is_none() && self.pages.last().is_some_and(is_followed) && self.fetched_count < MAX_OFFSET
    }

    fn next_offsets(&self) -> Vec<usize> {
        let total = self.pages.first().and_then(|page| page.total).unwrap_or(usize::MAX);
        let offsets = (0..CONCURRENT_REQUESTS).map(|n| self.fetched_count + n * PAGE_SIZE);
        // At least one, whatever the total is: `next` announced another page.
        offsets.enumerate().filter(|(n, offset)| *n == 0 || *offset < total).map(|(_, offset)| offset).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any page that Spotify might return.
    fn any_page() -> impl Strategy<Value = Page> {
        (any::<Option<u32>>(), any::<bool>(), prop_oneof![Just(None), (0..60usize).prop_map(Some)]).prop_map(
            |(total, more, entries)| Page {
                items: entries.map(|entries| (0..entries).map(|_| None).collect()),
                next: more.then(|| "https://elsewhere.example/dead".into()),
                total: total.map(|total| total as usize),
            },
        )
    }

    proptest! {
        #[test]
        fn paging_has_no_gap_and_ends(first in any_page(), rest in any_page(), from in 0..2000usize) {
            let mut fetched = LibraryFetch::new(from, Instant::now());
            let page = || Page { items: rest.items.as_ref().map(|items| items.iter().map(|_| None).collect()), next: rest.next.clone(), total: rest.total };
            fetched.push(first);
            for _ in 0..=MAX_OFFSET / PAGE_SIZE {
                if !fetched.has_more() {
                    break;
                }
                let offsets = fetched.next_offsets();
                prop_assert!((1..=CONCURRENT_REQUESTS).contains(&offsets.len()));
                for offset in offsets {
                    prop_assert_eq!(offset, fetched.fetched_count);
                    fetched.push(page());
                }
            }
            prop_assert!(!fetched.has_more());
            prop_assert!(fetched.total() <= MAX_OFFSET);
        }
    }
}
