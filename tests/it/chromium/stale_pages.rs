//! Hearts are current after Back and after a change in another tab.

use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::Executor as _;

use super::{FIRST_HEART, is_hearted, open_as, open_as_ada, wait_for_heart_count, wait_for_hearted};
use crate::support::Site;
use crate::support::browser::Browser;
use crate::support::rows::SIXTY_HEARTS;

/// The event of a page restored from the back/forward cache, which browsers may or may not use.
const DISPATCH_PAGESHOW: &str = "void dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))";

/// Offers to undo may cover the button where the driver would press it.
const PRESS_MORE: &str = "document.querySelector('.load-more button').click()";

#[tokio::test]
async fn back_shows_heart_added_on_next_page() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    assert!(!is_hearted(&browser, FIRST_HEART).await);
    browser.click(".card:first-child a.name").await;
    browser.click(".detail form.heart button").await;
    wait_for_heart_count(&site, &browser, 1).await;
    browser.wait_for_text(".heart-count", "Hearts here: 1").await;
    browser.back().await;
    browser.wait_for_location("/playlists").await;
    wait_for_hearted(&browser, FIRST_HEART, true).await;
}

#[tokio::test]
async fn back_shows_heart_added_before_leaving() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.click(FIRST_HEART).await;
    browser.click("a[href='/account']").await;
    wait_for_heart_count(&site, &browser, 1).await;
    browser.back().await;
    browser.wait_for_location("/playlists").await;
    wait_for_hearted(&browser, FIRST_HEART, true).await;
    browser.click(FIRST_HEART).await;
    wait_for_heart_count(&site, &browser, 0).await;
}

#[tokio::test]
async fn page_restored_from_bfcache_reloads_hearts() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    let unseen =
        "fetch(document.querySelector('.card form.heart').action, { method: 'PUT' }).then(answer => answer.ok)";
    assert!(browser.eval::<bool>(unseen).await);
    assert!(!is_hearted(&browser, FIRST_HEART).await);
    browser.eval::<()>(DISPATCH_PAGESHOW).await;
    wait_for_hearted(&browser, FIRST_HEART, true).await;
}

#[tokio::test]
async fn background_tab_updates_hearts_on_focus() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    // A browser without windows does not send it.
    browser.run_script("dispatchEvent(new Event('blur'))").await;
    let first = browser.new_tab().await;
    let left = Instant::now();
    browser.go("/playlists").await;
    browser.click(FIRST_HEART).await;
    wait_for_heart_count(&site, &browser, 1).await;
    // The script ignores absences of under a second.
    browser.wait_until("away for long enough", async || left.elapsed() > Duration::from_millis(1100)).await;
    browser.switch_to_tab(&first).await;
    browser.run_script("dispatchEvent(new Event('focus'))").await;
    wait_for_hearted(&browser, FIRST_HEART, true).await;
}

#[tokio::test]
async fn paginated_list_drops_only_hearts_removed_in_another_tab() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    site.db.execute(SIXTY_HEARTS).await.unwrap();
    browser.go("/hearts").await;
    let remove_heart = "fetch(document.querySelector('.card:nth-child(2) form.heart').action, { method: 'DELETE' }).then(answer => answer.ok)";
    assert!(browser.eval::<bool>(remove_heart).await);
    browser.eval::<()>(DISPATCH_PAGESHOW).await;
    wait_for_hearted(&browser, ".card:nth-child(2) form.heart button", false).await;
    let given = "document.querySelectorAll('.card .heart [aria-pressed=true]').length";
    assert_eq!(browser.eval::<u32>(given).await, 49, "the others stay");

    // Removing a heart moves the first card of page 2 to page 1.
    browser.go("/hearts?page=2").await;
    let newest = "fetch('/heart/Heart1'.padEnd(29, 'x'), { method: 'DELETE' }).then(answer => answer.ok)";
    assert!(browser.eval::<bool>(newest).await);
    browser.eval::<()>(DISPATCH_PAGESHOW).await;
    browser.wait_for_text("[data-my-heart-count]", "58").await;
    assert_eq!(browser.eval::<u32>(given).await, 9, "all that were there");
}

#[tokio::test]
async fn card_that_leaves_a_filter_or_moves_keeps_its_heart() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    site.db.execute(SIXTY_HEARTS).await.unwrap();
    let given = "document.querySelectorAll('.card .heart [aria-pressed=true]').length";
    let tag = "update user_hearts set tags = '{rain}', tags_folded = '{rain}' where playlist_id = $1";
    let rename = "update user_hearts set own_title = 'zzz', own_title_folded = 'zzz' where playlist_id = $1";
    for (path, cards, change) in [("/hearts?q=is%3Auntagged", 50, tag), ("/hearts?sort=name&page=2", 10, rename)] {
        browser.go(path).await;
        let id: String = browser.eval("document.querySelector('.card:nth-child(2)').id.slice(2)").await;
        sqlx::query(change).bind(&id).execute(&site.db).await.unwrap();
        let is_listed = format!("refreshHearts().then((page) => !!page.querySelector('#p-{id}'))");
        assert!(!browser.eval::<bool>(&is_listed).await, "{path}");
        assert_eq!(browser.eval::<u32>(given).await, cards, "{path}");
    }
}

#[tokio::test]
async fn facebook_fragment_is_removed_from_address() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.go("/hearts?sort=name#_=_").await;
    browser.wait_for_location("/hearts?sort=name").await;
}

#[tokio::test]
async fn missing_cover_becomes_placeholder() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.devtools("Network.enable", json!({})).await;
    browser.devtools("Network.setBlockedURLs", json!({ "urls": ["*/covers/*"] })).await;
    browser.reload().await;
    browser.wait_for("document.querySelector('.card:first-child .cover.cover-placeholder:empty')").await;
}

#[tokio::test]
async fn more_leaves_out_no_card_after_hearts_have_changed() {
    let site = Site::open().await;
    let browser = open_as(&site, "mira").await;
    let everything =
        "insert into user_hearts (user_id, playlist_id, hearted_at) select user_id, id, now() from playlists";
    // The list of playlists without a heart becomes shorter by adding some.
    for (path, hearts, saved) in [
        ("/playlists?q=-is%3Ahearted", "select 1", 3),
        ("/hearts", everything, 117),
        ("/playlists?q=is%3Ahearted", everything, 117),
    ] {
        for change in ["delete from user_hearts", hearts] {
            sqlx::query(change).execute(&site.db).await.unwrap();
        }
        browser.go(path).await;
        for card in [2, 3, 5] {
            browser.click(&format!(".card:nth-child({card}) form.heart button")).await;
        }
        wait_for_heart_count(&site, &browser, saved).await;
        browser.eval::<()>(PRESS_MORE).await;
        browser.wait_for_text(".load-more [role=status]", "100 of 117 shown.").await;
        browser.eval::<()>(PRESS_MORE).await;
        browser.wait_for_text(".load-more [role=status]", "All 117 shown.").await;
        let cards: usize = browser.eval("document.querySelectorAll('#results .card').length").await;
        assert_eq!(cards, 120, "{path}");
    }
}

/// Opens the hearts of Ada, who has sixty, and removes the first.
async fn open_hearts_and_remove_first(site: &Site) -> Browser {
    let browser = open_as_ada(site).await;
    site.db.execute(SIXTY_HEARTS).await.unwrap();
    browser.go("/hearts").await;
    browser.click(FIRST_HEART).await;
    wait_for_heart_count(site, &browser, 59).await;
    browser
}

#[tokio::test]
async fn more_shows_a_list_that_another_device_has_emptied() {
    let site = Site::open().await;
    let browser = open_hearts_and_remove_first(&site).await;
    site.db.execute("update user_hearts set removed_at = now()").await.unwrap();
    browser.eval::<()>(PRESS_MORE).await;
    browser.wait_for_text("h2", "No hearts yet").await;
    assert_eq!(browser.console_errors().await, [""; 0]);
}

/// Gives the page the answer to its next GET when `release()` is called.
const HOLD_GET: &str = "window.real_fetch = fetch, void (window.fetch = async (url, init) => { \
    const response = await real_fetch(url, init); \
    if (!init.method) await new Promise((go) => { window.release = go; }); \
    return response; })";

#[tokio::test]
async fn page_that_is_older_than_a_saved_heart_changes_no_count() {
    let site = Site::open().await;
    let browser = open_hearts_and_remove_first(&site).await;
    browser.wait_for_text("[data-my-heart-count]", "59").await;
    browser.eval::<()>(HOLD_GET).await;
    browser.eval::<()>("window.refresh = refreshHearts(), void 0").await;
    browser.wait_for("window.release").await;
    browser.click(FIRST_HEART).await;
    browser.wait_for_text("[data-my-heart-count]", "60").await;
    browser.eval::<()>("void release()").await;
    browser.eval::<bool>("refresh.then(() => true)").await;
    assert_eq!(browser.text("[data-my-heart-count]").await, "60");
    assert!(is_hearted(&browser, FIRST_HEART).await);
}
