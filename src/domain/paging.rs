//! Reading a list of Spotify page by page.

use super::{Error, Result};
use crate::spotify::{self, wire};

/// How far a list has been read.
pub(super) struct Paging {
    /// The offset after the last page.
    pub(super) next_offset: usize,
    /// The number of entries from one page to the next.
    pub(super) step: usize,
    /// The largest of the stated totals.
    pub(super) total: Option<usize>,
    /// True if the last page names a next one.
    pub(super) is_followed: bool,
    /// True before the first page, and after a page with entries.
    has_entries: bool,
}

impl Paging {
    pub(super) fn new(offset: usize, total: Option<usize>) -> Self {
        Self { next_offset: offset, step: 0, total, is_followed: true, has_entries: true }
    }

    /// Moves behind the page that was requested at [`Self::next_offset`]. Fails if it is another page.
    pub(super) fn accept<T>(&mut self, page: &wire::Page<T>) -> Result<()> {
        if page.offset.is_some_and(|stated| stated != self.next_offset) {
            return Err(contradiction("a page at another offset"));
        }
        self.step = page.step(self.next_offset);
        self.next_offset += self.step;
        self.total = self.total.max(page.total);
        self.is_followed = page.next.is_some();
        self.has_entries = page.items.as_ref().is_some_and(|items| !items.is_empty());
        Ok(())
    }

    /// True if there is another page. A page without entries ends the list, whatever it says.
    pub(super) fn has_more(&self) -> bool {
        self.has_entries && (self.is_followed || self.is_counted())
    }

    /// True if the total counts entries after the last page.
    pub(super) fn is_counted(&self) -> bool {
        self.total.is_some_and(|total| self.next_offset < total)
    }
}

/// Returns the error for a response that contradicts itself or the request.
pub(super) fn contradiction(what: &str) -> Error {
    spotify::Error::InvalidResponse(what.into()).into()
}
