//! Names and covers of hearts that Spotify has not shown for long.

use std::time::Duration;

use fake_spotify::{Endpoint, Fault, OtherProvider, User};
use reqwest::Method;

use crate::support::page::Page;
use crate::support::search::sign_in_wren;
use crate::support::visitor::Visitor;
use crate::support::{HEART, Site};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Wren with hearts for `count` public playlists of somebody else, whose names the app has never seen.
async fn sign_in_with_unknown_hearts(site: &Site, count: usize) -> Visitor {
    let kim = User::with_library("kim", count);
    let ids: Vec<_> = kim.playlists().iter().map(|playlist| playlist.id.clone()).collect();
    site.spotify.add_user(kim);
    let wren = sign_in_wren(site).await;
    wren.open("/playlists").await;
    for id in ids {
        wren.fetch(Method::PUT, &format!("/heart/{id}")).await;
    }
    wren
}

async fn renew(visitor: &Visitor, path: &str) -> Page {
    visitor.submit(visitor.open(path).await.form("#stale-hearts")).await
}

fn nameless(page: &Page) -> usize {
    page.texts("li.card h2").iter().filter(|name| name.starts_with("Playlist ") && name.contains('…')).count()
}

#[tokio::test]
async fn missing_names_are_renewed_a_few_at_a_time_with_progress() {
    let site = Site::open().await;
    let wren = sign_in_with_unknown_hearts(&site, 30).await;
    let requests = site.spotify.requests().len();
    let page = wren.open("/hearts?sort=oldest").await;
    assert_eq!((nameless(&page), page.count("#stale-hearts button")), (30, 1));
    assert!(page.text("#stale-hearts [role=status]").contains("not shown 30 of your hearts"));
    assert_eq!(site.spotify.requests().len(), requests, "opening the page asks nothing");
    let page = renew(&wren, "/hearts?sort=oldest").await;
    assert_eq!(
        (page.flash().unwrap().as_str(), page.url.query()),
        ("20 of 30 names renewed.", Some("sort=usual&dir=reverse"))
    );
    assert_eq!((nameless(&page), site.spotify.request_count(Endpoint::Playlist)), (10, 20));
    assert!(page.text("#stale-hearts").contains("not shown 10 of"));
    let page = renew(&wren, "/hearts").await;
    assert_eq!((page.flash().unwrap().as_str(), page.has("#stale-hearts")), ("Your hearts are up to date.", false));
    assert_eq!((nameless(&page), site.spotify.request_count(Endpoint::Playlist)), (0, 30));
    site.advance(6 * DAY);
    assert!(!wren.open("/hearts").await.has("#stale-hearts"), "not before a week has passed");
}

#[tokio::test]
async fn library_renews_most_after_a_long_time_and_refresh_renews_after_a_day() {
    let site = Site::open().await;
    let wren = sign_in_with_unknown_hearts(&site, 3).await;
    for id in wren.open("/playlists").await.playlist_ids() {
        wren.fetch(Method::PUT, &format!("/heart/{id}")).await;
    }
    renew(&wren, "/hearts").await;
    site.advance(31 * DAY);
    site.run_cleanup().await;
    let page = wren.open("/hearts").await;
    assert_eq!(
        (nameless(&page), page.count("li.card .cover img")),
        (1, 0),
        "the names have stayed, except of one that has none"
    );
    let (lists, singles) = (Endpoint::MyPlaylists, Endpoint::Playlist);
    let before = (site.spotify.request_count(lists), site.spotify.request_count(singles));
    let page = renew(&wren, "/hearts").await;
    assert_eq!(page.flash().unwrap(), "Your hearts are up to date.");
    let after = (site.spotify.request_count(lists), site.spotify.request_count(singles));
    assert_eq!((after.0 - before.0, after.1 - before.1), (1, 3), "one for the library, one for each of the others");
    assert!(page.count("li.card .cover img") >= 3);
    site.advance(2 * DAY);
    let page = wren.open("/hearts").await;
    assert!(!page.has("#stale-hearts") && page.text("main").contains("Name as of"));
    let page = wren.submit(page.form(".refresh-bar")).await;
    assert_eq!(page.flash().unwrap(), "Your hearts are up to date.");
    assert!(!page.text("main").contains("Name as of"));
    assert_eq!(site.spotify.request_count(singles) - after.1, 3);
    wren.submit(page.form(".refresh-bar")).await;
    assert_eq!(site.spotify.request_count(singles) - after.1, 3, "there is nothing left to ask for");
}

#[tokio::test]
async fn playlist_that_spotify_hides_is_marked_and_not_asked_for_again() {
    let site = Site::open().await;
    let wren = sign_in_with_unknown_hearts(&site, 1).await;
    wren.fetch(Method::PUT, HEART).await;
    let page = renew(&wren, "/hearts").await;
    assert_eq!(page.flash().unwrap(), "Your hearts are up to date.");
    assert!(page.text(&format!("#p-{}", &HEART[7..])).contains("Unavailable"));
    assert!(!page.has("#stale-hearts"));
    let requests = site.spotify.request_count(Endpoint::Playlist);
    wren.submit(page.form(".refresh-bar")).await;
    assert_eq!(site.spotify.request_count(Endpoint::Playlist), requests);
}

#[tokio::test]
async fn renewal_leaves_spotify_alone_when_it_refuses_and_goes_on_when_one_playlist_fails() {
    let site = Site::open().await;
    let wren = sign_in_with_unknown_hearts(&site, 12).await;
    site.spotify.inject_fault(Endpoint::Playlist, Fault::NotJson, 1);
    assert_eq!(renew(&wren, "/hearts").await.flash().unwrap(), "11 of 12 names renewed.");
    site.spotify.inject_fault(Endpoint::Playlist, Fault::RateLimited { retry_after: 20 }, 99);
    let page = renew(&wren, "/hearts").await;
    assert!(page.flash().unwrap().starts_with("Spotify could not be asked") && page.has("#stale-hearts"));
    let requests = site.spotify.requests().len();
    let page = renew(&wren, "/hearts").await;
    assert!(page.has(".flash[role=alert]") && page.count("li.card") == 12);
    assert_eq!(site.spotify.requests().len(), requests, "for as long as it said");
    site.spotify.reset();
    site.advance(Duration::from_secs(30));
    assert_eq!(renew(&wren, "/hearts").await.flash().unwrap(), "Your hearts are up to date.");
}

#[tokio::test]
async fn hearts_of_somebody_without_spotify_are_not_renewed() {
    let site = Site::open().await;
    let wren = sign_in_with_unknown_hearts(&site, 1).await;
    let form = wren.open("/hearts").await.form("#stale-hearts");
    let noor = site.visitor();
    noor.sign_in_with(&site.spotify, OtherProvider::Google, "noor").await;
    noor.fetch(Method::PUT, HEART).await;
    let page = noor.open("/hearts").await;
    assert!(!page.has("#stale-hearts") && !page.has(".refresh-bar"));
    let requests = site.spotify.requests().len();
    let page = noor.submit(form).await;
    assert!(page.flash().unwrap().starts_with("Spotify could not be asked"));
    assert_eq!((page.url.path(), site.spotify.requests().len()), ("/hearts", requests));
    let stranger = site.visitor().submit(wren.open("/hearts").await.form("#stale-hearts")).await;
    assert_eq!(stranger.text("h1"), "Sign in");
}
