//! Pages that are filled once are never out of date: after each change the page at its usual address is the one that an
//! address shows which nobody has asked for before.

use std::time::Duration;

use heartlist::standin::{Endpoint, Fault};
use reqwest::Method;

use crate::support::Site;
use crate::support::visitor::Visitor;

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
    ] {
        assert!(sqlx::query(change).execute(&site.db).await.unwrap().rows_affected() > 0, "{change}");
        lists.expect(true, change).await;
    }
}

#[tokio::test]
async fn nobody_is_shown_what_was_filled_for_another() {
    let site = Site::open().await;
    let (ada, mira) = (site.signed_in("ada").await, site.signed_in("mira").await);
    for list in LISTS {
        let (hers, theirs) = (ada.look(list).await, mira.look(list).await);
        assert!(hers.text(".foot").contains("Signed in as Ada") && theirs.text(".foot").contains("Signed in as Mira"));
    }
    ada.submit(ada.open("/logout").await.form("main form")).await;
    assert_eq!(ada.look("/playlists").await.status, 303, "a page that is there needs a session all the same");
}

#[tokio::test]
async fn a_page_is_packed_for_who_unpacks_it_and_says_the_same() {
    let site = Site::open().await;
    let ada = site.signed_in("ada").await;
    let cookie = ada.cookie();
    for _ in 0..2 {
        let plain = ada.look("/playlists").await;
        assert!(!plain.headers.contains_key("content-encoding"));
        let client = reqwest::Client::builder().no_gzip().build().unwrap();
        let ask = client.get(format!("{}/playlists", site.base)).header("cookie", &cookie);
        let packed = ask.header("accept-encoding", "br, gzip;q=0.8").send().await.unwrap();
        assert_eq!(packed.headers()["content-encoding"], "gzip");
        assert_eq!(packed.headers()["vary"], "accept-encoding");
        assert_eq!(packed.headers()["content-type"], "text/html; charset=utf-8");
        let mut html = String::new();
        let body = packed.bytes().await.unwrap();
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&body[..]), &mut html).unwrap();
        assert_eq!(html, plain.html);
    }
}
