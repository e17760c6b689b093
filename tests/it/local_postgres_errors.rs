//! A Postgres server killed, stopped, frozen, full, crowded, or a standby, while the app runs: a plain page meanwhile,
//! no acknowledged heart lost, and all well again without a restart of the app.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fake_spotify::User;
use futures_util::future::join_all;
use reqwest::Method;
use rustix::process::Signal;
use sqlx::{Connection, PgConnection};

use crate::support::own_postgres::OwnPostgres;
use crate::support::postgres::TestDatabase;
use crate::support::program::start_program;
use crate::support::visitor::Visitor;
use crate::support::{HEART, Site, wait_until};

/// How many press at once, each on a connection of their own; each of the people has some.
const CONNECTIONS: usize = 50;
const PEOPLE: usize = 10;

async fn site_on(own: &OwnPostgres) -> Site {
    Site::open_on(TestDatabase::from_url(own.url()), &[("SIGN_INS_PER_ADDRESS", "1000")]).await
}

/// A page and a press both say that the records are away, and nothing is saved.
async fn assert_unavailable(visitor: &Visitor) {
    let (page, response) = tokio::join!(visitor.get("/hearts"), visitor.fetch(Method::PUT, HEART));
    assert_eq!((page.status, page.text("h1").as_str()), (503, "Back in a moment"), "{}", page.html);
    assert!(!page.text("main").contains("Nothing was saved."), "it was only read");
    assert_refused(response);
}

fn assert_refused(response: crate::support::page::Page) {
    assert_eq!((response.status, response.header("retry-after")), (503, "5"), "{}", response.html);
    let message = response.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("can’t reach its database"), "{message}");
}

/// Waits until a press is kept again; gives how long that took.
async fn recovery(visitor: &Visitor) -> Duration {
    let begun = Instant::now();
    wait_until("a press is kept", async || visitor.fetch(Method::PUT, HEART).await.status == 200).await;
    begun.elapsed()
}

async fn hearts(visitor: &Visitor) -> usize {
    visitor.open("/hearts").await.count("li.card")
}

#[tokio::test]
async fn stopped_for_a_while_or_frozen_it_is_a_503_and_then_well_again() {
    let mut own = OwnPostgres::start().await;
    let site = site_on(&own).await;
    let ada = site.sign_in("ada").await;
    own.stop().await;
    assert_unavailable(&ada).await;
    assert_eq!(site.visitor().get("/readyz").await.status, 503);
    assert_eq!(site.visitor().get("/healthz").await.status, 200);
    own.start_again().await;
    recovery(&ada).await;

    own.signal(Signal::STOP);
    assert_unavailable(&ada).await;
    own.signal(Signal::CONT);
    recovery(&ada).await;
    assert_eq!(hearts(&ada).await, 1);
    wait_until("it is ready", async || site.visitor().get("/readyz").await.status == 200).await;
}

#[tokio::test]
async fn a_standby_shows_hearts_and_keeps_them_as_soon_as_it_is_promoted() {
    let mut own = OwnPostgres::start().await;
    let site = site_on(&own).await;
    let ada = site.sign_in("ada").await;
    recovery(&ada).await;
    own.stop().await;
    std::fs::write(own.data().join("standby.signal"), "").unwrap();
    own.start_again().await;
    wait_until("a standby can be read", async || ada.get("/hearts").await.status == 200).await;
    assert_eq!(hearts(&ada).await, 1);
    assert_refused(ada.fetch(Method::DELETE, HEART).await);
    let mut admin = PgConnection::connect(own.url()).await.unwrap();
    assert!(sqlx::query_scalar::<_, bool>("select pg_promote()").fetch_one(&mut admin).await.unwrap());
    recovery(&ada).await;
    assert_eq!(ada.fetch(Method::DELETE, HEART).await.status, 200);
    assert_eq!(hearts(&ada).await, 0);
}

/// The file of a table is made to lie on a disk that is full: what the kernel answers is what it answers there.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_takes_no_heart_and_is_told_as_such() {
    use std::os::unix::fs::symlink;

    use crate::support::wait_for_reconnect;

    let own = OwnPostgres::start().await;
    let site = site_on(&own).await;
    let ada = site.sign_in("ada").await;
    // Empty still: its first row needs room.
    let file = "select current_setting('data_directory') || '/' || pg_relation_filepath('user_hearts')";
    let file: String = sqlx::query_scalar(file).fetch_one(&site.db).await.unwrap();
    let aside = format!("{file}.aside");
    std::fs::rename(&file, &aside).unwrap();
    symlink("/dev/full", &file).unwrap();
    throw_out(&own).await;
    let asked = async || ada.fetch(Method::PUT, HEART).await;
    wait_for_reconnect(&ada).await;
    assert_refused(asked().await);
    assert_eq!(hearts(&ada).await, 0);

    std::fs::rename(&aside, &file).unwrap();
    throw_out(&own).await;
    wait_for_reconnect(&ada).await;
    assert_eq!(asked().await.status, 200);
    assert_eq!(hearts(&ada).await, 1);
}

/// Ends all connections: each holds its files open.
async fn throw_out(own: &OwnPostgres) {
    let mut admin = PgConnection::connect(own.url()).await.unwrap();
    let out = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
    sqlx::raw_sql(out).execute(&mut admin).await.unwrap();
    admin.close().await.unwrap();
}

#[tokio::test]
async fn with_all_connections_taken_by_others_it_is_a_503_until_one_is_free() {
    let own = OwnPostgres::start().await;
    let mut admin = PgConnection::connect(own.url()).await.unwrap();
    let role = "create role app login connection limit 10; grant all on all tables in schema public to app";
    sqlx::raw_sql(role).execute(&mut admin).await.unwrap();
    own.admit_as("app").await;
    let url = own.url().replace("heartlist@", "app@");
    let site = Site::open_on(TestDatabase::from_url(&url), &[]).await;
    let ada = site.sign_in("ada").await;
    site.db.close().await;
    // The app may be quicker than we are, with a task of its own for example.
    let out =
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app' and application_name <> 'other'";
    let mut others = Vec::new();
    while others.len() < 10 {
        sqlx::raw_sql(out).execute(&mut admin).await.unwrap();
        others.extend(PgConnection::connect(&format!("{url}&application_name=other")).await);
    }
    assert_unavailable(&ada).await;
    for other in others {
        other.close().await.unwrap();
    }
    recovery(&ada).await;
    assert_eq!(hearts(&ada).await, 1);
}

#[tokio::test]
async fn killed_twice_under_load_it_keeps_each_heart_that_it_acknowledged() {
    let recovered = killed_under_load(2, Duration::from_millis(1500)).await;
    println!("well again after {recovered:?}");
}

#[tokio::test]
#[ignore = "takes a minute"]
async fn killed_every_ten_seconds_for_a_minute() {
    let recovered = killed_under_load(6, Duration::from_secs(10)).await;
    println!("well again after {recovered:?}");
    assert!(recovered.iter().all(|took| *took < Duration::from_secs(2)));
}

#[tokio::test]
async fn the_app_killed_in_the_middle_of_writes_loses_no_heart_that_it_acknowledged() {
    let site = Site::open().await;
    let (program, base) = start_program(&site, &[]).await;
    let ada = Visitor::new(&base);
    ada.sign_in("ada").await;
    let (client, cookie, count) = (reqwest::Client::new(), ada.cookie(), AtomicUsize::new(0));
    let adding = (0..10).map(|user| {
        let (client, base, cookie, count, program) = (&client, &base, &cookie, &count, &program);
        async move {
            let mut acknowledged = Vec::new();
            loop {
                let id = format!("{user:011}{:011}", acknowledged.len());
                let request = client.put(format!("{base}/heart/{id}")).header("cookie", cookie);
                match request.header("sec-fetch-site", "same-origin").send().await {
                    Ok(response) => assert_eq!(response.status(), 200),
                    Err(_) => return acknowledged,
                }
                acknowledged.push(id);
                if count.fetch_add(1, Ordering::SeqCst) == 25 {
                    program.signal(Signal::KILL);
                }
            }
        }
    });
    let acknowledged: Vec<String> = join_all(adding).await.into_iter().flatten().collect();
    let kept: Vec<String> = sqlx::query_scalar("select playlist_id from user_hearts where removed_at is null")
        .fetch_all(&site.db)
        .await
        .unwrap();
    let lost: Vec<_> = acknowledged.iter().filter(|id| !kept.contains(id)).collect();
    assert!(acknowledged.len() > 25 && lost.is_empty(), "of {} lost: {lost:?}", acknowledged.len());
    // The other process has another port, which is in the cookie's name.
    let cookie = cookie.replace(base.rsplit(':').next().unwrap(), site.base.rsplit(':').next().unwrap());
    let page = site.visitor().request(reqwest::Method::GET, "/hearts", &[("cookie", &cookie)], None).await;
    assert_eq!(page.status, 200, "another process goes on with the session");
}

/// Presses hearts on many connections, each until it is acknowledged, and kills the server so often. In the end the
/// rows are those that were acknowledged. Gives how long it took, each time, from the server's return to a heart.
async fn killed_under_load(times: usize, every: Duration) -> Vec<Duration> {
    let mut own = OwnPostgres::start().await;
    let site = site_on(&own).await;
    let ada = site.sign_in("ada").await;
    let mut people = Vec::new();
    for n in 0..PEOPLE {
        people.push(newcomer(&site, n).await);
    }
    let done = AtomicBool::new(false);
    let adding = join_all((0..CONNECTIONS).map(|n| add_hearts(&people[n % PEOPLE], n, &done)));
    let killing = async {
        let mut recovered = Vec::new();
        for _ in 0..times {
            // Nobody is to be told to press less often.
            site.advance(Duration::from_secs(60));
            tokio::time::sleep(every).await;
            own.kill().await;
            own.start_again().await;
            recovered.push(recovery(&ada).await);
        }
        done.store(true, Ordering::SeqCst);
        // For the last presses.
        site.advance(Duration::from_secs(60));
        recovered
    };
    let (acknowledged, recovered) = tokio::join!(adding, killing);
    let mut acknowledged: Vec<String> = acknowledged.into_iter().flatten().collect();
    acknowledged.push(HEART["/heart/".len()..].to_owned());
    assert!(acknowledged.len() > CONNECTIONS);
    let mut kept: Vec<String> =
        sqlx::query_scalar("select distinct playlist_id from user_hearts where removed_at is null")
            .fetch_all(&site.db)
            .await
            .unwrap();
    kept.sort();
    acknowledged.sort();
    assert_eq!(kept, acknowledged);
    recovered
}

async fn newcomer(site: &Site, number: usize) -> Visitor {
    let key = format!("newcomer-{number}");
    site.spotify.add_user(User::with_library(&key, 1));
    site.sign_in(&key).await
}

/// Presses one heart after the other, each until it is acknowledged; gives which.
async fn add_hearts(visitor: &Visitor, user: usize, done: &AtomicBool) -> Vec<String> {
    let mut acknowledged = Vec::new();
    while !done.load(Ordering::SeqCst) {
        let id = format!("{user:011}{:011}", acknowledged.len());
        loop {
            match visitor.fetch(Method::PUT, &format!("/heart/{id}")).await.status {
                200 => break,
                // Pressed too often, for which time must pass.
                429 | 503 => {}
                status => panic!("{status}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        acknowledged.push(id);
    }
    acknowledged
}
