//! What stays when a search or another order replaces the list: the focus, unsaved words, and the last choice.

use super::{FIRST_HEART, is_hearted, open_as, open_as_ada, open_as_ada_with_heart, wait_for_heart_count};
use crate::support::Site;
use crate::support::browser::Browser;

/// Sends requests at once, and gives the page the answer of a POST when `release()` is called.
const HOLD_POSTS: &str = "window.real_fetch = fetch, void (window.fetch = async (url, init) => { \
    const response = await real_fetch(url, init); \
    if (init?.method === 'POST') await new Promise((go) => { window.release = go; }); \
    return response; })";
const CHOOSE_NAME: &str = "sort.value = 'name', void sort.dispatchEvent(new Event('change', { bubbles: true }))";

async fn names(browser: &Browser) -> Vec<String> {
    browser.eval("[...document.querySelectorAll('#results .name')].map((name) => name.textContent)").await
}

#[tokio::test]
async fn text_typed_while_an_order_is_saved_is_searched_in_that_order() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.type_text("#q", "owner:me").await;
    browser.wait_for_location("/playlists?q=owner%3Ame").await;
    let unsorted = names(&browser).await;
    let mut sorted = unsorted.clone();
    sorted.sort();
    assert_ne!(sorted, unsorted);
    browser.eval::<()>("q.value = '', void q.dispatchEvent(new Event('input', { bubbles: true }))").await;
    browser.wait_for_location("/playlists").await;

    browser.eval::<()>(HOLD_POSTS).await;
    browser.eval::<()>(CHOOSE_NAME).await;
    browser.wait_for("window.release").await;
    browser.type_text("#q", "owner:me").await;
    browser.wait_for_location("/playlists?q=owner%3Ame").await;
    browser.eval::<()>("void release()").await;
    browser.wait_for("!document.querySelector('#live p')").await;
    browser.wait_for(&format!("document.querySelectorAll('.card').length === {}", sorted.len())).await;
    assert_eq!(browser.eval::<String>("q.value").await, "owner:me");
    assert_eq!((names(&browser).await, browser.eval::<String>("sort.value").await.as_str()), (sorted, "name"));
    assert_eq!(browser.location().await, "/playlists?q=owner%3Ame");
}

#[tokio::test]
async fn order_that_is_not_saved_is_not_shown_as_chosen() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    let before: String = browser.eval("sort.value").await;
    browser.eval::<()>("window.real_fetch = fetch, void (fetch = () => Promise.reject(new TypeError('lost')))").await;
    browser.eval::<()>(CHOOSE_NAME).await;
    browser.wait_for_text("#live", "Not changed: the server could not be reached.").await;
    assert_eq!(browser.eval::<String>("sort.value").await, before);
    browser.eval::<()>("void (fetch = real_fetch)").await;
    browser.click("#live .retry").await;
    browser.wait_for("document.querySelector('.card .name').innerText === 'Brass for Breakfast'").await;
    assert_eq!(browser.eval::<String>("sort.value").await, "name");
}

#[tokio::test]
async fn focus_stays_on_controls_beside_the_list() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    for (n, control) in
        ["#sort", ".direction", ".view-toggle button:last-child", ".filters a:nth-child(3)"].iter().enumerate()
    {
        browser.type_text("#q", "a").await;
        browser.eval::<()>(&format!("document.querySelector('{control}').focus()")).await;
        browser.wait_for_location(&format!("/playlists?q={}", "a".repeat(n + 1))).await;
        let is_focused = format!("document.activeElement === document.querySelector('{control}')");
        assert!(browser.eval::<bool>(&is_focused).await, "{control}");
    }
}

#[tokio::test]
async fn focus_stays_below_the_list_when_it_is_renewed() {
    let site = Site::open().await;
    let browser = open_as(&site, "mira").await;
    browser.go("/playlists?page=2").await;
    for control in [".load-more button", ".pager [rel=prev]"] {
        browser.eval::<()>(&format!("document.querySelector('{control}').focus()")).await;
        browser.eval::<()>("void fetchPage(location.href).then(({ page }) => { showResults(page, location.href); window.shown = page; })").await;
        browser.wait_for("window.shown").await;
        browser.eval::<()>("void (window.shown = null)").await;
        assert!(browser.eval::<bool>(&format!("document.activeElement.matches('{control}')")).await, "{control}");
    }
}

#[tokio::test]
async fn search_and_order_wait_for_words_that_are_not_saved() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    browser.go("/hearts").await;
    browser.click(".card:first-child .edit-link").await;
    browser.type_text(".annotation [name=note]", "Mine").await;
    let here = browser.location().await;
    browser.type_text("#q", "zzz").await;
    browser.wait_for_text("#live", "Not searched: save your title, note and tags first.").await;
    browser.eval::<()>(CHOOSE_NAME).await;
    browser.wait_for_text("#live", "Not changed: save your title, note and tags first.").await;
    assert_eq!(browser.location().await, here);
    assert_eq!(browser.eval::<String>("document.querySelector('.annotation [name=note]').value").await, "Mine");
    browser.click(".annotation [action$='/annotation'] button").await;
    browser.wait_for_text("main [role=status]", "Saved.").await;
    browser.type_text("#q", "zzz").await;
    browser.wait_for_location("/hearts?q=zzz").await;
}

#[tokio::test]
async fn pressing_pin_asks_about_words_that_are_not_saved() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    browser.go("/hearts").await;
    browser.click(".card:first-child .edit-link").await;
    browser.type_text(".annotation [name=note]", "Mine").await;
    browser.eval::<()>("void document.addEventListener('submit', (event) => event.preventDefault())").await;
    browser.click(".annotation .pin-form button").await;
    let asks = "!dispatchEvent(new Event('beforeunload', { cancelable: true }))";
    assert!(browser.eval::<bool>(asks).await);
    browser.eval::<()>("void (document.querySelector('.annotation [name=note]').value = '')").await;
}

#[tokio::test]
async fn dismissed_message_gives_the_focus_back() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.eval::<()>("q.focus(), void showMessage('test', 'Words', 'retry', () => {})").await;
    for button in [".retry", "[aria-label=Dismiss]"] {
        browser.eval::<()>("void showMessage('test', 'Words', 'retry', () => {})").await;
        browser.click(&format!("#live {button}")).await;
        assert!(browser.eval::<bool>("document.activeElement === q").await, "{button}");
    }
}

#[tokio::test]
async fn heart_whose_answer_was_lost_is_not_offered_again() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    let lose_answers = "window.real_fetch = fetch, void (fetch = async (...args) => { await real_fetch(...args); throw new TypeError('lost'); })";
    browser.eval::<()>(lose_answers).await;
    browser.click(FIRST_HEART).await;
    browser.wait_for_text("#live", "Couldn’t save the heart for ").await;
    browser.eval::<()>("fetch = real_fetch, void refreshHearts()").await;
    browser.wait_for("!document.querySelector('#live .retry')").await;
    assert!(is_hearted(&browser, FIRST_HEART).await);
    assert_eq!(site.count_hearts().await, 1);
}

#[tokio::test]
async fn undo_of_a_heart_that_is_back_already_keeps_it() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    browser.click(FIRST_HEART).await;
    browser.find("#live .undo").await;
    wait_for_heart_count(&site, &browser, 0).await;
    sqlx::query("update user_hearts set removed_at = null").execute(&site.db).await.unwrap();
    browser.eval::<()>("void refreshHearts()").await;
    browser.find(&format!("{FIRST_HEART}[aria-pressed=true]")).await;
    browser.click("#live .undo").await;
    browser.wait_for("!document.querySelector('#live .undo')").await;
    assert!(is_hearted(&browser, FIRST_HEART).await);
    assert_eq!(site.count_hearts().await, 1);
}
