//! Changes that other devices make while two accounts are merged.

use std::time::Duration;

use fake_spotify::OtherProvider;
use reqwest::Method;
use sqlx::{AssertSqlSafe, PgTransaction};

use crate::support::Site;
use crate::support::account_merge::{CONFIRM, sign_in_to_merge, sign_in_twice};
use crate::support::page::Page;
use crate::support::sharing::{SETTINGS, create_secret_link, publish_page_at};
use crate::support::visitor::Visitor;

const SHARED: &str = "0000000000000000000001";

/// Locks the rows of the newer account, so that a merge waits for them.
async fn lock(site: &Site, table: &str) -> PgTransaction<'static> {
    let mut transaction = site.db.begin().await.unwrap();
    let query = format!("select from {table} where user_id = (select max(id) from users) for update");
    let rows = sqlx::query(AssertSqlSafe(query)).fetch_all(&mut *transaction).await.unwrap();
    assert!(!rows.is_empty(), "{table}");
    transaction
}

/// Once the merge waits for `lock`, waits up to a second for `change`, and ends the lock. Returns the answer.
async fn run_meanwhile(site: &Site, lock: PgTransaction<'static>, change: impl Future<Output = Page>) -> Page {
    let mut change = std::pin::pin!(change);
    site.wait_for_blocked_query().await;
    let answer = tokio::time::timeout(Duration::from_secs(1), &mut change).await;
    lock.commit().await.unwrap();
    match answer {
        Ok(page) => page,
        Err(_) => change.await,
    }
}

async fn sign_in_to_newer(site: &Site) -> Visitor {
    let visitor = site.visitor();
    visitor.sign_in_with(&site.spotify, OtherProvider::GitHub, "ada").await;
    visitor
}

#[tokio::test]
async fn note_of_the_account_that_ends_is_kept_or_refused() {
    let (site, first, second, page) = sign_in_twice().await;
    second.fetch(Method::PUT, &format!("/heart/{SHARED}")).await;
    create_secret_link(&second).await;
    let other_tab = sign_in_to_newer(&site).await;
    let form = other_tab.open(&format!("/hearts/{SHARED}/annotation")).await.form("form[action$='/annotation']");
    let question = sign_in_to_merge(&site, &second, &page, "ada").await;
    let lock = lock(&site, "shares").await;
    let save = other_tab.send_form(form.with("note", "Typed meanwhile"));
    let (merged, saved) = tokio::join!(second.submit(question.form(CONFIRM)), run_meanwhile(&site, lock, save));
    assert_eq!((merged.status, site.count_users().await), (200, 1));
    assert_eq!((saved.status, saved.text("h1").as_str()), (404, "Not hearted any more"));
    assert_eq!(first.open("/hearts").await.count("li.card"), 2, "the heart itself is kept");
}

#[tokio::test]
async fn heart_of_the_account_that_ends_is_not_said_to_be_removed() {
    for (path, body) in
        [("/heart/0000000000000000000001", "hearted=false"), ("/hearts/0000000000000000000001/pin", "pinned=false")]
    {
        let (site, _first, second, page) = sign_in_twice().await;
        second.fetch(Method::PUT, &format!("/heart/{SHARED}")).await;
        second.post(&format!("/hearts/{SHARED}/pin"), "pinned=true").await;
        create_secret_link(&second).await;
        let other_tab = sign_in_to_newer(&site).await;
        let question = sign_in_to_merge(&site, &second, &page, "ada").await;
        let lock = lock(&site, "shares").await;
        let change = other_tab.post(path, body);
        let (merged, changed) = tokio::join!(second.submit(question.form(CONFIRM)), run_meanwhile(&site, lock, change));
        assert_eq!((merged.status, site.count_users().await, site.count_hearts().await), (200, 1, 2));
        assert!(changed.header("location").starts_with("/login"), "{path}: {} {}", changed.status, changed.html);
    }
}

#[tokio::test]
async fn page_that_is_turned_off_is_not_said_to_be_off_while_it_is_public() {
    for (part, form) in [
        ("/account/sharing/page", "form[action='/account/sharing/page']:has(input[value=false])"),
        ("/account/sharing/link", "form[action='/account/sharing/link']:has(input[value=false])"),
    ] {
        let (site, _first, second, page) = sign_in_twice().await;
        publish_page_at(&second, "ada").await;
        let link = create_secret_link(&second).await;
        let other_tab = sign_in_to_newer(&site).await;
        let form = other_tab.open(SETTINGS).await.form(form);
        let question = sign_in_to_merge(&site, &second, &page, "ada").await;
        let lock = lock(&site, "sessions").await;
        let turn_off = other_tab.send_form(form);
        let (merged, off) = tokio::join!(second.submit(question.form(CONFIRM)), run_meanwhile(&site, lock, turn_off));
        assert_eq!((merged.status, site.count_users().await), (200, 1));
        assert!(off.header("location").starts_with("/login"), "{part}: {} {}", off.status, off.header("location"));
        let visitor = site.visitor();
        assert_eq!([visitor.get("/u/ada").await.status, visitor.get(&link).await.status], [200, 200]);
    }
}

#[tokio::test]
async fn merge_ends_with_the_session_that_confirmed_it() {
    let (site, _first, second, page) = sign_in_twice().await;
    create_secret_link(&second).await;
    let phone = sign_in_to_newer(&site).await;
    let form = phone.open("/account").await.form("form[action='/account/sessions/end']:not(:has(input))");
    let question = sign_in_to_merge(&site, &second, &page, "ada").await;
    let lock = lock(&site, "shares").await;
    let end_others = phone.send_form(form);
    let (merged, ended) = tokio::join!(second.submit(question.form(CONFIRM)), run_meanwhile(&site, lock, end_others));
    assert_eq!((ended.status, merged.url.path()), (303, "/login"));
    assert_eq!(site.count_users().await, 2);
    assert_eq!(phone.open("/hearts").await.status, 200);
}

#[tokio::test]
async fn session_that_is_ended_during_the_merge_stays_ended() {
    let (site, first, _second, _) = sign_in_twice().await;
    let question = first.link_identity(&site.spotify, OtherProvider::GitHub, "ada").await;
    let phone = site.visitor();
    phone.sign_in_with(&site.spotify, OtherProvider::Google, "ada").await;
    let form = phone.open("/account").await.form("form[action='/account/sessions/end']:not(:has(input))");
    let lock = lock(&site, "sessions").await;
    let end_others = phone.send_form(form);
    let (merged, ended) = tokio::join!(first.submit(question.form(CONFIRM)), run_meanwhile(&site, lock, end_others));
    assert_eq!((ended.status, merged.url.path()), (303, "/login"));
    let of_older = "select count(*) from sessions where user_id = (select min(id) from users)";
    assert_eq!(site.count(of_older).await, 1, "the phone's");
}

#[tokio::test]
async fn invitations_of_an_operator_move_with_the_role() {
    let (site, first, second, page) = sign_in_twice().await;
    sqlx::query("update users set operator = id = (select max(id) from users)").execute(&site.db).await.unwrap();
    second.submit(second.open("/invites").await.form("form[action='/invites']")).await;
    let question = sign_in_to_merge(&site, &second, &page, "ada").await;
    second.submit(question.form(CONFIRM)).await;
    assert_eq!(first.open("/invites").await.count(".record-list li"), 1);
}

#[tokio::test]
async fn tag_of_the_account_that_ends_is_not_said_to_be_deleted() {
    let (site, _first, second, page) = sign_in_twice().await;
    second.fetch(Method::PUT, &format!("/heart/{SHARED}")).await;
    second.annotate(SHARED, "", "rain").await;
    create_secret_link(&second).await;
    let other_tab = sign_in_to_newer(&site).await;
    let question = sign_in_to_merge(&site, &second, &page, "ada").await;
    let lock = lock(&site, "shares").await;
    let delete = other_tab.post("/tags/delete", "tag=rain&confirm=yes");
    let (merged, deleted) = tokio::join!(second.submit(question.form(CONFIRM)), run_meanwhile(&site, lock, delete));
    assert_eq!((merged.status, site.count_users().await), (200, 1));
    assert!(deleted.header("location").starts_with("/login"), "{} {}", deleted.status, deleted.header("location"));
    assert_eq!(site.count("select count(*) from user_hearts where 'rain' = any(tags)").await, 1);
}
