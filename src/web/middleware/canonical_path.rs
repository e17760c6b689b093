//! Redirects addresses as people type them to the canonical form.

use axum::extract::Request;
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

/// First segments of paths that hold neither ids nor tokens.
const CASELESS: [&str; 2] = ["u", "account"];

pub(crate) async fn redirect_to_canonical_path(request: Request, next: Next) -> Response {
    let is_typed = matches!(*request.method(), Method::GET | Method::HEAD);
    match canonical_path(request.uri().path()).filter(|_| is_typed) {
        Some(path) => {
            let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
            Redirect::permanent(&format!("{path}{query}")).into_response()
        }
        None => next.run(request).await,
    }
}

/// Returns the path without doubled slashes and a slash at the end, and in lower case where case has no meaning: ids and
/// tokens, which never come first, keep theirs. `None` if the path is canonical.
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
        match CASELESS.contains(&first.as_str()) {
            true => canonical.push_str(&segment.to_ascii_lowercase()),
            false => canonical.push_str(segment),
        }
    }
    (canonical != path).then_some(canonical)
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
