//! Pages on small screens, with large text, in light and dark.

use std::collections::HashSet;

use serde_json::json;

use super::Browser;
use crate::support::Site;

/// A path without a page.
pub(crate) const UNKNOWN_PATH: &str = "/nowhere";
/// Elements that make the page scroll sideways.
const OVERFLOWING_ELEMENTS: &str = "document.documentElement.scrollWidth <= document.documentElement.clientWidth ? [] : \
    [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth).map(e => e.tagName + '.' + e.className)";
/// Background colour of the page.
const BACKGROUND: &str = "getComputedStyle(document.body).backgroundColor";

/// Public pages.
pub(crate) fn pages_for_all() -> [&'static str; 7] {
    ["/", "/login?next=/hearts", "/top", "/about", "/privacy", "/terms", UNKNOWN_PATH]
}

/// Pages of Mira, whose library has long, unbreakable and right-to-left names and a thousand songs.
pub(crate) fn pages_of_mira(site: &Site) -> Vec<String> {
    let mira = site.spotify.user("mira").unwrap();
    let mut paths: Vec<String> = [
        "/hearts", "/hearts?select=1", "/hearts/removed", "/hearts/import", "/tags", "/add",
        "/playlists?view=list&page=3", "/playlists?q=nowhere+tag:x", "/top", "/top?when=ever", "/now-playing",
        "/about", "/account", "/account/activity", "/account/identities/spotify", "/account/disconnect",
        "/account/delete", "/operator", "/setup", "/invites", "/logout", UNKNOWN_PATH,
    ]
    .map(String::from)
    .into();
    paths.extend((1..=3).map(|page| format!("/playlists?page={page}")));
    let extreme =
        mira.playlists().into_iter().filter(|playlist| playlist.name.chars().count() == 100 || playlist.length > 1000);
    paths.extend(extreme.map(|playlist| format!("/playlists/{}", playlist.id)));
    paths
}

/// Opens `path` and fails if it scrolls sideways on small screens.
pub(crate) async fn assert_page_fits(browser: &Browser, path: &str, grounds: &mut HashSet<String>) {
    browser.go(path).await;
    assert_fits(browser, path, grounds).await;
}

/// Checks the current page, which failures call `path`.
pub(crate) async fn assert_fits(browser: &Browser, path: &str, grounds: &mut HashSet<String>) {
    browser.eval::<()>("document.querySelectorAll('details').forEach(d => { d.open = true; })").await;
    for scheme in ["light", "dark"] {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        browser.devtools("Emulation.setEmulatedMedia", features).await;
        for width in [320, 360] {
            browser.set_window_size(width, 640).await;
            assert_eq!(browser.eval::<u32>("innerWidth").await, width);
            assert_eq!(
                browser.eval::<Vec<String>>(OVERFLOWING_ELEMENTS).await,
                [""; 0],
                "{path} at {width} px, {scheme}"
            );
        }
        grounds.insert(browser.eval(BACKGROUND).await);
    }
    browser.eval::<()>("void (document.documentElement.style.fontSize = '200%')").await;
    assert_eq!(
        browser.eval::<Vec<String>>(OVERFLOWING_ELEMENTS).await,
        [""; 0],
        "{path} at 360 px, text twice as large"
    );
}
