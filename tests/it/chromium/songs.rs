//! Songs that are added to a playlist's page, and a page of the current song that renews itself.

use fake_spotify::{Endpoint, Playing, User};
use serde_json::json;

use super::{approve_consent, open_as, open_as_ada};
use crate::support::Site;

#[tokio::test]
async fn more_adds_the_next_songs() {
    let site = Site::open().await;
    let mut lena = User::with_library("lena", 1);
    lena.library[0].as_mut().unwrap().length = 120;
    let id = lena.playlists()[0].id.clone();
    site.spotify.add_user(lena);
    let browser = open_as(&site, "lena").await;
    browser.go(&format!("/playlists/{id}")).await;
    assert!(
        browser.eval::<bool>("!document.querySelector('[rel=next]').checkVisibility()").await,
        "More does the same"
    );
    browser.click(".load-more button").await;
    browser.wait_for_text(".load-more [role=status]", "100 of 120 shown.").await;
    assert_eq!(browser.text(".pager p").await, "Pages 1 to 2 of 3");
    browser.click(".load-more button").await;
    browser.wait_for_text(".load-more [role=status]", "All 120 shown.").await;
    let positions = "[...document.querySelectorAll('tbody tr > :first-child')].map(cell => Number(cell.textContent))";
    assert_eq!(browser.eval::<Vec<u32>>(positions).await, (1..=120).collect::<Vec<_>>());
    assert_eq!(browser.console_errors().await, [""; 0]);
}

/// Makes the page due for renewal.
const MAKE_DUE: &str = "renewedAt = 0; scheduleRenewal()";

#[tokio::test]
async fn now_playing_renews_itself_while_visible_until_switched_off() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.go("/now-playing").await;
    browser.click("main form button").await;
    approve_consent(&browser, "ada").await;
    browser.wait_for_text("main h2", "Nothing is playing").await;
    let known = site.spotify.user("ada").unwrap().playlists()[0].clone();
    site.spotify.update_user("ada", |ada| ada.playing = Playing::Playlist(known.id.clone()));
    browser.run_script(MAKE_DUE).await;
    browser.wait_for_text(".source-playlist .name", &known.name).await;

    let calls = || site.spotify.request_count(Endpoint::CurrentlyPlaying);
    let before = calls();
    browser.run_script("Object.defineProperty(document, 'hidden', { value: true, configurable: true })").await;
    browser.run_script(MAKE_DUE).await;
    browser.run_script("delete document.hidden").await;
    browser.click("#renewal").await;
    browser.run_script(MAKE_DUE).await;
    assert_eq!(browser.eval::<String>("localStorage.getItem('heartlist-renewal')").await, "off");
    browser.reload().await;
    browser.run_script(MAKE_DUE).await;
    assert!(!browser.eval::<bool>("document.querySelector('#renewal').checked").await);
    assert_eq!(calls(), before + 1, "only the reload");
    site.spotify.update_user("ada", |ada| ada.playing = Playing::Nothing);
    browser.click("#renewal").await;
    browser.run_script(MAKE_DUE).await;
    browser.wait_for_text("main h2", "Nothing is playing").await;

    let refuse = "for (const kind of ['localStorage', 'sessionStorage']) Object.defineProperty(window, kind, { get() { throw new DOMException('refused', 'SecurityError'); } })";
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": refuse })).await;
    browser.reload().await;
    browser.click("#renewal").await;
    assert!(browser.eval::<bool>("ZONE.length > 0").await, "the last part of the script runs, whatever is stored");
    assert_eq!(browser.console_errors().await, [""; 0]);
}
