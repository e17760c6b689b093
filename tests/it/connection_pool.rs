//! The connection pool.

use std::time::Duration;

use heartlist::db;
use heartlist::ids::{Secret, UserId};
use heartlist::vault::Vault;
use tokio::time::timeout;

use crate::support::{Site, wait_until};

#[tokio::test]
async fn cancelled_statement_leaks_no_rows_to_next_user() {
    let site = Site::open().await;
    let pool = site.pool(1);
    let (mut given_up, mut answered) = (0, 0);
    for n in 0..300_i64 {
        let slow = sqlx::query_scalar::<_, i64>("select $1 from pg_sleep(0.001)").bind(-1 - n);
        match timeout(Duration::from_micros(50 * (n as u64 % 30)), slow.fetch_one(&pool)).await {
            Err(_) => given_up += 1,
            Ok(row) => answered += i64::from(row.unwrap() == -1 - n),
        }
        let own: i64 = sqlx::query_scalar("select $1").bind(n).fetch_one(&pool).await.unwrap();
        assert_eq!(own, n);
    }
    assert!(given_up > 0 && given_up + answered == 300, "{given_up} were given up, {answered} answered");
}

#[tokio::test]
async fn failed_statement_keeps_connection_usable() {
    let site = Site::open().await;
    let pool = site.pool(1);
    let server: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&pool).await.unwrap();
    for _ in 0..20 {
        let error = sqlx::query("select 1 / (n - 3) from generate_series(1, 5) n").fetch_all(&pool).await;
        assert_eq!(error.unwrap_err().as_database_error().unwrap().code().unwrap(), "22012");
        let backend: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&pool).await.unwrap();
        assert_eq!(backend, server);
    }
}

/// A transaction of a cancelled request must not keep its locks.
#[tokio::test]
async fn cancelled_transaction_holds_no_locks() {
    let site = Site::open().await;
    site.sign_in("ada").await;
    let pool = site.pool(1);
    let vault = Vault::new(&Secret::new("x".repeat(64)));
    let (key, user): (Vec<u8>, i64) = sqlx::query_as("select id_hash, user_id from sessions where user_id is not null")
        .fetch_one(&site.db)
        .await
        .unwrap();
    let second = "insert into sessions (id_hash, user_id, sealed, created_at, expires_at) values (decode(repeat('ff', 32), 'hex'), $1, '', now(), now() + interval '1 day')";
    sqlx::query(second).bind(user).execute(&site.db).await.unwrap();

    // The first session is updated, the second one is locked by somebody else.
    let mut holding = site.db.begin().await.unwrap();
    sqlx::query("select from sessions where id_hash = decode(repeat('ff', 32), 'hex') for update")
        .execute(&mut *holding)
        .await
        .unwrap();
    let forgetting = db::sessions::remove_values(&pool, &vault, UserId(user), &[]);
    assert!(timeout(Duration::from_millis(300), forgetting).await.is_err());
    holding.rollback().await.unwrap();

    let free = sqlx::query("select from sessions where id_hash = $1 for update");
    timeout(Duration::from_secs(10), free.bind(key).execute(&site.db)).await.expect("nobody holds it").unwrap();
    assert!(db::sessions::remove_values(&pool, &vault, UserId(user), &[]).await.is_ok());
}

/// A statement of a request that was given up must not go on: the server would run more than the pool has connections.
#[tokio::test]
async fn given_up_statement_ends_at_the_server() {
    let site = Site::open().await;
    if sqlx::query("set client_connection_check_interval = '1s'").execute(&site.db).await.is_err() {
        eprintln!("skipped: this server does not look whether its clients are there");
        return;
    }
    let pool = site.pool(1);
    let mut holding = site.db.begin().await.unwrap();
    sqlx::query("lock table users").execute(&mut *holding).await.unwrap();
    for statement in ["select pg_sleep(15)", "select count(*) from users"] {
        assert!(timeout(Duration::from_millis(300), sqlx::query(statement).execute(&pool)).await.is_err());
        let running = "select count(*) from pg_stat_activity where datname = current_database() and state = 'active'
                           and (query like '%pg_sleep(15)%' or query like '%from users') and pid <> pg_backend_pid()";
        let ended = wait_until("the statement has ended", async || site.count(running).await == 0);
        // Its own timeouts are longer.
        timeout(Duration::from_secs(4), ended).await.expect(statement);
    }
}

#[tokio::test]
async fn closed_connection_is_replaced_before_use() {
    let site = Site::open().await;
    let pool = site.pool(1);
    let server: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&pool).await.unwrap();
    sqlx::query("select pg_terminate_backend($1)").bind(server).execute(&site.db).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let next: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&pool).await.unwrap();
    assert_ne!(next, server);
}

#[tokio::test]
async fn exhausted_pool_waits_then_times_out() {
    let site = Site::open().await;
    let pool = site.pool(1);
    let sleeping = |seconds: f64| sqlx::query("select pg_sleep($1)").bind(seconds).execute(&pool);
    let (first, second) = tokio::join!(sleeping(0.2), sleeping(0.0));
    assert!(first.is_ok() && second.is_ok());
    let late = tokio::select! {
        biased;
        long = sleeping(60.0) => panic!("it lasts: {long:?}"),
        late = sleeping(0.0) => late,
    };
    assert!(matches!(late, Err(sqlx::Error::PoolTimedOut)), "{late:?}");
}
