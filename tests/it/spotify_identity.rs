//! Who somebody is at Spotify: by an id that nobody else can get, not by a name.

use fake_spotify::{Endpoint, Fault, OtherProvider, User};
use reqwest::Method;

use crate::support::Site;
use crate::support::page::Page;
use crate::support::visitor::{Visitor, approve};

#[tokio::test]
async fn users_are_recognized_by_account_id() {
    let site = Site::open().await;
    site.sign_in("ada").await;
    site.spotify.change_user_id("ada", "ada.renamed");
    site.sign_in("ada").await;
    assert_eq!(site.count_users().await, 1);
}

/// An early release stored Spotify's `id`, which somebody else can have by now.
#[tokio::test]
async fn account_known_by_a_name_is_given_only_to_its_signed_in_user() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let forget = "update identities set subject = 'id:' || handle";
    sqlx::query(forget).execute(&site.db).await.unwrap();
    site.sign_in("ada").await;
    assert_eq!(site.count_users().await, 2, "without a session it could be anybody with that name");
    sqlx::query("delete from users where id = (select max(id) from users)").execute(&site.db).await.unwrap();
    let mira = site.sign_in("mira").await;
    for (visitor, status, legacy) in [(&mira, 409, 1), (&ada, 200, 0)] {
        let sent = visitor.post("/auth/spotify", "reason=renew-consent&next=/account").await;
        let page = visitor.submit(approve(&visitor.open(sent.header("location")).await, "ada")).await;
        assert_eq!(page.status, status);
        assert_eq!(site.count("select count(*) from identities where subject like 'id:%'").await, legacy);
    }
    assert_eq!(site.count_users().await, 2);
}

/// Unlinks Spotify and signs in to it as `user`, to link it.
async fn change_spotify_account(visitor: &Visitor, user: &str) -> Page {
    visitor.submit(visitor.open("/account/identities/spotify").await.form("main form")).await;
    let sent = visitor.post("/auth/spotify", "intent=link&next=/account").await;
    visitor.submit(approve(&visitor.open(sent.header("location")).await, user)).await
}

#[tokio::test]
async fn library_of_the_account_linked_before_is_not_shown() {
    let site = Site::open().await;
    for (user, playlists) in [("lena", 3), ("otto", 5)] {
        site.spotify.add_user(User::with_library(user, playlists));
    }
    let ada = site.sign_in("ada").await;
    ada.link_identity(&site.spotify, OtherProvider::GitHub, "ada").await;
    let id = ada.open("/playlists").await.playlist_ids().remove(0);
    ada.fetch(Method::PUT, &format!("/heart/{id}")).await;
    let name = ada.open("/hearts").await.text("li.card h2");

    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::Html502, 2);
    assert!(change_spotify_account(&ada, "lena").await.flash().unwrap().starts_with("Spotify is connected"));
    let page = ada.open("/playlists").await;
    assert_eq!((page.status, page.count("li.card")), (502, 0), "{}", page.text("main"));
    site.spotify.reset();
    assert_eq!(ada.open("/playlists").await.count("li.card"), 3);
    let page = ada.open("/hearts").await;
    assert_eq!((page.count("li.card"), page.text("li.card h2")), (1, name), "hearts stay, with their names");

    // The next account of Spotify is linked to another account, which is merged.
    site.sign_in("otto").await;
    let question = change_spotify_account(&ada, "otto").await;
    ada.submit(question.form("form[action='/account/merge']")).await;
    ada.sign_in("otto").await;
    assert_eq!((ada.open("/playlists").await.count("li.card"), site.count_users().await), (5, 1));
}

#[tokio::test]
async fn sign_in_needs_an_id_that_nobody_else_can_get() {
    let site = Site::open().await;
    for id in [None, Some(""), Some("   "), Some("\u{a0}")] {
        site.spotify.update_user("ada", |ada| ada.account_id = id.map(str::to_owned));
        let page = site.visitor().sign_in("ada").await;
        assert_eq!((page.status, site.count_users().await), (502, 0), "{id:?}");
        assert!(page.text("main").contains("Nothing was saved"));
    }
}

#[tokio::test]
async fn very_long_names_are_cut() {
    let site = Site::open().await;
    for name in ["x".repeat(3_000_000), "é\u{301}".repeat(500_000), "名".repeat(101)] {
        site.spotify.update_user("ada", |ada| ada.display_name = Some(name.clone()));
        let page = site.visitor().sign_in("ada").await;
        assert!(page.status == 200 && page.html.len() < 200_000, "{}", page.status);
        let longest: i32 =
            sqlx::query_scalar("select max(length(display_name)) from users").fetch_one(&site.db).await.unwrap();
        assert_eq!(longest, 100);
    }
}
