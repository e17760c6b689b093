//! Return addresses after a sign-in or a form: own pages only (open redirects).

use html_escape::encode_double_quoted_attribute;
use std::convert::Infallible;
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

/// First segments of the pages that can be returned to.
const ALLOWED_PAGES: [&str; 7] = ["", "playlists", "hearts", "top", "now-playing", "account", "login"];

/// A search of emoji takes twelve bytes for each.
const MAX_PATH_BYTES: usize = 1500;

impl SafePath {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let clean = text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
        let path = text.strip_prefix('/')?.split(['?', '#']).next()?;
        let encoded = path.to_ascii_lowercase();
        let hidden = encoded.contains("%2f") || encoded.contains("%5c") || encoded.contains("%2e");
        let known = ALLOWED_PAGES.contains(&path.split('/').next()?);
        let plain = !path.starts_with('/') && !path.split('/').any(|part| part == "." || part == "..");
        (clean && !hidden && known && plain && text.len() <= MAX_PATH_BYTES).then(|| Self(text.to_owned()))
    }

    /// The path in `text`, or `/playlists`.
    pub(crate) fn parse_or_playlists(text: Option<&str>) -> Self {
        text.and_then(Self::parse).unwrap_or_else(|| Self("/playlists".into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The page of the form, by the Referer header; `/playlists` without one.
pub(crate) struct Referer(pub(crate) SafePath);

impl FromRequestParts<Arc<App>> for Referer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        let referer = parts.headers.get(REFERER).and_then(|url| Url::parse(url.to_str().ok()?).ok());
        let ours = referer.filter(|url| url.origin() == app.config.base_url.origin());
        Ok(Self(SafePath::parse_or_playlists(
            ours.as_ref().map(|url| &url[Position::BeforePath..Position::AfterQuery]),
        )))
    }
}

/// Address of the sign-in page, with a return path.
pub(crate) fn sign_in_path(path: &str) -> String {
    with_next("/login", path)
}

/// Address of `page` with a return path.
pub(crate) fn with_next(page: &str, path: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", path).finish();
    format!("{page}?{query}")
}

/// Lists that a playlist is opened from: path, name, menu entry.
const LIST_PAGES: [(&str, &str, &str); 5] = [
    ("/playlists", "Playlists", "playlists"),
    ("/hearts", "Hearts", "hearts"),
    ("/hearts/removed", "Recently removed", "hearts"),
    ("/top", "Popular", "top"),
    ("/now-playing", "Now playing", "now-playing"),
];

/// Link back to the list that a playlist was opened from.
pub(crate) struct BackLink {
    /// With search, order and page.
    pub(crate) path: SafePath,
    pub(crate) name: &'static str,
    /// Menu entry.
    pub(crate) section: &'static str,
}

impl BackLink {
    /// The list at `from`, or the library.
    pub(crate) fn from_param(from: Option<&str>) -> Self {
        let path = from.and_then(|from| SafePath::parse(from.split('#').next()?));
        let named = path.and_then(|path| {
            let here = path.as_str().split('?').next();
            let (_, name, section) = LIST_PAGES.into_iter().find(|(list, ..)| here == Some(list))?;
            Some(Self { path, name, section })
        });
        let (_, name, section) = LIST_PAGES[0];
        named.unwrap_or_else(|| Self { path: SafePath::parse_or_playlists(None), name, section })
    }
}

/// `?from=` in an address.
#[derive(Default, Deserialize)]
pub(crate) struct FromParam {
    #[serde(default)]
    pub(crate) from: Option<String>,
}

/// The playlist's entry on the page `from`, by default on the page of hearts.
pub(crate) fn list_anchor(from: Option<&str>, id: &PlaylistId) -> String {
    let page = from.and_then(SafePath::parse);
    let page = page.as_ref().map_or("/hearts", |page| page.as_str().split('#').next().unwrap_or_default());
    format!("{page}#p-{id}")
}

/// Path of a playlist with a link back to the list at `from`.
pub(crate) fn playlist_path(id: &str, from: &str) -> String {
    format!("/playlists/{id}{}", back_query(from))
}

/// Query of such a path; empty for the library.
pub(crate) fn back_query(from: impl AsRef<str>) -> String {
    if from.as_ref() == LIST_PAGES[0].0 {
        return String::new();
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("from", from.as_ref()).finish();
    // A path that would be too long to return to is left out.
    let whole = format!("/playlists/0000000000000000000000?{query}");
    if SafePath::parse(&whole).is_none() { String::new() } else { format!("?{query}") }
}

/// Address of the list at `here` with one heart's form open, up to the heart's id. Escaped for HTML here, once for all
/// cards of a page.
pub(crate) fn edit_link_prefix(here: impl AsRef<str>) -> String {
    let here = encode_double_quoted_attribute(here.as_ref());
    format!("{here}{}edit=", if here.contains('?') { "&amp;" } else { "?" })
}

/// `?next=` in an address, or the field `next` of a form.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct NextParam {
    #[serde(default)]
    pub(crate) next: Option<String>,
    #[serde(default)]
    pub(crate) heart: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::{BackLink, SafePath, playlist_path};

    #[test]
    fn only_paths_of_ours_are_taken() {
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
        ] {
            assert_eq!(SafePath::parse_or_playlists(Some(good)).as_str(), good);
        }
    }

    #[test]
    fn a_playlist_leads_back_to_a_list_of_ours_alone() {
        let back = |from: &str| {
            let BackLink { path, name, .. } = BackLink::from_param(Some(from));
            (path.as_str().to_owned(), name)
        };
        assert_eq!(back("/hearts?q=x&page=1-2#p-y"), ("/hearts?q=x&page=1-2".into(), "Hearts"));
        assert_eq!(back("/top?when=ever"), ("/top?when=ever".into(), "Popular"));
        for other in ["//e", "https://e", "/account", "/playlists/3cEYpjA9oz9GiPac4AsH4n", "/hearts/import", "/", ""] {
            assert_eq!(back(other), ("/playlists".into(), "Playlists"), "{other}");
        }
        assert_eq!(playlist_path("x", "/playlists"), "/playlists/x", "the usual list needs no words");
        assert_eq!(playlist_path("x", "/hearts?q=a b"), "/playlists/x?from=%2Fhearts%3Fq%3Da+b");
        assert_eq!(playlist_path("x", &format!("/hearts?q={}", "%F0".repeat(400))), "/playlists/x");
    }

    #[test]
    fn hostile_values_end_at_the_playlists() {
        let hostile = [
            "//e",
            "/\\e",
            "/%2f/e",
            "\te",
            "/\te",
            "https:e",
            "https://e",
            "/..//e",
            "/playlists/..//e",
            "/%5ce",
            "/logout",
            "/auth/spotify",
            "e",
            "",
            "/playlists\r\nx: y",
            "/hearts/%2e%2e/x",
            "javascript:1",
            "/fake-spotify/x",
            "@e",
            "/@e",
        ];
        for value in hostile {
            assert_eq!(SafePath::parse_or_playlists(Some(value)).as_str(), "/playlists", "{value}");
        }
        assert_eq!(SafePath::parse_or_playlists(None).as_str(), "/playlists");
    }
}
