//! The cover that moves from a list to a playlist's page, and back.

use serde_json::json;

use super::open_as_ada;
use crate::support::Site;
use crate::support::browser::Browser;

/// Records on each page what moves when it appears: `null` without a transition, empty until it begins.
const RECORD_TRANSITION: &str = "self.moved = null; addEventListener('pagereveal', ({ viewTransition }) => { \
    if (!viewTransition) return; \
    self.moved = ''; \
    const record = () => { self.moved = document.getAnimations().map(a => a.effect.pseudoElement).join(); }; \
    viewTransition.ready.then(record, () => { self.moved = 'skipped'; }); });";
const IS_SETTLED: &str = "document.readyState === 'complete' && moved !== ''";

/// Opens Ada's playlists, with the stylesheet in the cache, and prefers reduced motion or none.
async fn open_playlists(site: &Site, motion: &str) -> Browser {
    let browser = open_as_ada(site).await;
    let features = json!({ "features": [{ "name": "prefers-reduced-motion", "value": motion }] });
    browser.devtools("Emulation.setEmulatedMedia", features).await;
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": RECORD_TRANSITION })).await;
    browser.go("/playlists").await;
    browser
}

#[tokio::test]
async fn cover_moves_from_card_to_playlist_and_back() {
    let site = Site::open().await;
    let browser = open_playlists(&site, "no-preference").await;
    let is_moved = async |page: &str| {
        browser.find(page).await;
        browser.wait_for(IS_SETTLED).await;
        browser.eval::<bool>("!!moved?.startsWith('::view-transition-group(cover)')").await
    };
    // Chromium skips what takes too long, as on a busy machine, and logs that.
    let (mut tries, mut there, mut back) = (0, 0, 0);
    while (there < 2 || back < 2) && tries < 10 {
        tries += 1;
        browser.click(&format!(".card:nth-child({}) .name", 1 + tries)).await;
        there += u32::from(is_moved(".detail").await);
        browser.click(".back-link a").await;
        back += u32::from(is_moved(".card:target").await);
    }
    assert!(there >= 2 && back >= 2, "{there} there and {back} back in {tries} tries");
    // Neither other pages nor pages outside of the layout begin one, going back included.
    browser.click(".main-menu a[href='/hearts']").await;
    browser.wait_for_location("/hearts").await;
    browser.run_script("location.assign('/u/nobody/embed')").await;
    browser.wait_for_location("/u/nobody/embed").await;
    browser.back().await;
    browser.wait_for_location("/hearts").await;
    assert_eq!(browser.eval::<Option<String>>("moved").await, None);
    let is_skipped = |line: &String| tries > 2 && line.contains("Transition was");
    let is_expected = |line: &String| line.contains("/covers/") || line.contains("/u/nobody") || is_skipped(line);
    let errors = browser.console_errors().await;
    assert!(errors.iter().all(is_expected), "{errors:#?}");
}

#[tokio::test]
async fn no_cover_moves_with_reduced_motion_or_a_stylesheet_outside_of_the_cache() {
    let site = Site::open().await;
    let browser = open_playlists(&site, "reduce").await;
    let assert_still = async || {
        browser.go("/playlists").await;
        browser.click(".card .name").await;
        browser.find(".detail").await;
        browser.wait_for("document.readyState === 'complete'").await;
        assert_eq!(browser.eval::<Option<String>>("moved").await, None);
    };
    assert_still().await;
    browser.devtools("Emulation.setEmulatedMedia", json!({ "features": [] })).await;
    browser.devtools("Network.enable", json!({})).await;
    browser.devtools("Network.setCacheDisabled", json!({ "cacheDisabled": true })).await;
    assert_still().await;
    let errors = browser.console_errors().await;
    assert!(errors.iter().all(|line| line.contains("/covers/")), "{errors:#?}");
}
