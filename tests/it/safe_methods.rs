//! GET and HEAD write nothing that a person would notice: RFC 9110, 9.2.1.

use fake_spotify::Endpoint;
use reqwest::Method;

use crate::support::sharing::{publish_page_at, sign_in_with_hearts};
use crate::support::visitor::{Visitor, approve};
use crate::support::{HEART, Site};

async fn head(visitor: &Visitor, path: &str) -> u16 {
    visitor.request(Method::HEAD, path, &[("sec-fetch-site", "none")], None).await.status
}

async fn dump(site: &Site, table: &'static str) -> Vec<String> {
    let query = format!("select row::text from {table} row order by 1");
    sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_all(&site.db).await.unwrap()
}

#[tokio::test]
async fn head_request_writes_nothing() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let id = ada.open("/playlists").await.playlist_ids().remove(0);
    ada.fetch(Method::PUT, &format!("/heart/{id}")).await;
    ada.fetch(Method::PUT, HEART).await;
    site.spotify.add_song(&id);
    site.advance(std::time::Duration::from_secs(60));
    let tables = ["events", "user_hearts", "playlists"];
    let before = [dump(&site, tables[0]).await, dump(&site, tables[1]).await, dump(&site, tables[2]).await];
    let missing = HEART.replace("/heart/", "/playlists/");
    for path in ["/hearts/export.csv", "/hearts/export.json", &format!("/playlists/{id}"), &missing] {
        assert_eq!(head(&ada, path).await, 200, "{path}");
        for (table, rows) in tables.into_iter().zip(&before) {
            assert_eq!(dump(&site, table).await, *rows, "{path}");
        }
    }
    assert_eq!(ada.open(&missing).await.status, 200);
    ada.open("/hearts/export.csv").await;
    assert_ne!(dump(&site, "user_hearts").await, before[1], "a visit of the missing playlist marks it");
    assert_ne!(dump(&site, "events").await, before[0], "and an export is recorded");
}

/// Attack by accident: a scanner of links asks for the callback's address before the browser does.
#[tokio::test]
async fn head_of_callback_does_not_use_up_sign_in() {
    let site = Site::open().await;
    let ada = site.visitor();
    let consent = ada.start_spotify_sign_in("/login").await;
    let callback = ada.send_form(approve(&consent, "ada")).await.header("location").to_owned();
    assert_eq!(head(&ada, &callback).await, 204);
    assert_eq!(ada.open(&callback).await.url.path(), "/playlists");
}

#[tokio::test]
async fn page_after_last_one_leads_to_the_last_and_writes_nothing() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_hearts(&site, "ada").await;
    publish_page_at(&ada, "ada").await;
    let own = format!("/playlists/{}", ids[0]);
    let mut hidden = None;
    for path in ids.iter().map(|id| format!("/playlists/{id}")) {
        if !ada.open(&path).await.has("tbody") {
            hidden = Some(path);
        }
    }
    site.advance(std::time::Duration::from_secs(60));
    let before = [dump(&site, "events").await, dump(&site, "user_hearts").await, dump(&site, "playlists").await];
    let songs = [Some(own), hidden].into_iter().flatten();
    for page in ["9", "9999", "2001", "1000001", "99999999999999999999"] {
        for path in ["/playlists", "/hearts", "/hearts/removed", "/hearts/news", "/account/activity", "/u/ada"] {
            ada.get(&format!("{path}?page={page}")).await.assert_redirect(path);
        }
        for path in songs.clone() {
            let response = ada.get(&format!("{path}?page={page}")).await;
            assert_eq!((response.status, response.text("h1").as_str()), (404, "No such page"), "{path} {page}");
        }
    }
    let after = [dump(&site, "events").await, dump(&site, "user_hearts").await, dump(&site, "playlists").await];
    assert_eq!(after, before);
}

/// Checkers of links send HEAD.
#[tokio::test]
async fn head_of_library_fetches_nothing_from_spotify() {
    let site = Site::open().await;
    let ada = site.visitor();
    let consent = ada.start_spotify_sign_in("/login").await;
    let callback = ada.send_form(approve(&consent, "ada")).await.header("location").to_owned();
    ada.get(&callback).await;
    for path in ["/playlists", "/playlists?page=9999", "/playlists?q=rain"] {
        assert_eq!(head(&ada, path).await, 200, "{path}");
        assert_eq!(head(&site.visitor(), path).await, 303, "{path}");
    }
    assert_eq!(site.spotify.request_count(Endpoint::MyPlaylists), 0);
    assert!(!ada.open("/playlists").await.playlist_ids().is_empty());
}
