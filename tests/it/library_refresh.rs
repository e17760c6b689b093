//! What a refresh of the library, or a fetch of its rest, says afterwards.

use std::time::Duration;

use fake_spotify::{Endpoint, Fault, User};

use crate::support::{Site, wait_until};

#[tokio::test]
async fn rest_that_arrives_in_part_is_not_said_to_be_up_to_date() {
    let site = Site::open().await;
    site.spotify.add_user(User::with_library("lena", 400));
    let lena = site.sign_in("lena").await;
    for half in ["delete from playlists where position >= 50", "update libraries set reached = 50"] {
        sqlx::query(half).execute(&site.db).await.unwrap();
    }
    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::Slow(Duration::ZERO), 1);
    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::NotJson, 100);
    let form = lena.open("/playlists").await.form("button[value=continue]").with("action", "continue");
    let page = lena.submit(form).await;
    assert!(page.text("#library-incomplete").contains("100 of up to 400 loaded"), "{}", page.text("main"));
    assert!(!page.html.contains("up to date"));
    site.spotify.reset();
    let page = lena.submit(page.form("button[value=continue]").with("action", "continue")).await;
    assert!(page.flash().unwrap().contains("up to date") && page.text(".page-header").contains("400 playlists"));
}

#[tokio::test]
async fn refresh_during_another_fetch_shows_its_result() {
    let site = Site::open().await;
    site.spotify.add_user(User::with_library("lena", 10));
    let (here, there) = (site.sign_in("lena").await, site.sign_in("lena").await);
    let page = here.open("/playlists").await;
    let refresh = || page.form("button[value=refresh]").with("action", "refresh");
    let calls = || site.spotify.request_count(Endpoint::MyPlaylists);
    site.advance(Duration::from_secs(31));
    site.spotify.update_user("lena", |lena| lena.library.truncate(9));
    let before = calls();
    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::Slow(Duration::from_secs(1)), 1);
    let later = async {
        wait_until("the other one asks", async || calls() > before).await;
        there.submit(refresh()).await
    };
    let (_, page) = tokio::join!(here.submit(refresh()), later);
    assert!(page.flash().unwrap().contains("a moment ago"), "{}", page.html);
    assert_eq!((page.count("li.card"), calls() - before), (9, 1));
}
