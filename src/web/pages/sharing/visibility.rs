//! The address of shared hearts, and conditional responses.
//!
//! An address that shows nothing answers 410, whether it was turned off, taken down or never used, so that guessing
//! tells nothing.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY, VARY};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use time::OffsetDateTime;

use crate::app::App;
use crate::domain::sharing::{self, Address, SharedPage, Slug};
use crate::ids::{Secret, TokenHash};
use crate::web::error::AppError;

static ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// A request for shared hearts.
pub(crate) struct SharedAddress {
    pub(crate) address: Address,
    pub(crate) path: String,
    /// The If-None-Match header.
    if_none_match: Option<String>,
}

impl FromRequestParts<Arc<App>> for SharedAddress {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, AppError> {
        let mut segments = parts.uri.path().split('/').skip(1);
        let (kind, name) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
        let address = match kind {
            "u" => Slug::parse(name).ok().filter(|slug| slug.as_str() == name).map(Address::Page),
            _ => Some(Address::Link(Secret::new(name))),
        };
        let held = parts.headers.get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).map(str::to_owned);
        Ok(Self { address: address.ok_or_else(not_shared)?, path: format!("/{kind}/{name}"), if_none_match: held })
    }
}

impl SharedAddress {
    /// Fails with 410 if nothing is shared at the address.
    pub(crate) async fn load(&self, app: &App, page: usize, now: OffsetDateTime) -> Result<SharedPage, AppError> {
        sharing::load_shared_page(app, &self.address, page, now).await?.ok_or_else(not_shared)
    }

    pub(crate) fn is_secret(&self) -> bool {
        matches!(self.address, Address::Link(_))
    }

    /// The response, or 304 if the client has it already.
    ///
    /// Public pages may be cached but must be revalidated (`no-cache`): with a lifetime, hearts would be shown for minutes
    /// after sharing was turned off. Revalidation costs three short queries.
    pub(crate) fn respond(self, kind: &'static str, text: String) -> Response {
        // Weak, because the tag is the same for compressed responses.
        let tag = format!("W/\"{}\"", TokenHash::new(&text).log_prefix());
        let mut answer = match &self.if_none_match {
            Some(held) if etag_matches(held, &tag) => StatusCode::NOT_MODIFIED.into_response(),
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

/// Weak comparison of an If-None-Match header (RFC 9110, 13.1.2).
fn etag_matches(held: &str, tag: &str) -> bool {
    held.trim() == "*" || held.split(',').any(|one| one.trim() == tag)
}

fn not_shared() -> AppError {
    AppError::new(
        StatusCode::GONE,
        "Nothing is shared here",
        "There are no hearts at this address. Perhaps there never were, or whoever shared them has stopped.",
    )
}

#[cfg(test)]
mod tests {
    use super::etag_matches;

    #[test]
    fn a_tag_is_found_among_several() {
        let tag = "W/\"0f\"";
        for held in [tag, "*", " * ", "\"x\", W/\"0f\"", "W/\"0f\",W/\"1f\""] {
            assert!(etag_matches(held, tag), "{held}");
        }
        for held in ["", "W/\"1f\"", "0f"] {
            assert!(!etag_matches(held, tag), "{held}");
        }
    }
}
