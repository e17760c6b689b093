//! Search as you type, more results in place, keyboard shortcuts and views.

use std::time::Duration;

use fake_spotify::{Endpoint, Fault, User};
use serde_json::json;
use thirtyfour::Key;

use super::{FIRST_HEART, is_hearted, open_as, open_as_ada, open_as_ada_with_heart, sign_in, wait_for_heart_count};
use crate::support::Site;
use crate::support::browser::Browser;

async fn is_focused(browser: &Browser, selector: &str) -> bool {
    browser.eval(&format!("document.activeElement === document.querySelector({})", json!(selector))).await
}

async fn count_cards(browser: &Browser) -> usize {
    browser.eval("document.querySelectorAll('#results .card').length").await
}

/// Holds each request of the page until `release(n)`, even if the page has aborted it.
const HOLD_REQUESTS: &str = "window.held = [], window.answered = 0, window.real_fetch = fetch, \
    window.release = (n, fail) => held[n](fail), \
    void (window.fetch = async (url) => { \
        const fail = await new Promise(go => held.push(go)); \
        try { if (fail) throw new TypeError('lost'); return await real_fetch(url); } finally { setTimeout(() => { answered += 1; }, 200); } \
    })";

#[tokio::test]
async fn typing_searches_at_once_and_keeps_focus() {
    let site = Site::open().await;
    let browser = open_as(&site, "mira").await;
    let before: u32 = browser.eval("history.length").await;
    browser.type_text("#q", "owner:me MANANA").await;
    browser.wait_for_text("#search-status[role=status]", "0 of 120 playlists found.").await;
    browser.wait_for_text("#results", "Nothing found").await;
    assert!(!browser.eval::<bool>("!!document.querySelector('#search-status a')").await, "the way out is offered once");
    assert!(
        !browser
            .eval::<bool>(
                "[...document.querySelectorAll('.search [method=get] button, .search .show')].some(b => b.offsetHeight)"
            )
            .await,
        "there is nothing to press"
    );
    browser.wait_for_location("/playlists?q=owner%3Ame+MANANA").await;
    for _ in 0.."MANANA".len() {
        browser.press_key(Key::Backspace).await;
    }
    browser.type_text("#q", "Night").await;
    browser.wait_for_text("#search-status", " of 120 playlists found.").await;
    browser.wait_for_location("/playlists?q=owner%3Ame+Night").await;
    assert!(is_focused(&browser, "#q").await && count_cards(&browser).await > 0);
    let caret: Vec<u32> = browser.eval("[q.value.length, q.selectionStart, q.selectionEnd]").await;
    assert_eq!(caret, [14, 14, 14], "nothing is selected, the caret stays at the end");
    assert_eq!(browser.eval::<u32>("history.length").await, before, "no step for Back");
    assert!(browser.eval::<String>("document.title").await.contains("owner:me Night"));
    let returns: Vec<String> =
        browser.eval("[...document.querySelectorAll('input[name=from]')].map(i => i.value.split('#')[0])").await;
    assert!(returns.iter().all(|path| path == "/playlists?q=owner%3Ame+Night"), "{returns:?}");

    let found = count_cards(&browser).await;
    browser.reload().await;
    assert_eq!(
        (count_cards(&browser).await, browser.eval::<String>("q.value").await.as_str()),
        (found, "owner:me Night")
    );
    browser.click("#results a.name").await;
    browser.find(".detail").await;
    browser.back().await;
    browser.wait_for_location("/playlists?q=owner%3Ame+Night").await;
    assert_eq!(
        (count_cards(&browser).await, browser.eval::<String>("q.value").await.as_str()),
        (found, "owner:me Night")
    );
    browser.click("#search-status a").await;
    browser.wait_for_location("/playlists").await;
    // Chromium reports a view transition that the next navigation overtakes.
    let expected = |line: &String| line.contains("/covers/");
    let errors: Vec<_> = browser.console_errors().await.into_iter().filter(|line| !expected(line)).collect();
    assert_eq!(errors, [""; 0]);
}

#[tokio::test]
async fn heart_works_in_search_results() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    browser.type_text("#q", "is:hearted").await;
    browser.wait_for_text("#search-status", "1 of 12 playlists found.").await;
    assert!(is_hearted(&browser, FIRST_HEART).await);
    browser.click(FIRST_HEART).await;
    wait_for_heart_count(&site, &browser, 0).await;
    assert!(!is_hearted(&browser, FIRST_HEART).await && count_cards(&browser).await == 1, "it may be given back");
}

#[tokio::test]
async fn late_search_response_is_dropped() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.eval::<()>(HOLD_REQUESTS).await;
    browser.type_text("#q", "regen").await;
    browser.wait_for("held.length === 1").await;
    browser.type_text("#q", " nowhere").await;
    browser.wait_for("held.length === 2").await;
    browser.eval::<()>("release(1)").await;
    browser.wait_for_text("#search-status", "0 of 12 playlists found.").await;
    browser.eval::<()>("release(0)").await;
    browser.wait_for("answered === 2").await;
    assert_eq!((count_cards(&browser).await, browser.location().await.as_str()), (0, "/playlists?q=regen+nowhere"));
    assert_eq!(browser.text("#live").await, "");
}

#[tokio::test]
async fn failed_search_says_so_and_can_be_retried() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.eval::<()>(HOLD_REQUESTS).await;
    browser.type_text("#q", "regen").await;
    browser.wait_for("held.length === 1").await;
    browser.eval::<()>("release(0, true)").await;
    browser.wait_for_text("#live", "Not searched: the server could not be reached.").await;
    assert_eq!((count_cards(&browser).await, browser.location().await.as_str()), (12, "/playlists"), "the list stays");
    browser.click("#live .retry").await;
    browser.wait_for("held.length === 2").await;
    browser.eval::<()>("release(1)").await;
    browser.wait_for_text("#search-status", "1 of 12 playlists found.").await;

    browser.type_text("#q", " nowhere").await;
    browser.wait_for("held.length === 3").await;
    browser.eval::<()>("release(2, true)").await;
    browser.find("#live .retry").await;
    browser.eval::<()>("void dispatchEvent(new Event('online'))").await;
    browser.wait_for("held.length > 3").await;
    browser.eval::<()>("held.slice(3).forEach(go => go())").await;
    browser.wait_for_text("#search-status", "0 of 12 playlists found.").await;
    browser.wait_for("!document.querySelector('#live .retry')").await;
}

#[tokio::test]
async fn sort_change_applies_at_once_and_enter_submits() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.eval::<()>("sort.value = 'name', void sort.dispatchEvent(new Event('change', { bubbles: true }))").await;
    browser.wait_for("document.querySelector('.card .name').innerText === 'Brass for Breakfast'").await;
    browser.click(".direction").await;
    browser.wait_for("document.querySelector('.card .name').innerText !== 'Brass for Breakfast'").await;
    assert!(browser.text(".direction").await.contains("Z–A"));
    assert_eq!(browser.eval::<String>("document.activeElement.name").await, "dir", "the focus stays");
    browser.click(".view-toggle button:last-child").await;
    browser.wait_for("document.querySelector('.cards.card-rows')").await;
    assert_eq!(browser.location().await, "/playlists", "it is remembered");
    browser.type_text("#q", "garden").await;
    browser.press_key(Key::Enter).await;
    browser.wait_for_location("/playlists?q=garden").await;
    assert_eq!(browser.console_errors().await, [""; 0]);
    let row = "(cover => [cover.width, cover.height])(document.querySelector('.card-rows .card .cover').getBoundingClientRect())";
    assert_eq!(browser.eval::<Vec<f64>>(row).await, [48.0, 48.0], "small covers in rows");
}

#[tokio::test]
async fn more_button_loads_in_place_and_announces() {
    let site = Site::open().await;
    let browser = open_as(&site, "mira").await;
    browser.eval::<()>(HOLD_REQUESTS).await;
    browser.click(".load-more button").await;
    browser.wait_for_text(".load-more [role=status]", "Loading…").await;
    browser.eval::<()>("release(0, true)").await;
    browser.wait_for_text(".load-more [role=status]", "Not loaded: the server could not be reached.").await;
    assert_eq!((count_cards(&browser).await, browser.text(".load-more button").await.as_str()), (50, "Try again"));
    browser.click(".load-more button").await;
    browser.wait_for("held.length === 2").await;
    browser.eval::<()>("release(1)").await;
    browser.wait_for_text(".load-more [role=status]", "100 of 120 shown.").await;
    assert!(is_focused(&browser, ".card:nth-child(51) .name").await, "the focus is on the first that came");
    assert_eq!(browser.text(".pager p").await, "Pages 1 to 2 of 3");
    browser.eval::<()>("void (fetch = real_fetch)").await;
    browser.click(".load-more button").await;
    browser.wait_for_text(".load-more [role=status]", "All 120 shown.").await;
    assert_eq!((count_cards(&browser).await, browser.location().await.as_str()), (120, "/playlists?page=1-3"));
    assert!(browser.eval::<bool>("!document.querySelector('.load-more button, .pager a') && new Set([...document.querySelectorAll('.card')].map(c => c.id)).size === 120").await);
    browser.click(".card:nth-child(120) form.heart button").await;
    wait_for_heart_count(&site, &browser, 1).await;
}

#[tokio::test]
async fn more_is_offered_again_when_back_online() {
    let site = Site::open().await;
    let browser = open_as(&site, "mira").await;
    browser.eval::<()>("window.real_fetch = fetch, void (fetch = () => Promise.reject(new TypeError('lost')))").await;
    browser.click(".load-more button").await;
    browser.wait_for_text(".load-more button", "Try again").await;
    browser.eval::<()>("fetch = real_fetch, void dispatchEvent(new Event('online'))").await;
    assert_eq!(
        (browser.text(".load-more button").await.as_str(), browser.text(".load-more p").await.as_str()),
        ("More", "")
    );
    browser.click(".load-more button").await;
    browser.wait_for_text(".load-more [role=status]", "100 of 120 shown.").await;
}

#[tokio::test]
async fn pressing_more_twice_repeats_no_playlist() {
    let site = Site::open().await;
    let browser = open_as(&site, "mira").await;
    browser.eval::<()>(HOLD_REQUESTS).await;
    browser.click(".load-more button").await;
    browser.click(".load-more button").await;
    browser.wait_for("held.length === 2").await;
    browser.eval::<()>("release(0), void release(1)").await;
    browser.wait_for("answered === 2").await;
    browser.wait_for_text(".load-more [role=status]", "100 of 120 shown.").await;
    assert_eq!((count_cards(&browser).await, browser.text(".pager p").await.as_str()), (100, "Pages 1 to 2 of 3"));
}

#[tokio::test]
async fn typed_query_is_kept_when_switching_view() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    let typed_and_pressed = |typed: &str, link: &str| {
        format!(
            "q.value = '{typed}', q.dispatchEvent(new Event('input', {{ bubbles: true }})), void document.querySelector('.view-toggle {link}').click()"
        )
    };
    browser.eval::<()>(&typed_and_pressed("garden", "button:last-child")).await;
    browser.wait_for_location("/playlists?q=garden").await;
    browser.find(".cards.card-rows").await;
    assert_eq!(browser.eval::<String>("q.value").await, "garden");
    browser.eval::<()>(&typed_and_pressed("", "button:first-child")).await;
    browser.wait_for_location("/playlists").await;
    browser.find(".cards:not(.card-rows)").await;
}

#[tokio::test]
async fn slow_search_shows_progress() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.eval::<()>(HOLD_REQUESTS).await;
    browser.type_text("#q", "regen").await;
    browser.wait_for_text("#live", "Searching…").await;
    browser.eval::<()>("release(0)").await;
    browser.wait_for_text("#search-status", "1 of 12 playlists found.").await;
    assert_eq!(browser.text("#live").await, "");
}

#[tokio::test]
async fn big_library_grows_while_loading() {
    let site = Site::open().await;
    site.spotify.add_user(User::with_library("lena", 250));
    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::Slow(Duration::ZERO), 1);
    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::Slow(Duration::from_secs(4)), 4);
    let browser = open_as(&site, "lena").await;
    // The first page shows long before the last one has arrived, with matching counts.
    browser
        .wait_for_text("#library-loading [role=status]", "50 of up to 250 loaded. Getting the rest from Spotify.")
        .await;
    assert_eq!(count_cards(&browser).await, 50);
    browser.wait_for_text(".refresh-bar .subtitle", "50 playlists so far, as of ").await;
    browser.click(FIRST_HEART).await;
    browser.wait_for_text(".refresh-bar .subtitle", "250 playlists, as of ").await;
    browser.wait_for("!document.querySelector('#library-loading, form.callout')").await;
    browser.wait_for_text("#live", "All loaded: 250 playlists, as of ").await;
    assert_eq!(browser.text(".pager p").await, "Page 1 of 5");
    assert!(is_hearted(&browser, FIRST_HEART).await && is_focused(&browser, FIRST_HEART).await, "the focus stays");
    assert_eq!(site.spotify.request_count(Endpoint::MyPlaylists), 5, "asked once for each page");
    assert_eq!(browser.console_errors().await.into_iter().filter(|line| !line.contains("/covers/")).count(), 0);
}

#[tokio::test]
async fn back_and_reload_keep_loaded_pages() {
    let site = Site::open().await;
    let browser = open_as(&site, "mira").await;
    browser.go("/playlists?sort=name").await;
    browser.click(".load-more button").await;
    browser.wait_for_text(".load-more [role=status]", "100 of 120 shown.").await;
    browser.wait_for_location("/playlists?sort=name&page=1-2").await;
    let returns: Vec<String> =
        browser.eval("[...document.querySelectorAll('input[name=from]')].map(i => i.value.split('#')[0])").await;
    assert!(returns.iter().all(|path| path == "/playlists?sort=name&page=1-2"), "{returns:?}");
    let eightieth: String = browser.eval("document.querySelector('.card:nth-child(80) .name').innerText").await;
    browser
        .eval::<()>("void document.querySelector('.card:nth-child(80) .name').scrollIntoView({ block: 'center' })")
        .await;
    browser.click(".card:nth-child(80) a.name").await;
    browser.wait_for_text("h1", &eightieth).await;
    browser.back().await;
    browser.wait_for_location("/playlists?sort=name&page=1-2").await;
    let in_sight = "(box => box.top >= 0 && box.bottom <= innerHeight)(document.querySelector('.card:nth-child(80) .name').getBoundingClientRect())";
    browser.wait_for(in_sight).await;
    assert_eq!((count_cards(&browser).await, browser.text(".pager p").await.as_str()), (100, "Pages 1 to 2 of 3"));
    browser.reload().await;
    assert_eq!(count_cards(&browser).await, 100);
    browser.click(".load-more button").await;
    browser.wait_for_text(".load-more [role=status]", "All 120 shown.").await;
    browser.wait_for_location("/playlists?sort=name&page=1-3").await;
    // The `online` event starts no request where none had failed.
    browser.eval::<()>("void dispatchEvent(new Event('online'))").await;
    browser.wait_for_text("#live", "You are online again.").await;
    assert_eq!(
        (count_cards(&browser).await, browser.location().await.as_str()),
        (120, "/playlists?sort=name&page=1-3")
    );
}

#[tokio::test]
async fn keyboard_shortcuts_move_heart_and_search() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.press_key('j').await;
    assert!(is_focused(&browser, ".card:first-child .name").await);
    browser.press_key('j').await;
    browser.press_key('j').await;
    browser.press_key('k').await;
    assert!(is_focused(&browser, ".card:nth-child(2) .name").await);
    let columns: usize =
        browser.eval("getComputedStyle(document.querySelector('.cards')).gridTemplateColumns.split(' ').length").await;
    browser.press_key(Key::Down).await;
    assert!(is_focused(&browser, &format!(".card:nth-child({}) .name", 2 + columns)).await, "down is down");
    browser.press_key(Key::Up).await;
    assert!(is_focused(&browser, ".card:nth-child(2) .name").await);
    browser.press_key(Key::Up).await;
    assert!(is_focused(&browser, ".card:nth-child(2) .name").await, "the end of the column");

    browser.press_key('h').await;
    wait_for_heart_count(&site, &browser, 1).await;
    assert!(is_hearted(&browser, ".card:nth-child(2) form.heart button").await);
    browser.press_key('h').await;
    wait_for_heart_count(&site, &browser, 0).await;

    browser.press_key('/').await;
    assert!(is_focused(&browser, "#q").await);
    for letter in "jkh?/".chars() {
        browser.press_key(letter).await;
    }
    assert_eq!(browser.eval::<String>("q.value").await, "jkh?/", "in a field they are letters");
    browser.wait_for("document.querySelector('#search-status').innerText.startsWith('0 of')").await;
    assert_eq!(site.count_hearts().await, 0);
}

#[tokio::test]
async fn shortcut_help_lists_keys_and_turns_them_off() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    let open = "document.querySelector('#keyboard-help').open";
    browser.press_key('?').await;
    browser.wait_for(open).await;
    let text = browser.text("#keyboard-help").await;
    assert!(["j", "h", "/", "?", "Esc", "Use these keys"].iter().all(|key| text.contains(key)), "{text}");
    browser.press_key('j').await;
    assert!(is_focused(&browser, "#keyboard-help button").await, "behind it nothing moves");
    browser.press_key(Key::Escape).await;
    browser.wait_for(&format!("!{open}")).await;

    browser.click(".site-footer .button-link").await;
    browser.click("#keyboard-help input").await;
    browser.click("#keyboard-help button").await;
    browser.wait_for(&format!("!{open}")).await;
    browser.reload().await;
    browser.press_key('j').await;
    browser.press_key('?').await;
    assert!(browser.eval::<bool>(&format!("!{open} && document.activeElement === document.body")).await);
    browser.click(".site-footer .button-link").await;
    assert!(!browser.eval::<bool>("document.querySelector('#keyboard-help input').checked").await);
    browser.click("#keyboard-help input").await;
    browser.press_key(Key::Escape).await;
    browser.press_key('j').await;
    assert!(browser.eval::<bool>("document.activeElement.matches('.card .name')").await, "one that is in sight");
    assert_eq!(browser.console_errors().await, [""; 0]);
}

#[tokio::test]
async fn no_dead_control_without_script() {
    let site = Site::open().await;
    let browser = Browser::without_script(&site).await;
    sign_in(&browser, "mira").await;
    let is_plain =
        "!document.querySelector('.load-more, .site-footer .button-link') && !document.querySelector('#keyboard-help')";
    assert!(browser.eval::<bool>(is_plain).await);
    browser.type_text("#q", "owner:me").await;
    browser.press_key(Key::Enter).await;
    browser.wait_for_location("/playlists?q=owner%3Ame").await;
    browser.wait_for_text("#search-status", " of 120 playlists found.").await;
    browser.click("a[rel=next]").await; // where the script has More
    browser.wait_for_location("/playlists?q=owner%3Ame&page=2").await;
    browser.click(".view-toggle button:last-child").await;
    browser.find(".cards.card-rows").await;
    browser.wait_for_location("/playlists?q=owner%3Ame").await;
}
