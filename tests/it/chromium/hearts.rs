//! The heart button with script.

use serde_json::json;
use sqlx::{Executor as _, Postgres, Transaction};
use thirtyfour::Key;

use super::{FIRST_HEART, is_hearted, open_as_ada, open_as_ada_with_heart, wait_for_heart_count};
use crate::support::Site;

/// Locks the hearts table, so that requests wait until the transaction ends.
async fn lock_hearts(site: &Site) -> Transaction<'static, Postgres> {
    let mut hold = site.db.begin().await.unwrap();
    hold.execute("lock table user_hearts in access exclusive mode").await.unwrap();
    hold
}

#[tokio::test]
async fn heart_click_shows_at_once_and_is_saved() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    let hold = lock_hearts(&site).await;
    browser.click(FIRST_HEART).await;
    assert!(is_hearted(&browser, FIRST_HEART).await, "before the server could answer");
    hold.rollback().await.unwrap();
    wait_for_heart_count(&site, &browser, 1).await;
    browser.reload().await;
    assert!(is_hearted(&browser, FIRST_HEART).await, "after a reload");
    browser.click(FIRST_HEART).await;
    assert!(!is_hearted(&browser, FIRST_HEART).await);
    wait_for_heart_count(&site, &browser, 0).await;
    assert_eq!(browser.console_errors().await, [""; 0]);
}

/// Name, state and fill of the first heart button.
const HEART_APPEARANCE: &str = "(button => [button.getAttribute('aria-label'), button.getAttribute('aria-pressed'), \
    String(getComputedStyle(button.querySelector('.icon')).fill !== 'none')])(document.querySelector('.heart button'))";

#[tokio::test]
async fn heart_button_keeps_its_name_and_shows_state_by_shape() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    let look = async || browser.eval::<[String; 3]>(HEART_APPEARANCE).await;
    for path in ["/playlists", "/playlists?view=list"] {
        browser.go(path).await;
        let [name, state, filled] = look().await;
        assert!(name.starts_with("Heart ") && name.len() > "Heart ".len(), "{name}");
        assert_eq!((state.as_str(), filled.as_str()), ("false", "false"), "an outline on {path}");
        browser.click(FIRST_HEART).await;
        assert_eq!(look().await, [name.as_str(), "true", "true"], "filled on {path}");
        wait_for_heart_count(&site, &browser, 1).await;
        browser.go("/hearts").await;
        assert_eq!(look().await, [name.as_str(), "true", "true"]);
        browser.click(FIRST_HEART).await;
        assert_eq!(look().await, [name.as_str(), "false", "false"]);
        wait_for_heart_count(&site, &browser, 0).await;
    }
}

#[tokio::test]
async fn last_heart_state_is_sent_when_leaving_page() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    let hold = lock_hearts(&site).await;
    browser.click(FIRST_HEART).await;
    browser.click(FIRST_HEART).await;
    assert!(!is_hearted(&browser, FIRST_HEART).await);
    browser.go("/terms").await;
    site.wait_for_blocked_query().await;
    hold.rollback().await.unwrap();
    // One request adds and one removes the heart, in this order.
    let removed = "select count(*) from user_hearts where removed_at is not null";
    browser.wait_until("both wishes have arrived", async || site.count(removed).await == 1).await;
}

#[tokio::test]
async fn heart_is_toggled_by_keyboard() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.eval::<()>("document.querySelector('.card:first-child .spotify-link').focus()").await;
    browser.press_key(Key::Tab).await;
    let focused = format!("document.activeElement === document.querySelector({})", json!(FIRST_HEART));
    assert!(browser.eval::<bool>(&focused).await, "b the heart follows the links of its card");
    let ring = "getComputedStyle(document.activeElement).outlineStyle !== 'none' && document.activeElement.matches(':focus-visible')";
    assert!(browser.eval::<bool>(ring).await, "g5 the focus is seen");
    browser.press_key(Key::Space).await;
    wait_for_heart_count(&site, &browser, 1).await;
    assert!(is_hearted(&browser, FIRST_HEART).await && browser.eval::<bool>(&focused).await);
    browser.press_key(Key::Enter).await;
    wait_for_heart_count(&site, &browser, 0).await;
    assert!(!is_hearted(&browser, FIRST_HEART).await && browser.eval::<bool>(&focused).await);
}

#[tokio::test]
async fn failed_heart_is_reverted_and_can_be_retried() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    site.db.execute("alter table user_hearts rename to lost").await.unwrap();
    browser.click(FIRST_HEART).await;
    browser.wait_for_text("#live", "Couldn’t save the heart for").await;
    assert!(!is_hearted(&browser, FIRST_HEART).await);
    browser.click("#live .retry").await;
    browser.wait_for_text("#live", "Couldn’t save the heart for").await;
    assert!(!is_hearted(&browser, FIRST_HEART).await, "it still fails");
    site.db.execute("alter table lost rename to user_hearts").await.unwrap();
    browser.click("#live .retry").await;
    wait_for_heart_count(&site, &browser, 1).await;
    assert!(is_hearted(&browser, FIRST_HEART).await);
    assert_eq!(browser.text("#live").await, "");
    assert!(browser.eval::<bool>("document.activeElement.matches('.heart button')").await, "the focus is back");
}

#[tokio::test]
async fn failure_message_stays_while_other_hearts_are_saved() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    let name: String = browser.eval("document.querySelector('.card:first-child .name').innerText").await;
    site.db.execute("alter table user_hearts rename to lost").await.unwrap();
    browser.click(FIRST_HEART).await;
    browser.wait_for_text("#live", &format!("Couldn’t save the heart for {name}. ")).await;
    site.db.execute("alter table lost rename to user_hearts").await.unwrap();
    let second = ".card:nth-child(2) form.heart button";
    for saved in [1, 0] {
        browser.eval::<()>(&format!("document.querySelector('{second}').click()")).await;
        wait_for_heart_count(&site, &browser, saved).await;
    }
    browser.find("#live p:nth-child(2) .undo").await;
    assert!(
        browser.text("#live p:first-child").await.starts_with(&format!("Couldn’t save the heart for {name}. ")),
        "it stays"
    );
    browser.click("#live .retry").await;
    wait_for_heart_count(&site, &browser, 1).await;
    assert!(is_hearted(&browser, FIRST_HEART).await);
    assert_eq!(browser.eval::<u32>("document.querySelectorAll('#live p').length").await, 1, "the other offer stays");
}

/// Records the method of each request by the script, and counts open requests.
const RECORD_REQUESTS: &str = "window.asked = [], window.open_requests = 0, window.real_fetch = fetch, \
    void (window.fetch = async (url, options) => { \
        asked.push(options.method); open_requests += 1; \
        try { return await real_fetch(url, options); } finally { open_requests -= 1; } \
    })";

#[tokio::test]
async fn five_fast_clicks_end_in_last_state() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.eval::<()>(RECORD_REQUESTS).await;
    let hold = lock_hearts(&site).await;
    for click in 1..=5 {
        browser.click(FIRST_HEART).await;
        assert_eq!(is_hearted(&browser, FIRST_HEART).await, click % 2 == 1);
    }
    assert_eq!(browser.eval::<Vec<String>>("asked").await, ["PUT"], "one request at a time");
    hold.rollback().await.unwrap();
    browser.wait_for("open_requests === 0").await;
    assert_eq!(browser.eval::<Vec<String>>("asked").await, ["PUT"], "what is kept already is not asked again");
    assert_eq!(site.count_hearts().await, 1);

    // Four clicks at once: the last state is sent after the open request has ended.
    let clicks = format!("[1, 2, 3, 4].forEach(() => document.querySelector({}).click())", json!(FIRST_HEART));
    browser.eval::<()>(&clicks).await;
    assert!(is_hearted(&browser, FIRST_HEART).await);
    browser.wait_for("asked.length > 2 && open_requests === 0").await;
    assert_eq!(browser.eval::<Vec<String>>("asked").await, ["PUT", "DELETE", "PUT"]);
    assert!(is_hearted(&browser, FIRST_HEART).await);
    assert_eq!(site.count_hearts().await, 1);
    assert_eq!(browser.console_errors().await, [""; 0]);
}

#[tokio::test]
async fn offline_heart_is_reverted_with_message() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    let network =
        |offline: bool| json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
    browser.devtools("Network.enable", json!({})).await;
    browser.devtools("Network.emulateNetworkConditions", network(true)).await;
    browser.wait_for_text("#live", "You are offline").await;
    // The message may cover the heart.
    browser
        .eval::<()>(&format!(
            "void document.querySelector({}).scrollIntoView({{ block: 'center' }})",
            json!(FIRST_HEART)
        ))
        .await;
    browser.click(FIRST_HEART).await;
    browser.wait_for_text("#live", "You are offline.").await;
    assert!(!is_hearted(&browser, FIRST_HEART).await);
    browser.devtools("Network.emulateNetworkConditions", network(false)).await;
    browser.wait_for("navigator.onLine").await;
    let shortened =
        r"/^Couldn’t save the heart for [^.]+\.$/.test(document.querySelector('#live p:has(.retry) span').innerText)";
    browser.wait_for(shortened).await;
    browser.click("#live .retry").await;
    wait_for_heart_count(&site, &browser, 1).await;
    assert!(is_hearted(&browser, FIRST_HEART).await);
}

#[tokio::test]
async fn field_for_the_note_grows_and_enter_saves_it() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    browser.emulate_screen(360, 780, 1, true).await;
    browser.go("/hearts").await;
    browser.click("a.edit-link").await;
    let height = "document.querySelector('[name=note]').offsetHeight";
    let note = browser.find("[name=note]").await;
    let before: f64 = browser.eval(height).await;
    note.send_keys("For the rain. ".repeat(19)).await.unwrap();
    assert!(browser.eval::<f64>(height).await > before + 60.0);
    assert!(
        browser
            .eval::<bool>("(note => note.scrollHeight <= note.clientHeight)(document.querySelector('[name=note]'))")
            .await
    );
    browser.press_key(Key::Enter).await;
    browser.wait_for_text("main [role=status]", "Saved.").await;
    browser.wait_for_text(".note", "For the rain. ".repeat(19).trim_end()).await;
    assert_eq!(browser.console_errors().await, [""; 0]);
}

#[tokio::test]
async fn long_note_is_counted_in_characters_and_not_cut() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    browser.go("/hearts").await;
    browser.click("a.edit-link").await;
    browser.find("[name=note]").await;
    // Like pasting, which a browser cuts at maxlength.
    browser.run_script("document.querySelector('[name=note]').focus(); document.execCommand('insertText', false, '🌊'.repeat(281))").await;
    browser.wait_for_text("[id^=note-limit].is-over", "281 of 280 characters").await;
    assert_eq!(browser.eval::<usize>("document.querySelector('[name=note]').value.length").await, 562);
    browser.run_script("document.execCommand('delete'); document.execCommand('insertText', false, ' ')").await;
    browser.wait_for_text("[id^=note-limit]:not(.is-over)", "280 of 280 characters").await;
    browser.click(".annotation form .button").await;
    browser.wait_for_text(".note", &"🌊".repeat(280)).await;
    assert_eq!(browser.console_errors().await, [""; 0]);
}
