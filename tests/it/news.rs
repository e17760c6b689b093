//! News of hearts, and their private feed.

use std::time::Duration;

use fake_spotify::{Endpoint, Fault, OtherProvider};
use reqwest::Method;
use roxmltree::Document;
use serde_json::Value;

use crate::support::Site;
use crate::support::account_merge::merge_ids;
use crate::support::visitor::Visitor;

const DAY: Duration = Duration::from_secs(24 * 3600);
const FEED: &str = "/hearts/news/feed";
const NEW_FEED: &str = "/hearts/news/feed/new";
const RENAME: &str =
    "with renamed as (update playlists set name = 'Once', name_folded = 'once') update user_hearts set title = 'Once'";

/// Signs in with a heart for the first playlist; returns its id.
async fn sign_in_with_heart(site: &Site) -> (Visitor, String) {
    let ada = site.sign_in("ada").await;
    let id = ada.open("/playlists").await.playlist_ids().remove(0);
    ada.fetch(Method::PUT, &format!("/heart/{id}")).await;
    (ada, id)
}

async fn news(visitor: &Visitor) -> Vec<String> {
    visitor.open("/hearts/news").await.texts(".events li > span:first-child .meta")
}

async fn fetch_library(site: &Site, visitor: &Visitor) {
    site.advance(DAY);
    visitor.open("/playlists").await;
}

async fn make_unavailable(site: &Site, visitor: &Visitor, id: &str) {
    let not_found = Fault::Status(404, r#"{"error":{"status":404,"message":"Not found"}}"#.into(), "application/json");
    site.spotify.inject_fault(Endpoint::Playlist, not_found, 1);
    visitor.open(&format!("/playlists/{id}")).await;
}

async fn set_feed(visitor: &Visitor, button: &str) -> String {
    let path = if button == "[name=replaces]" { NEW_FEED } else { FEED };
    let form = visitor.open(path).await.form(&format!("form[action='{FEED}']:has({button})"));
    visitor.submit(form).await.flash().unwrap()
}

/// Turns the feed on, or gives it a new address; returns the path of its Atom feed.
async fn create_feed(visitor: &Visitor) -> String {
    let has_feed = visitor.open(FEED).await.has(".copy-value");
    set_feed(visitor, if has_feed { "[name=replaces]" } else { "[name=on][value=true]" }).await;
    let url = visitor.open(FEED).await.attribute("a.copy-value[href$='atom.xml']", "href");
    url[url.find("/n/").unwrap()..].to_owned()
}

#[tokio::test]
async fn news_tell_what_spotify_shows_of_hearts() {
    let site = Site::open().await;
    let (ada, id) = sign_in_with_heart(&site).await;
    assert!(ada.open("/hearts").await.has("a[href='/hearts/news']"));
    let page = ada.open("/hearts/news").await;
    assert!(page.text(".empty-state").contains("updated") && !page.has(".events"), "says what will appear");
    fetch_library(&site, &ada).await;
    assert_eq!(news(&ada).await, [""; 0], "nothing has changed");

    let other = ada.open("/playlists").await.playlist_ids().remove(1);
    site.spotify.add_song(&id);
    site.spotify.add_song(&other);
    fetch_library(&site, &ada).await;
    assert_eq!(news(&ada).await, ["Updated"], "of hearts only");
    fetch_library(&site, &ada).await;
    assert_eq!(news(&ada).await, ["Updated"], "once");

    make_unavailable(&site, &ada, &id).await;
    assert_eq!(news(&ada).await, ["Unavailable on Spotify", "Updated"]);
    fetch_library(&site, &ada).await;
    assert_eq!(news(&ada).await, ["Back on Spotify", "Unavailable on Spotify", "Updated"]);

    let name = ada.open("/hearts").await.text("li.card h2");
    sqlx::query(RENAME).execute(&site.db).await.unwrap();
    fetch_library(&site, &ada).await;
    assert_eq!(news(&ada).await[0], format!("Renamed from “Once” to “{name}”"));
    let page = ada.open("/hearts/news").await;
    assert_eq!(page.texts(".events li a"), vec![name; 4]);
    assert!(page.attribute(".events time", "datetime").ends_with('Z'));
    ada.get("/hearts/news?page=2").await.assert_redirect("/hearts/news");
}

#[tokio::test]
async fn playlist_that_the_library_lists_again_is_back_at_once() {
    let site = Site::open().await;
    let (ada, id) = sign_in_with_heart(&site).await;
    site.advance(Duration::from_secs(9 * 60));
    make_unavailable(&site, &ada, &id).await;
    let path = format!("/playlists/{id}");
    assert!(!ada.open(&path).await.has("tbody tr"), "remembered for ten minutes");
    site.advance(Duration::from_secs(2 * 60));
    ada.open("/playlists").await;
    let told = ["Back on Spotify", "Unavailable on Spotify"];
    assert_eq!(news(&ada).await, told);
    assert!(ada.open(&path).await.has("tbody tr"));
    assert_eq!(news(&ada).await, told);
    assert_eq!(site.count("select count(gone_at) from user_hearts").await, 0);
}

#[tokio::test]
async fn each_kind_is_told_once_a_day_however_often_it_is_learned() {
    let site = Site::open().await;
    site.freeze_clock();
    let (ada, id) = sign_in_with_heart(&site).await;
    fetch_library(&site, &ada).await;
    for _ in 0..3 {
        site.spotify.add_song(&id);
        let path = format!("/playlists/{id}");
        tokio::join!(ada.open(&path), ada.open(&path));
    }
    assert_eq!(news(&ada).await, ["Updated"]);
    assert_eq!(site.count("select count(*) from news").await, 1);
}

#[tokio::test]
async fn news_go_with_their_heart() {
    let site = Site::open().await;
    let (ada, id) = sign_in_with_heart(&site).await;
    make_unavailable(&site, &ada, &id).await;
    let heart = format!("/heart/{id}");
    ada.fetch(Method::DELETE, &heart).await;
    assert_eq!(news(&ada).await, [""; 0]);
    ada.fetch(Method::PUT, &heart).await;
    assert_eq!(news(&ada).await.len(), 1, "an undone removal");
    ada.fetch(Method::DELETE, &heart).await;
    site.advance(2 * DAY);
    ada.fetch(Method::PUT, &heart).await;
    assert_eq!(news(&ada).await, [""; 0], "a new heart has no old news");
    ada.fetch(Method::DELETE, &heart).await;
    let delete = ada.open("/hearts/removed").await.form(&format!("form[action='/hearts/removed/{id}']"));
    ada.submit(delete.with("action", "delete")).await;
    assert_eq!(site.count("select count(*) from news").await, 0);
}

#[tokio::test]
async fn news_end_after_180_days_and_beyond_500() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_heart(&site).await;
    let rows = "insert into news (user_id, playlist_id, kind, day, at)
                select h.user_id, h.playlist_id, 'updated', (now() + n * interval '1 day')::date, now() + n * interval '1 day'
                from user_hearts h, generate_series(1, 600) n";
    sqlx::query(rows).execute(&site.db).await.unwrap();
    site.run_cleanup().await;
    assert_eq!(site.count("select count(*) from news").await, 500);
    assert_eq!(news(&ada).await.len(), 50, "a page");
    site.advance(DAY * (180 + 300));
    site.run_cleanup().await;
    let left = site.count("select count(*) from news").await;
    assert!((299..=301).contains(&left), "{left}");
    let orphans = "insert into news (user_id, playlist_id, kind, day, at) select id, repeat('x', 22), 'back', now() + interval '600 days', now() + interval '600 days' from users";
    sqlx::query(orphans).execute(&site.db).await.unwrap();
    site.run_cleanup().await;
    assert_eq!(site.count("select count(*) from news where kind = 'back'").await, 0);
}

#[tokio::test]
async fn private_feed_has_the_news_with_stable_ids() {
    let site = Site::open().await;
    let (ada, id) = sign_in_with_heart(&site).await;
    let form = ada.open(&format!("/hearts?edit={id}")).await.form(".annotation form");
    ada.submit(form.with("title", "Night <trains> & more").with("note", "a secret note")).await;
    let path = create_feed(&ada).await;
    let empty = site.visitor().get(&path).await;
    assert!(empty.status == 200 && !empty.html.contains("<entry>"));
    site.spotify.add_song(&id);
    fetch_library(&site, &ada).await;

    let atom = site.visitor().get(&path).await;
    assert_eq!(atom.header("content-type"), "application/atom+xml; charset=utf-8");
    assert_eq!(atom.header("cache-control"), "private, no-store");
    assert_eq!(atom.header("x-robots-tag"), "noindex, nofollow");
    assert_eq!((atom.header("referrer-policy"), atom.header("set-cookie")), ("no-referrer", ""));
    let document = Document::parse(&atom.html).unwrap();
    let text = |name: &str| {
        let node = document.descendants().rfind(|node| node.tag_name().name() == name);
        node.and_then(|node| node.text()).unwrap_or_default().to_owned()
    };
    assert_eq!(text("title"), "Updated: Night <trains> & more");
    assert!(text("updated").ends_with('Z') && !atom.html.contains("secret note"));

    let json: Value =
        serde_json::from_str(&site.visitor().get(&path.replace("atom.xml", "feed.json")).await.html).unwrap();
    let item = &json["items"][0];
    assert_eq!(item["id"], text("id"));
    assert_eq!(item["url"], format!("https://open.spotify.com/playlist/{id}"));
    assert_eq!(json["items"].as_array().unwrap().len(), 1);
    fetch_library(&site, &ada).await;
    assert_eq!(site.visitor().get(&path).await.html, atom.html, "nothing new");
    let known = [("if-none-match", atom.header("etag"))];
    assert_eq!(site.visitor().request(Method::GET, &path, &known, None).await.status, 304);
}

#[tokio::test]
async fn feed_is_off_by_default_revocable_and_made_anew_only_when_confirmed() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_heart(&site).await;
    assert!(!ada.open(FEED).await.has(".copy-value"));
    assert_eq!(ada.open(NEW_FEED).await.url.path(), FEED, "nothing to replace");
    let unknown = site.visitor().get("/n/AAAAAAAAAAAAAAAAAAAAAA/atom.xml").await;
    assert_eq!(unknown.status, 410);
    let stale = ada.open(FEED).await.form(&format!("form[action='{FEED}']"));
    let first = create_feed(&ada).await;
    assert_eq!(first.len(), "/n//atom.xml".len() + 22, "128 bits in base64url");
    assert!(ada.submit(stale).await.flash().unwrap().contains("keeps its address"), "not confirmed");
    assert_eq!(site.visitor().get(&first).await.status, 200);
    assert!(ada.open(FEED).await.has(&format!("a[href='{NEW_FEED}']")), "asks first, as for a new secret link");
    let second = create_feed(&ada).await;
    assert_eq!((site.visitor().get(&first).await.status, site.visitor().get(&second).await.status), (410, 200));
    let token = &second["/n/".len()..second.len() - "/atom.xml".len()];
    let stored: String =
        sqlx::query_scalar("select news_feeds::text from news_feeds").fetch_one(&site.db).await.unwrap();
    assert!(!stored.contains(token), "a digest, and sealed");
    set_feed(&ada, "[name=on][value=false]").await;
    assert_eq!(site.visitor().get(&second).await.status, 410);
    assert_eq!(site.count("select count(*) from news_feeds").await, 0);
    let page = ada.open("/account/activity").await;
    assert!(
        page.text("main").contains("Created a private feed")
            && page.text("main").contains("Turned the private feed off")
    );
    assert_eq!(site.visitor().get(FEED).await.status, 303, "signed out");
}

#[tokio::test]
async fn feeds_are_limited_for_each_address() {
    let site = Site::open().await;
    site.freeze_clock();
    let (ada, _) = sign_in_with_heart(&site).await;
    let path = create_feed(&ada).await;
    let mut last = 0;
    for _ in 0..61 {
        last = site.visitor().get(&path).await.status;
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn news_and_feed_survive_a_merge_and_end_with_the_account() {
    let site = Site::open().await;
    site.visitor().sign_in_with(&site.spotify, OtherProvider::GitHub, "ada").await;
    let (ada, id) = sign_in_with_heart(&site).await;
    make_unavailable(&site, &ada, &id).await;
    let path = create_feed(&ada).await;
    merge_ids(&site, [1, 2]).await;
    assert_eq!(site.count("select count(*) from news where user_id = 1").await, 1);
    let feed = site.visitor().get(&path).await;
    assert!(feed.status == 200 && feed.html.contains("Unavailable on Spotify"));
    let ada = site.visitor();
    ada.sign_in_with(&site.spotify, OtherProvider::GitHub, "ada").await;
    assert!(ada.open(FEED).await.text("main").contains("cannot be shown here again"));
    sqlx::query("delete from users").execute(&site.db).await.unwrap();
    assert_eq!(site.count("select (select count(*) from news) + (select count(*) from news_feeds)").await, 0);
}
