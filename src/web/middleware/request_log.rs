//! The access log: one line for each request, in a span with its id and user.

use std::borrow::Cow;
use std::time::Instant;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use percent_encoding::percent_decode_str;
use tracing::field::Empty;
use tracing::{Instrument as _, error_span};

use crate::ids::PlaylistId;
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
        let (method, path) = (method.as_str(), path.as_str());
        match path {
            "/healthz" | "/readyz" => tracing::debug!(method, path, status, ms, "answered"),
            _ => tracing::info!(method, path, status, ms, "answered"),
        }
        response
    };
    response_future.instrument(span).await
}

/// Shortest token of a link, one character short, as a copy of a link may be.
const MIN_TOKEN_LENGTH: usize = 21;
/// Longest slug of a public page.
const MAX_SLUG_LENGTH: usize = 30;

/// Returns the path without tokens of links: those of shares have 22 characters of base64url, those of invitations 43.
/// They are recognized by their shape, however the path is written, and by the segment before them. Ids of playlists and
/// slugs, which have the same shape, stay where the app has them.
pub(crate) fn redact_path(path: &str) -> String {
    let mut redacted = Vec::new();
    for segment in path.split('/') {
        let decoded = decode(segment);
        let before = redacted.last().map_or("", Cow::as_ref);
        let is_public = match before {
            "playlists" | "heart" | "hearts" | "removed" => PlaylistId::parse(segment).is_ok(),
            "u" => segment.len() <= MAX_SLUG_LENGTH && redacted.len() == 2,
            _ => false,
        };
        let opens_link = |name: &str| ["s", "invite"].iter().any(|opener| decode(name).eq_ignore_ascii_case(opener));
        let is_redacted = opens_link(before) || !is_public && has_token_shape(&decoded);
        redacted.push(if is_redacted && !segment.is_empty() { Cow::Borrowed("…") } else { Cow::Borrowed(segment) });
    }
    redacted.join("/")
}

/// Decodes a segment as often as it is encoded, at most three times.
fn decode(segment: &str) -> Cow<'_, str> {
    if !segment.contains('%') {
        return segment.into();
    }
    let decode = |text: String, _| percent_decode_str(&text).decode_utf8_lossy().into_owned();
    (0..3).fold(segment.to_owned(), decode).into()
}

fn has_token_shape(text: &str) -> bool {
    let is_base64url = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    text.split(|c| !is_base64url(c)).any(|run| run.len() >= MIN_TOKEN_LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_links_are_redacted_however_the_path_is_written() {
        let (share, invite) = ("k3-Zt0pQ_xW7rBv2mYh9Aw", "x".repeat(43));
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
            format!("/playlists/{share}"),
            format!("/login%3Fnext=%2Fs%2F{share}"),
            format!("/u/{share}/u/{share}"),
            format!("/{share}."),
            format!("/{}", &share[1..]),
            format!("/invite/{invite}"),
            format!("/Invite/{invite}"),
            format!("/playlists/{invite}"),
            "/s/short".into(),
            "/%69nvite/short".into(),
        ] {
            let redacted = redact_path(&path);
            for hidden in ["Zt0pQ_xW7rBv2mYh9A", "xxxx", "short"] {
                let is_slug = path.starts_with("/u/") && redacted.matches(hidden).count() == 1;
                assert!(is_slug || !redacted.contains(hidden), "{path}: {redacted}");
            }
            assert!(redacted.contains('…'), "{path}: {redacted}");
        }
    }

    #[test]
    fn addresses_of_pages_are_logged_as_they_are() {
        for path in [
            "/",
            "//",
            "*",
            "/playlists/3cEYpjA9oz9GiPac4AsH4n",
            "/heart/3cEYpjA9oz9GiPac4AsH4n",
            "/hearts/3cEYpjA9oz9GiPac4AsH4n/annotation",
            "/hearts/removed/3cEYpjA9oz9GiPac4AsH4n",
            "/u/the-hearts-of-somebody-in-2026",
            "/auth/spotify/callback",
            "/.well-known/change-password",
            "/account/reauthenticate",
            "/%0aforged",
        ] {
            assert_eq!(redact_path(path), path);
        }
    }
}
