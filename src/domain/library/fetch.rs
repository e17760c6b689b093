//! Fetches a user's library in pages, within the time budget of a request.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::join_all;
use time::OffsetDateTime;
use tokio::time::{Instant, timeout_at};

use crate::app::App;
use crate::domain::paging::{Paging, contradiction};
use crate::domain::spotify_calls::{self, Endpoint};
use crate::domain::{CurrentUser, Error, Result, tokens};
use crate::ids::PlaylistId;
use crate::spotify::wire;

type Page = wire::Page<wire::Playlist>;

const CONCURRENT_REQUESTS: usize = 4;
/// Part of the time budget that is reserved for storing the result.
const STORE_RESERVE: Duration = Duration::from_millis(500);
/// Spotify's maximum offset, according to its API reference.
const MAX_OFFSET: usize = 100_000;

/// Counts of the stored library, which a fetch would replace.
#[derive(Clone, Copy)]
pub(super) struct StoredCounts {
    pub(super) count: usize,
    /// How many more Spotify counted.
    pub(super) unlisted: usize,
    /// Whether a shorter list may replace it: it is a day old, and a fetch has failed since.
    pub(super) is_outdated: bool,
}

pub(super) struct LibraryFetch {
    /// The offset at which it began.
    from: usize,
    /// Playlists that [`Self::take_new`] has not returned yet.
    new: Vec<wire::Playlist>,
    ids: HashSet<PlaylistId>,
    /// The number of entries so far: those before `from`, each playlist once, and entries that Spotify withholds.
    pub(super) listed_count: usize,
    paging: Paging,
    is_started: bool,
    /// True until the first [`Self::take_new`].
    pub(super) is_first_batch: bool,
    pub(super) error: Option<Error>,
    deadline: Instant,
}

impl LibraryFetch {
    /// True if not even one page could be read.
    pub(super) fn is_empty(&self) -> bool {
        !self.is_started
    }

    /// Returns the playlists fetched since the last call.
    pub(super) fn take_new(&mut self) -> Vec<wire::Playlist> {
        self.is_first_batch = false;
        std::mem::take(&mut self.new)
    }

    /// Returns how many entries were fetched, and Spotify's total. They are equal if the fetch is complete.
    pub(super) fn progress(&self) -> (usize, usize) {
        let total = self.paging.total.unwrap_or_default().min(MAX_OFFSET);
        if self.error.is_none() && !self.has_more() {
            let total = total.max(self.listed_count);
            return (total, total);
        }
        // There is more, even if no total says so.
        (self.paging.next_offset, total.max(self.paging.next_offset + 1))
    }
}

/// Fetches the first page, at offset `from`.
pub(super) async fn start(app: &App, user: &CurrentUser, from: usize, now: OffsetDateTime) -> LibraryFetch {
    let deadline = Instant::now() + spotify_calls::TIME_BUDGET - STORE_RESERVE;
    let first = tokens::with_token(app, user, Endpoint::MyPlaylists, now, |token| async move {
        app.spotify.my_playlists(&token, from).await
    });
    let mut fetched = LibraryFetch::new(from, deadline);
    let result = timeout_at(deadline, first).await.unwrap_or(Err(Error::SpotifyTimeout));
    match result.map_err(to_library_error) {
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

/// Maps 400 and 404, which mean that a playlist is missing, to a failure of Spotify: every user has a list of
/// playlists.
fn to_library_error(error: Error) -> Error {
    match error {
        Error::NotFound => contradiction("the list of playlists was not found"),
        error => error,
    }
}

impl LibraryFetch {
    fn new(from: usize, deadline: Instant) -> Self {
        Self {
            from,
            new: Vec::new(),
            ids: HashSet::new(),
            listed_count: from,
            paging: Paging::new(from, None),
            is_started: false,
            is_first_batch: true,
            error: None,
            deadline,
        }
    }

    /// Fetches the next few pages by computed offsets, because `next` may point to a dead URL.
    pub(super) async fn fetch_next(&mut self, app: &App, user: &CurrentUser, now: OffsetDateTime) {
        let offsets = self.next_offsets();
        match timeout_at(self.deadline, fetch_pages(app, user, offsets.clone(), now)).await {
            Ok(results) => {
                offsets.into_iter().zip(results).for_each(|(offset, result)| self.push_result(offset, result))
            }
            Err(_) => self.error = Some(Error::SpotifyTimeout),
        }
    }

    /// Adds the next page. Fails if it is another page, or one that came before.
    fn push(&mut self, page: Page) {
        let (offset, is_followed) = (self.paging.next_offset, page.next.is_some());
        if let Err(error) = self.paging.accept(&page) {
            self.error = Some(error);
            return;
        }
        self.is_started = true;
        let items = page.items.unwrap_or_default();
        let (page_length, listed_before, ids_before) = (items.len(), self.listed_count, self.ids.len());
        for playlist in items {
            let is_new = playlist.as_ref().is_none_or(|playlist| self.ids.insert(playlist.id.clone()));
            self.listed_count += usize::from(is_new);
            self.new.extend(playlist.filter(|_| is_new));
        }
        // A page without entries ends the list. A page without playlists ends it unless `total` is larger.
        self.paging.is_followed &= self.ids.len() > ids_before;
        let is_repeated = page_length > 0 && self.listed_count == listed_before;
        // The last entry may be a repeat, if the library changed since the page before.
        if is_repeated && (page_length > 1 || is_followed || self.paging.is_counted()) {
            self.paging.next_offset = offset;
            self.error = Some(contradiction("the same page again"));
        }
    }

    /// Ignores pages after the first error, and pages that do not follow the last one: they would leave a gap.
    fn push_result(&mut self, offset: usize, result: Result<Page>) {
        match result {
            _ if self.error.is_some() || offset != self.paging.next_offset || !self.has_more() => {}
            Ok(page) => self.push(page),
            Err(error) => self.error = Some(to_library_error(error)),
        }
    }

    pub(super) fn has_more(&self) -> bool {
        self.error.is_none() && self.is_started && self.paging.next_offset < MAX_OFFSET && self.paging.has_more()
    }

    /// Fails a fetch that ended with less than Spotify counts: with nothing, with less than half, or with less than is
    /// stored. A difference that is no larger than before is accepted: Spotify also counts some playlists that it
    /// withholds, such as deleted ones. So is any list that would replace an outdated one, because it would be refused
    /// forever. If Spotify withholds all playlists, the stored ones stay.
    pub(super) fn check_total(&mut self, stored: Option<StoredCounts>) {
        let (listed, has_none) = (self.listed_count, self.listed_count == self.from);
        let is_short = |total: usize| {
            let replaces_more = stored
                .is_some_and(|stored| self.ids.len() < stored.count && total.saturating_sub(listed) > stored.unlisted);
            let replaces_all = self.ids.is_empty() && total > 0 && stored.is_some_and(|stored| stored.count > 0);
            let is_outdated = stored.is_some_and(|stored| stored.is_outdated);
            let is_refused = listed * 2 < total || listed < total && (has_none || replaces_more);
            replaces_all || is_refused && !is_outdated
        };
        let error = match self.paging.total {
            _ if self.error.is_some() => return,
            None if has_none => contradiction("neither playlists nor a total"),
            Some(total) if is_short(total) => Error::IncompleteLibrary { listed, total },
            _ => return,
        };
        self.paging.next_offset = listed;
        self.error = Some(error);
    }

    fn next_offsets(&self) -> Vec<usize> {
        let total = self.paging.total.unwrap_or(usize::MAX);
        let offsets = (0..CONCURRENT_REQUESTS).map(|n| self.paging.next_offset + n * self.paging.step);
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
        let number = || prop_oneof![Just(None), (0..200usize).prop_map(Some), any::<usize>().prop_map(Some)];
        (number(), any::<bool>(), prop_oneof![Just(None), (0..60usize).prop_map(Some)], number()).prop_map(
            |(total, more, entries, limit)| Page {
                items: entries.map(|entries| (0..entries).map(|_| None).collect()),
                next: more.then(|| "https://elsewhere.example/dead".into()),
                total,
                limit,
                offset: None,
            },
        )
    }

    fn copy(page: &Page) -> Page {
        let items = page.items.as_ref().map(|items| items.iter().map(|_| None).collect());
        Page { items, next: page.next.clone(), ..*page }
    }

    proptest! {
        #[test]
        fn paging_has_no_gap_and_ends(first in any_page(), rest in any_page(), from in 0..2000usize) {
            let mut fetched = LibraryFetch::new(from, Instant::now());
            fetched.push(first);
            for _ in 0..=MAX_OFFSET {
                if !fetched.has_more() {
                    break;
                }
                let offsets = fetched.next_offsets();
                prop_assert!((1..=CONCURRENT_REQUESTS).contains(&offsets.len()));
                prop_assert_eq!(offsets[0], fetched.paging.next_offset);
                for offset in offsets {
                    let before = fetched.paging.next_offset;
                    fetched.push_result(offset, Ok(copy(&rest)));
                    prop_assert!(fetched.paging.next_offset == before || before == offset, "a gap");
                }
            }
            prop_assert!(!fetched.has_more());
            fetched.check_total(None);
            let (count, total) = fetched.progress();
            prop_assert!(count <= total && total <= MAX_OFFSET + 201);
            prop_assert_eq!(count == total, fetched.error.is_none());
        }
    }

    #[test]
    fn a_fetch_that_contradicts_the_total_fails() {
        let page = |entries, total| Page {
            items: Some((0..entries).map(|_| None).collect()),
            next: None,
            total,
            limit: Some(50),
            offset: Some(0),
        };
        for (entries, total, fails) in [
            (0, Some(0), false),
            (3, None, false),
            (40, Some(50), false),
            (0, None, true),
            (0, Some(1), true),
            (19, Some(40), true),
        ] {
            let mut fetched = LibraryFetch::new(0, Instant::now());
            fetched.push(page(entries, total));
            fetched.check_total(None);
            assert_eq!(fetched.error.is_some(), fails, "{entries} of {total:?}");
        }
        let mut fetched = LibraryFetch::new(50, Instant::now());
        fetched.push(page(10, Some(60)));
        assert!(fetched.error.is_some(), "the page at 0 instead of the one at 50");
    }
}
