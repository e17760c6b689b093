//! The account page and leaving for good.

use heartlist::standin::{Endpoint, Fault};
use reqwest::Method;

use crate::support::Site;

#[tokio::test]
async fn the_account_says_who_and_since_when() {
    let site = Site::open().await;
    let page = site.signed_in("ada").await.open("/account").await;
    assert!(page.text("main").contains("Ada") && page.text("main").contains("Spotify"));
    assert!(page.count("main time[datetime]") >= 3, "since, ways in, when Spotify asks again");
    assert_eq!(site.visitor().look("/account").await.header("location"), "/login?next=%2Faccount");
}

#[tokio::test]
async fn deleting_wants_a_tick_and_then_removes_every_row() {
    let site = Site::open().await;
    let (ada, mira) = (site.signed_in("ada").await, site.signed_in("mira").await);
    let elsewhere = site.signed_in("ada").await;
    for visitor in [&ada, &mira] {
        visitor.fetch(Method::PUT, "/heart/3cEYpjA9oz9GiPac4AsH4n").await;
    }
    let form = || async { ada.open("/account").await.form("form[action='/account/delete']") };
    let kept = ada.submit(form().await).await;
    assert_eq!((kept.url.path(), site.count("select count(*) from users").await), ("/account", 2));
    assert!(kept.notice().unwrap().contains("Nothing was deleted"));

    let gone = ada.submit(form().await.with("sure", "yes")).await;
    assert_eq!((gone.status, gone.url.path()), (200, "/"));
    assert!(gone.notice().unwrap().contains("deleted"));
    for query in [
        "select count(*) from users",
        "select count(*) from identities",
        "select count(*) from sessions where user_id is not null",
        "select count(*) from hearts",
        "select count(distinct user_id) from playlists",
        "select count(*) from libraries",
        "select hearts from heart_counts",
    ] {
        assert_eq!(site.count(query).await, 1, "Mira's alone: {query}");
    }
    assert_eq!(ada.open("/account").await.url.path(), "/login");
    assert_eq!(elsewhere.open("/account").await.url.path(), "/login");
    assert_eq!(mira.open("/account").await.status, 200);
}

#[tokio::test]
async fn c2_disconnecting_forgets_the_keys_everywhere_and_keeps_the_hearts() {
    let site = Site::open().await;
    let (here, there) = (site.signed_in("ada").await, site.signed_in("ada").await);
    let mira = site.signed_in("mira").await;
    let id = here.open("/playlists").await.playlist_ids().remove(0);
    here.fetch(Method::PUT, &format!("/heart/{id}")).await;
    for endpoint in [Endpoint::Token, Endpoint::Me, Endpoint::MyPlaylists, Endpoint::Playlist] {
        site.world.fault(endpoint, Fault::Hang, 100);
    }
    let page = here.submit(here.open("/account").await.form("form[action='/account/disconnect']")).await;
    assert!(page.status == 200 && page.notice().unwrap().contains("disconnected"));
    site.world.mend();
    for visitor in [&here, &there] {
        let account = visitor.open("/account").await;
        assert!(account.has("form[action='/auth/spotify']") && !account.has("form[action='/account/disconnect']"));
        assert_eq!(visitor.open("/hearts").await.count("li.card"), 1);
        let kept = visitor.open(&format!("/playlists/{id}")).await;
        assert!(kept.status == 200 && kept.text(".items").contains("not connected"));
    }
    assert!(mira.open("/account").await.has("form[action='/account/disconnect']"), "Mira's are hers");
}
