//! Requests for shared hearts, and conditional responses.
//!
//! The response is 410 whether an address was turned off, was taken down or never existed, so that addresses cannot be
//! enumerated.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::FromRequestParts;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, IF_NONE_MATCH, REFERRER_POLICY, VARY};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use headers::{ETag, Header, HeaderMapExt, IfNoneMatch};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use time::OffsetDateTime;

use crate::app::App;
use crate::domain::annotation::fold_tag;
use crate::domain::sharing::{self, Address, SharedPage, Slug};
use crate::ids::{Secret, TokenHash};
use crate::web::error::{AppError, Result};

static ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

pub(crate) struct SharedPageRequest {
    pub(crate) address: Address,
    /// Path of all hearts.
    pub(crate) root: String,
    /// Path of the page: `root`, or that of a tag below it.
    pub(crate) path: String,
    tag: Option<String>,
    conditional: Conditional,
}

impl FromRequestParts<Arc<App>> for SharedPageRequest {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self> {
        let mut segments = parts.uri.path().split('/').skip(1);
        let (kind, name) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
        let address = match kind {
            "u" => Slug::parse(name).ok().filter(|slug| slug.as_str() == name).map(Address::Page),
            _ => Some(Address::Link(Secret::new(name))),
        };
        let address = address.ok_or_else(not_shared)?;
        let tag = match (segments.next(), segments.next()) {
            (Some("tags"), Some(tag)) => Some(percent_decode_str(tag).decode_utf8().map_err(|_| not_shared())?.into()),
            _ => None,
        };
        let root = format!("/{kind}/{name}");
        let path = tag.as_deref().map_or_else(|| root.clone(), |tag| tag_path(&root, tag));
        Ok(Self { address, root, path, tag, conditional: Conditional::new(&parts.headers) })
    }
}

impl SharedPageRequest {
    /// Loads a page of hearts; `rows` are its number and whether pinned hearts come first. Fails with 410 if nothing is
    /// shared at the address.
    pub(crate) async fn load(&self, app: &App, rows: (usize, bool), now: OffsetDateTime) -> Result<SharedPage> {
        sharing::load_shared_page(app, &self.address, self.tag.as_deref(), rows, now).await?.ok_or_else(not_shared)
    }

    pub(crate) fn is_secret(&self) -> bool {
        matches!(self.address, Address::Link(_))
    }

    /// Returns the response, or 304 if the client's copy is current.
    pub(crate) fn respond(self, content_type: &'static str, body: impl Into<Bytes>) -> Response {
        let visibility = if self.is_secret() { Visibility::Secret } else { Visibility::Public };
        self.conditional.respond(visibility, content_type, body)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visibility {
    /// May be cached but must be revalidated (`no-cache`): with a max-age, caches would show hearts after sharing was
    /// turned off. Revalidation takes three short queries.
    Public,
    /// For people who have the address. Not cached, not indexed, and never sent as a referrer.
    Secret,
}

/// The copy of a response that the client has, if any.
pub(crate) struct Conditional(Option<IfNoneMatch>);

impl Conditional {
    /// Reads `If-None-Match`. Apache appends the content coding to the tags of compressed responses.
    pub(crate) fn new(headers: &HeaderMap) -> Self {
        let texts = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let own = texts.map(|text| text.replace("-gzip\"", "\"").replace("-br\"", "\""));
        let values: Vec<HeaderValue> = own.filter_map(|text| text.parse().ok()).collect();
        Self(IfNoneMatch::decode(&mut values.iter()).ok())
    }

    /// Returns the response, or 304 if the client's copy is current.
    pub(crate) fn respond(
        self,
        visibility: Visibility,
        content_type: &'static str,
        body: impl Into<Bytes>,
    ) -> Response {
        let body = body.into();
        // Weak, because compressed responses have the same ETag.
        let etag = format!("W/\"{}\"", TokenHash::new(&body).log_prefix());
        let etag: ETag = etag.parse().expect("a hash in hexadecimal is an ETag");
        let mut response = match &self.0 {
            Some(known) if !known.precondition_passes(&etag) => StatusCode::NOT_MODIFIED.into_response(),
            _ => ([(CONTENT_TYPE, content_type)], body).into_response(),
        };
        let headers = response.headers_mut();
        headers.typed_insert(etag);
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if visibility == Visibility::Secret {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
            headers.insert(ROBOTS.clone(), HeaderValue::from_static("noindex, nofollow"));
            headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        } else {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, no-cache"));
        }
        response
    }
}

/// Unreserved characters (RFC 3986 section 2.3), as in canonical paths.
const ENCODED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns the path of a tag's page, the same for all its spellings. In lower case, as canonical paths are.
pub(crate) fn tag_path(root: &str, tag: &str) -> String {
    format!("{root}/tags/{}", utf8_percent_encode(&fold_tag(tag), &ENCODED).to_string().to_ascii_lowercase())
}

pub(crate) fn not_shared() -> AppError {
    AppError::new(
        StatusCode::GONE,
        "Nothing is shared here",
        "There are no hearts at this address. Perhaps there never were, or whoever shared them has stopped.",
    )
}

#[cfg(test)]
mod tests {
    use super::tag_path;

    #[test]
    fn path_of_a_tag_is_the_same_for_all_its_spellings() {
        for (tag, path) in [
            ("rain", "/u/ada/tags/rain"),
            ("#Late Night", "/u/ada/tags/late%20night"),
            ("Été", "/u/ada/tags/ete"),
            ("R&B / 50%?", "/u/ada/tags/r%26b%20%2f%2050%25%3f"),
            ("雨", "/u/ada/tags/%e9%9b%a8"),
            ("lo-fi_1.0~", "/u/ada/tags/lo-fi_1.0~"),
        ] {
            assert_eq!(tag_path("/u/ada", tag), path);
        }
    }
}
