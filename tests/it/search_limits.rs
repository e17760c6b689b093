//! Limits on what searches cost.

use std::time::Duration;

use fake_spotify::User;
use futures_util::future::join_all;

use crate::support::visitor::Visitor;
use crate::support::{Site, wait_until};

/// Number of searches that Postgres runs, which wait for the test's lock.
const RUNNING: &str = "select count(*) from pg_stat_activity where datname = current_database()
     and wait_event_type = 'Lock' and query like '%m.found as%'";

/// Signs in people and returns them.
async fn sign_in_listeners(site: &Site, count: usize) -> Vec<Visitor> {
    let mut visitors = Vec::new();
    for n in 0..count {
        site.spotify.add_user(User::with_library(&format!("listener-{n}"), 1));
        visitors.push(site.sign_in(&format!("listener-{n}")).await);
    }
    visitors
}

/// Makes all reads of playlists wait until the transaction ends.
async fn lock_playlists(site: &Site) -> sqlx::Transaction<'static, sqlx::Postgres> {
    let mut holding = site.db.begin().await.unwrap();
    sqlx::query("lock table playlists").execute(&mut *holding).await.unwrap();
    holding
}

#[tokio::test]
async fn slow_search_ends_with_a_page_that_says_so() {
    let site = Site::open().await;
    let [ada] = &sign_in_listeners(&site, 1).await[..] else { panic!() };
    let _holding = lock_playlists(&site).await;
    for path in ["/hearts?q=a", "/playlists?q=a", "/playlists?sort=name"] {
        let page = ada.get(path).await;
        assert_eq!((page.status, page.text("h1").as_str()), (503, "This search took too long"), "{path}");
        assert!(page.has("header nav") && page.text("main").contains("fewer or longer words"));
    }
}

/// Attack: one account that searches, or opens late pages, as often as it can.
#[tokio::test]
async fn searches_of_one_person_run_one_at_a_time() {
    for (path, status) in [("/hearts?q=a", 200), ("/hearts?page=101", 303), ("/hearts?page=99999999", 303)] {
        let site = Site::open().await;
        let visitors = sign_in_listeners(&site, 2).await;
        let holding = lock_playlists(&site).await;
        let search = async |visitor: &Visitor| visitor.get(path).await.status;
        let (mut statuses, other, ()) =
            tokio::join!(join_all((0..8).map(|_| search(&visitors[0]))), search(&visitors[1]), async {
                wait_until("both people search", async || site.count(RUNNING).await == 2).await;
                tokio::time::sleep(Duration::from_millis(300)).await;
                assert_eq!(site.count(RUNNING).await, 2, "the others wait");
                holding.commit().await.unwrap();
            });
        statuses.sort_unstable();
        let expected = [[status; 4], [503; 4]].concat();
        assert_eq!((statuses, other), (expected, status), "four may run and wait: {path}");
    }
}

#[tokio::test]
async fn closed_connection_lets_the_next_search_run() {
    let site = Site::open().await;
    let visitors = sign_in_listeners(&site, 1).await;
    let holding = lock_playlists(&site).await;
    for _ in 0..6 {
        let left = tokio::time::timeout(Duration::from_millis(200), visitors[0].get("/hearts?q=a")).await;
        assert!(left.is_err(), "it waits for the lock");
    }
    holding.commit().await.unwrap();
    assert_eq!(visitors[0].get("/hearts?q=a").await.status, 200);
}

/// Attack: many accounts that search.
#[tokio::test]
async fn searches_hold_at_most_half_of_the_connections() {
    let site = Site::open_with(&[("DATABASE_CONNECTIONS", "8")]).await;
    let visitors = sign_in_listeners(&site, 8).await;
    let holding = lock_playlists(&site).await;
    let searches = join_all(visitors.iter().map(|visitor| visitor.get("/playlists?q=a")));
    let (pages, ()) = tokio::join!(searches, async {
        wait_until("somebody searches", async || site.count(RUNNING).await > 0).await;
        for visitor in &visitors {
            assert!(site.count(RUNNING).await <= 4);
            assert_eq!(visitor.get("/account").await.status, 200, "other pages open");
        }
        holding.commit().await.unwrap();
    });
    assert!(pages.iter().all(|page| [200, 503].contains(&page.status)));
}

#[tokio::test]
async fn long_searches_are_cut_and_say_so() {
    let site = Site::open().await;
    let [ada] = &sign_in_listeners(&site, 1).await[..] else { panic!() };
    let name = ada.open("/playlists").await.text("li.card h2");
    assert!(!name.is_empty());
    for (text, found, sentence) in [
        ("l i s t e n r li is st nowhere", 1, "Only the first 10 words were searched for."),
        ("l i s t e n r li is owner:me nowhere", 1, "Only the first 10 words were searched for."),
        (&format!("\"{}\"", "x".repeat(60)), 0, "Only the first 50 letters of a word were searched for."),
    ] {
        let page = ada.get(&format!("/playlists?q={}", text.replace(' ', "+").replace('"', "%22"))).await;
        assert_eq!((page.status, page.count("li.card")), (200, found), "{text}");
        assert!(page.text("#search-status").contains(sentence), "{}", page.text("#search-status"));
    }
}

/// Postgres plans a statement for any parameters once it has run five times on a connection.
#[tokio::test]
async fn thousands_of_names_are_sorted_however_often_they_were_before() {
    let site = Site::open().await;
    let [ada] = &sign_in_listeners(&site, 1).await[..] else { panic!() };
    ada.open("/playlists").await;
    sqlx::raw_sql(
        "insert into users (display_name, created_at) select 'few', now() from generate_series(1, 2000);
         insert into user_hearts (user_id, playlist_id, hearted_at)
             select id, lpad(id::text, 22, 'u'), now() from users where display_name = 'few';
         insert into playlists (user_id, id, position, name, collaborative, seen_at)
             select id, lpad(id::text, 22, 'u'), 0, 'one', false, now() from users where display_name = 'few';
         insert into user_hearts (user_id, playlist_id, hearted_at)
             select 1, lpad(n::text, 22, '0'), now() from generate_series(1, 9000) n;
         insert into playlists (user_id, id, position, name, collaborative, seen_at)
             select 1, lpad(n::text, 22, '0'), n, 'list ' || 9001 - n, false, now() from generate_series(1, 9000) n;
         update libraries set counted = 9001, reached = 9001;
         analyze",
    )
    .execute(&site.db)
    .await
    .unwrap();
    for path in ["/hearts?sort=name", "/playlists?sort=name&q=list"] {
        for time in 0..8 {
            let page = ada.get(path).await;
            assert_eq!(page.status, 200, "{path} for the {time}th time");
            assert_eq!(page.playlist_ids()[..2], [9000, 8999].map(|n| format!("{n:022}")), "{path}");
        }
    }
}
