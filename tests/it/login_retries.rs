//! Sign-ins that fail or are cancelled, and what is left of what they were for.

use std::time::Duration;

use fake_spotify::{Endpoint, Fault, OtherProvider};

use crate::support::Site;
use crate::support::visitor::{approve, deny};

#[tokio::test]
async fn heart_of_a_sign_in_that_failed_or_was_cancelled_is_not_lost() {
    let site = Site::open().await;
    let visitor = site.visitor();
    let path = "/login?next=%2Fhearts&heart=3cEYpjA9oz9GiPac4AsH4n";
    let cancelled = visitor.submit(deny(&visitor.start_spotify_sign_in(path).await)).await;
    assert_eq!(cancelled.flash().unwrap(), "Sign-in cancelled. Nothing was saved.");
    let consent = visitor.submit(cancelled.form("form[action='/auth/spotify']")).await;
    site.spotify.inject_fault(Endpoint::Token, Fault::Html502, 1);
    let failed = visitor.submit(approve(&consent, "ada")).await;
    assert_eq!((failed.status, site.count_hearts().await), (502, 0));
    let late = visitor.submit(failed.form("form[action='/auth/spotify']")).await;
    site.advance(Duration::from_secs(11 * 60));
    let expired = visitor.submit(approve(&late, "ada")).await;
    assert!(expired.text("main").contains("longer than ten minutes"), "{}", expired.html);
    let again = visitor.submit(expired.form("form[action='/auth/spotify']")).await;
    let page = visitor.submit(approve(&again, "ada")).await;
    assert_eq!(page.flash().unwrap(), "Signed in as Ada. Your heart was saved.");
    assert_eq!((page.url.path(), site.count_hearts().await), ("/hearts", 1));
}

#[tokio::test]
async fn heart_of_a_second_sign_in_tab_is_added() {
    let site = Site::open().await;
    let visitor = site.visitor();
    let second = visitor.open("/login?next=%2Fhearts&heart=3cEYpjA9oz9GiPac4AsH4n").await;
    visitor.sign_in("ada").await;
    let page = visitor.submit(second.form("form[action='/auth/spotify']")).await;
    assert_eq!((page.url.path(), page.flash().unwrap().as_str()), ("/hearts", "Hearted."));
    assert_eq!(site.count_hearts().await, 1);
}

#[tokio::test]
async fn sign_in_stands_where_its_heart_cannot_be_saved() {
    let site = Site::open().await;
    let visitor = site.visitor();
    let consent = visitor.start_spotify_sign_in("/login?next=%2Fhearts&heart=3cEYpjA9oz9GiPac4AsH4n").await;
    sqlx::query("alter table user_hearts add constraint no_hearts check (false) not valid")
        .execute(&site.db)
        .await
        .unwrap();
    let page = visitor.submit(approve(&consent, "ada")).await;
    assert_eq!(page.flash().unwrap(), "Signed in as Ada. Your heart was not saved. Press it again.");
    assert_eq!((page.url.path(), site.count_hearts().await), ("/hearts", 0));
}

/// A retry that forgot its purpose would do nothing for who is signed in.
#[tokio::test]
async fn failed_sign_in_of_a_signed_in_user_is_tried_again_for_the_same() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let consent = ada.submit(ada.open("/now-playing").await.form("main form")).await;
    site.spotify.inject_fault(Endpoint::Token, Fault::Html502, 1);
    let failed = ada.submit(approve(&consent, "ada")).await;
    assert_eq!(failed.status, 502);
    let consent = ada.submit(failed.form("form[action='/auth/spotify']")).await;
    let page = ada.submit(approve(&consent, "ada")).await;
    assert_eq!((page.url.path(), page.flash().unwrap().as_str()), ("/now-playing", "Now playing is on."));

    site.spotify.inject_fault(Endpoint::OtherProfile, Fault::Empty, 1);
    let failed = ada.link_identity(&site.spotify, OtherProvider::Google, "ada").await;
    assert_eq!(failed.status, 502, "{}", failed.html);
    let consent = ada.submit(failed.form("form[action='/auth/google']")).await;
    let page = ada.submit(consent.approve_as(&site.spotify.account(OtherProvider::Google, "ada"))).await;
    assert_eq!(page.flash().unwrap(), "Google is linked. You can now sign in with it.");
}

/// The provider's redirect to a download would count as a link from another site.
#[tokio::test]
async fn export_opened_signed_out_leads_to_the_page_with_the_exports() {
    let site = Site::open().await;
    for path in ["/hearts/export.csv", "/hearts/export.json"] {
        let visitor = site.visitor();
        let page = visitor.sign_in_at(path, "ada").await;
        assert_eq!((page.status, page.url.path()), (200, "/account"));
        assert!(page.has(&format!("main a[href='{path}']")));
    }
}
