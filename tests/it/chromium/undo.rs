//! Undo after removing a heart.

use sqlx::Executor as _;
use thirtyfour::Key;

use super::{FIRST_HEART, is_hearted, open_as_ada, open_as_ada_with_heart, wait_for_heart_count, wait_for_hearted};
use crate::support::Site;
use crate::support::browser::Browser;

const UNDO_BUTTON: &str = "#live .undo";

/// Opens a browser as Ada, who has just removed a heart of last year that has a note.
async fn open_after_removing_heart(site: &Site) -> Browser {
    let browser = open_as_ada(site).await;
    browser.click(FIRST_HEART).await;
    wait_for_heart_count(site, &browser, 1).await;
    site.db.execute("update user_hearts set hearted_at = hearted_at - interval '1 year', note = 'Mine'").await.unwrap();
    browser.click(FIRST_HEART).await;
    let name: String = browser.eval("document.querySelector('.card:first-child .name').innerText").await;
    browser.wait_for_text("#live", &format!("Heart removed: {name}.")).await;
    assert_eq!(site.count_hearts().await, 0);
    browser
}

async fn assert_heart_restored(site: &Site, browser: &Browser) {
    wait_for_heart_count(site, browser, 1).await;
    wait_for_hearted(browser, FIRST_HEART, true).await;
    let old = "select count(*) from user_hearts where removed_at is null and note = 'Mine' and hearted_at < now() - interval '300 days'";
    assert_eq!(site.count(old).await, 1, "with its date and its note");
    assert!(browser.eval::<bool>("document.activeElement.matches('.heart button')").await, "the focus is at the heart");
    browser.wait_for("document.querySelector('#live').textContent === ''").await;
}

#[tokio::test]
async fn undo_is_offered_after_removing_heart() {
    let site = Site::open().await;
    let browser = open_after_removing_heart(&site).await;
    browser.click(UNDO_BUTTON).await;
    assert_heart_restored(&site, &browser).await;
    assert_eq!(browser.console_errors().await, [""; 0]);
}

#[tokio::test]
async fn undo_is_reachable_by_keyboard() {
    let site = Site::open().await;
    let browser = open_after_removing_heart(&site).await;
    let control_z = "document.dispatchEvent(new KeyboardEvent('keydown', {key: 'z', ctrlKey: true, bubbles: true}))";
    browser.eval::<bool>(control_z).await;
    assert_heart_restored(&site, &browser).await;
    browser.press_key(Key::Space).await;
    browser.find(UNDO_BUTTON).await;
    wait_for_heart_count(&site, &browser, 0).await;
    browser.eval::<()>("[...document.querySelectorAll('.site-footer a, .site-footer button')].at(-1).focus()").await;
    browser.press_key(Key::Tab).await;
    assert!(browser.eval::<bool>("document.activeElement.matches('#live .undo')").await, "it follows the page");
    browser.press_key(Key::Enter).await;
    assert_heart_restored(&site, &browser).await;
}

#[tokio::test]
async fn each_undo_names_its_playlist() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    let heart = |n: u32| format!(".card:nth-child({n}) form.heart button");
    let names: Vec<String> = browser.eval("[...document.querySelectorAll('.card .name')].map(a => a.innerText)").await;
    for n in 1..=4 {
        browser.click(&heart(n)).await;
        wait_for_heart_count(&site, &browser, n.into()).await;
    }
    for n in 1..=4 {
        browser.eval::<()>(&format!("document.querySelector('{}').click()", heart(n))).await;
        browser.wait_for(&format!("document.querySelectorAll('{UNDO_BUTTON}').length === {n}")).await;
    }
    let visible_messages =
        "[...document.querySelectorAll('#live p')].filter(p => p.checkVisibility()).map(p => p.firstChild.innerText)";
    let offers =
        |these: &[usize]| these.iter().map(|n| format!("Heart removed: {}.", names[n - 1])).collect::<Vec<_>>();
    assert_eq!(browser.eval::<Vec<String>>(visible_messages).await, offers(&[2, 3, 4]), "three at a time");
    let keyed =
        "[...document.querySelectorAll('#live [aria-keyshortcuts]')].map(b => b.parentElement.firstChild.innerText)";
    let control_z = "document.dispatchEvent(new KeyboardEvent('keydown', {key: 'z', ctrlKey: true, bubbles: true}))";
    for (n, left) in [(4, &[1, 2, 3][..]), (3, &[1, 2])] {
        assert_eq!(browser.eval::<Vec<String>>(keyed).await, offers(&[n as usize]), "the newest alone names the keys");
        browser.eval::<bool>(control_z).await;
        wait_for_hearted(&browser, &heart(n), true).await;
        wait_for_heart_count(&site, &browser, i64::from(5 - n)).await;
        assert_eq!(browser.eval::<Vec<String>>(visible_messages).await, offers(left), "the newest is undone");
    }
    browser.click("#live p:first-child [aria-label=Dismiss]").await;
    assert_eq!(browser.eval::<Vec<String>>(visible_messages).await, offers(&[2]));
    assert_eq!(browser.console_errors().await, [""; 0]);
}

#[tokio::test]
async fn heart_removed_on_playlist_page_hides_date_and_form() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    browser.click(".card:first-child .name").await;
    let seen = "[...document.querySelectorAll('.detail :is(.hearted-at, .annotation)')].map(e => e.checkVisibility())";
    browser.find(".detail .annotation").await;
    assert_eq!(browser.eval::<Vec<bool>>(seen).await, [true, true]);
    browser.click(".detail .heart button").await;
    wait_for_heart_count(&site, &browser, 0).await;
    assert_eq!(browser.eval::<Vec<bool>>(seen).await, [false, false]);
}

#[tokio::test]
async fn heart_added_on_playlist_page_shows_annotation_form() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.click(".card:first-child .name").await;
    browser.find(".detail .heart").await;
    let seen = "document.querySelector('.detail .annotation').checkVisibility()";
    assert!(!browser.eval::<bool>(seen).await, "nothing to write beside");
    browser.click(".detail .heart button").await;
    wait_for_heart_count(&site, &browser, 1).await;
    browser.click(".annotation summary").await;
    browser.type_text(".annotation [name=note]", "Mine").await;
    browser.click(".annotation form button").await;
    browser.wait_for_text("main [role=status]", "Saved.").await;
    assert_eq!(site.count("select count(*) from user_hearts where removed_at is null and note = 'Mine'").await, 1);
}

/// Collects timers of ten seconds, to run them at once.
const COLLECT_TIMERS: &str = "window.fades = [], window.clock = setTimeout, \
    void (window.setTimeout = (act, after) => after === 10000 ? fades.push(act) : clock(act, after))";

#[tokio::test]
async fn undo_disappears_after_ten_seconds_unless_focused() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.eval::<()>(COLLECT_TIMERS).await;
    browser.click(FIRST_HEART).await;
    wait_for_heart_count(&site, &browser, 1).await;
    browser.click(FIRST_HEART).await;
    browser.find(UNDO_BUTTON).await;
    browser.eval::<()>(&format!("document.querySelector('{UNDO_BUTTON}').focus()")).await;
    browser.eval::<()>("fades.shift()()").await;
    assert!(browser.eval::<bool>(&format!("!!document.querySelector('{UNDO_BUTTON}')")).await, "it has the focus");
    browser.eval::<()>("document.querySelector('.heart button').focus()").await;
    browser.eval::<()>("fades.shift()()").await;
    assert_eq!(browser.text("#live").await, "");
    assert!(!is_hearted(&browser, FIRST_HEART).await);
}
