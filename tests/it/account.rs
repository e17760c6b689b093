//! The account page, disconnecting Spotify and deleting the account.

use std::time::Duration;

use fake_spotify::{Endpoint, Fault, OtherProvider};
use reqwest::Method;
use sqlx::AssertSqlSafe;

use crate::support::rows::USER_ID_COLUMNS;
use crate::support::visitor::approve;
use crate::support::{HEART, Site};

#[tokio::test]
async fn account_page_shows_name_provider_and_dates() {
    let site = Site::open().await;
    let page = site.sign_in("ada").await.open("/account").await;
    assert!(page.text("main").contains("Ada") && page.text("main").contains("Spotify"));
    assert!(page.count("main time[datetime]") >= 3, "since, ways in, when Spotify asks again");
    assert_eq!(site.visitor().get("/account").await.header("location"), "/login?next=%2Faccount");
}

#[tokio::test]
async fn account_deletion_needs_confirmation_and_removes_every_row() {
    let site = Site::open().await;
    let (ada, mira) = (site.sign_in("ada").await, site.sign_in("mira").await);
    let other_browser = site.sign_in("ada").await;
    for visitor in [&ada, &mira] {
        visitor.fetch(Method::PUT, "/heart/3cEYpjA9oz9GiPac4AsH4n").await;
    }
    let form = || async { ada.open("/account/delete").await.form("form[action='/account/delete']") };
    let kept = ada.submit(form().await).await;
    assert_eq!((kept.url.path(), site.count_users().await), ("/account/delete", 2));
    assert!(kept.flash().unwrap().contains("Nothing was deleted"));

    let deleted = ada.submit(form().await.with("confirm", "yes")).await;
    assert_eq!((deleted.status, deleted.text("h1").as_str()), (200, "After an account is deleted"));
    let flash = deleted.flash().unwrap();
    assert!(flash.contains("Your account is deleted") && flash.contains("hearts: 1"), "{flash}");
    assert!(flash.contains("sessions: 2"), "{flash}");
    assert!(deleted.header("cache-control") == "no-store" && !deleted.html.contains("Ada"));
    // The app's access at Spotify is the one thing that Heartlist cannot revoke.
    assert!(deleted.has("main a[href='https://www.spotify.com/account/apps/']"));
    assert_eq!(ada.open("/account/delete").await.url.path(), "/login");
    for query in [
        "select count(*) from users",
        "select count(*) from identities",
        "select count(*) from sessions where user_id is not null",
        "select count(*) from user_hearts where removed_at is null",
        "select count(distinct user_id) from playlists",
        "select count(*) from libraries",
    ] {
        assert_eq!(site.count(query).await, 1, "Mira's alone: {query}");
    }
    assert_eq!(ada.open("/account").await.url.path(), "/login");
    assert_eq!(other_browser.open("/account").await.url.path(), "/login");
    assert_eq!(mira.open("/account").await.status, 200);
}

#[tokio::test]
async fn disconnecting_spotify_deletes_tokens_in_every_session_and_keeps_hearts() {
    let site = Site::open().await;
    let (here, there) = (site.sign_in("ada").await, site.sign_in("ada").await);
    let mira = site.sign_in("mira").await;
    let id = here.open("/playlists").await.playlist_ids().remove(0);
    here.fetch(Method::PUT, &format!("/heart/{id}")).await;
    for endpoint in [Endpoint::Token, Endpoint::Me, Endpoint::MyPlaylists, Endpoint::Playlist] {
        site.spotify.inject_fault(endpoint, Fault::Hang, 100);
    }
    let page = here.submit(here.open("/account/disconnect").await.form("form[action='/account/disconnect']")).await;
    assert!(page.status == 200 && page.flash().unwrap().contains("disconnected"));
    site.spotify.reset();
    for visitor in [&here, &there] {
        let account = visitor.open("/account").await;
        assert!(account.has("form[action='/auth/spotify']") && !account.has("a[href='/account/disconnect']"));
        assert_eq!(visitor.open("/hearts").await.count("li.card"), 1);
        let kept = visitor.open(&format!("/playlists/{id}")).await;
        assert!(kept.status == 200 && kept.text(".items").contains("not connected"));
    }
    assert!(mira.open("/account").await.has("a[href='/account/disconnect']"), "Mira's are hers");
}

const CONFIRM_FORM: &str = "form[action='/account/delete']";

#[tokio::test]
async fn account_deletion_needs_recent_sign_in() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let early = ada.open("/account/delete").await.form(CONFIRM_FORM).with("confirm", "yes");
    site.advance(Duration::from_secs(601));
    let kept = ada.submit(early).await;
    assert_eq!((kept.url.path(), site.count_users().await), ("/account/delete", 1));
    assert!(kept.flash().unwrap().contains("Nothing was deleted") && !kept.has(CONFIRM_FORM));
    let consent = ada.submit(kept.form("form[action='/auth/spotify']")).await;
    let back = ada.submit(approve(&consent, "ada")).await;
    assert_eq!((back.url.path(), back.has(CONFIRM_FORM)), ("/account/delete", true));
    for endpoint in [Endpoint::Token, Endpoint::Me, Endpoint::MyPlaylists, Endpoint::Playlist] {
        site.spotify.inject_fault(endpoint, Fault::Hang, 100);
    }
    let deleted = ada.submit(back.form(CONFIRM_FORM).with("confirm", "yes")).await;
    assert_eq!((deleted.status, site.count_users().await), (200, 0), "while Spotify is down");
}

#[tokio::test]
async fn deleted_page_stays_true_on_reload() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    ada.fetch(Method::PUT, HEART).await;
    let form = async || ada.open("/account/delete").await.form(CONFIRM_FORM).with("confirm", "yes");
    let (form, again) = (form().await, form().await);
    let deleted = ada.send_form(form).await;
    deleted.assert_redirect("/account/deleted");
    assert_eq!(deleted.header("clear-site-data"), "\"storage\"");
    let cookies: Vec<_> = deleted.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap()).collect();
    let login = format!("{}-login=;", site.session_cookie());
    assert!(cookies.iter().any(|cookie| cookie.starts_with(&login)), "{cookies:?}");
    // A double click.
    ada.send_form(again.clone()).await.assert_redirect("/account/deleted");
    for is_first in [true, false] {
        let page = ada.open("/account/deleted").await;
        assert_eq!((page.status, page.flash().is_some()), (200, is_first));
        assert!(!page.text("main").contains("Your account is deleted") || is_first, "{}", page.html);
        assert_eq!(page.count("main a[href^='/account'], main a[href^='/login']"), 0);
    }
    assert_eq!(site.visitor().open("/account/deleted").await.status, 200);
    ada.sign_in("ada").await;
    assert_eq!(ada.open("/account/deleted").await.url.path(), "/account", "not true of the new account");
}

#[tokio::test]
async fn delete_button_without_a_session_claims_nothing() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let form = async || ada.open("/account/delete").await.form(CONFIRM_FORM).with("confirm", "yes");
    ada.submit(form().await).await;
    ada.sign_in("ada").await;
    let form = form().await;
    sqlx::query("delete from sessions").execute(&site.pool(1)).await.unwrap();
    // The same after a deletion whose answer was lost.
    for visitor in [&ada, &site.visitor()] {
        let page = visitor.submit(form.clone()).await;
        assert_eq!((page.url.path(), page.url.query()), ("/login", Some("next=%2Faccount")));
        assert_eq!((page.flash(), page.html.contains("is deleted")), (None, false));
    }
    assert_eq!(site.count_users().await, 1);
}

#[tokio::test]
async fn reauthentication_accepts_only_identities_already_linked() {
    let site = Site::open().await;
    let ada = site.visitor();
    ada.sign_in_with(&site.spotify, OtherProvider::Google, "ada").await;
    site.advance(Duration::from_secs(601));
    // Attack: somebody at the unlocked browser links an identity of their own to get into the account later.
    for body in ["intent=link&next=/account", "reason=renew-consent&next=/account"] {
        let path = format!("/auth/{}", OtherProvider::GitHub.key());
        let sent = ada.post(&path, body).await;
        let consent = ada.open(sent.header("location")).await;
        if consent.has("button[value=approve]") {
            let page = ada.submit(consent.approve_as(&site.spotify.account(OtherProvider::GitHub, "mira"))).await;
            assert_eq!(page.status, 409, "{body}");
        } else {
            assert_eq!((consent.url.path(), consent.text("h1").as_str()), ("/account/reauthenticate", "Sign in again"));
        }
        assert_eq!(site.count("select count(*) from identities").await, 1, "{body}");
        assert!(!ada.open("/account/delete").await.has(CONFIRM_FORM), "{body}");
    }
    let google = ada.start_sign_in_with(OtherProvider::Google, &ada.open("/account/delete").await).await;
    let back = ada.submit(google.approve_as(&site.spotify.account(OtherProvider::Google, "ada"))).await;
    assert_eq!((back.url.path(), back.has(CONFIRM_FORM)), ("/account/delete", true), "{}", back.html);
}

#[tokio::test]
async fn account_deletion_leaves_no_user_id_in_any_table() {
    let site = Site::open().await;
    let (ada, mira) = (site.sign_in("ada").await, site.sign_in("mira").await);
    ada.open("/playlists").await;
    for visitor in [&ada, &mira] {
        visitor.fetch(Method::PUT, HEART).await;
    }
    ada.fetch(Method::PUT, "/heart/37i9dQZF1DXcBWIGoYBM5M").await;
    ada.submit(ada.open("/invites").await.form("form[action='/invites']")).await;
    let consent = ada.open("/account/disconnect").await.form("form[action='/account/disconnect']");
    ada.submit(consent).await;
    ada.submit(ada.open("/account").await.form("form[action='/auth/spotify']")).await;
    let id: i64 =
        sqlx::query_scalar("select id from users where display_name = 'Ada'").fetch_one(&site.db).await.unwrap();
    ada.fetch(Method::DELETE, "/heart/37i9dQZF1DXcBWIGoYBM5M").await;
    let sign_ins = site.count("select count(*) from sign_ins").await;
    ada.submit(ada.open("/account/delete").await.form(CONFIRM_FORM).with("confirm", "yes")).await;
    let columns: Vec<String> = sqlx::query_scalar(USER_ID_COLUMNS).fetch_all(&site.db).await.unwrap();
    assert!(columns.len() >= 9, "{columns:?}");
    for column in columns {
        let (table, name) = column.split_once('.').unwrap();
        let query = AssertSqlSafe(format!("select count(*) from {table} where {name} = {id}"));
        let left: i64 = sqlx::query_scalar(query).fetch_one(&site.db).await.unwrap();
        assert_eq!(left, 0, "{column}");
    }
    assert_eq!(site.count("select count(*) from sign_ins").await, sign_ins - 2, "Ada's went, used or on their way");
}

/// Starts to delete all accounts; the returned future goes on once a query waits for that.
async fn start_deletion(site: &Site) -> impl Future<Output = ()> {
    let mut deletion = site.db.begin().await.unwrap();
    sqlx::query("select id from users for update").execute(&mut *deletion).await.unwrap();
    async move {
        site.wait_for_blocked_query().await;
        sqlx::query("delete from users").execute(&mut *deletion).await.unwrap();
        deletion.commit().await.unwrap();
    }
}

/// The heart waits for the row lock of the deletion and finds no user afterwards.
#[tokio::test]
async fn heart_racing_account_deletion_gets_401() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let deletion = start_deletion(&site).await;
    let (heart, ()) = tokio::join!(ada.fetch(Method::PUT, HEART), deletion);
    assert_eq!(heart.status, 401, "{}", heart.html);
    assert!(heart.json()["error"]["sign_in"].as_str().unwrap().starts_with("/login"));
    assert_eq!(site.count("select count(*) from user_hearts").await, 0);
}

/// As `db::distribution` does on Citus.
const DROP_FOREIGN_KEYS: &str = "do $$ declare c record; begin
    for c in select conrelid::regclass as t, conname from pg_constraint
             where contype = 'f' and confrelid = 'users'::regclass loop
        execute format('alter table %s drop constraint %I', c.t, c.conname);
    end loop; end $$";

/// Attack: rows that outlive an account keep an address taken, or open a feed, for ever.
#[tokio::test]
async fn changes_racing_account_deletion_leave_nothing_without_foreign_keys() {
    for (path, body) in [
        ("/account/sharing/page", "on=true&slug=ada"),
        ("/account/sharing/link", "on=true"),
        ("/account/sharing/options", "option=notes&on=true"),
        ("/account/sharing/options", "option=embed&on=true"),
        ("/account/sharing/tags", "on=false&tag=rain"),
        ("/hearts/news/feed", "on=true"),
        ("/invites", ""),
        ("/operator/people/{id}", "action=take-down"),
    ] {
        let site = Site::open().await;
        let ada = site.sign_in("ada").await;
        sqlx::raw_sql(DROP_FOREIGN_KEYS).execute(&site.db).await.unwrap();
        let path = path.replace("{id}", &site.count("select id from users").await.to_string());
        let deletion = start_deletion(&site).await;
        tokio::join!(ada.post(&path, body), deletion);
        for table in ["shares", "held_slugs", "news_feeds", "invites"] {
            let query = AssertSqlSafe(format!("select count(*) from {table}"));
            let left: i64 = sqlx::query_scalar(query).fetch_one(&site.db).await.unwrap();
            assert_eq!(left, 0, "{path} {body}: {table}");
        }
    }
}

#[tokio::test]
async fn account_page_explains_granted_scopes() {
    let site = Site::open().await;
    let page = site.sign_in("ada").await.open("/account").await;
    assert!(page.text("main").contains("See your private playlists: to list them here with the others."));
    assert!(!page.text("main").contains("See what you listen to"), "that was not asked for");
}

#[tokio::test]
async fn about_page_shows_current_user_and_license() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await.open("/about").await;
    assert!(ada.text("section[aria-labelledby=you]").contains("Ada"));
    assert!(ada.text("section[aria-labelledby=you]").contains("Spotify will ask for your consent again on"));
    let stranger = site.visitor().get("/about").await;
    assert!(stranger.status == 200 && !stranger.has("#you") && stranger.text("main").contains("MIT"));
    assert!(!ada.html.contains("None") && !ada.html.contains("@"));
    assert!(stranger.has("footer a[href='/about']"));
}
