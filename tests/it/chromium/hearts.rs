//! The heart button with its script: at once, by keyboard, when saving fails, when it is pressed fast.

use serde_json::json;
use sqlx::{Executor as _, Postgres, Transaction};
use thirtyfour::Key;

use super::{FIRST_HEART, ada, pressed, until_saved};
use crate::support::Site;

/// Lets nothing be saved until it is dropped or rolled back: requests wait.
async fn hold_the_hearts(site: &Site) -> Transaction<'static, Postgres> {
    let mut hold = site.db.begin().await.unwrap();
    hold.execute("lock table user_hearts in access exclusive mode").await.unwrap();
    hold
}

#[tokio::test]
async fn heart_click_shows_at_once_and_is_saved() {
    let site = Site::open().await;
    let browser = ada(&site).await;
    let hold = hold_the_hearts(&site).await;
    browser.click(FIRST_HEART).await;
    assert!(pressed(&browser, FIRST_HEART).await, "before the server could answer");
    hold.rollback().await.unwrap();
    until_saved(&site, &browser, 1).await;
    browser.reload().await;
    assert!(pressed(&browser, FIRST_HEART).await, "after a reload");
    browser.click(FIRST_HEART).await;
    assert!(!pressed(&browser, FIRST_HEART).await);
    until_saved(&site, &browser, 0).await;
    assert_eq!(browser.complaints().await, [""; 0]);
}

/// What a heart button says and looks like: its name, its state, whether it is filled.
const LOOK: &str = "(button => [button.getAttribute('aria-label'), button.getAttribute('aria-pressed'), \
    String(getComputedStyle(button.querySelector('.glyph')).fill !== 'none')])(document.querySelector('.heart button'))";

#[tokio::test]
async fn heart_button_keeps_its_name_and_shows_state_by_shape() {
    let site = Site::open().await;
    let browser = ada(&site).await;
    let look = async || browser.ask::<[String; 3]>(LOOK).await;
    for place in ["/playlists", "/playlists?view=list"] {
        browser.go(place).await;
        let [name, state, filled] = look().await;
        assert!(name.starts_with("Heart ") && name.len() > "Heart ".len(), "{name}");
        assert_eq!((state.as_str(), filled.as_str()), ("false", "false"), "an outline on {place}");
        browser.click(FIRST_HEART).await;
        assert_eq!(look().await, [name.as_str(), "true", "true"], "filled on {place}");
        until_saved(&site, &browser, 1).await;
        browser.go("/hearts").await;
        assert_eq!(look().await, [name.as_str(), "true", "true"]);
        browser.click(FIRST_HEART).await;
        assert_eq!(look().await, [name.as_str(), "false", "false"]);
        until_saved(&site, &browser, 0).await;
    }
}

#[tokio::test]
async fn last_heart_state_is_sent_when_leaving_page() {
    let site = Site::open().await;
    let browser = ada(&site).await;
    let hold = hold_the_hearts(&site).await;
    browser.click(FIRST_HEART).await;
    browser.click(FIRST_HEART).await;
    assert!(!pressed(&browser, FIRST_HEART).await);
    browser.go("/terms").await;
    // Given and taken back, both by a page that is gone. Which ends first, once they may, is up to the database.
    let waiting = "select count(distinct query) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    browser.until("both wishes have arrived", async || site.count(waiting).await == 2).await;
    hold.rollback().await.unwrap();
}

#[tokio::test]
async fn heart_is_toggled_by_keyboard() {
    let site = Site::open().await;
    let browser = ada(&site).await;
    browser.ask::<()>("document.querySelector('.card:first-child .out').focus()").await;
    browser.press(Key::Tab).await;
    let focused = format!("document.activeElement === document.querySelector({})", json!(FIRST_HEART));
    assert!(browser.ask::<bool>(&focused).await, "b the heart follows the links of its card");
    let ring = "getComputedStyle(document.activeElement).outlineStyle !== 'none' && document.activeElement.matches(':focus-visible')";
    assert!(browser.ask::<bool>(ring).await, "g5 the focus is seen");
    browser.press(Key::Space).await;
    until_saved(&site, &browser, 1).await;
    assert!(pressed(&browser, FIRST_HEART).await && browser.ask::<bool>(&focused).await);
    browser.press(Key::Enter).await;
    until_saved(&site, &browser, 0).await;
    assert!(!pressed(&browser, FIRST_HEART).await && browser.ask::<bool>(&focused).await);
}

#[tokio::test]
async fn failed_heart_is_reverted_and_can_be_retried() {
    let site = Site::open().await;
    let browser = ada(&site).await;
    site.db.execute("alter table user_hearts rename to lost").await.unwrap();
    browser.click(FIRST_HEART).await;
    browser.reads("#live", "was not saved").await;
    assert!(!pressed(&browser, FIRST_HEART).await);
    browser.click("#live .again").await;
    browser.reads("#live", "was not saved").await;
    assert!(!pressed(&browser, FIRST_HEART).await, "it still fails");
    site.db.execute("alter table lost rename to user_hearts").await.unwrap();
    browser.click("#live .again").await;
    until_saved(&site, &browser, 1).await;
    assert!(pressed(&browser, FIRST_HEART).await);
    assert_eq!(browser.text("#live").await, "");
    assert!(browser.ask::<bool>("document.activeElement.matches('.heart button')").await, "the focus is back");
}

#[tokio::test]
async fn failure_message_stays_while_other_hearts_are_saved() {
    let site = Site::open().await;
    let browser = ada(&site).await;
    let name: String = browser.ask("document.querySelector('.card:first-child .name').innerText").await;
    site.db.execute("alter table user_hearts rename to lost").await.unwrap();
    browser.click(FIRST_HEART).await;
    browser.reads("#live", &format!("{name} was not saved. ")).await;
    site.db.execute("alter table lost rename to user_hearts").await.unwrap();
    let second = ".card:nth-child(2) form.heart button";
    for saved in [1, 0] {
        browser.ask::<()>(&format!("document.querySelector('{second}').click()")).await;
        until_saved(&site, &browser, saved).await;
    }
    browser.find("#live p:nth-child(2) .undo").await;
    assert!(browser.text("#live p:first-child").await.starts_with(&format!("{name} was not saved. ")), "it stays");
    browser.click("#live .again").await;
    until_saved(&site, &browser, 1).await;
    assert!(pressed(&browser, FIRST_HEART).await);
    assert_eq!(browser.ask::<u32>("document.querySelectorAll('#live p').length").await, 1, "the other offer stays");
}

/// Notes each request of the script, and how many are under way.
const NOTE_REQUESTS: &str = "window.asked = [], window.open_requests = 0, window.real_fetch = fetch, \
    void (window.fetch = async (url, options) => { \
        asked.push(options.method); open_requests += 1; \
        try { return await real_fetch(url, options); } finally { open_requests -= 1; } \
    })";

#[tokio::test]
async fn five_fast_clicks_end_in_last_state() {
    let site = Site::open().await;
    let browser = ada(&site).await;
    browser.ask::<()>(NOTE_REQUESTS).await;
    let hold = hold_the_hearts(&site).await;
    for click in 1..=5 {
        browser.click(FIRST_HEART).await;
        assert_eq!(pressed(&browser, FIRST_HEART).await, click % 2 == 1);
    }
    assert_eq!(browser.ask::<Vec<String>>("asked").await, ["PUT"], "one request at a time");
    hold.rollback().await.unwrap();
    browser.becomes("open_requests === 0").await;
    assert_eq!(browser.ask::<Vec<String>>("asked").await, ["PUT"], "what is kept already is not asked again");
    assert_eq!(site.count("select count(*) from user_hearts where removed_at is null").await, 1);

    // Four more in one moment: what is under way is not the last wish, which follows it.
    let clicks = format!("[1, 2, 3, 4].forEach(() => document.querySelector({}).click())", json!(FIRST_HEART));
    browser.ask::<()>(&clicks).await;
    assert!(pressed(&browser, FIRST_HEART).await);
    browser.becomes("asked.length > 2 && open_requests === 0").await;
    assert_eq!(browser.ask::<Vec<String>>("asked").await, ["PUT", "DELETE", "PUT"]);
    assert!(pressed(&browser, FIRST_HEART).await);
    assert_eq!(site.count("select count(*) from user_hearts where removed_at is null").await, 1);
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test]
async fn offline_heart_is_reverted_with_message() {
    let site = Site::open().await;
    let browser = ada(&site).await;
    let network =
        |offline: bool| json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
    browser.devtools("Network.enable", json!({})).await;
    browser.devtools("Network.emulateNetworkConditions", network(true)).await;
    browser.reads("#live", "You are offline").await;
    // What it says may lie above the heart.
    browser
        .ask::<()>(&format!(
            "void document.querySelector({}).scrollIntoView({{ block: 'center' }})",
            json!(FIRST_HEART)
        ))
        .await;
    browser.click(FIRST_HEART).await;
    browser.reads("#live", "was not saved. You are offline.").await;
    assert!(!pressed(&browser, FIRST_HEART).await);
    browser.devtools("Network.emulateNetworkConditions", network(false)).await;
    browser.becomes("navigator.onLine").await;
    browser.becomes("document.querySelector('#live p:has(.again) span').innerText.endsWith('was not saved.')").await;
    browser.click("#live .again").await;
    until_saved(&site, &browser, 1).await;
    assert!(pressed(&browser, FIRST_HEART).await);
}
