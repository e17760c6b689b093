//! What a request costs the database, counted in statements: the same on every machine and in every table size.
//!
//! Times are measured by `cargo bench --bench load` (benches/README.md). Here stands what must not slip in between:
//! a statement more for every page, or one for every row.

use std::cell::RefCell;
use std::sync::Once;

use heartlist::standin::Listener;
use reqwest::Method;
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

use crate::support::Site;
use crate::support::visitor::Visitor;

thread_local! {
    /// What sqlx logged in this thread, which is this test's alone: its site runs here, too.
    static HEARD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// An ear for statements.
struct Statements;

impl Statements {
    fn listen() -> Self {
        // One for all threads: what is enabled is cached for the process, by whichever thread comes first.
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let statements = Targets::new().with_target("sqlx::query", tracing::Level::DEBUG);
            let log = tracing_subscriber::registry().with(Ear.with_filter(statements));
            tracing::subscriber::set_global_default(log).expect("no other test sets one");
        });
        Self
    }

    /// An answer takes so many statements, as the shortest of many times shows: what runs without a request, some
    /// twenty statements once the site is open, may speak in between. `{}` in the path is another number each time.
    async fn expect(&self, count: usize, visitor: &Visitor, method: Method, path: &str) {
        let mut shortest: Option<Vec<String>> = None;
        for time in 0..30 {
            if shortest.as_ref().is_some_and(|known| known.len() <= count) {
                break;
            }
            HEARD.take();
            let answer = visitor.fetch(method.clone(), &path.replace("{}", &time.to_string())).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.html);
            let heard = HEARD.take();
            shortest = shortest.filter(|known| known.len() <= heard.len()).or(Some(heard));
        }
        let shortest = shortest.expect("it was asked");
        assert_eq!(shortest.len(), count, "{method} {path} takes {shortest:#?}");
    }
}

/// Hears sqlx's lines.
struct Ear;

impl<S: Subscriber> Layer<S> for Ear {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut summary = Summary::default();
        event.record(&mut summary);
        HEARD.with_borrow_mut(|heard| heard.push(summary.0));
    }
}

/// The beginning of a statement.
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
async fn a_heart_takes_one_statement_and_a_page_of_fifty_no_more_than_a_page_of_one() {
    let statements = Statements::listen();
    let site = Site::open().await;
    for (key, playlists) in [("one", 1), ("many", 50)] {
        let listener = Listener::with_library(key, playlists);
        let ids: Vec<String> = listener.playlists().iter().map(|playlist| playlist.id.clone()).collect();
        site.world.add_listener(listener);
        let visitor = site.signed_in(key).await;
        visitor.open("/playlists").await;
        for id in &ids {
            visitor.fetch(Method::PUT, &format!("/heart/{id}")).await;
        }
        let heart = format!("/heart/{}", ids[0]);
        // Whose session it is, the change, and its count.
        statements.expect(1, &visitor, Method::PUT, &heart).await;
        statements.expect(1, &visitor, Method::DELETE, &heart).await;
        visitor.fetch(Method::PUT, &heart).await;
        for list in ["/playlists", "/hearts"] {
            // The session, and what stands in the list in which version; the first time its rows, too.
            statements.expect(3, &visitor, Method::GET, &format!("{list}?new={{}}")).await;
            statements.expect(2, &visitor, Method::GET, list).await;
            // In another order they are counted apart.
            statements.expect(4, &visitor, Method::GET, &format!("{list}?sort=name&new={{}}")).await;
            statements.expect(3, &visitor, Method::GET, &format!("{list}?sort=name")).await;
        }
    }
}

#[tokio::test]
async fn who_has_no_session_costs_the_database_nothing() {
    let statements = Statements::listen();
    let site = Site::open().await;
    let visitor = site.visitor();
    for path in ["/", "/login", "/privacy", "/terms", "/healthz"] {
        statements.expect(0, &visitor, Method::GET, path).await;
    }
}
