//! Registration: open, by invite, closed.

use std::time::Duration;

use fake_spotify::{Endpoint, Fault};
use reqwest::Method;

use crate::support::Site;
use crate::support::sharing::assert_preview_image;
use crate::support::visitor::{Visitor, approve, deny};

const INVITE_ONLY: (&str, &str) = ("REGISTRATION", "invite");

/// Creates an invite and returns its path.
async fn create_invite(operator: &Visitor) -> String {
    let page = operator.submit(operator.open("/invites").await.form("form[action='/invites']")).await;
    let link = page.text("main code.copy-value");
    url::Url::parse(&link).unwrap().path().to_owned()
}

#[tokio::test]
async fn operator_alone_sees_invites() {
    let site = Site::open().await;
    let mira = site.sign_in("mira").await;
    let ada = site.sign_in("ada").await;
    assert!(ada.open("/account").await.has("a[href='/invites']"));
    assert!(ada.open("/invites").await.text("main p.callout").starts_with("Anybody can join at the moment."));
    assert!(!mira.open("/account").await.has("a[href='/invites']"));
    assert_eq!(mira.open("/invites").await.status, 404);
    let made = mira.post("/invites", "").await;
    assert_eq!((made.status, site.count("select count(*) from invites").await), (404, 0));
}

#[tokio::test]
async fn reloading_new_invite_creates_no_second_one() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let sent = ada.send_form(ada.open("/invites").await.form("form[action='/invites']")).await;
    sent.assert_redirect("/invites");
    assert_eq!(ada.request(Method::HEAD, "/invites", &[], None).await.status, 200);
    let page = ada.open("/invites").await;
    assert_eq!(page.count("main code.copy-value"), 1, "the link");
    for _ in 0..2 {
        let again = ada.open("/invites").await;
        assert_eq!((again.count("main code.copy-value"), again.count(".record-list li")), (0, 1));
    }
    assert_eq!(site.count("select count(*) from invites").await, 1);
}

#[tokio::test]
async fn closed_registration_admits_known_users_only() {
    let site = Site::open_with(&[("REGISTRATION", "closed")]).await;
    let known =
        "with ada as (insert into users (display_name, created_at, operator) values ('Ada', now(), true) returning id)
                 insert into identities (user_id, provider, subject, created_at, last_used_at)
                 select id, 'spotify', $1, now(), now() from ada";
    let subject = site.spotify.user("ada").unwrap().account_id;
    sqlx::query(known).bind(subject).execute(&site.db).await.unwrap();
    assert!(site.visitor().open("/").await.text("#registration").contains("Nobody new can join"));
    let refused = site.visitor().sign_in("mira").await;
    assert_eq!((refused.status, refused.text("h1").as_str()), (403, "Closed to new people"));
    assert!(refused.text("main").contains("Nothing was saved") && !refused.text("main").contains("Mira"));
    assert_eq!(site.count("select count(*) from sessions where user_id is not null").await, 0);
    let ada = site.sign_in("ada").await;
    let invites = ada.open("/invites").await;
    assert!(invites.text("main p.callout").starts_with("Nobody new can join at the moment."), "{}", invites.html);
    assert!(!invites.has("form[action='/invites']"), "nobody could use an invitation");
    assert_eq!(ada.post("/invites", "").await.header("location"), "/invites");
    assert_eq!(site.count("select count(*) from invites").await, 0);
    let earlier = "insert into invites (token_hash, created_by, created_at, expires_at)
                   select sha256('earlier'), id, now(), now() + interval '1 year' from users";
    sqlx::query(earlier).execute(&site.db).await.unwrap();
    let refused = site.visitor().open("/invite/earlier").await;
    assert_eq!((refused.status, refused.text("h1").as_str()), (403, "Closed to new people"));
    assert_eq!(site.count_users().await, 1);
}

#[tokio::test]
async fn invite_admits_one_person() {
    let site = Site::open_with(&[INVITE_ONLY]).await;
    let ada = site.sign_in("ada").await;
    assert!(site.visitor().open("/").await.text("#registration").contains("need an invitation"));
    assert_eq!(site.visitor().sign_in("mira").await.status, 403);
    let path = create_invite(&ada).await;
    assert!(!ada.open("/invites").await.has("main p.callout"), "this is how it is set, and there is nothing to say");
    let mira = site.visitor();
    assert_eq!(mira.sign_in_at(&path, "mira").await.status, 200);
    assert!(ada.open("/invites").await.text("main li").contains("Used by Mira"));
    assert!(!ada.open("/invites").await.html.contains(path.trim_start_matches("/invite/")), "shown once");
    let again = site.visitor().open(&path).await;
    assert!(again.status == 410 && again.text("main").contains("already been used"));
    assert_eq!(mira.open(&path).await.status, 410);
    assert_eq!(site.sign_in("mira").await.open("/hearts").await.status, 200, "who is known needs none");
}

#[tokio::test]
async fn invite_outlives_a_cancelled_and_a_failed_sign_in() {
    let site = Site::open_with(&[INVITE_ONLY]).await;
    let path = create_invite(&site.sign_in("ada").await).await;
    let mira = site.visitor();
    let consent = mira.submit(mira.open(&path).await.form("form[action='/auth/spotify']")).await;
    let cancelled = mira.submit(deny(&consent)).await;
    assert_eq!((cancelled.url.path(), cancelled.text("h1").as_str()), (path.as_str(), "You are invited"));
    assert_eq!(cancelled.flash().unwrap(), "Sign-in cancelled. Nothing was saved.");
    site.spotify.inject_fault(Endpoint::Me, Fault::Html502, 3);
    let failed = mira.sign_in_at(&path, "mira").await;
    assert_eq!(failed.status, 502);
    site.spotify.reset();
    let consent = mira.submit(failed.form("form[action='/auth/spotify']")).await;
    assert_eq!(mira.submit(approve(&consent, "mira")).await.flash().unwrap(), "Signed in as Mira.");
    assert_eq!(site.count_users().await, 2);
}

#[tokio::test]
async fn concurrent_use_of_one_invite_admits_one() {
    let site = Site::open_with(&[INVITE_ONLY]).await;
    let path = create_invite(&site.sign_in("ada").await).await;
    let (mira, noor) = (site.visitor(), site.visitor());
    let (first, second) = tokio::join!(mira.sign_in_at(&path, "mira"), noor.sign_in_at(&path, "noor"));
    let mut statuses = [first.status, second.status];
    statuses.sort();
    assert_eq!(statuses, [200, 403]);
    assert_eq!(site.count_users().await, 2);
}

#[tokio::test]
async fn expired_or_revoked_invite_admits_nobody() {
    let site = Site::open_with(&[INVITE_ONLY]).await;
    let ada = site.sign_in("ada").await;
    let path = create_invite(&ada).await;
    let (late, consent) = (site.visitor(), "form[action='/auth/spotify']");
    let begun = late.submit(late.open(&path).await.form(consent)).await;
    ada.submit(ada.open("/invites").await.form("form[action='/invites/revoke']")).await;
    assert_eq!(late.submit(approve(&begun, "mira")).await.status, 403, "taken back on the way");
    assert_eq!(site.visitor().open(&path).await.status, 404);
    assert_eq!(site.visitor().open("/invite/nonsense").await.status, 404);
    let made = ada.submit(ada.open("/invites").await.form("form[action='/invites']")).await;
    let text = made.text("main .callout");
    assert!(text.contains("one person") && text.contains("two weeks") && text.contains("only once"), "{text}");
    let path = url::Url::parse(&made.text("main code.copy-value")).unwrap().path().to_owned();
    site.advance(Duration::from_secs(14 * 86400 - 60));
    assert!(site.visitor().open(&path).await.has("main form"), "within two weeks");
    site.advance(Duration::from_secs(60));
    let over = site.visitor().open(&path).await;
    assert!(over.status == 410 && over.text("main").contains("expired"));
    assert_eq!(site.count_users().await, 1);
}

/// Removes the role of the operator with this name.
async fn remove_operator(site: &Site, operator: &Visitor, name: &str) -> u16 {
    let query = sqlx::query_scalar("select id from users where display_name = $1").bind(name);
    let id: i64 = query.fetch_one(&site.db).await.unwrap();
    operator.post(&format!("/operator/people/{id}"), "action=revoke").await.status
}

#[tokio::test]
async fn invitations_of_a_removed_operator_end() {
    let site = Site::open().await;
    let (ada, mira) = (site.sign_in("ada").await, site.sign_in("mira").await);
    site.make_everybody_operator().await;
    let (of_ada, used, unused) = (create_invite(&ada).await, create_invite(&mira).await, create_invite(&mira).await);
    site.visitor().sign_in_at(&used, "noor").await;
    assert_eq!(remove_operator(&site, &ada, "Mira").await, 303);
    for (path, status) in [(of_ada, 200), (used, 410), (unused, 404)] {
        assert_eq!(site.visitor().get(&path).await.status, status);
    }
}

/// The invitation waits for the removal, and finds no operator afterwards.
#[tokio::test]
async fn operator_who_is_being_removed_invites_nobody() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let mut removal = site.db.begin().await.unwrap();
    sqlx::query("update users set operator = false").execute(&mut *removal).await.unwrap();
    let finish = async {
        site.wait_for_blocked_query().await;
        sqlx::query("delete from invites").execute(&mut *removal).await.unwrap();
        removal.commit().await.unwrap();
    };
    let (invited, ()) = tokio::join!(ada.post("/invites", ""), finish);
    assert_eq!((invited.status, site.count("select count(*) from invites").await), (404, 0));
}

#[tokio::test]
async fn existing_user_does_not_use_up_invite() {
    let site = Site::open_with(&[INVITE_ONLY]).await;
    let ada = site.sign_in("ada").await;
    let path = create_invite(&ada).await;
    assert_eq!(site.visitor().sign_in_at(&path, "ada").await.status, 200);
    assert_eq!(site.count("select count(*) from invites where used_at is null").await, 1);
    assert!(!ada.open(&path).await.has("main form"), "who is signed in is told so");
}

#[tokio::test]
async fn landing_page_says_how_many_listeners_spotify_allows() {
    let site = Site::open_with(&[("SPOTIFY_LISTENERS", "5")]).await;
    let page = site.visitor().open("/").await;
    assert!(page.text("#registration").contains("5 listeners"));
    assert_eq!(page.attribute("meta[property='og:url']", "content"), format!("{}/", site.base));
    assert_preview_image(&site, &page).await;
}

/// Limits count by account, and would begin anew with each.
#[tokio::test]
async fn one_identity_joins_five_times_a_day() {
    let site = Site::open().await;
    for n in 0..5 {
        let mira = site.visitor();
        assert_eq!(mira.sign_in("mira").await.status, 200, "{n}");
        let form = mira.open("/account/delete").await.form("form[action='/account/delete']").with("confirm", "yes");
        mira.submit(form).await;
    }
    let refused = site.visitor().sign_in("mira").await;
    assert!(refused.status == 429 && refused.text("main").contains("several times today"), "{}", refused.html);
    assert_eq!(refused.text("h1"), "Too many new accounts", "joining is not closed");
    site.sign_in("ada").await;
    site.advance(Duration::from_secs(86_400));
    assert_eq!(site.visitor().sign_in("mira").await.status, 200);
}
