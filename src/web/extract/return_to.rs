//! Return paths after a sign-in or a form. Only pages of this site, against open redirects.

use html_escape::encode_double_quoted_attribute;
use std::convert::Infallible;
use std::fmt::Display;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::REFERER;
use axum::http::request::Parts;
use serde::Deserialize;
use url::{Position, Url};

use crate::app::App;
use crate::ids::PlaylistId;

/// A path of this site that is safe to redirect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SafePath(String);

/// First segments of allowed return paths.
const ALLOWED_PAGES: [&str; 16] = [
    "", "add", "playlists", "hearts", "tags", "top", "now-playing", "account", "login", "operator", "invite",
    "invites", "about", "privacy", "terms", "setup",
];

/// Long enough for a search of emoji, each of which is encoded in twelve bytes.
const MAX_PATH_BYTES: usize = 1500;

impl SafePath {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_printable = text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
        let path = text.strip_prefix('/')?.split(['?', '#']).next()?;
        let encoded = path.to_ascii_lowercase();
        let has_encoded_separator = encoded.contains("%2f") || encoded.contains("%5c") || encoded.contains("%2e");
        let is_known = ALLOWED_PAGES.contains(&path.split('/').next()?);
        let is_normalized = !path.starts_with('/') && !path.split('/').any(|part| part == "." || part == "..");
        (is_printable && !has_encoded_separator && is_known && is_normalized && text.len() <= MAX_PATH_BYTES)
            .then(|| Self(text.to_owned()))
    }

    pub(crate) fn parse_or_playlists(text: Option<&str>) -> Self {
        text.and_then(Self::parse).unwrap_or_else(|| Self("/playlists".into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The page with the form, by the Referer header; `/playlists` without one.
pub(crate) struct Referer(pub(crate) SafePath);

impl FromRequestParts<Arc<App>> for Referer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        let referer = parts.headers.get(REFERER).and_then(|url| Url::parse(url.to_str().ok()?).ok());
        let own_url = referer.filter(|url| url.origin() == app.config.base_url.origin());
        Ok(Self(SafePath::parse_or_playlists(
            own_url.as_ref().map(|url| &url[Position::BeforePath..Position::AfterQuery]),
        )))
    }
}

/// Path of the sign-in page, with a return path.
pub(crate) fn sign_in_path(path: &str) -> String {
    with_next("/login", path)
}

/// The path of the sign-in page with a heart that the sign-in adds.
pub(crate) fn with_heart(sign_in_path: String, playlist: &PlaylistId) -> String {
    format!("{sign_in_path}&heart={playlist}")
}

pub(crate) fn with_next(page: &str, path: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", path).finish();
    format!("{page}?{query}")
}

/// Lists with links to playlists: path, name, menu entry.
const LIST_PAGES: [(&str, &str, &str); 6] = [
    ("/playlists", "Playlists", "playlists"),
    ("/hearts", "Hearts", "hearts"),
    ("/hearts/removed", "Recently removed", "hearts"),
    ("/hearts/news", "News", "hearts"),
    ("/top", "Popular", "top"),
    ("/now-playing", "Now playing", "now-playing"),
];

/// Link back to the list from which a playlist was opened.
pub(crate) struct BackLink {
    /// Includes the query.
    pub(crate) path: SafePath,
    pub(crate) name: &'static str,
    pub(crate) section: &'static str,
}

impl BackLink {
    /// The list at `from`, or the library.
    pub(crate) fn from_param(from: Option<&str>) -> Self {
        let path = from.and_then(|from| SafePath::parse(from.split('#').next()?));
        let link = path.and_then(|path| {
            let list_path = path.as_str().split('?').next();
            let (_, name, section) = LIST_PAGES.into_iter().find(|(list, ..)| list_path == Some(list))?;
            Some(Self { path, name, section })
        });
        let (_, name, section) = LIST_PAGES[0];
        link.unwrap_or_else(|| Self { path: SafePath::parse_or_playlists(None), name, section })
    }
}

#[derive(Default, Deserialize)]
pub(crate) struct FromParam {
    pub(crate) from: Option<String>,
}

/// Path of a playlist's entry in the list at `from`, or in the hearts.
pub(crate) fn list_anchor(from: Option<&str>, id: impl Display) -> String {
    let page = from.and_then(SafePath::parse);
    let page = page.as_ref().map_or("/hearts", |page| page.as_str().split('#').next().unwrap_or_default());
    format!("{page}#p-{id}")
}

/// Path of a playlist with a link back to the list at `from`.
pub(crate) fn playlist_path(id: &str, from: &str) -> String {
    format!("/playlists/{id}{}", back_query(from))
}

/// Query of [`playlist_path`]; empty for the library.
pub(crate) fn back_query(from: impl AsRef<str>) -> String {
    if from.as_ref() == LIST_PAGES[0].0 {
        return String::new();
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("from", from.as_ref()).finish();
    // Omitted if the whole path would be too long to return to.
    let path = format!("/playlists/0000000000000000000000?{query}");
    if SafePath::parse(&path).is_none() { String::new() } else { format!("?{query}") }
}

/// Link from a page of the list to one with the form of a heart open, up to the playlist's id. Already escaped for HTML,
/// once for all cards of a page.
pub(crate) fn edit_link_prefix(list_path: impl AsRef<str>) -> String {
    let query = list_path.as_ref().split_once('?').map(|(_, query)| encode_double_quoted_attribute(query));
    query.map_or_else(|| "?edit=".into(), |query| format!("?{query}&amp;edit="))
}

/// Return path after a sign-in, and the heart to add, as query parameters or form fields.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct NextParam {
    pub(crate) next: Option<String>,
    pub(crate) heart: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::{BackLink, SafePath, playlist_path};

    #[test]
    fn paths_of_this_site_are_accepted() {
        for good in [
            "/",
            "/playlists",
            "/playlists?page=2#p-3cEYpjA9oz9GiPac4AsH4n",
            "/playlists/3cEYpjA9oz9GiPac4AsH4n",
            "/hearts",
            "/hearts?q=a%2Fb%5C..%2E+tag%3Ax&sort=name&view=list#p-3cEYpjA9oz9GiPac4AsH4n",
            "/top?when=ever",
            "/now-playing",
            "/account",
            "/operator?page=2",
            "/invites",
            "/invite/Vq0lX9kZ",
        ] {
            assert_eq!(SafePath::parse_or_playlists(Some(good)).as_str(), good);
        }
    }

    #[test]
    fn back_link_leads_only_to_lists() {
        let back = |from: &str| {
            let BackLink { path, name, .. } = BackLink::from_param(Some(from));
            (path.as_str().to_owned(), name)
        };
        assert_eq!(back("/hearts?q=x&page=1-2#p-y"), ("/hearts?q=x&page=1-2".into(), "Hearts"));
        assert_eq!(back("/top?when=ever"), ("/top?when=ever".into(), "Popular"));
        assert_eq!(back("/hearts/news?page=2"), ("/hearts/news?page=2".into(), "News"));
        for other in ["//e", "https://e", "/account", "/playlists/3cEYpjA9oz9GiPac4AsH4n", "/hearts/import", "/", ""] {
            assert_eq!(back(other), ("/playlists".into(), "Playlists"), "{other}");
        }
        assert_eq!(playlist_path("x", "/playlists"), "/playlists/x", "the library needs no parameter");
        assert_eq!(playlist_path("x", "/hearts?q=a b"), "/playlists/x?from=%2Fhearts%3Fq%3Da+b");
        assert_eq!(playlist_path("x", &format!("/hearts?q={}", "%F0".repeat(400))), "/playlists/x");
    }

    #[test]
    fn hostile_values_become_the_library() {
        let hostile = [
            "//e", "/\\e", "/%2f/e", "\te", "/\te", "https:e", "https://e", "/..//e", "/playlists/..//e", "/%5ce",
            "/logout", "/auth/spotify", "e", "", "/playlists\r\nx: y", "/hearts/%2e%2e/x", "javascript:1",
            "/fake-spotify/x", "@e", "/@e",
        ];
        for value in hostile {
            assert_eq!(SafePath::parse_or_playlists(Some(value)).as_str(), "/playlists", "{value}");
        }
        assert_eq!(SafePath::parse_or_playlists(None).as_str(), "/playlists");
    }
}
