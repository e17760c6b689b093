//! A site for one test: the app, a fake Spotify and a database.

pub(crate) mod account_merge;
pub(crate) mod browser;
pub(crate) mod citus;
pub(crate) mod every_page;
mod markup;
#[cfg(feature = "local")]
pub(crate) mod own_postgres;
pub(crate) mod page;
pub(crate) mod postgres;
pub(crate) mod program;
pub(crate) mod raw_http;
pub(crate) mod rows;
pub(crate) mod search;
pub(crate) mod sharing;
pub(crate) mod statements;
pub(crate) mod visitor;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use fake_spotify::{self, FakeSpotify, OtherProvider, RegisteredClient};
use heartlist::app::App;
use heartlist::cli;
use heartlist::config::Config;
use heartlist::db;
use heartlist::ids::Secret;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

use markup::assert_valid_html;
use postgres::TestDatabase;
use visitor::Visitor;

/// The app's client id at the fake Spotify.
pub(crate) const CLIENT_ID: &str = "heartlist-tests";
/// Address of a heart for a playlist that is in no library.
pub(crate) const HEART: &str = "/heart/3cEYpjA9oz9GiPac4AsH4n";
const CLIENT_SECRET: &str = "a-client-secret-for-tests-alone";
pub(crate) const SESSION_SECRET: &str = "a session secret that is for tests alone";

/// A running app with everything it needs, which ends with the test.
pub(crate) struct Site {
    /// The app's address, without a slash at the end.
    pub(crate) base: String,
    /// The fake Spotify.
    pub(crate) spotify: FakeSpotify,
    /// Pool for direct access to the app's database.
    pub(crate) db: sqlx::PgPool,
    database: TestDatabase,
    settings: HashMap<&'static str, String>,
    clock: Arc<TestClock>,
    tasks: Vec<JoinHandle<()>>,
}

impl Site {
    /// Opens a site with the usual settings; Ada is its operator.
    pub(crate) async fn open() -> Self {
        Self::open_with(&[]).await
    }

    /// Opens a site with `extra` settings.
    pub(crate) async fn open_with(extra: &[(&'static str, &str)]) -> Self {
        Self::open_on(postgres::create_database().await, extra).await
    }

    /// Opens a site on an existing database.
    pub(crate) async fn open_on(database: TestDatabase, extra: &[(&'static str, &str)]) -> Self {
        cli::install_tls();
        let (ours, theirs) = (bind_free_port().await, bind_free_port().await);
        let base = address_of(&ours);
        let spotify_url = address_of(&theirs);
        let mut settings = settings(&base, &spotify_url, extra);
        let spotify = FakeSpotify::new(fake_spotify::Settings {
            base_url: Url::parse(&spotify_url).unwrap(),
            app_name: "Heartlist".into(),
            client_id: CLIENT_ID.into(),
            client_secret: CLIENT_SECRET.into(),
            // Without a port, as Spotify allows for loopback addresses, since further processes have other ports.
            redirect_uris: vec!["http://127.0.0.1/auth/spotify/callback".into()],
            other_clients: OtherProvider::ALL.into_iter().map(|provider| registered_client(provider, &base)).collect(),
        });
        let operator = format!("spotify:{}", spotify.user("ada").unwrap().account_id.unwrap());
        settings.entry("OPERATOR").or_insert(operator);
        let pretend = fake_spotify::router(spotify.clone());
        let spotify_task = tokio::spawn(async move { axum::serve(theirs, pretend).await.unwrap() });
        let db = sqlx::PgPool::connect(database.url()).await.unwrap();
        // Their people are made up, and the mode is the real one.
        let is_real = "insert into installation (demo) values (false) on conflict do nothing";
        sqlx::query(is_real).execute(&db).await.unwrap();
        let clock = Arc::new(TestClock::default());
        let mut site = Self { base, spotify, db, database, settings, clock, tasks: vec![spotify_task] };
        site.serve(ours);
        site
    }

    /// Starts a second server on the same database and Spotify; returns its address.
    pub(crate) async fn start_second_process(&mut self) -> String {
        let listener = bind_free_port().await;
        let base = address_of(&listener);
        self.serve(listener);
        base
    }

    /// Starts a server on the same database whose BASE_URL is `base_url`; returns its address.
    pub(crate) async fn start_process_at(&mut self, base_url: &str) -> String {
        let here = self.settings.insert("BASE_URL", base_url.to_owned());
        let address = self.start_second_process().await;
        self.settings.extend(here.map(|here| ("BASE_URL", here)));
        address
    }

    fn serve(&mut self, listener: TcpListener) {
        let app = self.app();
        app.mode_check.set(()).expect("a new app");
        let served = async move { cli::serve_on(listener, app, std::future::pending()).await.unwrap() };
        self.tasks.push(tokio::spawn(served));
    }

    fn app(&self) -> Arc<App> {
        let config = Config::from_env(|name| self.settings.get(name).cloned(), false).expect("good settings");
        let clock = self.clock.clone();
        let url = Secret::new(self.database.url());
        Arc::new(cli::build_app(config, &url, Arc::new(move || clock.now())).expect("an app"))
    }

    /// A new visitor, signed out.
    pub(crate) fn visitor(&self) -> Visitor {
        Visitor::new(&self.base)
    }

    /// A new visitor who is signed in as `user`.
    pub(crate) async fn sign_in(&self, user: &str) -> Visitor {
        let visitor = self.visitor();
        let page = visitor.sign_in(user).await;
        assert_eq!(page.status, 200, "{}", page.html);
        visitor
    }

    /// Advances the clock of the app and of Spotify.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.ahead.fetch_add(by.as_secs(), Ordering::SeqCst);
        self.spotify.advance(by);
    }

    /// Stops the app's clock; only `advance` moves it from now on.
    pub(crate) fn freeze_clock(&self) {
        let _ = self.clock.held.set(real_time());
    }

    /// The fake Spotify's address.
    pub(crate) fn spotify_url(&self) -> &str {
        &self.settings["SPOTIFY_ACCOUNTS_URL"]
    }

    /// Name of the session cookie, which has the port.
    pub(crate) fn session_cookie(&self) -> String {
        format!("heartlist-{}", self.base.rsplit(':').next().unwrap())
    }

    /// The settings as environment variables for another process.
    pub(crate) fn settings(&self) -> Vec<(&str, &str)> {
        let settings = self.settings.iter().filter(|(name, _)| **name != "DATABASE_URL");
        let settings = settings.map(|(name, value)| (*name, value.as_str()));
        settings.chain([("DATABASE_URL", self.database.url())]).collect()
    }

    /// Deletes expired rows, as the app does every ten minutes.
    pub(crate) async fn run_cleanup(&self) {
        self.try_cleanup().await.unwrap();
    }

    /// The same; returns the errors.
    pub(crate) async fn try_cleanup(&self) -> Result<(), String> {
        let app = self.app();
        heartlist::domain::cleanup::delete_expired(&app, app.now()).await.map_err(|error| error.to_string())
    }

    /// Folds stored texts again if a pass is due; returns the number of changed rows.
    pub(crate) async fn refold(&self) -> u64 {
        let app = self.app();
        heartlist::domain::folding::refold(&app, app.now()).await.unwrap()
    }

    /// Advances the clock and waits until the top lists have been made again, by any process.
    pub(crate) async fn force_top_refresh(&self) {
        self.advance(Duration::from_secs(20));
        let since = self.app().now();
        let young = "select from top_lists where made_at >= $1";
        wait_until("the lists are made anew", async || {
            sqlx::query("update top_lists set rest = '0'").execute(&self.db).await.unwrap();
            self.refresh_top_if_stale().await;
            sqlx::query(young).bind(since).fetch_optional(&self.db).await.unwrap().is_some()
        })
        .await;
    }

    /// Stores the feed ids of shares that an earlier release published, as the app does at the start.
    pub(crate) async fn backfill_feed_ids(&self) {
        heartlist::domain::sharing::backfill_feed_ids(&self.app()).await.unwrap();
    }

    /// Makes the top lists again if they are stale.
    pub(crate) async fn refresh_top_if_stale(&self) {
        let app = self.app();
        heartlist::domain::top::refresh(&app, app.now()).await.unwrap();
    }

    /// Waits until a query waits for a lock.
    pub(crate) async fn wait_for_blocked_query(&self) {
        let waiting =
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        wait_until("somebody waits for a lock", async || self.count(waiting).await > 0).await;
    }

    /// A pool of the app's kind on the site's database.
    pub(crate) fn pool(&self, connections: u32) -> db::Pool {
        db::pool(&Secret::new(self.database.url()), connections).unwrap()
    }

    pub(crate) async fn make_everybody_operator(&self) {
        sqlx::query("update users set operator = true").execute(&self.db).await.unwrap();
    }

    /// Number of hearts, removed ones not included.
    pub(crate) async fn count_hearts(&self) -> i64 {
        self.count("select count(*) from user_hearts where removed_at is null").await
    }

    /// Number of users.
    pub(crate) async fn count_users(&self) -> i64 {
        self.count("select count(*) from users").await
    }

    /// Result of a counting query.
    pub(crate) async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.db).await.unwrap()
    }
}

/// The real time, moved ahead by some seconds, or stopped.
#[derive(Default)]
struct TestClock {
    ahead: AtomicU64,
    held: OnceLock<OffsetDateTime>,
}

impl TestClock {
    fn now(&self) -> OffsetDateTime {
        let here = self.held.get().copied().unwrap_or_else(real_time);
        here + Duration::from_secs(self.ahead.load(Ordering::SeqCst))
    }
}

#[expect(clippy::disallowed_methods, reason = "the tests' clock begins with the real one")]
fn real_time() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

impl Drop for Site {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Waits until `probe` returns true; fails after a minute.
pub(crate) async fn wait_until(what: &str, probe: impl AsyncFn() -> bool) {
    let wait = async {
        while !probe().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.unwrap_or_else(|_| panic!("never happened: {what}"));
}

fn settings(base: &str, spotify: &str, extra: &[(&'static str, &str)]) -> HashMap<&'static str, String> {
    let mut settings: HashMap<_, _> = HashMap::from([
        ("BASE_URL", base.to_owned()),
        ("DATABASE_URL", "postgres://the-test-has-its-own".into()),
        ("SESSION_SECRET", SESSION_SECRET.into()),
        ("SPOTIFY_CLIENT_ID", CLIENT_ID.into()),
        ("SPOTIFY_CLIENT_SECRET", CLIENT_SECRET.into()),
        ("SPOTIFY_ACCOUNTS_URL", spotify.to_owned()),
        ("SPOTIFY_API_URL", format!("{spotify}/v1")),
        ("SPOTIFY_OEMBED_URL", format!("{spotify}/oembed")),
    ]);
    for (names, provider) in OTHER_PROVIDERS.iter().zip(OtherProvider::ALL) {
        let base = format!("{spotify}/{}", provider.key());
        settings.extend([(names[0], CLIENT_ID.to_owned()), (names[1], CLIENT_SECRET.to_owned())]);
        settings.extend(names[2..].iter().map(|name| (*name, base.clone())));
    }
    settings.extend(extra.iter().map(|(name, value)| (*name, (*value).to_owned())));
    settings
}

/// Settings of the other providers: id, secret and addresses.
const OTHER_PROVIDERS: [&[&str]; 4] = [
    &["GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET", "GOOGLE_ACCOUNTS_URL", "GOOGLE_TOKEN_URL", "GOOGLE_API_URL"],
    &["GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET", "GITHUB_ACCOUNTS_URL", "GITHUB_API_URL"],
    &["FACEBOOK_CLIENT_ID", "FACEBOOK_CLIENT_SECRET", "FACEBOOK_ACCOUNTS_URL", "FACEBOOK_API_URL"],
    &["X_CLIENT_ID", "X_CLIENT_SECRET", "X_ACCOUNTS_URL", "X_API_URL"],
];

fn registered_client(provider: OtherProvider, base: &str) -> RegisteredClient {
    RegisteredClient {
        provider,
        client_id: CLIENT_ID.into(),
        client_secret: CLIENT_SECRET.into(),
        redirect_uri: format!("{base}/auth/{}/callback", provider.key()),
    }
}

async fn bind_free_port() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}

fn address_of(listener: &TcpListener) -> String {
    format!("http://{}", listener.local_addr().unwrap())
}

/// Requests pages until the pool has replaced its closed connections.
pub(crate) async fn wait_for_reconnect(visitor: &Visitor) {
    tokio::time::sleep(Duration::from_millis(1100)).await;
    wait_until("a page opens", async || visitor.get("/hearts").await.status == 200).await;
}
