//! The session list and ending sessions.

use std::time::Duration;

use heartlist::db::sessions::{Lifetimes, Store};
use heartlist::ids::Secret;
use heartlist::vault::Vault;
use reqwest::Method;
use time::OffsetDateTime;
use tower_sessions::SessionStore as _;
use tower_sessions::session::{Id, Record};

use crate::support::visitor::{Visitor, approve};
use crate::support::{HEART, Site};

/// Texts of the sessions on the account page.
async fn list_sessions(visitor: &Visitor) -> Vec<String> {
    visitor.open("/account").await.texts("#sessions li")
}

#[tokio::test]
async fn sign_out_everywhere_ends_other_sessions_on_next_request() {
    let site = Site::open().await;
    let (here, there, mira) = (site.sign_in("ada").await, site.sign_in("ada").await, site.sign_in("mira").await);
    assert_eq!(list_sessions(&here).await.len(), 2);
    let all_others = "#sessions > form";
    let page = here.submit(here.open("/account").await.form(all_others)).await;
    assert!(page.flash().unwrap().contains("everywhere else"));
    assert!(!page.has(all_others), "there is nothing left to end");
    assert_eq!(there.open("/hearts").await.url.path(), "/login");
    assert_eq!((list_sessions(&here).await.len(), mira.open("/hearts").await.status), (1, 200));
}

#[tokio::test]
async fn one_session_can_be_ended_and_current_one_is_marked() {
    let site = Site::open().await;
    let (here, there) = (site.sign_in("ada").await, site.sign_in("ada").await);
    let third = site.sign_in("ada").await;
    let page = here.open("/account").await;
    assert_eq!((page.count("#sessions .badge"), page.count("#sessions li form")), (1, 2));
    let session = page.attribute("#sessions li form input[name=session]", "value");
    here.submit(page.form("#sessions li form")).await;
    let ended =
        [there.open("/hearts").await.url.path() == "/login", third.open("/hearts").await.url.path() == "/login"];
    assert_eq!(ended.iter().filter(|ended| **ended).count(), 1);
    assert!(!here.open("/account").await.html.contains(&session));
}

#[tokio::test]
async fn sessions_of_other_users_cannot_be_ended() {
    let site = Site::open().await;
    let (ada, mira) = (site.sign_in("ada").await, site.sign_in("mira").await);
    let _other_browser = site.sign_in("mira").await;
    let _second = site.sign_in("ada").await;
    let session = ada.open("/account").await.attribute("#sessions li form input[name=session]", "value");
    mira.submit(mira.open("/account").await.form("#sessions li form").with("session", &session)).await;
    assert_eq!(list_sessions(&ada).await.len(), 2);
}

#[tokio::test]
async fn session_list_shows_device_and_last_seen() {
    let site = Site::open().await;
    let (here, there) = (site.sign_in("ada").await, site.sign_in("ada").await);
    sqlx::query("update sessions set last_seen_at = '2026-01-02 03:04Z', device = 'Firefox on Linux'")
        .execute(&site.db)
        .await
        .unwrap();
    let other = list_sessions(&here).await.remove(1);
    assert!(other.contains("Firefox on Linux") && other.contains("last seen 2 Jan 2026, 03:04 UTC"), "{other}");
    there.open("/hearts").await;
    assert!(!list_sessions(&here).await.remove(1).contains("2 Jan 2026"), "it was seen since");
}

/// `last_seen_at` is written at most once in five minutes.
#[tokio::test]
async fn last_seen_is_not_written_on_every_request() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    sqlx::query("update sessions set last_seen_at = now() - interval '4 minutes'").execute(&site.db).await.unwrap();
    ada.open("/hearts").await;
    ada.open("/account").await;
    assert_eq!(site.count("select count(*) from sessions where last_seen_at > now() - interval '3 minutes'").await, 0);
}

#[tokio::test]
async fn pages_contain_no_session_cookie_or_full_hash() {
    let site = Site::open().await;
    let visitor = site.visitor();
    let consent = visitor.start_spotify_sign_in("/login").await;
    let back = visitor.send_form(approve(&consent, "ada")).await;
    let page = visitor.get(back.header("location")).await;
    let name = format!("{}=", site.session_cookie());
    let mut cookies = page.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    let cookie = cookies.find_map(|cookie| cookie.strip_prefix(name.as_str())?.split(';').next());
    let cookie = cookie.expect("a session's cookie");
    let digest: String = sqlx::query_scalar("select encode(id_hash, 'hex') from sessions where user_id is not null")
        .fetch_one(&site.db)
        .await
        .unwrap();
    site.advance(Duration::from_secs(1));
    let account = visitor.open("/account").await;
    assert_eq!(account.status, 200);
    assert!(account.has("#sessions li") && !account.html.contains(cookie) && !account.html.contains(&digest));
}

#[tokio::test]
async fn expired_sessions_are_deleted() {
    let site = Site::open().await;
    let mira = site.sign_in("mira").await;
    let ended = "insert into sessions (id_hash, sealed, created_at, expires_at)
                 select int8send(n), '', now() - interval '200 days', now() - interval '1 day' from generate_series(1, 2500) n";
    sqlx::query(ended).execute(&site.db).await.unwrap();
    site.run_cleanup().await;
    assert_eq!(site.count("select count(*) from sessions").await, 1);
    assert_eq!(mira.get("/account").await.status, 200);
}

/// The date of a record decides only how long the browser keeps the cookie.
#[tokio::test]
async fn session_without_user_lives_a_quarter_of_an_hour() {
    let site = Site::open().await;
    let vault = Vault::new(&Secret::new("a secret of this test, of sufficient length"));
    let lifetimes = Lifetimes { idle: time::Duration::days(1), absolute: time::Duration::days(2) };
    let store = Store::new(site.pool(1), vault, lifetimes);
    let data = std::collections::HashMap::from([("key".to_owned(), 1.into())]);
    let far = OffsetDateTime::UNIX_EPOCH + time::Duration::days(100_000);
    let mut record = Record { id: Id::default(), data, expiry_date: far };
    store.create(&mut record).await.unwrap();
    store.save(&record).await.unwrap();
    assert!(store.load(&record.id).await.unwrap().is_some());
    let short = "select count(*) from sessions where expires_at between now() and now() + interval '15 minutes'";
    assert_eq!(site.count(short).await, 1);
    // As the previous release stored them.
    let old =
        "update sessions set expires_at = now() + interval '180 days', created_at = now() - interval '16 minutes'";
    sqlx::query(old).execute(&site.db).await.unwrap();
    assert!(store.load(&record.id).await.unwrap().is_none());
    let mira = site.sign_in("mira").await;
    site.run_cleanup().await;
    assert_eq!(site.count("select count(*) from sessions").await, 1);
    assert_eq!(mira.get("/account").await.status, 200);
}

#[tokio::test]
async fn session_ends_some_days_after_last_visit_and_after_sign_in() {
    let site = Site::open_with(&[("SESSION_DAYS", "9"), ("SESSION_IDLE_DAYS", "3")]).await;
    let ada = site.sign_in("ada").await;
    let ends_within = async |days: i64| {
        let query = "select count(*) from sessions where expires_at between
                     now() + $1 * interval '1 day' - interval '1 minute' and now() + $1 * interval '1 day'";
        sqlx::query_scalar::<_, i64>(query).bind(days).fetch_one(&site.db).await.unwrap() == 1
    };
    assert!(ends_within(3).await, "idle");
    let pass = async |time: &str| {
        let sql = format!(
            "update sessions set created_at = created_at - interval '{time}', signed_in_at = signed_in_at - interval '{time}',
             last_seen_at = last_seen_at - interval '{time}', expires_at = expires_at - interval '{time}'"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&site.db).await.unwrap();
    };
    for _ in 0..4 {
        pass("2 days").await;
        assert_eq!(ada.get("/account").await.status, 200, "each visit extends it");
    }
    assert!(ends_within(1).await, "but never beyond nine days");
    pass("25 hours").await;
    assert_eq!(ada.get("/account").await.status, 303);
    let mira = site.sign_in("mira").await;
    pass("73 hours").await;
    assert_eq!(mira.get("/account").await.status, 303, "no visit for three days");
    site.run_cleanup().await;
    assert_eq!(site.count("select count(*) from sessions").await, 0);
    let privacy = mira.open("/privacy").await.text(".legal");
    assert!(privacy.contains("for 9 days at most, and for 3 days after your last visit"), "{privacy}");
}

/// Hearts are added without loading the session; the statement itself must check it.
#[tokio::test]
async fn heart_needs_valid_session() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let change = async |sql: &'static str| sqlx::query(sql).execute(&site.db).await.unwrap();
    change("update sessions set last_seen_at = '2026-01-02 03:04Z'").await;
    assert_eq!(ada.fetch(Method::PUT, HEART).await.status, 200);
    assert_eq!(site.count("select count(*) from sessions where last_seen_at < '2026-02-01Z'").await, 0, "it was seen");

    change("update sessions set sealed_with = null").await;
    assert_eq!(ada.fetch(Method::DELETE, HEART).await.status, 200, "an older release wrote the row");
    change("update sessions set sealed = '\\x00'").await;
    assert_eq!(ada.fetch(Method::PUT, HEART).await.status, 401, "and it must open");

    let mira = site.sign_in("mira").await;
    change("update sessions set expires_at = now()").await;
    assert_eq!(mira.fetch(Method::PUT, HEART).await.status, 401);
    change("update sessions set expires_at = now() + interval '1 day', user_id = null").await;
    assert_eq!(mira.fetch(Method::PUT, HEART).await.status, 401);
    assert_eq!(site.count_hearts().await, 0);
}

/// Cookies ignore ports, so two servers on one host share a browser's jar.
#[tokio::test]
async fn two_instances_on_one_host_keep_their_own_sessions() {
    let (first, second) = (Site::open().await, Site::open().await);
    let ada = first.sign_in("ada").await;
    let consent = ada.start_spotify_sign_in(&format!("{}/login", second.base)).await;
    assert_eq!(consent.status, 200, "the second server knows nobody");
    let here = ada.submit(approve(&consent, "mira")).await;
    assert!(here.flash().unwrap().starts_with("Signed in as Mira"), "{}", here.url);
    for (site, name) in [(&first, "Ada"), (&second, "Mira")] {
        let page = ada.open(&format!("{}/account", site.base)).await;
        assert!(page.status == 200 && page.text("main").contains(name), "{name}: {}", page.url);
    }
    let (one, other) = (format!("{}/logout", first.base), format!("{}/logout", second.base));
    let leave = ada.open(&one).await.form("main form[action='/logout']");
    assert_eq!(ada.send_form(leave).await.status, 303);
    assert_eq!(ada.open(&other).await.flash(), None, "the message is for the first");
    assert_eq!(ada.open(&format!("{}/account", second.base)).await.status, 200);
    assert_eq!(ada.open(&format!("{}/", first.base)).await.flash().as_deref(), Some("You are signed out."));
    // A sign-in that is under way at both.
    let at_first = ada.start_spotify_sign_in(&format!("{}/login", first.base)).await;
    let leave = ada.open(&other).await.form("main form[action='/logout']");
    ada.send_form(leave).await;
    let back = ada.submit(approve(&at_first, "ada")).await;
    assert!(back.flash().unwrap().starts_with("Signed in as Ada"), "{}", back.text("main"));
}

/// Earlier releases called the cookie `heartlist` on every port.
#[tokio::test]
async fn session_of_earlier_release_survives_upgrade() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let cookies = ada.cookie();
    let name = format!("{}=", site.session_cookie());
    let value = cookies.split("; ").find_map(|pair| pair.strip_prefix(name.as_str())).unwrap();
    let old = format!("heartlist={value}");
    let get = async |cookie: &str| site.visitor().request(Method::GET, "/account", &[("cookie", cookie)], None).await;
    assert_eq!(get(&old).await.status, 200);
    let newer = format!("{name}unknown; {old}");
    assert_eq!(get(&newer).await.status, 303, "the new name counts, if there is one");
}

#[tokio::test]
async fn ending_a_session_that_does_not_exist_changes_nothing() {
    let site = Site::open().await;
    let (ada, other) = (site.sign_in("ada").await, site.sign_in("ada").await);
    for session in ["%00", "%C3%A9", "0123456789abcdef", "", "%25"] {
        let page = ada.post("/account/sessions/end", &format!("session={session}")).await;
        page.assert_redirect("/account#sessions");
    }
    assert_eq!([&ada, &other].map(|browser| browser.cookie().is_empty()), [false; 2]);
    assert_eq!(other.open("/account").await.count("#sessions li"), 2);
}

/// On Citus no foreign key ends a session that began while its account was being deleted.
#[tokio::test]
async fn session_without_its_account_is_none() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    for statement in ["alter table sessions drop constraint sessions_user_id_fkey", "delete from users"] {
        sqlx::query(statement).execute(&site.db).await.unwrap();
    }
    assert_eq!(site.count("select count(*) from sessions where user_id is not null").await, 1);
    assert_eq!(ada.open("/account").await.url.path(), "/login");
    assert_eq!(ada.sign_in("ada").await.flash().unwrap(), "Signed in as Ada.");
}

/// Another tab may have got a new session meanwhile, whose cookie has the same name.
#[tokio::test]
async fn response_to_an_ended_session_removes_no_cookie() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    sqlx::query("delete from sessions").execute(&site.db).await.unwrap();
    for path in ["/hearts", "/", "/playlists"] {
        let page = ada.get(path).await;
        let mut cookies = page.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
        assert!(cookies.all(|cookie| !cookie.contains("Max-Age=0")), "{path}: {:?}", page.headers);
    }
}
