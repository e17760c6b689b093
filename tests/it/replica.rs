//! The read replica: used only for data that may be a moment old.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use rustix::process::Signal;
use sqlx::PgPool;
use tokio::net::TcpListener;

use crate::support::postgres::create_database;
use crate::support::program::start_program;
use crate::support::visitor::Visitor;
use crate::support::{Site, wait_until};

/// Playlists in no library. One leads the primary's top list, the other the replica's, to tell them apart.
const ON_PRIMARY: &str = "AAAAAAAAAAAAAAAAAAAAAA";
const ON_REPLICA: &str = "BBBBBBBBBBBBBBBBBBBBBB";
const UNREACHABLE_URL: &str = "postgres://nobody@127.0.0.1:1/nowhere";

async fn write_top_list(pool: &PgPool, id: &str, seconds_old: f64) {
    let mut tx = pool.begin().await.unwrap();
    // Locks the tables in the app's order, since the app may be making a list right now.
    sqlx::raw_sql("truncate top_playlists, top_lists").execute(&mut *tx).await.unwrap();
    let row = "insert into top_playlists (period, place, playlist_id, name, seen_at, week, ever) values ('week', 1, $1, '', now(), 3, 3)";
    sqlx::query(row).bind(id).execute(&mut *tx).await.unwrap();
    let made = "insert into top_lists (made_at, leased_until) values (now() - make_interval(secs => $1), now() + interval '5 minutes')";
    sqlx::query(made).bind(seconds_old).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

/// Waits for the list that the app makes when it starts, which would replace a written one.
async fn wait_for_first_top_list(site: &Site) {
    let made = "select exists (select from top_lists where made_at is not null and leased_until is null)";
    wait_until("the first list is made", async || sqlx::query_scalar(made).fetch_one(&site.db).await.unwrap()).await;
}

async fn open_top_list(visitor: &Visitor) -> Vec<String> {
    let page = visitor.get("/top").await;
    assert_eq!(page.status, 200, "{}", page.html);
    page.playlist_ids()
}

#[tokio::test]
async fn anonymous_visitors_read_top_list_from_replica() {
    let copy = create_database().await;
    let site = Site::open_with(&[("READ_DATABASE_URL", copy.url())]).await;
    let copied = PgPool::connect(copy.url()).await.unwrap();
    wait_for_first_top_list(&site).await;
    write_top_list(&site.db, ON_PRIMARY, 0.0).await;
    write_top_list(&copied, ON_REPLICA, 0.0).await;
    assert_eq!(open_top_list(&site.visitor()).await, [ON_REPLICA]);
    assert_eq!(open_top_list(&site.sign_in("ada").await).await, [ON_PRIMARY], "whose heart may be a moment old");
    let metrics = site.visitor().get("/metrics").await.html;
    assert!(metrics.contains("heartlist_sessions 0"), "counted where it costs nobody anything: {metrics}");

    write_top_list(&copied, ON_REPLICA, 40.0).await;
    assert_eq!(open_top_list(&site.visitor()).await, [ON_PRIMARY], "the follower is behind");
    sqlx::raw_sql("drop table top_lists").execute(&copied).await.unwrap();
    assert_eq!(open_top_list(&site.visitor()).await, [ON_PRIMARY], "the follower fails");
}

#[tokio::test]
async fn unreachable_replica_falls_back_to_primary() {
    let site = Site::open_with(&[("READ_DATABASE_URL", UNREACHABLE_URL)]).await;
    wait_for_first_top_list(&site).await;
    write_top_list(&site.db, ON_PRIMARY, 0.0).await;
    let ada = site.sign_in("ada").await;
    assert_eq!(
        (open_top_list(&site.visitor()).await, open_top_list(&ada).await),
        (vec![ON_PRIMARY.into()], vec![ON_PRIMARY.into()])
    );
    for path in ["/hearts", "/readyz", "/metrics"] {
        assert_eq!(ada.get(path).await.status, 200, "{path}");
    }
    let page = site.visitor().get("/setup").await;
    let text = page.texts("li.finding").into_iter().find(|text| text.starts_with("Replica")).expect("a finding");
    assert!(text.contains("cannot be used") && text.contains("READ_DATABASE_URL") && text.contains("nothing fails"));
}

/// Starts a server that closes every connection; returns its address and the number of connections.
async fn start_closing_server() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://nobody@{}/nowhere", listener.local_addr().unwrap());
    let attempts = Arc::new(AtomicUsize::new(0));
    let counted = attempts.clone();
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    (url, attempts)
}

#[tokio::test]
async fn unreachable_replica_is_retried_after_pause() {
    let (url, attempts) = start_closing_server().await;
    let site = Site::open_with(&[("READ_DATABASE_URL", &url)]).await;
    wait_for_first_top_list(&site).await;
    write_top_list(&site.db, ON_PRIMARY, 0.0).await;
    let stranger = site.visitor();
    open_top_list(&stranger).await;
    let once = attempts.load(Ordering::SeqCst);
    assert!(once > 0, "it is asked");
    for _ in 0..5 {
        assert_eq!(open_top_list(&stranger).await, [ON_PRIMARY]);
    }
    assert_eq!(attempts.load(Ordering::SeqCst), once, "and not again for a while");
    site.advance(Duration::from_secs(11));
    assert_eq!(open_top_list(&stranger).await, [ON_PRIMARY]);
    assert!(attempts.load(Ordering::SeqCst) > once, "then it has another chance");
}

#[tokio::test]
async fn replica_outage_is_logged_once() {
    let site = Site::open().await;
    let (mut program, base) = start_program(&site, &[("READ_DATABASE_URL", UNREACHABLE_URL)]).await;
    let stranger = Visitor::new(&base);
    join_all((0..10).map(|_| stranger.get("/top"))).await;
    for _ in 0..10 {
        stranger.get("/top").await;
    }
    program.signal(Signal::TERM);
    let (_, log) = program.wait_for_exit().await;
    let count = log.matches("the replica failed and is not read").count();
    // More than once only if twenty views take longer than the retry pause.
    assert!((1..=5).contains(&count), "{count} times:\n{log}");
}

/// A share ends at once when it is turned off; a replica may lag behind.
#[tokio::test]
async fn shared_pages_are_read_from_primary() {
    let copy = create_database().await;
    let site = Site::open_with(&[("READ_DATABASE_URL", copy.url())]).await;
    let ada = site.sign_in("ada").await;
    let link = crate::support::sharing::create_secret_link(&ada).await;
    assert_eq!(site.visitor().get(&link).await.status, 200, "the copy knows nothing of it");
}

#[cfg(feature = "local")]
#[tokio::test]
async fn real_standby_works_as_replica() {
    let mut standby = crate::support::own_postgres::OwnPostgres::start().await;
    let rows = PgPool::connect(standby.url()).await.unwrap();
    // An old list that was committed just now: the replica's age counts, not the list's.
    write_top_list(&rows, ON_REPLICA, 200.0).await;
    rows.close().await;
    // Restart as a standby.
    standby.kill().await;
    std::fs::write(standby.data().join("standby.signal"), "").unwrap();
    standby.start_again().await;
    let site = Site::open_with(&[("READ_DATABASE_URL", standby.url())]).await;
    assert_eq!(open_top_list(&site.visitor()).await, [ON_REPLICA]);
    let page = site.visitor().get("/setup").await;
    assert!(page.texts("li.finding").iter().any(|text| text.starts_with("Replica") && text.contains("It replicates")));
}

/// A stopped server accepts the query and never answers; a query timeout must end the wait.
#[cfg(feature = "local")]
#[tokio::test]
async fn hanging_replica_falls_back_to_primary() {
    use rustix::process::Signal;
    let copy = crate::support::own_postgres::OwnPostgres::start().await;
    let copied = PgPool::connect(copy.url()).await.unwrap();
    write_top_list(&copied, ON_REPLICA, 0.0).await;
    let site = Site::open_with(&[("READ_DATABASE_URL", copy.url())]).await;
    wait_for_first_top_list(&site).await;
    write_top_list(&site.db, ON_PRIMARY, 0.0).await;
    assert_eq!(open_top_list(&site.visitor()).await, [ON_REPLICA]);
    copy.signal(Signal::STOP);
    assert_eq!(open_top_list(&site.visitor()).await, [ON_PRIMARY]);
    copy.signal(Signal::CONT);
}
