//! A whole visit by keyboard.

use thirtyfour::Key;

use super::{FIRST_HEART, wait_for_heart_count, wait_for_hearted};
use crate::support::Site;
use crate::support::browser::Browser;

/// Tab presses before a control counts as unreachable.
const MAX_TAB_PRESSES: usize = 60;
/// True if the focus is visible: an outline around the control, its label or its `::after`.
const HAS_VISIBLE_FOCUS: &str = "(e => [getComputedStyle(e), getComputedStyle(e, '::after'), getComputedStyle(e.closest('label') ?? e)]) \
    (document.activeElement).some(s => s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2)";

/// Presses Tab until `selector` has the focus. Fails if the focus is invisible on the way.
async fn tab_to(browser: &Browser, selector: &str) {
    for _ in 0..MAX_TAB_PRESSES {
        browser.press_key(Key::Tab).await;
        if browser.eval("document.activeElement === document.body").await {
            continue;
        }
        let stop: String = browser.eval("document.activeElement.outerHTML.slice(0, 200)").await;
        assert!(browser.eval::<bool>(HAS_VISIBLE_FOCUS).await, "g5 the focus cannot be seen on {stop}");
        if browser.eval(&format!("document.activeElement.matches({selector:?})")).await {
            return;
        }
    }
    panic!("the Tab key never comes to {selector} on {}", browser.location().await);
}

#[tokio::test]
async fn whole_visit_works_by_keyboard_with_visible_focus() {
    let site = Site::open().await;
    let browser = Browser::open(&site).await;
    browser.go("/").await;
    tab_to(&browser, "main form[action='/auth/spotify'] button").await;
    browser.press_key(Key::Enter).await;
    // The fake consent page is held to the same standard.
    browser.find("input[name=user]").await;
    tab_to(&browser, "input[name=user]").await;
    browser.press_key(Key::Down).await;
    tab_to(&browser, "button[value=approve]").await;
    browser.press_key(Key::Enter).await;
    browser.wait_for_location("/playlists").await;

    tab_to(&browser, FIRST_HEART).await;
    browser.press_key(Key::Space).await;
    wait_for_hearted(&browser, FIRST_HEART, true).await;
    wait_for_heart_count(&site, &browser, 1).await;
    assert!(browser.eval::<bool>(&format!("document.activeElement.matches({FIRST_HEART:?})")).await, "the focus stays");

    browser.go("/playlists").await;
    tab_to(&browser, "nav a[href='/hearts']").await;
    browser.press_key(Key::Enter).await;
    browser.wait_for_location("/hearts").await;
    tab_to(&browser, FIRST_HEART).await;
    browser.press_key(Key::Enter).await;
    wait_for_heart_count(&site, &browser, 0).await;

    tab_to(&browser, "a[href='/logout']").await;
    browser.press_key(Key::Enter).await;
    browser.wait_for_location("/logout").await;
    tab_to(&browser, "form[action='/logout'] button").await;
    browser.press_key(Key::Enter).await;
    browser.wait_for_location("/").await;
    browser.wait_for_text("main [role=status]", "You are signed out.").await;
}
