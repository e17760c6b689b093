//! Selecting several cards, help that closes by itself, and words that are not lost.

use thirtyfour::Key;

use super::{approve_consent, open_as_ada, open_as_ada_with_heart, sign_in, wait_for_heart_count};
use crate::support::Site;
use crate::support::browser::Browser;
use crate::support::browser::axe::assert_accessible_page;

const CHECKED: &str = "document.querySelectorAll('.card > input:checked').length";
const COUNT: &str = "#bulk [role=status]";

/// Presses what covers the card.
async fn click_with_shift(browser: &Browser, nth: usize) {
    let click = format!(
        "void document.querySelector('.card:nth-child({nth}) > label').dispatchEvent(new MouseEvent('click', {{ bubbles: true, cancelable: true, shiftKey: true }}))"
    );
    browser.eval::<()>(&click).await;
}

#[tokio::test]
async fn cards_are_selected_by_mouse_range_and_all_at_once() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    assert!(browser.eval::<bool>("!document.querySelector('#bulk').checkVisibility()").await, "until it is asked for");
    browser.click(".select-link a").await;
    assert_eq!(browser.location().await, "/playlists", "without a new page");
    browser.click(".card:nth-child(2) > label").await;
    browser.wait_for_text(COUNT, "1 selected").await;
    let covers = "['.cover', '.name'].every(part => { \
         const { x, y } = document.querySelector(`.card:nth-child(3) ${part}`).getBoundingClientRect(); \
         return document.elementFromPoint(x + 5, y + 5).matches('label'); })";
    assert!(browser.eval::<bool>(covers).await, "a press on the cover or the name selects, and opens nothing");
    click_with_shift(&browser, 5).await;
    browser.wait_for_text(COUNT, "4 selected").await;
    browser.click(".select-all").await;
    let all: usize = browser.eval("document.querySelectorAll('.card').length").await;
    browser.wait_for_text(COUNT, &format!("{all} selected")).await;
    browser.click("#bulk [type=reset]").await;
    browser.wait_for_text(COUNT, "0 selected").await;
    browser.click("#bulk button[value=heart]").await;
    browser.wait_for_text("#live", "Select at least one playlist first.").await;

    click_with_shift(&browser, 4).await;
    click_with_shift(&browser, 3).await;
    assert_eq!(browser.eval::<usize>(CHECKED).await, 2, "in the other direction, too");
    browser.click("#bulk button[value=heart]").await;
    browser.wait_for_text("main [role=status]", "2 hearts added.").await;
    wait_for_heart_count(&site, &browser, 2).await;
    browser.click(".flash button").await;
    browser.wait_for_text("main [role=status]", "Undone for 2 hearts.").await;
    wait_for_heart_count(&site, &browser, 0).await;
    assert_eq!(browser.console_errors().await, [""; 0]);
}

#[tokio::test]
async fn cards_are_selected_by_key_and_stay_selectable_after_a_search() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.press_key('j').await;
    browser.press_key('x').await;
    browser.press_key('j').await;
    browser.press_key('x').await;
    browser.wait_for_text(COUNT, "2 selected").await;
    browser.press_key('x').await;
    browser.wait_for_text(COUNT, "1 selected").await;
    browser.type_text("#q", "owner:me").await;
    browser.wait_for("document.querySelector('#search-status p')?.innerText.includes('found')").await;
    browser
        .wait_for("document.querySelectorAll('.card').length === document.querySelectorAll('.card > input').length")
        .await;
    browser.find("#bulk").await;
    assert!(browser.eval::<bool>("countSelected() === 1").await, "what was ticked before");
    browser.click("#bulk button[value=heart]").await;
    browser.wait_for_text("main [role=status]", "1 heart added.").await;
    assert!(browser.location().await.starts_with("/playlists?q=owner"), "{}", browser.location().await);
    browser.click(".select-link a").await;
    browser.click("#bulk a").await;
    assert_eq!(browser.eval::<usize>("document.querySelectorAll('.card > input').length").await, 0);
    assert!(browser.eval::<bool>("document.activeElement.matches('.select-link a')").await);
}

#[tokio::test]
async fn selecting_is_offered_once_a_search_finds_cards() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    for path in ["/playlists?q=nowhere", "/playlists?q=nowhere&select=1"] {
        browser.go(path).await;
        let is_offered = "$('.select-link a:visible, #bulk:visible').length > 0";
        assert!(!browser.eval::<bool>(is_offered).await, "{path}: nothing to select");
        browser.find("#q").await.clear().await.unwrap();
        browser.type_text("#q", "owner:me").await;
        browser.wait_for("document.querySelector('.card') !== null").await;
        browser.click(".select-link a").await;
        browser.click(".card:first-child > input").await;
        browser.wait_for_text(COUNT, "1 selected").await;
    }
}

#[tokio::test]
async fn done_offers_to_select_again_however_selecting_began() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.go("/playlists?select=1").await;
    browser.type_text("#q", "owner:me").await;
    browser.wait_for_location("/playlists?q=owner%3Ame").await;
    browser.click("#bulk a").await;
    browser.find(".select-link a").await;
    assert_eq!(browser.location().await, "/playlists?q=owner%3Ame");
    assert!(browser.eval::<bool>("!document.querySelector('#bulk').checkVisibility()").await);
}

#[tokio::test]
async fn selection_bar_has_three_lines_on_a_phone() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    browser.emulate_screen(360, 780, 2, true).await;
    for path in ["/playlists?select=1", "/hearts?select=1"] {
        browser.go(path).await;
        let tops = "[...new Set([...document.querySelectorAll('#bulk .button')].map((button) => button.offsetTop))]";
        let tops: Vec<f64> = browser.eval(tops).await;
        assert_eq!(tops.len(), 3, "{path}: {tops:?}");
    }
}

#[tokio::test]
async fn what_is_ticked_stays_so_while_other_cards_are_searched_for() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    let names: Vec<String> =
        browser.eval("[...document.querySelectorAll('.card .name')].map((name) => name.textContent)").await;
    browser.click(".select-link a").await;
    browser.click(".card:nth-child(2) > label").await;
    let search = browser.find("#q").await;
    search.send_keys(&names[4]).await.unwrap();
    browser.wait_for_text(COUNT, "1 selected, 1 not shown").await;
    browser.click(".card:first-child > label").await;
    browser.wait_for_text(COUNT, "2 selected, 1 not shown").await;
    search.clear().await.unwrap();
    search.send_keys("no such playlist").await.unwrap();
    browser.wait_for_text(COUNT, "2 selected, 2 not shown").await;
    browser.click("#search-status a, .empty-state a").await;
    browser.wait_for(&format!("{CHECKED} === 2")).await;
    browser.click(".filters a[href$='is%3Ahearted']").await;
    browser.wait_for_text(COUNT, "2 selected, 2 not shown").await;
    assert!(browser.eval::<bool>("document.activeElement.matches('.filters [aria-current]')").await);
    browser.click("#bulk button[value=heart]").await;
    browser.wait_for_text("main [role=status]", "2 hearts added.").await;
    assert_eq!(browser.eval::<usize>("document.querySelectorAll('.card').length").await, 2);

    browser.click(".select-link a").await;
    browser.click(".card:first-child > label").await;
    browser.click(".filters a[aria-current]").await;
    browser.click("#bulk [type=reset]").await;
    browser.wait_for_text(COUNT, "0 selected").await;
    browser.click("#bulk a").await;
    assert_eq!(browser.eval::<usize>("document.querySelectorAll('[form=bulk]').length").await, 0);
    assert_eq!(browser.console_errors().await, [""; 0]);
}

#[tokio::test]
async fn selecting_goes_on_after_a_search_without_script() {
    let site = Site::open().await;
    let browser = Browser::without_script(&site).await;
    sign_in(&browser, "ada").await;
    browser.click(".select-link a").await;
    browser.type_text("#q", "owner:me").await;
    browser.press_key(Key::Enter).await;
    browser.wait_for_location("/playlists?q=owner%3Ame&select=1").await;
    browser.click(".filters a[href*='public%3Atrue']").await;
    browser.find(".filters a[href*='public%3Atrue'][href*='select']").await;
    browser.click(".card:first-child > input").await;
    browser.click("#bulk button[value=heart]").await;
    browser.wait_for_text("main [role=status]", "1 heart added.").await;
    assert!(!browser.location().await.contains("select"), "{}", browser.location().await);
}

#[tokio::test]
async fn tags_for_a_selection_are_asked_for_before_it_is_lost() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    browser.go("/hearts?select=1").await;
    browser.click(".card:first-child > input").await;
    browser.click("#bulk button[value=untag]").await;
    browser.wait_for_text("#live", "Type the tags first, separated by commas.").await;
    assert_eq!(browser.eval::<usize>(CHECKED).await, 1);
    browser.type_text("#bulk [name=tags]", "rain").await;
    browser.press_key(Key::Enter).await;
    browser.wait_for_text("main [role=status]", "Tags added to 1 heart.").await;
}

#[tokio::test]
async fn selecting_passes_axe_and_works_without_script() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    for path in ["/playlists?select=1", "/playlists?view=list&select=1", "/hearts?select=1"] {
        assert_accessible_page(&browser, path).await;
    }
    drop(browser);
    let plain = Browser::without_script(&site).await;
    sign_in(&plain, "ada").await;
    plain.click(".select-link a").await;
    plain.click(".card:nth-child(2) > input").await;
    plain.click(".card:nth-child(3) > label").await;
    plain.click("#bulk button[value=heart]").await;
    plain.wait_for_text("main [role=status]", "2 hearts added.").await;
    plain.click(".flash button").await;
    plain.wait_for_text("main [role=status]", "Undone for 2 hearts.").await;
    assert_eq!(site.count_hearts().await, 1);
}

#[tokio::test]
async fn hearts_over_the_limit_are_told_once_and_retried_together() {
    let site = Site::open_with(&[("HEARTS_PER_MINUTE", "2")]).await;
    let browser = open_as_ada(&site).await;
    let click_six = "document.querySelectorAll('form.heart button').forEach((button, n) => n < 6 && button.click())";
    browser.eval::<()>(&format!("void {click_six}")).await;
    browser.wait_for_text("#live", "Couldn’t save 4 hearts. Too many hearts at once").await;
    assert_eq!(browser.eval::<usize>("document.querySelectorAll('#live p').length").await, 1);
    assert_eq!(site.count_hearts().await, 2);
    site.advance(std::time::Duration::from_secs(120));
    browser.click("#live .retry").await;
    wait_for_heart_count(&site, &browser, 4).await;
    browser.wait_for_text("#live", "Couldn’t save 2 hearts.").await;
    let hearted = "document.querySelectorAll('form.heart [aria-pressed=true]').length";
    assert_eq!(browser.eval::<usize>(hearted).await, 4, "whichever requests came first");
}

#[tokio::test]
async fn escape_and_a_press_outside_close_the_help() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    let is_open = "document.querySelector('.search-help').open";
    browser.click(".search-help summary").await;
    browser.click(".search-help p").await;
    assert!(browser.eval::<bool>(is_open).await, "a press inside");
    browser.click("h1").await;
    assert!(!browser.eval::<bool>(is_open).await);
    browser.click(".search-help summary").await;
    browser.press_key(Key::Escape).await;
    assert!(!browser.eval::<bool>(is_open).await);
    assert!(browser.eval::<bool>("document.activeElement.matches('.search-help summary')").await);
    browser.press_key('?').await;
    browser.find("#keyboard-help[open]").await;
    browser.click("#keyboard-help h2").await;
    browser.find("#keyboard-help[open]").await;
    let outside = "void document.querySelector('#keyboard-help').dispatchEvent(new MouseEvent('click', { bubbles: true, clientX: 2, clientY: 2 }))";
    browser.eval::<()>(outside).await;
    assert!(!browser.eval::<bool>("document.querySelector('#keyboard-help').open").await);
}

#[tokio::test]
async fn message_never_covers_the_search_field() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.emulate_screen(360, 400, 1, true).await;
    let overlaps = "(() => { const [a, b] = ['#live', '#q'].map((s) => document.querySelector(s).getBoundingClientRect()); \
         return a.height > 0 && a.top < b.bottom && b.top < a.bottom; })()";
    browser
        .eval::<()>("void showMessage('test', 'A message of some length that takes more than one line on a phone')")
        .await;
    for position in ["start", "center", "end"] {
        browser
            .eval::<()>(&format!("void document.querySelector('#q').scrollIntoView({{ block: '{position}' }})"))
            .await;
        browser.wait_for(&format!("!{overlaps}")).await;
    }
}

#[tokio::test]
async fn leaving_with_unsaved_words_asks_and_saving_does_not() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    browser.go("/hearts").await;
    browser.click(".card:first-child .edit-link").await;
    let asks = "!dispatchEvent(new Event('beforeunload', { cancelable: true }))";
    assert!(!browser.eval::<bool>(asks).await);
    browser.type_text(".annotation [name=note]", "Mine").await;
    assert!(browser.eval::<bool>(asks).await);
    for _ in 0..4 {
        browser.press_key(Key::Backspace).await;
    }
    assert!(!browser.eval::<bool>(asks).await, "as it was loaded");
    browser.type_text(".annotation [name=note]", "Mine").await;
    browser.click(".annotation form button").await;
    browser.wait_for_text("main [role=status]", "Saved.").await;
    assert_eq!(browser.eval::<String>("sessionStorage.getItem('heartlist-draft')").await, "");
}

#[tokio::test]
async fn words_sent_after_session_end_are_back_in_their_form_after_signing_in() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    browser.go("/hearts").await;
    browser.click(".card:first-child .edit-link").await;
    browser.type_text(".annotation [name=note]", "Mine").await;
    sqlx::query("delete from sessions").execute(&site.db).await.unwrap();
    browser.click(".annotation form button").await;
    browser.click("form[action='/auth/spotify'] button").await;
    approve_consent(&browser, "ada").await;
    browser.wait_for_text("#live", "What you typed was not saved.").await;
    assert_eq!(browser.eval::<String>("document.querySelector('.annotation [name=note]').value").await, "Mine");
    assert!(browser.eval::<bool>("!dispatchEvent(new Event('beforeunload', { cancelable: true }))").await);
    browser.click(".annotation form button").await;
    browser.wait_for_text("main [role=status]", "Saved.").await;
    assert!(browser.text(".card:first-child").await.contains("Mine"));
}
