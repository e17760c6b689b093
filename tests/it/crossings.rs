//! Work that crosses other work: whoever ends an account locks what others share in one order, and what removes what has
//! had its time holds nobody up.

use std::time::Duration;

use heartlist::standin::Service;
use reqwest::Method;
use sqlx::{PgPool, Postgres, Transaction};

use crate::support::Site;
use crate::support::page::Page;

const FIRST: &str = "1111111111111111111111";
const LAST: &str = "zzzzzzzzzzzzzzzzzzzzzz";

/// What only the youngest account's library knows as private, and others heart.
async fn hide(pool: &PgPool) {
    let hidden = "insert into playlists (user_id, id, name, collaborative, public, seen_at) select max(id), $1, 'Hidden', false, false, now() from users";
    sqlx::query(hidden).bind(FIRST).execute(pool).await.unwrap();
    sqlx::query("insert into heart_counts (playlist_id, hearts) values ($1, 1)")
        .bind(FIRST)
        .execute(pool)
        .await
        .unwrap();
}

async fn hold(pool: &PgPool, number: &str) -> Transaction<'static, Postgres> {
    let mut held = pool.begin().await.unwrap();
    let lock = "select from heart_counts where playlist_id = $1 for update nowait";
    sqlx::query(lock).bind(number).execute(&mut *held).await.expect("nobody else holds it");
    held
}

/// Who holds the first number finds the last one free while the end of an account waits for the first.
async fn waits_for_the_first_and_holds_nothing_behind_it(site: &Site, ending: impl Future<Output = Page>) -> Page {
    let first = hold(&site.db, FIRST).await;
    let look = async {
        site.until_somebody_waits().await;
        let last = hold(&site.db, LAST).await;
        last.rollback().await.unwrap();
        first.rollback().await.unwrap();
    };
    tokio::join!(ending, look).0
}

#[tokio::test]
async fn who_deletes_an_account_cannot_meet_an_import_in_a_circle() {
    let site = Site::open().await;
    let ada = site.signed_in("ada").await;
    ada.fetch(Method::PUT, &format!("/heart/{LAST}")).await;
    hide(&site.db).await;
    let form = ada.open("/account/delete").await.form("form[action='/account/delete']").with("sure", "yes");
    let page = waits_for_the_first_and_holds_nothing_behind_it(&site, ada.submit(form)).await;
    assert_eq!((page.status, page.text("h1").as_str()), (200, "Your account is deleted"));
    assert_eq!(site.count("select count(*) from heart_counts where private").await, 1, "it stays hidden");
    assert_eq!(site.count("select count(*) from heart_counts").await, 1);
}

#[tokio::test]
async fn who_makes_two_accounts_one_cannot_either() {
    let site = Site::open().await;
    let (old, new) = (site.visitor(), site.visitor());
    for (visitor, service) in [(&old, Service::Google), (&new, Service::GitHub)] {
        visitor.sign_in_by(&site.world, service, "ada").await;
        visitor.fetch(Method::PUT, &format!("/heart/{LAST}")).await;
    }
    hide(&site.db).await;
    let consent = new.to(Service::Google, &new.open("/account/same").await).await;
    let form = consent.choose(&site.world.account(Service::Google, "ada"));
    let page = waits_for_the_first_and_holds_nothing_behind_it(&site, new.submit(form)).await;
    assert!(page.notice().unwrap().starts_with("Welcome back"), "{}", page.text("main"));
    assert_eq!(site.count("select hearts from heart_counts where not private").await, 1, "counted once");
    assert_eq!(site.count("select hearts from heart_counts where private").await, 1);
}

#[tokio::test]
async fn what_cannot_be_swept_holds_up_nothing_else() {
    let site = Site::open().await;
    site.signed_in("ada").await;
    site.advance(Duration::from_secs(400 * 24 * 3600));
    // The first part and one in the middle.
    sqlx::raw_sql("alter table sessions rename to a; alter table events rename to b").execute(&site.db).await.unwrap();
    let told = site.try_to_sweep().await.unwrap_err();
    assert!(told.contains("sessions: ") && told.contains("; events: ") && !told.contains("playlists: "), "{told}");
    for table in ["select count(*) from sign_ins", "select count(*) from playlists", "select count(*) from libraries"] {
        assert_eq!(site.count(table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn thousands_of_old_playlists_are_swept_in_batches_but_for_what_somebody_holds() {
    let site = Site::open().await;
    site.signed_in("ada").await;
    let rows = "insert into playlists (user_id, id, name, collaborative, public, seen_at)
                select id, lpad(n::text, 22, '0'), '', false, n % 2 = 0, now() - interval '31 days' from users, generate_series(1, 2500) n;
                insert into heart_counts (playlist_id, hearts) select lpad(n::text, 22, '0'), 3 from generate_series(1, 2500) n";
    sqlx::raw_sql(rows).execute(&site.db).await.unwrap();
    let mut held = site.db.begin().await.unwrap();
    let hold = "select from playlists where id = lpad('2500', 22, '0') for update";
    sqlx::query(hold).execute(&mut *held).await.unwrap();
    site.sweep().await;
    let old = "select count(*) from playlists where seen_at < now() - interval '30 days'";
    assert_eq!(site.count(old).await, 1, "what is held is left for the next time");
    held.rollback().await.unwrap();
    site.sweep().await;
    assert_eq!(site.count(old).await, 0);
    assert!(site.count("select count(*) from playlists").await > 0, "young ones stay");
    assert_eq!(site.count("select count(*) from heart_counts where private").await, 1250);
}
