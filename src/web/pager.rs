//! The pages of a list: which one is asked for, and where the others are.

use axum::http::StatusCode;
use serde::Deserialize;

use super::error::Fault;
use crate::domain::Paged;

/// `?page=` in an address: anything that is no page number is the first page.
#[derive(Default, Deserialize)]
pub(super) struct PageParam {
    #[serde(default)]
    page: Option<String>,
}

impl PageParam {
    pub(super) fn number(&self) -> usize {
        self.page.as_deref().and_then(|page| page.parse().ok()).filter(|page| *page > 0).unwrap_or(1)
    }
}

/// The links between the pages of a list.
pub(super) struct Pager {
    pub(super) page: usize,
    pub(super) pages: usize,
    /// Where the first page is.
    first: String,
}

impl Pager {
    /// The pages of the list that begins at `first`.
    ///
    /// # Errors
    /// For a page behind the last.
    pub(super) fn of<T>(list: &Paged<T>, first: impl Into<String>) -> Result<Self, Fault> {
        let pager = Self { page: list.page, pages: list.pages(), first: first.into() };
        if pager.page > pager.pages { Err(no_such_page()) } else { Ok(pager) }
    }

    /// Where a page is.
    pub(super) fn address(&self, page: usize) -> String {
        address(&self.first, page)
    }

    /// Where this page is.
    pub(super) fn here(&self) -> String {
        self.address(self.page)
    }
}

/// Where a page of the list that begins at `first` is.
pub(super) fn address(first: &str, page: usize) -> String {
    match page {
        1 => first.to_owned(),
        _ => format!("{first}{}page={page}", if first.contains('?') { '&' } else { '?' }),
    }
}

fn no_such_page() -> Fault {
    Fault::new(StatusCode::NOT_FOUND, "No such page", "The list ends before this page.")
}
