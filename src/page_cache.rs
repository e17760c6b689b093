//! Pages as they were last filled and packed. Nothing here is out of date: who looks a page up says all that stands in
//! it, in short, and gets only what was filled with just that.
//!
//! It lives in the process, and needs to agree with no other: each finds out from the rows what a page says. The sweep
//! empties it every ten minutes, so that nothing outlasts for long what it was made of.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::Arc;

use bytes::Bytes;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use crate::ids::UserId;

/// How many bytes of pages are kept. A packed page of fifty playlists takes 9 kB of them, as it is it takes 60.
const ROOM: u64 = 6 * 1024 * 1024;
/// The same in packed pages.
const PAGES: usize = 700;
/// How many bytes a page has at most that is kept: one that takes more would send too many others away.
const LONGEST: usize = 256 * 1024;

/// Where a page is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Whose it is; none: that of all who are not signed in.
    pub person: Option<UserId>,
    /// Its path and query.
    pub path: String,
    /// Whether it is packed by gzip.
    pub packed: bool,
}

/// A page, and of what it was made.
#[derive(Clone)]
struct Filled {
    from: u64,
    body: Bytes,
}

#[derive(Clone)]
struct ByLength;

impl Weighter<Place, Filled> for ByLength {
    fn weight(&self, place: &Place, filled: &Filled) -> u64 {
        (place.path.len() + filled.body.len()) as u64
    }
}

/// The pages; a clone shares them. Of those that do not fit, the ones go that nobody looks at.
#[derive(Clone)]
pub struct PageCache {
    pages: Arc<Cache<Place, Filled, ByLength>>,
    hasher: RandomState,
}

impl Default for PageCache {
    fn default() -> Self {
        // One part: with a share of the room for each core, how much is kept would depend on the machine.
        let options = OptionsBuilder::new().estimated_items_capacity(PAGES).weight_capacity(ROOM).shards(1).build();
        let options = options.expect("all that must be said is said");
        let pages = Cache::with_options(options, ByLength, DefaultHashBuilder::default(), DefaultLifecycle::default());
        Self { pages: Arc::new(pages), hasher: RandomState::new() }
    }
}

impl PageCache {
    /// Forgets all pages.
    pub fn clear(&self) {
        self.pages.clear();
    }

    /// The slot for the page at `place` that says what `from` says.
    pub fn slot(&self, place: Place, from: &impl Hash) -> Slot<'_> {
        Slot { cache: self, place, from: self.hasher.hash_one(from) }
    }
}

/// Room for one page. What is in it differs from what belongs there once in 2^64 times, and is the same person's.
pub struct Slot<'a> {
    cache: &'a PageCache,
    place: Place,
    from: u64,
}

impl Slot<'_> {
    /// The page, if it was filled with just this.
    pub fn filled(&self) -> Option<Bytes> {
        self.cache.pages.get(&self.place).filter(|filled| filled.from == self.from).map(|filled| filled.body)
    }

    /// Keeps the page, in place of what it was before, unless it is very long.
    pub fn fill(self, body: Bytes) {
        if body.len() <= LONGEST {
            self.cache.pages.insert(self.place, Filled { from: self.from, body });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(person: i64, path: &str) -> Place {
        Place { person: Some(UserId(person)), path: path.into(), packed: false }
    }

    #[test]
    fn a_page_is_found_by_whose_and_where_it_is_and_by_what_it_says() {
        let cache = PageCache::default();
        assert!(cache.slot(place(1, "/hearts"), &"rain").filled().is_none());
        cache.slot(place(1, "/hearts"), &"rain").fill(Bytes::from_static(b"Rain"));
        assert_eq!(cache.slot(place(1, "/hearts"), &"rain").filled().as_deref(), Some(&b"Rain"[..]));
        let packed = Place { packed: true, ..place(1, "/hearts") };
        for other in [place(2, "/hearts"), place(1, "/playlists"), packed] {
            assert!(cache.slot(other, &"rain").filled().is_none());
        }
        assert!(cache.slot(place(1, "/hearts"), &"snow").filled().is_none());
        cache.slot(place(1, "/hearts"), &"snow").fill(Bytes::from_static(b"Snow"));
        assert!(cache.slot(place(1, "/hearts"), &"rain").filled().is_none(), "one page for each place");
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let cache = PageCache::default();
        for person in 0..1000 {
            cache.slot(place(person, "/hearts"), &"rain").fill(Bytes::from(vec![b'x'; 60_000]));
        }
        let kept = (0..1000).filter(|&person| cache.slot(place(person, "/hearts"), &"rain").filled().is_some());
        let kept = kept.count() as u64 * 60_000;
        assert!((ROOM / 2..=ROOM).contains(&kept), "{kept} bytes");
        cache.slot(place(1, "/long"), &"rain").fill(Bytes::from(vec![b'x'; LONGEST + 1]));
        assert!(cache.slot(place(1, "/long"), &"rain").filled().is_none());
        cache.clear();
        assert!((0..1000).all(|person| cache.slot(place(person, "/hearts"), &"rain").filled().is_none()));
    }
}
