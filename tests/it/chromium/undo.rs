//! Undo after an un-heart.

use sqlx::Executor as _;
use thirtyfour::Key;

use super::{FIRST_HEART, ada, ada_with_a_heart, pressed, until_pressed, until_saved};
use crate::support::Site;
use crate::support::browser::Browser;

const SAVED: &str = "select count(*) from user_hearts where removed_at is null";
const OFFERED: &str = "#live .undo";

/// Ada on a page with a heart of last year and a note beside it, which she has just taken back.
async fn taken_back(site: &Site) -> Browser {
    let browser = ada(site).await;
    browser.click(FIRST_HEART).await;
    until_saved(site, &browser, 1).await;
    site.db.execute("update user_hearts set hearted_at = hearted_at - interval '1 year', note = 'Mine'").await.unwrap();
    browser.click(FIRST_HEART).await;
    let name: String = browser.ask("document.querySelector('.card:first-child .name').innerText").await;
    browser.reads("#live", &format!("Heart removed: {name}.")).await;
    assert_eq!(site.count(SAVED).await, 0);
    browser
}

async fn is_back(site: &Site, browser: &Browser) {
    until_saved(site, browser, 1).await;
    until_pressed(browser, FIRST_HEART, true).await;
    let old = "select count(*) from user_hearts where removed_at is null and note = 'Mine' and hearted_at < now() - interval '300 days'";
    assert_eq!(site.count(old).await, 1, "with its date and its note");
    assert!(browser.ask::<bool>("document.activeElement.matches('.heart button')").await, "the focus is at the heart");
    browser.becomes("document.querySelector('#live').textContent === ''").await;
}

#[tokio::test]
async fn undo_is_offered_after_removing_heart() {
    let site = Site::open().await;
    let browser = taken_back(&site).await;
    browser.click(OFFERED).await;
    is_back(&site, &browser).await;
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test]
async fn undo_is_reachable_by_keyboard() {
    let site = Site::open().await;
    let browser = taken_back(&site).await;
    let control_z = "document.dispatchEvent(new KeyboardEvent('keydown', {key: 'z', ctrlKey: true, bubbles: true}))";
    browser.ask::<bool>(control_z).await;
    is_back(&site, &browser).await;
    browser.press(Key::Space).await;
    browser.find(OFFERED).await;
    until_saved(&site, &browser, 0).await;
    browser.ask::<()>("[...document.querySelectorAll('.foot a, .foot button')].at(-1).focus()").await;
    browser.press(Key::Tab).await;
    assert!(browser.ask::<bool>("document.activeElement.matches('#live .undo')").await, "it follows the page");
    browser.press(Key::Enter).await;
    is_back(&site, &browser).await;
}

#[tokio::test]
async fn each_undo_names_its_playlist() {
    let site = Site::open().await;
    let browser = ada(&site).await;
    let heart = |n: u32| format!(".card:nth-child({n}) form.heart button");
    let names: Vec<String> = browser.ask("[...document.querySelectorAll('.card .name')].map(a => a.innerText)").await;
    for n in 1..=4 {
        browser.click(&heart(n)).await;
        until_saved(&site, &browser, n.into()).await;
    }
    for n in 1..=4 {
        browser.ask::<()>(&format!("document.querySelector('{}').click()", heart(n))).await;
        browser.becomes(&format!("document.querySelectorAll('{OFFERED}').length === {n}")).await;
    }
    let said =
        "[...document.querySelectorAll('#live p')].filter(p => p.checkVisibility()).map(p => p.firstChild.innerText)";
    let offers =
        |these: &[usize]| these.iter().map(|n| format!("Heart removed: {}.", names[n - 1])).collect::<Vec<_>>();
    assert_eq!(browser.ask::<Vec<String>>(said).await, offers(&[2, 3, 4]), "three at a time");
    let keyed =
        "[...document.querySelectorAll('#live [aria-keyshortcuts]')].map(b => b.parentElement.firstChild.innerText)";
    let control_z = "document.dispatchEvent(new KeyboardEvent('keydown', {key: 'z', ctrlKey: true, bubbles: true}))";
    for (n, left) in [(4, &[1, 2, 3][..]), (3, &[1, 2])] {
        assert_eq!(browser.ask::<Vec<String>>(keyed).await, offers(&[n as usize]), "the newest alone names the keys");
        browser.ask::<bool>(control_z).await;
        until_pressed(&browser, &heart(n), true).await;
        until_saved(&site, &browser, i64::from(5 - n)).await;
        assert_eq!(browser.ask::<Vec<String>>(said).await, offers(left), "the newest is undone");
    }
    browser.click("#live p:first-child [aria-label=Dismiss]").await;
    assert_eq!(browser.ask::<Vec<String>>(said).await, offers(&[2]));
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test]
async fn heart_removed_on_playlist_page_hides_date_and_form() {
    let site = Site::open().await;
    let browser = ada_with_a_heart(&site).await;
    browser.click(".card:first-child .name").await;
    let seen = "[...document.querySelectorAll('.sleeve :is(.since, .words)')].map(e => e.checkVisibility())";
    browser.find(".sleeve .words").await;
    assert_eq!(browser.ask::<Vec<bool>>(seen).await, [true, true]);
    browser.click(".sleeve .heart button").await;
    until_saved(&site, &browser, 0).await;
    assert_eq!(browser.ask::<Vec<bool>>(seen).await, [false, false]);
}

#[tokio::test]
async fn heart_added_on_playlist_page_shows_annotation_form() {
    let site = Site::open().await;
    let browser = ada(&site).await;
    browser.click(".card:first-child .name").await;
    browser.find(".sleeve .heart").await;
    let seen = "document.querySelector('.sleeve .words').checkVisibility()";
    assert!(!browser.ask::<bool>(seen).await, "nothing to write beside");
    browser.click(".sleeve .heart button").await;
    until_saved(&site, &browser, 1).await;
    browser.click(".words summary").await;
    browser.find(".words [name=note]").await.send_keys("Mine").await.unwrap();
    browser.click(".words form button").await;
    browser.reads("main [role=status]", "Note and tags saved.").await;
    assert_eq!(site.count("select count(*) from user_hearts where removed_at is null and note = 'Mine'").await, 1);
}

/// Runs what waits for ten seconds now, and nothing else.
const LATER: &str = "window.fades = [], window.clock = setTimeout, \
    void (window.setTimeout = (act, after) => after === 10000 ? fades.push(act) : clock(act, after))";

#[tokio::test]
async fn undo_disappears_after_ten_seconds_unless_focused() {
    let site = Site::open().await;
    let browser = ada(&site).await;
    browser.ask::<()>(LATER).await;
    browser.click(FIRST_HEART).await;
    until_saved(&site, &browser, 1).await;
    browser.click(FIRST_HEART).await;
    browser.find(OFFERED).await;
    browser.ask::<()>(&format!("document.querySelector('{OFFERED}').focus()")).await;
    browser.ask::<()>("fades.shift()()").await;
    assert!(browser.ask::<bool>(&format!("!!document.querySelector('{OFFERED}')")).await, "it has the focus");
    browser.ask::<()>("document.querySelector('.heart button').focus()").await;
    browser.ask::<()>("fades.shift()()").await;
    assert_eq!(browser.text("#live").await, "");
    assert!(!pressed(&browser, FIRST_HEART).await);
}
