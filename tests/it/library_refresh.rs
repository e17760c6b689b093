//! What a refresh of the library, or a fetch of its rest, says afterwards.

use std::time::Duration;

use fake_spotify::{Endpoint, Fault, User};

use crate::support::Site;

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
