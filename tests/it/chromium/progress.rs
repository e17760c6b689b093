//! Progress messages of slow requests.

use std::io::Write as _;
use std::time::Duration;

use fake_spotify::{Endpoint, Fault};

use super::{FIRST_HEART, approve_consent, open_as_ada, open_as_ada_with_heart};
use crate::support::Site;
use crate::support::browser::Browser;

/// Longer than the delay before a progress message shows.
const SLOW_RESPONSE: Duration = Duration::from_secs(2);
/// Stores the messages that show while the page is being left.
const STORE_MESSAGES: &str = "addEventListener('pagehide', () => sessionStorage.setItem('messages', \
    JSON.stringify([...document.querySelectorAll('#live p > span')].map(message => message.innerText))))";
/// Stores the first message and then stops loading, as the browser's Stop button does.
const STORE_MESSAGE_AND_STOP: &str = "void new MutationObserver((_, observer) => { \
        observer.disconnect(); sessionStorage.setItem('messages', JSON.stringify([document.querySelector('#live p > span').innerText])); stop(); \
    }).observe(document.querySelector('#live'), { childList: true })";

/// Messages stored by `STORE_MESSAGES` or `STORE_MESSAGE_AND_STOP`.
async fn read_messages(browser: &Browser) -> Vec<String> {
    let messages: String = browser.eval("sessionStorage.getItem('messages') ?? '[]'").await;
    serde_json::from_str(&messages).unwrap()
}

#[tokio::test]
async fn slow_playlist_page_says_opening() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    let name = browser.text(".card:first-child .name").await;
    site.spotify.inject_fault(Endpoint::Playlist, Fault::Slow(SLOW_RESPONSE), 1);
    site.spotify.inject_fault(Endpoint::Items, Fault::Slow(SLOW_RESPONSE), 1);
    browser.eval::<()>(STORE_MESSAGES).await;
    browser.click(".card:first-child a.name").await;
    browser.wait_for_text("h1", &name).await;
    assert_eq!(read_messages(&browser).await, [format!("Opening {name}…")]);
    assert_eq!(browser.console_errors().await, [""; 0]);
}

#[tokio::test]
async fn cancelled_navigation_clears_message() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    site.spotify.inject_fault(Endpoint::Playlist, Fault::Hang, 1);
    site.spotify.inject_fault(Endpoint::Items, Fault::Hang, 1);
    browser.eval::<()>(STORE_MESSAGE_AND_STOP).await;
    browser.click(".card:first-child a.name").await;
    browser.wait_for("sessionStorage.getItem('messages') && !document.querySelector('#live p')").await;
    assert_eq!(browser.location().await, "/playlists");

    // The refresh button works again.
    browser.click(".refresh-bar button").await;
    browser.wait_for_text("main [role=status]", "a moment ago").await;
}

#[tokio::test]
async fn refresh_button_shows_progress() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    site.advance(Duration::from_secs(60));
    browser.eval::<()>(STORE_MESSAGES).await;
    let button = "addEventListener('pagehide', () => sessionStorage.setItem('button', document.querySelector('.refresh-bar button').innerText))";
    browser.eval::<()>(button).await;
    browser.click(".refresh-bar button").await;
    browser.wait_for_text("main [role=status]", "up to date").await;
    assert_eq!(read_messages(&browser).await, ["Asking Spotify…"]);
    assert_eq!(browser.eval::<String>("sessionStorage.getItem('button')").await, "Asking Spotify…");
    assert_eq!(
        (browser.text(".refresh-bar button").await.as_str(), browser.text("#live").await.as_str()),
        ("Refresh", "")
    );
}

#[tokio::test]
async fn page_restored_from_bfcache_shows_no_progress() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    // The form is not sent, so that the page stays.
    browser.eval::<()>("void addEventListener('submit', event => event.preventDefault())").await;
    browser.click(".refresh-bar button").await;
    browser.wait_for_text("#live", "Asking Spotify…").await;
    browser.eval::<()>("void dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))").await;
    browser.wait_for_text(".refresh-bar button", "Refresh").await;
    assert_eq!(browser.text("#live").await, "");
    browser.click(FIRST_HEART).await;
}

#[tokio::test]
async fn sign_in_button_shows_progress() {
    let site = Site::open().await;
    let browser = Browser::open(&site).await;
    browser.go("/login").await;
    browser.eval::<()>(STORE_MESSAGES).await;
    browser.click("button[formaction='/auth/github']").await;
    browser.wait_for_text(".disclaimer", "GitHub").await;
    browser.go("/login").await;
    assert_eq!(read_messages(&browser).await, ["Signing in…"]);
    browser.click("form[action='/auth/spotify'] .button-primary").await;
    approve_consent(&browser, "ada").await;
    browser.wait_for_location("/playlists").await;
}

#[tokio::test]
async fn import_shows_progress_and_result() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"id\n").unwrap();
    (1..=2000).for_each(|n| writeln!(file, "{n:022}").unwrap());
    browser.go("/hearts/import").await;
    browser.find("#file").await.send_keys(file.path().to_str().unwrap()).await.unwrap();
    browser.eval::<()>(STORE_MESSAGES).await;
    browser.click("form.import-form button").await;
    browser.wait_for_text(".callout [role=status]", "Added: 2,000").await;
    assert_eq!(read_messages(&browser).await, ["Importing 47 kB…"], "how much it is");
    assert_eq!((site.count_hearts().await, browser.console_errors().await), (2000, vec![]));
}

#[tokio::test]
async fn export_of_a_selection_leaves_no_message() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    browser.go("/hearts?select=1").await;
    browser.click(".card:first-child > input").await;
    browser
        .eval::<()>("navigation.addEventListener('navigate', () => { window.navigated = performance.now(); })")
        .await;
    browser.click("#bulk button[value^=export]").await;
    browser.wait_for("performance.now() - navigated > 2 * MESSAGE_DELAY").await;
    assert_eq!(browser.text("#live").await, "");
    assert_eq!(browser.location().await, "/hearts?select=1");
}
