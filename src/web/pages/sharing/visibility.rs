//! What is asked of an address that shows hearts, and how it is answered: anew, or "as you have it".
//!
//! Every address that shows nothing gives the same answer, 410, be it switched off, taken away or never used:
//! who has it learns at once that nothing is here, and who guesses learns no more than that.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY, VARY};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use time::OffsetDateTime;

use crate::app::App;
use crate::domain::sharing::{self, Address, Shown, Slug};
use crate::ids::{Digested, Secret};
use crate::web::error::AppError;

/// What search engines may do with an answer.
static ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// A request for what somebody shows.
pub(crate) struct Asked {
    pub(crate) address: Address,
    /// Where that is, as a path.
    pub(crate) path: String,
    /// What the visitor has of it already.
    held: Option<String>,
}

impl FromRequestParts<Arc<App>> for Asked {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, AppError> {
        let mut segments = parts.uri.path().split('/').skip(1);
        let (kind, name) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
        let address = match kind {
            "u" => Slug::typed(name).ok().filter(|slug| slug.as_str() == name).map(Address::Page),
            _ => Some(Address::Link(Secret::new(name))),
        };
        let held = parts.headers.get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).map(str::to_owned);
        Ok(Self { address: address.ok_or_else(gone)?, path: format!("/{kind}/{name}"), held })
    }
}

impl Asked {
    /// Page `page` of what is shown.
    pub(crate) async fn shown(&self, app: &App, page: usize, now: OffsetDateTime) -> Result<Shown, AppError> {
        sharing::at(app, &self.address, page, now).await?.ok_or_else(gone)
    }

    pub(crate) fn is_secret(&self) -> bool {
        matches!(self.address, Address::Link(_))
    }

    /// `text` as a `kind`, unless the visitor has it already.
    ///
    /// Anyone may keep what is public, and must ask each time whether it still holds (`no-cache`): a lifetime of
    /// its own would show hearts for minutes after their owner switched them off. Asking costs three short queries.
    pub(crate) fn answer(self, kind: &'static str, text: String) -> Response {
        // Weak, because the same tag stands for the text and for its compressed forms.
        let tag = format!("W/\"{}\"", Digested::of(&text).short());
        let mut answer = match &self.held {
            Some(held) if holds(held, &tag) => StatusCode::NOT_MODIFIED.into_response(),
            _ => ([(CONTENT_TYPE, kind)], text).into_response(),
        };
        let headers = answer.headers_mut();
        headers.insert(ETAG, tag.try_into().expect("a tag is plain text"));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if self.is_secret() {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
            headers.insert(ROBOTS.clone(), HeaderValue::from_static("noindex, nofollow"));
            headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        } else {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, no-cache"));
        }
        answer
    }
}

/// Whether an `If-None-Match` names `tag`, weakly compared (RFC 9110, 13.1.2).
fn holds(held: &str, tag: &str) -> bool {
    held.trim() == "*" || held.split(',').any(|one| one.trim() == tag)
}

fn gone() -> AppError {
    AppError::new(
        StatusCode::GONE,
        "Nothing is shared here",
        "There are no hearts at this address. Perhaps there never were, or whoever shared them has stopped.",
    )
}

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn a_tag_is_found_among_several() {
        let tag = "W/\"0f\"";
        for held in [tag, "*", " * ", "\"x\", W/\"0f\"", "W/\"0f\",W/\"1f\""] {
            assert!(holds(held, tag), "{held}");
        }
        for held in ["", "W/\"1f\"", "0f"] {
            assert!(!holds(held, tag), "{held}");
        }
    }
}
