//! Cards that the script brings up to date: dates of new hearts, names that Spotify has not shown for long.

use std::time::Duration;

use fake_spotify::{Endpoint, Fault, User};
use sqlx::Executor as _;

use super::{FIRST_HEART, open_as, open_as_ada, open_as_ada_with_heart, wait_for_heart_count};
use crate::support::Site;
use crate::support::browser::Browser;

/// Ada's browser, and 30 hearts of hers for playlists whose names the app has never seen.
async fn open_as_ada_with_unknown_hearts(site: &Site) -> Browser {
    site.spotify.add_user(User::with_library("kim", 30));
    let browser = open_as_ada(site).await;
    let heart = "insert into user_hearts (user_id, playlist_id, hearted_at) select id, $1, now() from users";
    for playlist in site.spotify.user("kim").unwrap().playlists() {
        sqlx::query(heart).bind(&playlist.id).execute(&site.db).await.unwrap();
    }
    browser
}

const NAMELESS: &str =
    "[...document.querySelectorAll('.card h2')].filter(h => /^Playlist .*…/.test(h.textContent)).length";

#[tokio::test]
async fn names_are_renewed_once_a_visit_without_a_press() {
    let site = Site::open().await;
    let browser = open_as_ada_with_unknown_hearts(&site).await;
    browser.go("/hearts").await;
    browser.wait_for_text("#live", "20 of 30 names renewed.").await;
    assert_eq!(browser.eval::<usize>(NAMELESS).await, 10);
    browser.wait_for_text("#stale-hearts", "not shown 10 of your hearts").await;
    assert_eq!(site.spotify.request_count(Endpoint::Playlist), 20, "once");
    browser.reload().await;
    browser.wait_for(&format!("{NAMELESS} === 0 && !document.querySelector('#stale-hearts')")).await;
    assert_eq!(site.spotify.request_count(Endpoint::Playlist), 30);
    assert_eq!(browser.console_errors().await, [""; 0]);
    // While Spotify refuses, nothing is said that nobody asked for.
    sqlx::query("delete from playlists").execute(&site.db).await.unwrap();
    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::RateLimited { retry_after: 60 }, 9);
    site.spotify.inject_fault(Endpoint::Playlist, Fault::RateLimited { retry_after: 60 }, 99);
    browser.reload().await;
    let cooldown = "select count(*) from cooldowns";
    browser.wait_until("Spotify refused", async || site.count(cooldown).await > 0).await;
    browser.reload().await;
    assert_eq!(browser.text("#live").await, "");
    assert!(browser.text("#stale-hearts").await.contains("Renew names"));
}

#[tokio::test]
async fn open_form_stays_while_names_are_renewed() {
    let site = Site::open().await;
    let browser = open_as_ada_with_unknown_hearts(&site).await;
    let id = site.spotify.user("kim").unwrap().playlists()[0].id.clone();
    browser.go(&format!("/hearts?edit={id}")).await;
    browser.type_text("#results [name=title]", "Half a ti").await;
    browser.wait_for_text("#live", "20 of 30 names renewed.").await;
    assert_eq!(browser.eval::<String>("document.querySelector('#results [name=title]').value").await, "Half a ti");
}

#[tokio::test]
async fn heart_added_by_script_shows_its_date_at_once() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    let date = "document.querySelector('.card .hearted-at, .detail .hearted-at')?.innerText ?? ''";
    assert_eq!(browser.eval::<String>(date).await, "");
    browser.click(".card:first-child .heart button").await;
    browser.wait_for_text(".card:first-child .hearted-at", "Hearted ").await;
    wait_for_heart_count(&site, &browser, 1).await;
    let shown = browser.eval::<String>("document.querySelector('.card .hearted-at').outerHTML").await;
    browser.click(".card:first-child .heart button").await;
    wait_for_heart_count(&site, &browser, 0).await;
    browser.click(".card:first-child .heart button").await;
    wait_for_heart_count(&site, &browser, 1).await;
    assert_eq!(browser.eval::<usize>("document.querySelectorAll('.hearted-at').length").await, 1, "not twice");
    browser.reload().await;
    let served = browser.eval::<String>("document.querySelector('.card .hearted-at').outerHTML").await;
    assert_eq!(shown.replace('"', ""), served.replace('"', "").replace("</time>\n", "</time>"), "as after a reload");
    browser.click(".card:nth-child(2) .name").await;
    browser.click(".detail .heart button").await;
    browser.wait_for_text(".detail .hearted-at", "Hearted ").await;
}

#[tokio::test]
async fn heart_added_again_shows_the_date_and_pin_that_are_stored() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    let facts = "document.querySelector('.card .facts').innerText";
    for (minutes, is_pinned) in [(9, true), (11, false)] {
        site.db.execute("update user_hearts set hearted_at = hearted_at - interval '1 year', pin = 1").await.unwrap();
        browser.go("/hearts").await;
        browser.find(".card .pinned").await;
        browser.click(FIRST_HEART).await;
        wait_for_heart_count(&site, &browser, 0).await;
        site.advance(Duration::from_secs(60 * minutes));
        browser.click(FIRST_HEART).await;
        browser.wait_for("[...hearts.values()].every((heart) => heart.confirmed)").await;
        let shown: String = browser.eval(facts).await;
        assert_eq!(shown.contains("Pinned"), is_pinned, "{shown}");
        browser.reload().await;
        assert_eq!(browser.eval::<String>(facts).await, shown, "as after a reload");
    }
}

#[tokio::test]
async fn library_shows_once_loaded_even_if_its_first_page_was_empty() {
    let site = Site::open().await;
    site.spotify.add_user(User::with_library("lena", 100));
    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::Slow(Duration::ZERO), 1);
    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::Slow(Duration::from_secs(4)), 1);
    let browser = open_as(&site, "lena").await;
    browser.find("#library-loading").await;
    browser.eval::<()>("document.querySelectorAll('#results, .search').forEach((part) => part.remove())").await;
    browser.wait_for_text(".refresh-bar .subtitle", "100 playlists, as of ").await;
    browser.wait_for("document.querySelectorAll('.card').length === 50").await;
}
