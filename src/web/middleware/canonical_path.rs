//! Redirects addresses as people type them to the canonical form.

use std::borrow::Cow;

use axum::extract::Request;
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use percent_encoding::percent_decode_str;

use crate::ids::PlaylistId;

/// First segments of paths without regard to case: no tokens are below them. Ids are below `hearts` alone, and keep
/// theirs.
const CASE_INSENSITIVE: [&str; 5] = ["u", "account", "auth", "hearts", ".well-known"];

pub(crate) async fn redirect_to_canonical_path(request: Request, next: Next) -> Response {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD);
    match canonical_path(request.uri().path()).filter(|_| is_safe) {
        Some(path) => {
            let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
            Redirect::permanent(&format!("{path}{query}")).into_response()
        }
        None => next.run(request).await,
    }
}

/// Returns the path without doubled slashes and a slash at the end, and in lower case where case has no meaning: ids
/// and tokens, which never come first, keep theirs. `None` if the path is canonical.
fn canonical_path(path: &str) -> Option<String> {
    // Browsers read a backslash as a slash, so `/\host` would lead to another site, as `//host` does.
    if path.contains('\\') {
        return None;
    }
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let first = segments.next().unwrap_or_default().to_ascii_lowercase();
    let mut canonical = format!("/{first}");
    for segment in segments {
        canonical.push('/');
        let is_id = first == "hearts" && PlaylistId::parse(segment).is_ok();
        match CASE_INSENSITIVE.contains(&first.as_str()) && !is_id {
            true => canonical.push_str(&decode(segment).to_ascii_lowercase()),
            false => canonical.push_str(segment),
        }
    }
    (canonical != path).then_some(canonical)
}

/// Decodes a segment of unreserved characters (RFC 3986 section 2.3), which mean the same with and without encoding.
fn decode(segment: &str) -> Cow<'_, str> {
    let is_unreserved = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let decoded = percent_decode_str(segment).decode_utf8().ok();
    decoded.filter(|text| text.chars().all(is_unreserved)).unwrap_or(segment.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::canonical_path;

    #[test]
    fn ids_and_tokens_keep_their_case() {
        for canonical in
            ["/", "/hearts", "/u/ada-1815/atom.xml", "/s/AbC_-d", "/invite/AbC", "/playlists/3cEYpjA9oz9GiPac4AsH4n"]
        {
            assert_eq!(canonical_path(canonical), None);
        }
        assert_eq!(canonical_path("/Playlists//3cEYpjA9oz9GiPac4AsH4n/").unwrap(), "/playlists/3cEYpjA9oz9GiPac4AsH4n");
        assert_eq!(canonical_path("//").unwrap(), "/");
        for (typed, canonical) in [
            ("/HEARTS/Import", "/hearts/import"),
            ("/hearts/Export.csv", "/hearts/export.csv"),
            ("/Hearts/3cEYpjA9oz9GiPac4AsH4n/Annotation", "/hearts/3cEYpjA9oz9GiPac4AsH4n/annotation"),
            ("/auth/Spotify", "/auth/spotify"),
            ("/u/ada%2Dloves", "/u/ada-loves"),
            ("/u/%61da", "/u/ada"),
            ("/u/%41da%7e", "/u/ada~"),
            ("/u/a%2Fb", "/u/a%2fb"),
            ("/u/a%252Db", "/u/a%252db"),
        ] {
            assert_eq!(canonical_path(typed).as_deref(), Some(canonical), "{typed}");
            assert_eq!(canonical_path(canonical), None, "{canonical}");
        }
    }

    proptest! {
        #[test]
        fn redirect_stays_on_the_site_and_ends(path in r"/[/\\a-zA-Z.:%0-9]{0,20}") {
            if let Some(canonical) = canonical_path(&path) {
                let site = url::Url::parse("https://hearts.example").unwrap();
                prop_assert_eq!(site.join(&canonical).unwrap().origin(), site.origin());
                prop_assert_eq!(canonical_path(&canonical), None);
            }
        }
    }
}
