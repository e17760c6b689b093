//! The access log: one line for each request, in a span with its id and user.

use std::borrow::Cow;
use std::time::Instant;

use axum::extract::Request;
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use percent_encoding::percent_decode_str;
use tracing::field::Empty;
use tracing::{Instrument as _, error_span};

use crate::web::middleware::request_id::REQUEST_ID;

/// Logs a request with its path, but not its query, which may hold authorization codes and `state`.
pub(crate) async fn log_request(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = redact_path(request.uri().path());
    let id = request.headers().get(&REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or_default();
    // At the highest level, so that RUST_LOG cannot filter out the span of an error.
    let span = error_span!("request", request_id = id, user_id = Empty);
    let start = Instant::now();
    let response_future = async move {
        let response = next.run(request).await;
        let status = response.status().as_u16();
        let ms = start.elapsed().as_millis() as u64;
        // `str` fields are quoted and escaped, which prevents log injection.
        let (method, path) = (known_method(&method), path.as_str());
        match path {
            "/healthz" | "/readyz" => tracing::debug!(method, path, status, ms, "answered"),
            _ => tracing::info!(method, path, status, ms, "answered"),
        }
        response
    };
    response_future.instrument(span).await
}

/// Returns the method, or `other`: clients can send any text as one, tokens too.
pub(crate) fn known_method(method: &Method) -> &'static str {
    ["GET", "HEAD", "POST", "PUT", "DELETE"].into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

/// From this length on a segment may be a token of a link, or the beginning of one: those of shares have 22 characters
/// of base64url, those of invitations 43.
const MIN_TOKEN_LENGTH: usize = 12;
/// How often a segment may be percent-encoded and still be read.
const MAX_ENCODINGS: usize = 8;

/// Returns the path without tokens of links. They are recognized by their shape, however the path is written, and by
/// the segment before them. Ids of playlists have the same shape and are left out as well, and so are shared tags,
/// which are a person's own words.
pub(crate) fn redact_path(path: &str) -> String {
    let mut opens_link = false;
    let redact = |(index, segment)| {
        let decoded = decode(segment);
        let is_redacted = decoded.as_deref().is_none_or(|text| opens_link && !text.is_empty() || has_token_shape(text));
        opens_link = decoded.is_some_and(|text| match text.to_ascii_lowercase().as_str() {
            "s" | "n" | "invite" => true,
            // All but `/tags/edit`, which has no tag in its path.
            "tags" => index > 1,
            _ => false,
        });
        if is_redacted { "…" } else { segment }
    };
    path.split('/').enumerate().map(redact).collect::<Vec<_>>().join("/")
}

/// Decodes a segment as often as it is encoded; `None` if that is too often.
fn decode(segment: &str) -> Option<Cow<'_, str>> {
    let mut text = Cow::Borrowed(segment);
    for _ in 0..MAX_ENCODINGS {
        if !text.contains('%') {
            return Some(text);
        }
        let decoded = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if decoded == text {
            return Some(text);
        }
        text = decoded.into();
    }
    None
}

/// Returns whether the characters of base64url in `text`, whatever is between them, may be a token. Words of paths and
/// slugs have no upper-case letter, and of 170,000 tokens one has none.
fn has_token_shape(text: &str) -> bool {
    let is_base64url = |c: &char| c.is_ascii_alphanumeric() || *c == '-' || *c == '_';
    text.chars().filter(is_base64url).count() >= MIN_TOKEN_LENGTH
        && text.contains(|c: char| c.is_ascii_uppercase() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_links_are_redacted_however_the_path_is_written() {
        let (share, plain, invite) = ("k3-Zt0pQ_xW7rBv2mYh9Aw", "k3XZt0pQ7xW7rBv2mYh9Aw", "x".repeat(42) + "Q");
        for path in [
            format!("/s/{share}"),
            format!("/s/{share}/atom.xml"),
            format!("//s/{share}"),
            format!("/s//{share}"),
            format!("/%73/{share}"),
            format!("/%2573/{share}"),
            format!("/S/{share}"),
            format!("/s%2F{share}"),
            "/s/%6b3-Zt0pQ_xW7rBv2mYh9Aw".into(),
            format!("/login%3Fnext=%2Fs%2F{share}"),
            format!("/u/{share}/u/{share}"),
            format!("/{share}."),
            format!("/{}", &share[1..]),
            format!("/x/{}", &plain[..20]),
            format!("/x/{}", &share[..MIN_TOKEN_LENGTH]),
            format!("/x/{}.{}", &share[..10], &share[10..]),
            format!("/x/{}%20{}", &share[..5], &share[5..]),
            format!("/invite/{invite}"),
            format!("/Invite/{invite}"),
            "/s/short".into(),
            "/n/short/atom.xml".into(),
            "/u/ada/tags/short".into(),
            "/u/ada/%74ags/short/atom.xml".into(),
            "/s/x/tags/short/feed.json".into(),
            "/%69nvite/short".into(),
        ]
        .into_iter()
        .chain(["u", "playlists", "heart", "hearts", "hearts/removed"].map(|page| format!("/{page}/{plain}")))
        .chain((1..20).map(|times| format!("/x/%{}6b{}", "25".repeat(times), &plain[1..])))
        {
            let redacted = redact_path(&path);
            for hidden in ["Zt0p", "xW7r", "xxxx", "short", "6b"] {
                assert!(!redacted.contains(hidden), "{path}: {redacted}");
            }
            assert!(redacted.contains('…'), "{path}: {redacted}");
        }
    }

    #[test]
    fn addresses_of_pages_are_logged_as_they_are() {
        for path in [
            "/", "//", "*", "/hearts/removed", "/hearts/export.json", "/u/the-hearts-of-somebody-in-2026",
            "/tags/edit", "/auth/spotify/callback", "/.well-known/change-password", "/account/reauthenticate",
            "/%0aforged",
        ] {
            assert_eq!(redact_path(path), path);
        }
        assert_eq!(redact_path("/hearts/3cEYpjA9oz9GiPac4AsH4n/annotation"), "/hearts/…/annotation");
    }

    #[test]
    fn methods_that_are_made_up_are_logged_as_other() {
        let method = |text: &str| Method::from_bytes(text.as_bytes()).unwrap();
        assert_eq!(known_method(&method("PUT")), "PUT");
        for made_up in ["k3-Zt0pQ_xW7rBv2mYh9Aw", "put", "PATCH"] {
            assert_eq!(known_method(&method(made_up)), "other");
        }
    }
}
