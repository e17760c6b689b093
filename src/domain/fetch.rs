//! Fetches a person's library page by page, as far as Spotify and the visitor's patience go.

use std::time::Duration;

use futures_util::future::join_all;
use time::OffsetDateTime;
use tokio::time::{Instant, timeout_at};

use super::asking::{self, Endpoint};
use super::{Caller, Error, Result, tokens};
use crate::app::App;
use crate::spotify::{PAGE, wire};

type Page = wire::Page<wire::Playlist>;

/// How many pages are asked for at the same time, after the first.
const AT_A_TIME: usize = 4;
/// What is left of the budget to write down what came.
const TO_KEEP: Duration = Duration::from_millis(500);
/// How far Spotify lets one page (its reference: an offset of 100,000).
const FARTHEST: usize = 100_000;

/// What came.
pub(super) struct Fetched {
    /// Whole pages, without a gap.
    pages: Vec<Page>,
    /// How many of them were given out.
    given: usize,
    /// How far they reach, counted in Spotify's entries.
    pub(super) reached: usize,
    /// Why not all came.
    pub(super) trouble: Option<Error>,
    /// Until when the visitor waits.
    deadline: Instant,
}

impl Fetched {
    /// Whether nothing came.
    pub(super) fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// Whether [`Self::fresh`] gave nothing out yet.
    pub(super) fn nothing_given(&self) -> bool {
        self.given == 0
    }

    /// The entries that were not given out before.
    pub(super) fn fresh(&mut self) -> impl Iterator<Item = &wire::Playlist> {
        let given = std::mem::replace(&mut self.given, self.pages.len());
        self.pages[given..].iter().flat_map(|page| &page.items).flatten().flatten()
    }

    /// How many entries Spotify counts, at least those that came.
    pub(super) fn counted(&self) -> usize {
        let told = self.pages.first().and_then(|page| page.total);
        // A count that leads past the last page Spotify gives is not one to wait for.
        told.unwrap_or(self.reached).clamp(self.reached.min(FARTHEST), FARTHEST)
    }
}

/// The page at entry `from`, with which a fetch begins.
pub(super) async fn begin(app: &App, caller: &Caller, from: usize, now: OffsetDateTime) -> Fetched {
    let deadline = Instant::now() + asking::BUDGET - TO_KEEP;
    let first = tokens::with_token(app, caller, Endpoint::MyPlaylists, now, |token| async move {
        app.spotify.my_playlists(&token, from).await
    });
    let mut fetched = Fetched::at(from, deadline);
    match timeout_at(deadline, first).await.unwrap_or(Err(Error::SpotifySlow)) {
        Ok(page) => fetched.take(page),
        Err(trouble) => fetched.trouble = Some(trouble),
    }
    fetched
}

/// The pages at `offsets`, with the token that the first page may just have renewed.
async fn batch(app: &App, caller: &Caller, offsets: Vec<usize>, now: OffsetDateTime) -> Vec<Result<Page>> {
    let caller = match tokens::reload_grant(app, caller).await {
        Ok(caller) => caller,
        Err(trouble) => return vec![Err(trouble)],
    };
    let pages = offsets.into_iter().map(|offset| {
        tokens::with_token(app, &caller, Endpoint::MyPlaylists, now, move |token| async move {
            app.spotify.my_playlists(&token, offset).await
        })
    });
    join_all(pages).await
}

impl Fetched {
    fn at(from: usize, deadline: Instant) -> Self {
        Self { pages: Vec::new(), given: 0, reached: from, trouble: None, deadline }
    }

    /// Brings the next few pages, by offsets of our own: `next` may point to a dead address, and only says that
    /// there is more.
    pub(super) async fn go_on(&mut self, app: &App, caller: &Caller, now: OffsetDateTime) {
        match timeout_at(self.deadline, batch(app, caller, self.next_offsets(), now)).await {
            Ok(answers) => answers.into_iter().for_each(|answer| self.take_if_whole(answer)),
            Err(_) => self.trouble = Some(Error::SpotifySlow),
        }
    }

    fn take(&mut self, page: Page) {
        // A page may come shorter than it was asked for: places are counted, not entries.
        self.reached += PAGE;
        self.pages.push(page);
    }

    /// Takes what comes up to the first fault: what lies beyond would leave a gap.
    fn take_if_whole(&mut self, answer: Result<Page>) {
        match answer {
            _ if self.trouble.is_some() => {}
            Ok(page) => self.take(page),
            Err(trouble) => self.trouble = Some(trouble),
        }
    }

    /// Whether there is more to ask for.
    pub(super) fn wants_more(&self) -> bool {
        let more = |page: &Page| page.next.is_some() && page.items.as_ref().is_some_and(|items| !items.is_empty());
        self.trouble.is_none() && self.pages.last().is_some_and(more) && self.reached < FARTHEST
    }

    fn next_offsets(&self) -> Vec<usize> {
        let counted = self.pages.first().and_then(|page| page.total).unwrap_or(usize::MAX);
        let places = (0..AT_A_TIME).map(|n| self.reached + n * PAGE);
        // At least one: `next` said that there is more, whatever the count.
        places.enumerate().filter(|(n, place)| *n == 0 || *place < counted).map(|(_, place)| place).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a Spotify may answer: any count, a sign for more or none, entries or none.
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
        fn paging_goes_on_without_a_gap_and_comes_to_an_end(first in any_page(), rest in any_page(), from in 0..2000usize) {
            let mut fetched = Fetched::at(from, Instant::now());
            let page = || Page { items: rest.items.as_ref().map(|items| items.iter().map(|_| None).collect()), next: rest.next.clone(), total: rest.total };
            fetched.take(first);
            for _ in 0..=FARTHEST / PAGE {
                if !fetched.wants_more() {
                    break;
                }
                let offsets = fetched.next_offsets();
                prop_assert!((1..=AT_A_TIME).contains(&offsets.len()));
                for offset in offsets {
                    prop_assert_eq!(offset, fetched.reached);
                    fetched.take(page());
                }
            }
            prop_assert!(!fetched.wants_more());
            prop_assert!(fetched.counted() <= FARTHEST);
        }
    }
}
