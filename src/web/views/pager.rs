//! Pagination.

use axum::http::StatusCode;
use serde::Deserialize;

use crate::domain::{PageRange, Paginated};
use crate::web::error::AppError;

/// Pages shown together at most; earlier ones are behind a link.
const MAX_PAGES_SHOWN: usize = 10;

/// `?page=`: a number, or a range such as `2-4`. Anything else is the first page.
#[derive(Default, Deserialize)]
pub(crate) struct PageParam {
    #[serde(default)]
    page: Option<String>,
}

impl PageParam {
    pub(crate) fn number(&self) -> usize {
        self.page.as_deref().and_then(number).unwrap_or(1)
    }

    pub(crate) fn range(&self) -> PageRange {
        let (first, last) = self.page.as_deref().and_then(|pages| pages.split_once('-')).unwrap_or_default();
        match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => {
                PageRange { first: first.max((last + 1).saturating_sub(MAX_PAGES_SHOWN)), last }
            }
            _ => self.number().into(),
        }
    }
}

fn number(text: &str) -> Option<usize> {
    text.parse().ok().filter(|page| (1..=1_000_000).contains(page))
}

/// Links between the pages of a list.
pub(crate) struct Pager {
    pub(crate) shown: PageRange,
    pub(crate) page_count: usize,
    first_path: String,
}

impl Pager {
    /// Fails with 404 for a page behind the last.
    pub(crate) fn new<L>(list: &Paginated<L>, first: impl Into<String>) -> Result<Self, AppError> {
        let (at, pages, first) = (list.range, list.page_count(), first.into());
        if at.first > pages {
            return Err(no_such_page());
        }
        Ok(Self { shown: PageRange { last: at.last.min(pages), ..at }, page_count: pages, first_path: first })
    }

    pub(crate) fn page_path(&self, page: usize) -> String {
        page_path(&self.first_path, page)
    }

    pub(crate) fn current_path(&self) -> String {
        let PageRange { first, last } = self.shown;
        if first == last { self.page_path(first) } else { with_page(&self.first_path, &format!("{first}-{last}")) }
    }
}

/// Path of a page of the list that begins at `first`.
pub(crate) fn page_path(first: &str, page: usize) -> String {
    if page == 1 { first.to_owned() } else { with_page(first, &page.to_string()) }
}

fn with_page(first: &str, page: &str) -> String {
    format!("{first}{}page={page}", if first.contains('?') { '&' } else { '?' })
}

fn no_such_page() -> AppError {
    AppError::new(StatusCode::NOT_FOUND, "No such page", "The list ends before this page.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_that_are_shown_together_are_few_and_in_order() {
        let span = |page: &str| {
            let PageRange { first, last } = PageParam { page: Some(page.into()) }.range();
            (first, last)
        };
        assert_eq!([span("3"), span("2-4"), span("5-5")], [(3, 3), (2, 4), (5, 5)]);
        assert_eq!([span("1-10"), span("1-12"), span("1-999999")], [(1, 10), (3, 12), (999_990, 999_999)]);
        for odd in ["", "0", "x", "-", "-3", "3-", "4-2", "0-2", "1-2-3", "1-99999999999999999999"] {
            assert_eq!(span(odd), (1, 1), "{odd}");
        }
    }
}
