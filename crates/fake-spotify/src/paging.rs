//! Pages of a list, and how they contradict the reference or themselves.

use serde_json::{Value, json};

/// Limits of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) limit: usize,
    pub(crate) offset: usize,
}

/// How the pages of all lists are wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PagingQuirk {
    /// At most this many entries on a page, as its `limit` says.
    LowerLimit(usize),
    /// At most this many entries on a page, which has neither `limit` nor `offset`.
    UnstatedLimit(usize),
    /// At most this many entries on a page, although `limit` is what was requested.
    OverstatedLimit(usize),
    /// At most this many entries on a page and never a `next`, although `total` counts more.
    NoNext(usize),
    /// No entries and no `next`, although `total` counts some.
    Empty,
    /// This many entries in all and never a `next`, although `total` counts more.
    Truncated(usize),
    /// No entries from the second page on.
    EmptyAfterFirst,
    /// `items` is null from the second page on.
    NullAfterFirst,
    /// The first entry alone and no `next`, whatever the offset; `total` counts all.
    FirstEntryOnly,
    /// The first page at every offset, which the response repeats as its own.
    FirstPageAgain,
    /// The first page at every offset, which the response does not mention.
    FirstPageUnnoticed,
    /// `next` is always the address of the page itself.
    NextIsSelf,
    /// `total` is always larger than what has come, and there is always a `next`.
    GrowingTotal,
}

impl PagingQuirk {
    /// The page that is returned instead of the requested one.
    pub(crate) fn replace_page(self, Page { limit, offset }: Page) -> Page {
        match self {
            Self::LowerLimit(most) | Self::UnstatedLimit(most) | Self::OverstatedLimit(most) | Self::NoNext(most) => {
                Page { limit: limit.min(most), offset }
            }
            Self::Truncated(count) => Page { limit: limit.min(count.saturating_sub(offset)), offset },
            Self::FirstEntryOnly => Page { limit: 1, offset: 0 },
            Self::FirstPageAgain | Self::FirstPageUnnoticed => Page { limit, offset: 0 },
            Self::Empty | Self::EmptyAfterFirst | Self::NullAfterFirst | Self::NextIsSelf | Self::GrowingTotal => {
                Page { limit, offset }
            }
        }
    }

    /// Falsifies the paging object of `page`.
    pub(crate) fn distort(self, response: &mut Value, page: Page) {
        match self {
            Self::LowerLimit(_) | Self::FirstPageAgain => {}
            Self::EmptyAfterFirst if page.offset > 0 => response["items"] = json!([]),
            Self::NullAfterFirst if page.offset > 0 => response["items"] = Value::Null,
            Self::EmptyAfterFirst | Self::NullAfterFirst => {}
            Self::UnstatedLimit(_) | Self::FirstPageUnnoticed => {
                let fields = response.as_object_mut().expect("a paging object");
                fields.retain(|name, _| !matches!(name.as_str(), "limit" | "offset"));
            }
            Self::OverstatedLimit(_) => response["limit"] = json!(50),
            Self::NoNext(_) | Self::Truncated(_) => response["next"] = Value::Null,
            Self::Empty => (response["items"], response["next"]) = (json!([]), Value::Null),
            Self::FirstEntryOnly => {
                let fields = response.as_object_mut().expect("a paging object");
                fields.retain(|name, _| matches!(name.as_str(), "items" | "total"));
                response["next"] = Value::Null;
            }
            Self::NextIsSelf => response["next"] = response["href"].clone(),
            Self::GrowingTotal => {
                response["total"] = json!(page.offset + 2 * page.limit);
                response["next"] = response["href"].clone();
            }
        }
    }
}
