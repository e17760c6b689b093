//! Pages that are filled once are never out of date: after each change the page at its usual address is the one that an
//! address shows which nobody has asked for before.

use std::io::Read as _;
use std::time::Duration;

use flate2::read::GzDecoder;
use futures_util::future::join;
use heartlist::db;
use heartlist::ids::UserId;
use heartlist::standin::{Endpoint, Fault};
use reqwest::Method;
use reqwest::header::HeaderMap;

use crate::support::visitor::Visitor;
use crate::support::{HEART, Site};
use crate::top::{heart, list, strangers, three};

const LISTS: [&str; 4] = ["/playlists", "/hearts", "/playlists?sort=hearted&view=list", "/hearts?q=tag%3Arain"];

/// A visitor's lists, as they were last seen.
struct Watch<'a> {
    visitor: &'a Visitor,
    seen: Vec<String>,
    looks: usize,
}

impl<'a> Watch<'a> {
    fn of(visitor: &'a Visitor) -> Self {
        Self { visitor, seen: vec![String::new(); LISTS.len()], looks: 0 }
    }

    /// Looks at all lists, twice, after a change that some of them show, or none.
    async fn expect(&mut self, shown: bool, change: &str) {
        let before = self.seen.clone();
        for (list, seen) in LISTS.iter().zip(&mut self.seen) {
            self.looks += 1;
            let sign = if list.contains('?') { '&' } else { '?' };
            let usual = self.visitor.look(list).await;
            let again = self.visitor.look(list).await;
            let new = self.visitor.look(&format!("{list}{sign}new={}", self.looks)).await;
            assert_eq!(usual.html, new.html, "{change}: {list}");
            assert_eq!(usual.html, again.html, "{change}: {list}, again");
            *seen = usual.html;
        }
        assert_eq!(self.seen != before, shown, "{change}");
    }
}

#[tokio::test]
async fn a_page_that_was_filled_before_says_all_that_has_changed_since() {
    let mut site = Site::open().await;
    let elsewhere = site.second_process().await;
    let ada = site.signed_in("ada").await;
    let ids = ada.open("/playlists").await.playlist_ids();
    let (one, other) = (&format!("{elsewhere}/heart/{}", ids[0]), &format!("{elsewhere}/heart/{}", ids[1]));
    let mut lists = Watch::of(&ada);
    lists.expect(true, "the first look").await;
    lists.expect(false, "nothing").await;
    for (method, heart) in [(Method::PUT, one), (Method::PUT, other), (Method::DELETE, one), (Method::PUT, one)] {
        let cookie = ada.cookie();
        let headers = [("sec-fetch-site", "none"), ("accept", "application/json"), ("cookie", cookie.as_str())];
        assert_eq!(ada.request(method, heart, &headers, None).await.status, 200);
        lists.expect(true, "a heart by another process").await;
    }
    let form = ada.open("/hearts").await.form(".words form").with("note", "For <b>rain</b>").with("tags", "Rain");
    assert!(ada.submit(form).await.notice().is_some());
    lists.expect(true, "words; that they were saved is said once").await;

    site.world.add_song(&ids[0]);
    lists.expect(false, "Spotify was not asked").await;
    site.advance(Duration::from_secs(700));
    lists.expect(true, "a song more").await;
    site.advance(Duration::from_secs(700));
    site.world.fault(Endpoint::MyPlaylists, Fault::Html502, 100);
    lists.expect(true, "Spotify is away").await;
    site.advance(Duration::from_secs(26 * 3600));
    lists.expect(true, "names are a day old").await;
}

/// Every column that a page shows, changed by hand.
#[tokio::test]
async fn no_row_changes_unseen() {
    let site = Site::open().await;
    let ada = site.signed_in("ada").await;
    for id in &ada.open("/playlists").await.playlist_ids()[..2] {
        ada.fetch(Method::PUT, &format!("/heart/{id}")).await;
    }
    sqlx::query("update hearts set tags = '{rain}', tags_folded = '{rain}'").execute(&site.db).await.unwrap();
    let mut lists = Watch::of(&ada);
    lists.expect(true, "the first look").await;
    for change in [
        "update hearts set note = 'For the road'",
        "update hearts set tags = '{rain,road}'",
        "update hearts set hearted_at = hearted_at - interval '2 days'",
        "update hearts set gone_at = now()",
        "update playlists set snapshot_id = 'another'",
        "update playlists set snapshot_seen_at = now() - interval '9 days'",
        "update hearts set snapshot_id = 'another'",
        "insert into hearts (user_id, playlist_id, hearted_at, tags, tags_folded)
         select user_id, id, now(), '{rain}', '{rain}' from playlists where position = 7",
        "update playlists set name = name || '!'",
        "update playlists set owner_name = 'Somebody'",
        "update playlists set cover_url = 'https://i.scdn.co/image/1'",
        "update playlists set item_count = 7",
        "update playlists set public = false",
        "update playlists set collaborative = true",
        "update playlists set seen_at = now() - interval '9 days' where position = 0",
        "update playlists set position = position + 1000 where position = 1",
        "update playlists set position = null where position = 1001",
        "update libraries set fetched_at = fetched_at - interval '3 minutes'",
        "update libraries set counted = counted + 10",
        "update libraries set reached = reached + 10",
        "delete from hearts where playlist_id = (select id from playlists where position is null)",
        "delete from playlists where position = 7",
    ] {
        assert!(sqlx::query(change).execute(&site.db).await.unwrap().rows_affected() > 0, "{change}");
        lists.expect(true, change).await;
    }
}

/// A missing row has no version: a list is found just as it was before a heart that was given and taken back.
#[tokio::test]
async fn what_is_read_amid_a_change_is_not_kept_for_the_time_before() {
    let site = Site::open().await;
    let ada = site.signed_in("ada").await;
    let ids = ada.open("/playlists").await.playlist_ids();
    let (pool, user) = (site.pool(1), UserId(site.count("select max(id) from users").await));
    let found = async || db::playlists::library(&pool, user, (0, 50)).await.unwrap().unwrap().marks;
    let heart = format!("/heart/{}", ids[0]);
    let before = found().await;
    ada.fetch(Method::PUT, &heart).await;
    let cards = db::finding::cards(&pool, user, &before).await.unwrap();
    assert!(cards.playlists[0].hearted_at.is_some() && cards.marks != before, "these cards are of a later time");
    assert_eq!(cards.marks, found().await);
    ada.fetch(Method::DELETE, &heart).await;
    assert_eq!(found().await, before);

    for time in 0..20 {
        join(ada.look("/playlists"), ada.fetch(Method::PUT, &heart)).await;
        ada.fetch(Method::DELETE, &heart).await;
        let new = ada.look(&format!("/playlists?new={time}")).await;
        assert_eq!(ada.look("/playlists").await.html, new.html, "time {time}");
    }
}

#[tokio::test]
async fn a_page_that_is_kept_needs_the_session_all_the_same() {
    let site = Site::open().await;
    let ada = site.signed_in("ada").await;
    assert_eq!(ada.look("/playlists").await.status, 200);
    ada.submit(ada.open("/logout").await.form("main form")).await;
    assert_eq!(ada.look("/playlists").await.status, 303);
}

/// What somebody who unpacks gzip is sent: the headers and the page.
async fn packed(site: &Site, path: &str, cookie: &str) -> (HeaderMap, String) {
    let client = reqwest::Client::builder().no_gzip().build().unwrap();
    let ask = client.get(format!("{}{path}", site.base)).header("cookie", cookie);
    let answer = ask.header("accept-encoding", "br, gzip;q=0.8").send().await.unwrap();
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
    let (headers, body, mut html) = (answer.headers().clone(), answer.bytes().await.unwrap(), String::new());
    GzDecoder::new(&body[..]).read_to_string(&mut html).unwrap();
    (headers, html)
}

#[tokio::test]
async fn a_page_is_packed_for_who_unpacks_it_and_says_the_same() {
    let site = Site::open().await;
    let ada = site.signed_in("ada").await;
    for _ in 0..2 {
        let plain = ada.look("/playlists").await;
        assert!(!plain.headers.contains_key("content-encoding"));
        let (headers, html) = packed(&site, "/playlists", &ada.cookie()).await;
        assert_eq!((headers["vary"].to_str().unwrap(), html), ("accept-encoding", plain.html));
    }
}

#[tokio::test]
async fn the_popular_page_is_kept_for_each_who_looks_and_changes_with_its_rows() {
    let site = Site::open().await;
    let people = three(&site).await;
    let id = HEART.split('/').next_back().unwrap();
    heart(&people, id).await;
    let stranger = list(&site, "").await;
    for _ in 0..2 {
        let (headers, html) = packed(&site, "/top", "").await;
        let vary: Vec<_> = headers.get_all("vary").iter().map(|vary| vary.to_str().unwrap()).collect();
        assert!(vary.contains(&"cookie") && vary.contains(&"accept-encoding"), "{vary:?}");
        assert_eq!((&headers["cache-control"], html), (&"public, max-age=30".parse().unwrap(), stranger.html.clone()));
        assert!(people[0].look("/top").await.has("[aria-pressed=true]"));
    }
    strangers(&site, id, 3).await;
    people[0].fetch(Method::DELETE, HEART).await;
    assert!(people[0].look("/top").await.has("[aria-pressed=false]"));
    assert!(list(&site, "").await.text(".facts").contains("5 hearts"));
    assert_eq!(
        packed(&site, "/top", "").await.1,
        site.visitor().look("/top?new=1").await.html.replace("%3Fnew%3D1", "")
    );
}
