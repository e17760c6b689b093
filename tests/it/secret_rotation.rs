//! Rotation of SESSION_SECRET.

use reqwest::Method;

use crate::support::program::start_program;
use crate::support::visitor::Visitor;
use crate::support::{HEART, SESSION_SECRET, Site};

const NEW_SECRET: &str = "the session secret of the year after this one";

#[tokio::test]
async fn old_session_secret_keeps_users_signed_in_during_rotation() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    // The cookie's name has the port of BASE_URL.
    let same_site = ("BASE_URL", site.base.as_str());
    let settings = [same_site, ("SESSION_SECRET", NEW_SECRET), ("SESSION_SECRET_OLD", SESSION_SECRET)];
    let (_rotating, rotating) = start_program(&site, &settings).await;
    let (_rotated, rotated) = start_program(&site, &[same_site, ("SESSION_SECRET", NEW_SECRET)]).await;
    assert_eq!(ada.open(&format!("{rotating}/hearts")).await.text("h1"), "Hearts");
    // Hearts read only the session's row, which names the secret it was sealed with.
    assert_eq!(ada.fetch(Method::PUT, &format!("{rotating}{HEART}")).await.status, 200);
    for method in [Method::PUT, Method::DELETE] {
        assert_eq!(ada.fetch(method, &format!("{rotated}{HEART}")).await.status, 401);
    }
    assert_eq!(site.count_hearts().await, 1);
    assert!(ada.open(&format!("{rotated}/hearts")).await.has("form[action='/auth/spotify']"), "signed out");
    // New sessions are sealed with the new secret.
    let (_other, other) = start_program(&site, &settings[1..]).await;
    let mira = Visitor::new(&other);
    mira.sign_in("mira").await;
    let (_later, later) = start_program(&site, &[("BASE_URL", &other), ("SESSION_SECRET", NEW_SECRET)]).await;
    assert_eq!(mira.open(&format!("{later}/hearts")).await.text("h1"), "Hearts");
}
