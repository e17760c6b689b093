//! Pagination.

use axum::extract::Query;
use axum::http::StatusCode;
use serde::Deserialize;
use url::form_urlencoded;

use crate::domain::{PageRange, Paginated};
use crate::web::error::{AppError, Result};

const MAX_PAGES_IN_RANGE: usize = 10;
/// More pages than any list has.
const MAX_PAGE: usize = 1_000_000;

/// The query parameter `page`: a number, or a range such as `2-4`. Anything else means the first page.
#[derive(Default, Deserialize)]
pub(crate) struct PageParam {
    page: Option<String>,
}

impl PageParam {
    /// Parses the query of a list's path.
    pub(crate) fn from_path(path: &str) -> Self {
        let uri = path.parse().unwrap_or_default();
        Query::try_from_uri(&uri).map(|Query(param)| param).unwrap_or_default()
    }

    pub(crate) fn number(&self) -> usize {
        self.page.as_deref().and_then(parse_page).unwrap_or(1)
    }

    pub(crate) fn range(&self) -> PageRange {
        let (first, last) = self.page.as_deref().and_then(|pages| pages.split_once('-')).unwrap_or_default();
        match (parse_page(first), parse_page(last)) {
            (Some(first), Some(last)) if first <= last => {
                PageRange { first: first.max((last + 1).saturating_sub(MAX_PAGES_IN_RANGE)), last }
            }
            _ => self.number().into(),
        }
    }
}

/// Clamped to [`MAX_PAGE`], which no list reaches.
fn parse_page(text: &str) -> Option<usize> {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(MAX_PAGE).min(MAX_PAGE)).filter(|page| *page > 0)
}

pub(crate) struct Pager {
    pub(crate) range: PageRange,
    pub(crate) page_count: usize,
    first_path: String,
}

impl Pager {
    /// Fails for a page after the last one, which redirects to the last: a change may have emptied the page that it
    /// returns to. A search finds nothing beyond its last page, so it redirects to the first.
    pub(crate) fn new<L>(list: &Paginated<L>, first_path: impl Into<String>) -> Result<Self> {
        let (range, page_count, first_path) = (list.range, list.page_count(), first_path.into());
        if range.first > page_count {
            let redirect_path = Some(page_path(&first_path, page_count));
            return Err(AppError { redirect_path, ..page_not_found() });
        }
        Ok(Self { range: PageRange { last: range.last.min(page_count), ..range }, page_count, first_path })
    }

    pub(crate) fn page_path(&self, page: usize) -> String {
        page_path(&self.first_path, page)
    }

    /// Path of the form that opens a page by its number.
    pub(crate) fn path(&self) -> &str {
        self.first_path.split('?').next().unwrap_or_default()
    }

    /// The parameters of the list, which the form keeps.
    pub(crate) fn fields(&self) -> Vec<(String, String)> {
        let query = self.first_path.split_once('?').unwrap_or_default().1;
        form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    pub(crate) fn current_path(&self) -> String {
        let PageRange { first, last } = self.range;
        if first == last {
            self.page_path(first)
        } else {
            with_param(&self.first_path, "page", &format!("{first}-{last}"))
        }
    }
}

/// Path of a page of the list that begins at `first_path`.
pub(crate) fn page_path(first_path: &str, page: usize) -> String {
    if page == 1 { first_path.to_owned() } else { with_param(first_path, "page", &page.to_string()) }
}

/// Returns `path` with one more query parameter, whose value needs no encoding.
pub(crate) fn with_param(path: &str, name: &str, value: &str) -> String {
    format!("{path}{}{name}={value}", if path.contains('?') { '&' } else { '?' })
}

pub(crate) fn page_not_found() -> AppError {
    AppError::new(StatusCode::NOT_FOUND, "No such page", "The list ends before this page.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_for_a_page_keeps_the_parameters_of_the_list() {
        let pager = |path: &str| Pager { range: 1.into(), page_count: 9, first_path: path.into() };
        let found = pager("/hearts?q=a%26b+c&sort=name");
        assert_eq!(
            (found.path(), found.fields()),
            ("/hearts", vec![("q".into(), "a&b c".into()), ("sort".into(), "name".into())])
        );
        assert_eq!((pager("/hearts").path(), pager("/hearts").fields()), ("/hearts", vec![]));
    }

    #[test]
    fn page_ranges_are_short_and_ascending() {
        let range = |page: &str| {
            let PageRange { first, last } = PageParam { page: Some(page.into()) }.range();
            (first, last)
        };
        assert_eq!([range("3"), range("2-4"), range("5-5")], [(3, 3), (2, 4), (5, 5)]);
        assert_eq!([range("1-10"), range("1-12"), range("1-999999")], [(1, 10), (3, 12), (999_990, 999_999)]);
        assert_eq!(range("99999999999999999999"), (1_000_000, 1_000_000));
        assert_eq!(range("1-99999999999999999999"), (999_991, 1_000_000));
        for invalid in ["", "0", "x", "-", "-3", "+3", "3-", "4-2", "0-2", "1-2-3"] {
            assert_eq!(range(invalid), (1, 1), "{invalid}");
        }
    }
}
