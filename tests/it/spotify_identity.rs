//! Who somebody is at Spotify: by an id that nobody else can get, not by a name.

use crate::support::Site;
use crate::support::visitor::approve;

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
