//! Linking and unlinking identities of one account.

use std::time::Duration;

use fake_spotify::{Endpoint, Fault, OtherProvider};
use heartlist::db::identities;
use heartlist::ids::Provider;
use reqwest::Method;

use crate::support::page::Page;
use crate::support::visitor::{Visitor, approve, deny};
use crate::support::{HEART, Site};

const OTHER_HEART: &str = "/heart/37i9dQZF1DXcBWIGoYBM5M";
const IDENTITIES: &str = "select count(*) from identities";

async fn link_spotify(visitor: &Visitor, user: &str) -> Page {
    let account = visitor.open("/account").await;
    let form = account.form("form:has([name=intent][value=link])");
    let action = account.url.join("/auth/spotify").unwrap();
    let consent = visitor.submit(crate::support::page::Form { action, ..form }).await;
    visitor.submit(approve(&consent, user)).await
}

#[tokio::test]
async fn every_link_outcome_works_for_each_provider() {
    for provider in OtherProvider::ALL {
        let site = Site::open().await;
        let (ada, mira) = (site.sign_in("ada").await, site.visitor());
        let joined = mira.sign_in_with(&site.spotify, provider, "mira").await;
        assert!(joined.flash().unwrap().starts_with("Signed in as"), "{provider:?}");
        let linked = ada.link_identity(&site.spotify, provider, "ada").await;
        assert!(linked.flash().unwrap().contains(" is linked.") && linked.url.path() == "/account");
        assert_eq!((site.count_users().await, site.count(IDENTITIES).await), (2, 3));
        let signed_in = site.visitor();
        assert!(
            signed_in
                .sign_in_with(&site.spotify, provider, "ada")
                .await
                .flash()
                .unwrap()
                .starts_with("Signed in as Ada")
        );
        assert_eq!(site.count_users().await, 2);

        let again = start_linking_and_approve(&site, &ada, provider, "ada").await;
        assert!(again.flash().unwrap().contains("already signed in"), "already linked");
        let others = start_linking_and_approve(&site, &ada, provider, "mira").await;
        assert_eq!(others.status, 409);
        assert!(others.text("main").contains("is linked to another Heartlist account. Nothing was changed"));
        assert_eq!(others.attributes("main a", "href"), ["/logout", "/account", "/playlists"], "no dead end");
        let another = start_linking_and_approve(&site, &ada, provider, "noor").await;
        assert!(another.status == 409 && another.text("main").contains("Nothing was changed"));
        assert_eq!((site.count_users().await, site.count(IDENTITIES).await), (2, 3));
        assert_eq!(ada.open("/account").await.status, 200);
    }
}

/// Starts linking as the account page does, even if the provider is linked already.
async fn start_linking_and_approve(site: &Site, visitor: &Visitor, provider: OtherProvider, key: &str) -> Page {
    let sent = visitor.post(&format!("/auth/{}", provider.key()), "intent=link&next=/account").await;
    let consent = visitor.open(sent.header("location")).await;
    visitor.submit(consent.approve_as(&site.spotify.account(provider, key))).await
}

#[tokio::test]
async fn all_linked_providers_sign_in_to_the_same_account() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    ada.fetch(Method::PUT, HEART).await;
    for provider in OtherProvider::ALL {
        ada.link_identity(&site.spotify, provider, "ada").await;
    }
    for provider in OtherProvider::ALL {
        let there = site.visitor();
        there.sign_in_with(&site.spotify, provider, "ada").await;
        assert_eq!(there.open("/hearts").await.count("li.card"), 1, "{provider:?}");
    }
    let account = ada.open("/account").await;
    assert_eq!(account.texts(".identities h3"), ["Spotify", "Google", "GitHub", "Facebook", "X"]);
    assert_eq!(account.count(".identities time"), 10);
    assert_eq!(account.texts(".identities dd[dir]"), ["ada@example.org", "Ada@example.org", "ada@example.org"]);
    assert!(!account.has("[name=intent]"), "nothing left to link");
    assert_eq!((site.count_users().await, site.count(IDENTITIES).await), (1, 5));
}

#[tokio::test]
async fn linking_spotify_also_connects_it() {
    let site = Site::open().await;
    let ada = site.visitor();
    ada.sign_in_with(&site.spotify, OtherProvider::GitHub, "ada").await;
    let page = link_spotify(&ada, "ada").await;
    assert!(page.flash().unwrap().starts_with("Spotify is connected"));
    assert!(!ada.open("/playlists").await.playlist_ids().is_empty());
    site.sign_in("ada").await;
    assert_eq!((site.count_users().await, site.count(IDENTITIES).await), (1, 2));
}

#[tokio::test]
async fn return_path_survives_linking_and_denial() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let consent = ada.start_sign_in_with(OtherProvider::Google, &ada.open("/account").await).await;
    let denied = ada.submit(deny(&consent)).await;
    assert_eq!((denied.url.path(), denied.flash().unwrap().contains("Nothing was saved")), ("/account", true));
    assert_eq!(site.count(IDENTITIES).await, 1);
    assert_eq!(ada.link_identity(&site.spotify, OtherProvider::Google, "ada").await.url.path(), "/account");
}

#[tokio::test]
async fn sign_in_button_never_links_identity() {
    let site = Site::open().await;
    let ada = site.visitor();
    let stale = ada.open("/login").await;
    let consent = ada.start_sign_in_with(OtherProvider::GitHub, &stale).await;
    ada.sign_in("ada").await;
    let page = ada.submit(consent.approve_as(&site.spotify.account(OtherProvider::GitHub, "mira"))).await;
    assert!(page.status == 409 && page.text("main").contains("link it on your account page"), "{}", page.text("main"));
    assert_eq!((site.count_users().await, site.count(IDENTITIES).await), (1, 1));
    let consents = site.spotify.request_count(Endpoint::OtherConsent);
    let form = stale.form("form[action='/auth/spotify']");
    let action = stale.url.join("/auth/github").unwrap();
    assert_eq!(ada.submit(crate::support::page::Form { action, ..form }).await.url.path(), "/playlists");
    assert_eq!(site.spotify.request_count(Endpoint::OtherConsent), consents);
}

#[tokio::test]
async fn link_started_for_one_account_never_changes_another() {
    let site = Site::open().await;
    let shared = site.sign_in("ada").await;
    let consent = shared.start_sign_in_with(OtherProvider::GitHub, &shared.open("/account").await).await;
    shared.submit(shared.open("/logout").await.form("main form[action='/logout']")).await;
    let approved = consent.approve_as(&site.spotify.account(OtherProvider::GitHub, "ada"));
    let page = shared.submit(approved).await;
    assert_eq!(page.status, 400, "the browser has another name after signing out");

    let shared = site.sign_in("mira").await;
    let consent = shared.start_sign_in_with(OtherProvider::GitHub, &shared.open("/account").await).await;
    sqlx::query("delete from users").execute(&site.db).await.unwrap();
    let page = shared.submit(consent.approve_as(&site.spotify.account(OtherProvider::GitHub, "ada"))).await;
    assert_eq!((page.status, site.count_users().await), (409, 0), "nobody is signed in any more");
}

#[tokio::test]
async fn session_id_changes_on_link_and_unlink() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let consent = ada.start_sign_in_with(OtherProvider::Google, &ada.open("/account").await).await;
    let welcome = ada.send_form(consent.approve_as(&site.spotify.account(OtherProvider::Google, "ada"))).await;
    let linked = ada.get(welcome.header("location")).await;
    let name = format!("{}=", site.session_cookie());
    let new_session_cookie = |page: &Page| {
        let all = page.headers.get_all("set-cookie").iter().map(|set| set.to_str().unwrap().to_owned());
        all.filter(|set| set.starts_with(&name)).map(|set| set.split(';').next().unwrap().to_owned()).next()
    };
    let at_link = new_session_cookie(&linked).expect("a new session id when a way in is linked");
    let page = ada.open("/account/identities/google").await;
    let unlinked = ada.send_form(page.form("form[action='/account/identities/google']")).await;
    let at_unlink = new_session_cookie(&unlinked).expect("a new session id when a way in is unlinked");
    assert_ne!(at_link, at_unlink);
    let old = site.visitor().request(Method::GET, "/account", &[("cookie", &at_link)], None).await;
    assert_eq!((old.status, ada.get("/account").await.status), (303, 200));
    assert_eq!(site.count("select count(*) from sessions where user_id is not null").await, 1);
}

#[tokio::test]
async fn last_identity_cannot_be_unlinked() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let account = ada.open("/account").await;
    assert!(account.text(".identities").contains("only way to sign in") && !account.has(".identities a"));
    let page = ada.open("/account/identities/spotify").await;
    assert_eq!(page.text("h1"), "Spotify cannot be unlinked");
    assert!(
        page.text("title").starts_with("Spotify cannot be unlinked")
            && !page.has("form[action^='/account/identities']")
    );
    assert_eq!(
        page.count("main a[href='/account#link-identity'], main a[href='/account/disconnect']"),
        2,
        "what to do instead"
    );
    let sent = ada.post("/account/identities/spotify", "").await;
    let page = ada.open(sent.header("location")).await;
    assert!(page.flash().unwrap().contains("only way to sign in"));
    assert_eq!(site.count(IDENTITIES).await, 1);
    let cross =
        ada.request(Method::POST, "/account/identities/spotify", &[("sec-fetch-site", "cross-site")], None).await;
    assert_eq!(cross.status, 403);
}

#[tokio::test]
async fn unconfigured_provider_does_not_count_as_identity() {
    let site = Site::open_with(&[("X_CLIENT_ID", ""), ("X_CLIENT_SECRET", "")]).await;
    let ada = site.sign_in("ada").await;
    ada.link_identity(&site.spotify, OtherProvider::Google, "ada").await;
    sqlx::query("update identities set provider = 'x' where provider = 'google'").execute(&site.db).await.unwrap();
    ada.post("/account/identities/spotify", "").await;
    assert_eq!(site.count("select count(*) from identities where provider = 'spotify'").await, 1);
    let account = ada.open("/account").await;
    assert_eq!(account.attributes(".identities a", "href"), ["/account/identities/x"]);
    ada.submit(ada.open("/account/identities/x").await.form("form[action='/account/identities/x']")).await;
    assert_eq!(site.count(IDENTITIES).await, 1);
}

#[tokio::test]
async fn unlinking_spotify_deletes_tokens_and_keeps_hearts() {
    let site = Site::open().await;
    let (here, there) = (site.sign_in("ada").await, site.sign_in("ada").await);
    here.fetch(Method::PUT, HEART).await;
    here.link_identity(&site.spotify, OtherProvider::GitHub, "ada").await;
    let page =
        here.submit(here.open("/account/identities/spotify").await.form("form[action^='/account/identities']")).await;
    assert!(page.flash().unwrap().contains("access to it is deleted"));
    let consents = site.spotify.requests().len();
    for visitor in [&here, &there] {
        assert!(!visitor.open("/account").await.has("form[action='/account/disconnect']"));
        assert!(visitor.open("/playlists").await.html.contains("Connect Spotify"));
        assert_eq!(visitor.open("/hearts").await.count("li.card"), 1);
    }
    assert_eq!(site.spotify.requests().len(), consents);
    let other = site.sign_in("ada").await;
    assert_eq!(other.open("/hearts").await.count("li.card"), 0, "whoever comes by it now is somebody new");
}

#[tokio::test]
async fn disconnected_spotify_says_connect_not_reconnect() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let id = ada.open("/playlists").await.playlist_ids().remove(0);
    ada.submit(ada.open("/account/disconnect").await.form("form[action='/account/disconnect']")).await;
    for path in ["/playlists", &format!("/playlists/{id}"), "/now-playing", "/account"] {
        let page = ada.open(path).await;
        assert!(page.html.contains("Connect Spotify") && !page.html.contains("six months"), "{path}");
    }
    ada.sign_in("ada").await;
    site.advance(Duration::from_secs(3601));
    site.spotify.revoke_access("ada");
    let page = ada.open(&format!("/playlists/{id}")).await;
    assert!(page.html.contains("six months") && page.html.contains("Reconnect Spotify"));
    assert!(ada.open("/account").await.html.contains("Reconnect Spotify"));
}

#[tokio::test]
async fn renamed_login_keeps_account_and_reused_login_gets_new_one() {
    let site = Site::open().await;
    let ada = site.visitor();
    ada.sign_in_with(&site.spotify, OtherProvider::GitHub, "noor").await;
    ada.fetch(Method::PUT, HEART).await;
    site.spotify.update_account(OtherProvider::GitHub, "noor", |account| account.login = "noor-once-more".into());
    let renamed = site.visitor();
    let page = renamed.sign_in_with(&site.spotify, OtherProvider::GitHub, "noor").await;
    assert_eq!(page.flash().unwrap(), "Signed in as noor-once-more.");
    assert_eq!(renamed.open("/hearts").await.count("li.card"), 1);
    site.spotify.update_account(OtherProvider::GitHub, "mira", |account| account.login = "noor".into());
    let recycled = site.visitor();
    recycled.sign_in_with(&site.spotify, OtherProvider::GitHub, "mira").await;
    assert_eq!(recycled.open("/hearts").await.count("li.card"), 0);
    assert_eq!(site.count_users().await, 2);
}

#[tokio::test]
async fn display_name_comes_from_oldest_identity() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    ada.link_identity(&site.spotify, OtherProvider::Google, "ada").await;
    let page = site.visitor().sign_in_with(&site.spotify, OtherProvider::Google, "ada").await;
    assert_eq!(page.flash().unwrap(), "Signed in as Ada.");
    site.spotify.update_user("ada", |ada| ada.display_name = Some("Ada L.".into()));
    assert_eq!(site.visitor().sign_in("ada").await.flash().unwrap(), "Signed in as Ada L..");
}

#[tokio::test]
async fn identity_subject_is_not_renamed_to_a_taken_one() {
    let site = Site::open().await;
    let (_ada, _mira) = (site.sign_in("ada").await, site.sign_in("mira").await);
    let ids: Vec<String> =
        sqlx::query_scalar("select subject from identities order by user_id").fetch_all(&site.db).await.unwrap();
    identities::change_subject(&site.pool(1), Provider::Spotify, &ids[0], &ids[1])
        .await
        .expect("no fault, and no change");
    let after: Vec<String> =
        sqlx::query_scalar("select subject from identities order by user_id").fetch_all(&site.db).await.unwrap();
    assert_eq!(after, ids);
}

#[tokio::test]
async fn merged_duplicate_hearts_keep_earliest_date_and_note() {
    // `account_merge` tests the steps; this tests that no data is lost.
    let site = Site::open().await;
    let (old, new) = (site.visitor(), site.visitor());
    old.sign_in_with(&site.spotify, OtherProvider::Google, "ada").await;
    old.fetch(Method::PUT, HEART).await;
    new.sign_in_with(&site.spotify, OtherProvider::GitHub, "ada").await;
    new.fetch(Method::PUT, HEART).await;
    new.fetch(Method::PUT, OTHER_HEART).await;
    sqlx::query("update user_hearts set note = 'from before', hearted_at = hearted_at - interval '1 year' where user_id = (select min(id) from users) ").execute(&site.db).await.unwrap();
    let page = new.open("/account/merge").await;
    let consent = new.start_sign_in_with(OtherProvider::Google, &page).await;
    let page = new.submit(consent.approve_as(&site.spotify.account(OtherProvider::Google, "ada"))).await;
    let page = new.submit(page.form("form[action='/account/merge']")).await;
    assert!(page.flash().unwrap().starts_with("Welcome back"), "{}", page.text("main"));
    assert_eq!((site.count_users().await, site.count(IDENTITIES).await), (1, 2));
    assert_eq!(site.count_hearts().await, 2);
    let first = "select count(*) from user_hearts where removed_at is null and note = 'from before' and hearted_at < now() - interval '300 days'";
    assert_eq!(site.count(first).await, 1);
    assert_eq!(new.open("/hearts").await.count("li.card"), 2);
    assert_eq!(old.open("/hearts").await.count("li.card"), 2);
}

/// Merging or deleting a large account may exceed the statement timeout. The trigger fails if a timeout is set.
#[tokio::test]
async fn merge_and_deletion_have_no_statement_timeout() {
    let site = Site::open().await;
    let timed = "create function timed() returns trigger language plpgsql as $$ begin
                     if current_setting('statement_timeout') <> '0' then raise exception 'too slow'; end if;
                     return null;
                 end $$;
                 create trigger timed after delete on users execute function timed()";
    sqlx::raw_sql(timed).execute(&site.db).await.unwrap();
    let (old, new) = (site.visitor(), site.visitor());
    old.sign_in_with(&site.spotify, OtherProvider::Google, "ada").await;
    new.sign_in_with(&site.spotify, OtherProvider::GitHub, "ada").await;
    let consent = new.start_sign_in_with(OtherProvider::Google, &new.open("/account/merge").await).await;
    let page = new.submit(consent.approve_as(&site.spotify.account(OtherProvider::Google, "ada"))).await;
    new.submit(page.form("form[action='/account/merge']")).await;
    assert_eq!(site.count_users().await, 1);
    let form = new.open("/account/delete").await.form("form[action='/account/delete']").with("confirm", "yes");
    assert_eq!((new.submit(form).await.status, site.count_users().await), (200, 0));
}

/// A new table with user data must be handled by the account merge.
#[tokio::test]
async fn every_user_table_is_covered_by_account_merge() {
    let site = Site::open().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "select distinct conrelid::regclass::text from pg_constraint where contype = 'f' and confrelid = 'users'::regclass order by 1",
    )
    .fetch_all(&site.db)
    .await
    .unwrap();
    let moved = ["events", "held_slugs", "identities", "news", "news_feeds", "shares", "user_hearts"];
    let end = ["heart_changes", "invites", "libraries", "playlists", "sessions"];
    let mut known: Vec<&str> = moved.into_iter().chain(end).collect();
    known.sort_unstable();
    assert_eq!(tables, known);
}

/// A session ended or a connection removed during a slow callback must not come back.
#[tokio::test]
async fn slow_provider_does_not_restore_session_or_tokens() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let other_browser = site.sign_in("ada").await;
    site.spotify.inject_fault(Endpoint::OtherToken, Fault::Slow(Duration::from_secs(2)), 2);
    let consent = ada.start_sign_in_with(OtherProvider::GitHub, &ada.open("/account").await).await;
    let form = consent.approve_as(&site.spotify.account(OtherProvider::GitHub, "ada"));
    let disconnect = other_browser.open("/account/disconnect").await.form("form[action='/account/disconnect']");
    let (_, _) = tokio::join!(ada.submit(form), other_browser.submit(disconnect));
    assert!(ada.open("/account").await.html.contains("Connect Spotify"), "the keys are back");
    let consent = ada.start_sign_in_with(OtherProvider::X, &ada.open("/account").await).await;
    let form = consent.approve_as(&site.spotify.account(OtherProvider::X, "ada"));
    let end = other_browser.open("/account").await.form("#sessions > form");
    let (_, _) = tokio::join!(ada.submit(form), other_browser.submit(end));
    assert_eq!(ada.get("/account").await.status, 303, "the session is back");
    assert_eq!(site.count("select count(*) from identities where provider = 'x'").await, 0, "nobody linked it");
}

#[tokio::test]
async fn undecryptable_session_does_not_block_disconnecting() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let lost = "insert into sessions (id_hash, user_id, sealed, created_at, expires_at)
                select sha256('lost'), id, 'x', now(), now() + interval '1 day' from users";
    sqlx::raw_sql(lost).execute(&site.db).await.unwrap();
    let form = ada.open("/account/disconnect").await.form("form[action='/account/disconnect']");
    assert_eq!(ada.submit(form).await.url.path(), "/account");
    assert!(ada.open("/account").await.html.contains("Connect Spotify"));
}
