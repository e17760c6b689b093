//! Number of SQL statements per request, which no machine and no table size changes. `cargo bench --bench load`
//! measures times (benches/README.md).

use std::cell::RefCell;
use std::sync::Once;

use fake_spotify::User;
use reqwest::Method;
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

use crate::support::sharing::{publish_page_at, sign_in_with_hearts};
use crate::support::visitor::{Visitor, approve};
use crate::support::{HEART, Site};

thread_local! {
    /// StatementRecorder logged by sqlx in this thread, which runs one test with its site.
    static RECORDED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Handle to the recorded statements.
struct StatementRecorder;

impl StatementRecorder {
    fn install() -> Self {
        // Global, because tracing caches for the whole process which callsites are enabled.
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let statements = Targets::new().with_target("sqlx::query", tracing::Level::DEBUG);
            let log = tracing_subscriber::registry().with(RecordingLayer.with_filter(statements));
            tracing::subscriber::set_global_default(log).expect("no other test sets one");
        });
        Self
    }

    /// Fails unless the request takes `count` statements. Background jobs may run statements in between, so the lowest
    /// of several counts is used. `{}` in the path becomes another number each time.
    async fn expect_count(&self, count: usize, visitor: &Visitor, method: Method, path: &str) {
        let mut shortest: Option<Vec<String>> = None;
        for time in 0..30 {
            if shortest.as_ref().is_some_and(|known| known.len() <= count) {
                break;
            }
            RECORDED.take();
            let response = visitor.fetch(method.clone(), &path.replace("{}", &time.to_string())).await;
            assert!([200, 404].contains(&response.status), "{path}: {}", response.html);
            let heard = RECORDED.take();
            shortest = shortest.filter(|known| known.len() <= heard.len()).or(Some(heard));
        }
        let shortest = shortest.expect("it was asked");
        assert_eq!(shortest.len(), count, "{method} {path} takes {shortest:#?}");
    }
}

/// Layer that records sqlx's statements.
struct RecordingLayer;

impl<S: Subscriber> Layer<S> for RecordingLayer {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut summary = Summary::default();
        event.record(&mut summary);
        RECORDED.with_borrow_mut(|heard| heard.push(summary.0));
    }
}

/// The `summary` field of sqlx's event: the beginning of the statement.
#[derive(Default)]
struct Summary(String);

impl Visit for Summary {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "summary" {
            value.clone_into(&mut self.0);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

#[tokio::test]
async fn heart_and_list_page_take_two_statements_each() {
    let statements = StatementRecorder::install();
    let site = Site::open().await;
    for (key, playlists) in [("one", 1), ("many", 50)] {
        let user = User::with_library(key, playlists);
        let ids: Vec<String> = user.playlists().iter().map(|playlist| playlist.id.clone()).collect();
        site.spotify.add_user(user);
        let visitor = site.sign_in(key).await;
        visitor.open("/playlists").await;
        for id in &ids {
            visitor.fetch(Method::PUT, &format!("/heart/{id}")).await;
        }
        // One for the session, one for the heart.
        let heart = format!("/heart/{}", ids[0]);
        statements.expect_count(2, &visitor, Method::PUT, "/heart/000000000000000000000{}").await;
        sqlx::query("delete from user_hearts where playlist_id like '00000%'").execute(&site.db).await.unwrap();
        statements.expect_count(2, &visitor, Method::DELETE, &heart).await;
        visitor.fetch(Method::PUT, &heart).await;
        // One more for the date of a heart that is there already.
        statements.expect_count(3, &visitor, Method::PUT, &heart).await;
        for list in ["/playlists", "/hearts"] {
            // One for the session, one for the page.
            for query in ["", "?q=a", "?q=is%3Ahearted", "?q=tag%3Arain", "?q=owner%3Ame"] {
                statements.expect_count(2, &visitor, Method::GET, &format!("{list}{query}")).await;
            }
            // One more for the names.
            for query in ["?sort=name", "?q=is%3Ahearted&sort=owner"] {
                statements.expect_count(3, &visitor, Method::GET, &format!("{list}{query}")).await;
            }
            statements.expect_count(2, &visitor, Method::GET, &format!("{list}?dir=reverse")).await;
            // One for the session, one for two playlists to pick from.
            RECORDED.take();
            assert_eq!(visitor.get(&format!("{list}/random")).await.status, 303);
            assert!(RECORDED.take().len() <= 3, "a background job may add one");
        }
        for path in ["/hearts/removed", "/hearts/news", "/hearts/news/feed"] {
            statements.expect_count(2, &visitor, Method::GET, path).await;
        }
        // One more for the number of hearts that Spotify has not shown for long.
        visitor.fetch(Method::PUT, HEART).await;
        statements.expect_count(3, &visitor, Method::GET, "/hearts").await;
        statements.expect_count(3, &visitor, Method::GET, "/hearts?q=is%3Auntagged").await;
    }
}

#[tokio::test]
async fn pages_of_thousands_of_hearts_with_tags_and_pins_take_at_most_four_statements() {
    let statements = StatementRecorder::install();
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let hearts = "insert into user_hearts (user_id, playlist_id, hearted_at, tags, tags_folded)
                  select 1, lpad(n::text, 22, '0'), now(), t.tags, t.tags
                  from generate_series(1, 5000) n, lateral (select array_agg('tag ' || (n * 7 + k * k) % 200) as tags
                                                            from generate_series(1, 5) k) t";
    sqlx::query(hearts).execute(&site.db).await.unwrap();
    assert_eq!(ada.open("/tags").await.count(".tag-list li"), 200);
    for path in ["/tags", "/tags?sort=name"] {
        statements.expect_count(2, &ada, Method::GET, path).await;
    }
    // The third for the tags that visitors see.
    statements.expect_count(3, &ada, Method::GET, "/tags/edit?tag=tag+7").await;
    let pins = "update user_hearts set pin = right(playlist_id, 1)::int where playlist_id <= lpad('4', 22, '0')";
    sqlx::query(pins).execute(&site.db).await.unwrap();
    // Two for the session and the page, one for the number of hearts that Spotify has not shown for long, one for
    // names.
    for path in
        ["/hearts", "/hearts?page=100", "/hearts?q=tag%3A%22tag+7%22", "/hearts?q=-tag%3A%22tag+7%22+is%3Ahearted"]
    {
        statements.expect_count(3, &ada, Method::GET, path).await;
        statements
            .expect_count(
                4,
                &ada,
                Method::GET,
                &format!("{path}{}sort=name", if path.contains('?') { '&' } else { '?' }),
            )
            .await;
    }
    assert_eq!(ada.open("/hearts").await.count("b.pinned"), 4);
    RECORDED.take();
    let form = ada.open("/tags/edit?tag=tag+7").await.form("form.link-form").with("to", "seven");
    RECORDED.take();
    assert_eq!(ada.send_form(form).await.status, 303);
    let mut renaming = RECORDED.take();
    let of_a_job = ["spotify_calls", "top_lists", "select exists"];
    renaming.retain(|summary| !of_a_job.iter().any(|text| summary.contains(text)));
    assert!(renaming.len() <= 8, "{renaming:#?}");
    assert_eq!(ada.open("/hearts?q=tag%3Aseven").await.status, 200);
    assert_eq!(site.count("select count(*) from user_hearts where tags @> '{tag 7}'").await, 0);
}

/// Attack: addresses of pages that a shared list does not have.
#[tokio::test]
async fn page_after_the_last_of_a_shared_list_reads_no_hearts() {
    let statements = StatementRecorder::install();
    let site = Site::open().await;
    let (ada, _) = sign_in_with_hearts(&site, "ada").await;
    publish_page_at(&ada, "ada-hearts").await;
    // One for the address, one for the number of hearts, one for the page.
    for (path, count) in [("/u/ada-hearts", 3), ("/u/ada-hearts?page=1000", 2)] {
        statements.expect_count(count, &site.visitor(), Method::GET, path).await;
    }
}

/// StatementRecorder of a sign-in from the button to the redirect.
async fn sign_in(site: &Site, key: &str) -> Vec<String> {
    let visitor = site.visitor();
    let button = visitor.get("/login").await.form("form[action='/auth/spotify']");
    RECORDED.take();
    let started = visitor.send_form(button).await;
    let mut heard = RECORDED.take();
    let consent = visitor.get(started.header("location")).await;
    let approved = visitor.send_form(approve(&consent, key)).await;
    RECORDED.take();
    let back = visitor.get(approved.header("location")).await;
    heard.extend(RECORDED.take());
    assert_eq!((back.status, back.header("location")), (303, "/playlists"), "{}", back.html);
    heard
}

#[tokio::test]
async fn sign_in_statement_and_commit_counts_stay_bounded() {
    let _statements = StatementRecorder::install();
    let site = Site::open().await;
    let (mut first, mut returning) = (Vec::new(), Vec::new());
    for n in 0..5 {
        let key = format!("newcomer-{n}");
        site.spotify.add_user(User::with_library(&key, 1));
        first.push(sign_in(&site, &key).await);
        returning.push(sign_in(&site, &key).await);
    }
    // Background jobs may add statements, but not each time.
    let shortest = |all: Vec<Vec<String>>| all.into_iter().min_by_key(Vec::len).unwrap();
    let (first, returning) = (shortest(first), shortest(returning));
    assert!(first.len() <= 14, "{first:#?}");
    assert!(returning.len() <= 9, "{returning:#?}");
    // Outside of transactions each writing statement is a commit.
    let writes = returning.iter().filter(|summary| !summary.trim_start().to_lowercase().starts_with("select"));
    assert!(writes.count() <= 3, "{returning:#?}");
}

#[tokio::test]
async fn request_without_session_runs_no_statement() {
    let statements = StatementRecorder::install();
    let site = Site::open().await;
    let visitor = site.visitor();
    for path in ["/", "/login", "/privacy", "/terms", "/healthz"] {
        statements.expect_count(0, &visitor, Method::GET, path).await;
    }
}

/// Sends the form of a selection; returns the number of statements.
async fn count_change(visitor: &Visitor, action: &str, ids: &[String]) -> usize {
    let ids: String = ids.iter().map(|id| format!("&id={id}")).collect();
    let body = format!("action={action}&tags=rain&from=/hearts{ids}");
    RECORDED.take();
    let sent = visitor.post("/hearts/bulk", &body).await;
    let mut recorded = RECORDED.take();
    assert_eq!(sent.status, 303, "{}", sent.html);
    recorded.retain(|summary| !summary.contains("spotify_calls")); // of a background job
    recorded.len()
}

/// Sends a form for each selection; returns the lowest number of statements. Background jobs may add some, but not each
/// time.
async fn fewest(visitor: &Visitor, action: &str, selections: std::slice::Chunks<'_, String>) -> usize {
    let mut fewest = usize::MAX;
    for ids in selections {
        fewest = fewest.min(count_change(visitor, action, ids).await);
    }
    fewest
}

#[tokio::test]
async fn change_of_a_hundred_hearts_takes_as_many_statements_as_one_of_two() {
    let _statements = StatementRecorder::install();
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let ids: Vec<_> = (0..206).map(|n| format!("{n:022}")).collect();
    let (pairs, hundreds) = ids.split_at(6);
    for (action, most) in [("heart", 11), ("tag", 11), ("untag", 11), ("remove", 9)] {
        let few = fewest(&ada, action, pairs.chunks(2)).await;
        let many = fewest(&ada, action, hundreds.chunks(100)).await;
        assert!(many <= few && few <= most, "{action}: {few} for two, {many} for a hundred");
    }
}
