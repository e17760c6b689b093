//! Starts, wires and stops the program.

mod database;
mod doctor;
mod poolers;
mod serving;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, timeout};

use self::database::Running;
use crate::app::{App, Clock};
use crate::config::{self, Config};
use crate::db;
use crate::domain::{self, asking, sweep, top};
use crate::ids::Secret;
use crate::{telemetry, vault, web};

/// Keep the Spotify playlists you love, in a database of your own.
#[derive(Parser)]
#[command(version, about, after_help = config::help())]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Copy, Subcommand)]
enum Command {
    /// Serve the app (the default).
    Serve,
    /// Bring the database's tables up to date and stop.
    #[command(alias = "create-tables")]
    Migrate,
    /// Check settings, database and Spotify, say what is wrong, and fail if anything is.
    Doctor,
    /// Print the settings as the file .env.example.
    ExampleSettings,
    /// Print the file app.json, from which Heroku makes an app.
    AppJson,
}

impl Command {
    /// The file that it prints; none: it does something else.
    fn file(self) -> Option<String> {
        match self {
            Self::ExampleSettings => Some(config::example()),
            Self::AppJson => Some(config::app_json()),
            Self::Serve | Self::Migrate | Self::Doctor => None,
        }
    }
}

/// How often what has had its time is removed.
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// How long one thing may take that is done beside the requests: a server that has gone silent would else hold it for ever.
const LONGEST_CHORE: Duration = Duration::from_secs(900);
/// How often the number of calls to Spotify is written.
const CALLS_INTERVAL: Duration = Duration::from_secs(1);
/// How often a process looks whether the counts of hearts are old.
const COUNT_INTERVAL: Duration = Duration::from_secs(10);

impl Cli {
    /// Does what the command line asks.
    ///
    /// # Errors
    /// With a sentence for the person at the terminal.
    pub fn run(self) -> Result<()> {
        let command = self.command.unwrap_or(Command::Serve);
        if let Some(file) = command.file() {
            print!("{file}");
            return Ok(());
        }
        let config = Config::from_env(config::environment()?, root())?;
        telemetry::start(config.log_format, &config.log_filter);
        install_tls();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let outcome = match command {
            Command::Serve => runtime.block_on(serve(config)),
            Command::Doctor => runtime.block_on(doctor::run(config)),
            Command::Migrate | Command::ExampleSettings | Command::AppJson => runtime.block_on(migrate(config)),
        };
        // Not for ever: a name that is just being looked up cannot be called back.
        runtime.shutdown_timeout(Duration::from_secs(1));
        outcome
    }
}

/// Whether the process runs as root, for whom Postgres needs another account.
fn root() -> bool {
    #[cfg(feature = "local")]
    return rustix::process::geteuid().is_root();
    #[cfg(not(feature = "local"))]
    false
}

/// Chooses ring for all TLS of the process; the second call changes nothing.
pub fn install_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

async fn migrate(config: Config) -> Result<()> {
    let database = Running::start(&config).await?;
    poolers::refuse(vec![("DATABASE_URL", database.url.clone())]).await?;
    let pool = db::pool(&database.url, config.connections)?;
    bring_up_to_date(&pool, config.distribute).await?;
    println!("The tables are up to date.");
    database.stop().await;
    Ok(())
}

async fn serve(config: Config) -> Result<()> {
    let address = SocketAddr::new(config.host, config.port);
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}; is another program using it? Set PORT to choose another")
    })?;
    let mut stop = stop_signals()?;
    let database = Running::start(&config).await?;
    let outcome = tokio::select! {
        // Whoever waits for a table that somebody else holds must hear it, too.
        _ = stop.changed() => Ok(None),
        ready = prepare(config, &database.url) => ready.map(Some),
    };
    let outcome = match outcome {
        Ok(Some((app, unseen))) => serve_until(stop, listener, app, unseen).await,
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    database.stop().await;
    outcome
}

/// The app with its tables, and the databases of which it is not known yet whether they can be used.
async fn prepare(config: Config, database: &Secret) -> Result<(Arc<App>, poolers::Named)> {
    let databases =
        [Some(("DATABASE_URL", database.clone())), config.follower.clone().map(|url| ("READ_DATABASE_URL", url))];
    let unseen = poolers::refuse(databases.into_iter().flatten().collect()).await?;
    let dyno = config.dyno;
    let app = Arc::new(assemble(config, database, Arc::new(clock))?);
    // On Heroku the release phase migrates, before the new code serves.
    if !dyno {
        bring_up_to_date(&app.db, app.config.distribute).await?;
    }
    Ok((app, unseen))
}

/// Runs the migrations, and spreads the tables over the nodes of a cluster where `distribute` asks for it.
async fn bring_up_to_date(pool: &db::Pool, distribute: bool) -> Result<()> {
    db::migrate(pool)
        .await
        .context("the migrations did not run; is the server in DATABASE_URL up, and may its tables be changed?")?;
    if distribute {
        db::distribution::distribute(pool).await.context("the tables could not be distributed (DISTRIBUTE=citus)")?;
    }
    Ok(())
}

async fn serve_until(
    mut stop: watch::Receiver<()>,
    listener: TcpListener,
    app: Arc<App>,
    unseen: poolers::Named,
) -> Result<()> {
    println!("Heartlist is ready: {}", app.config.base_url.as_str().trim_end_matches('/'));
    let served = serve_on(listener, app, async move {
        let _ = stop.changed().await;
    });
    tokio::select! {
        outcome = served => outcome,
        Err(pooler) = poolers::look_out(unseen) => Err(pooler),
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else is given")]
fn clock() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// Puts the app together; with no `SESSION_SECRET` it keeps one in the data folder.
///
/// # Errors
/// When the data folder cannot be written or the database's address is none.
pub fn assemble(config: Config, database: &Secret, clock: Clock) -> Result<App> {
    let secret = match &config.session_secret {
        Some(secret) => secret.clone(),
        None => vault::kept_secret(&config.data).with_context(|| {
            format!("cannot keep a secret in {}; set HEARTLIST_DATA to another folder", config.data.display())
        })?,
    };
    Ok(App::new(config, database, &secret, clock)?)
}

/// Serves `app` on `listener` until `stop`, then lets running requests finish.
///
/// # Errors
/// When the listener fails.
pub async fn serve_on(
    listener: TcpListener,
    app: Arc<App>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let router = web::router(app.clone(), demo_routes(&app.config));
    let keeper = tokio::spawn(keep_house(app.clone()));
    let outcome = serving::serve(listener, router, stop).await;
    keeper.abort();
    if let Ok(Err(error)) = timeout(Duration::from_secs(1), asking::flush_counts(&app)).await {
        tracing::warn!(%error, "the last calls to Spotify are not counted");
    }
    outcome
}

/// Does what no visitor waits for: removes what has had its time, and keeps the lists of most hearted playlists young,
/// here or in another process.
async fn keep_house(app: Arc<App>) {
    let sweeps = every(SWEEP_EVERY, "the sweep", || sweep::sweep(&app, app.now()));
    let looks = every(COUNT_INTERVAL, "the count of hearts", || top::refresh(&app, app.now()));
    let calls = every(CALLS_INTERVAL, "the count of calls to Spotify", || asking::flush_counts(&app));
    // A long cleanup must not delay the others.
    tokio::join!(sweeps, looks, calls);
}

/// Does a chore now and again, for ever.
async fn every<Done: Future<Output = Result<(), domain::Error>>>(
    period: Duration,
    what: &'static str,
    chore: impl Fn() -> Done,
) {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match timeout(LONGEST_CHORE, chore()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, what, "failed and will be tried again"),
            Err(_) => tracing::warn!(what, "took too long and will be tried again"),
        }
    }
}

/// The routes of the fake Spotify; `None` outside demo mode.
#[cfg(feature = "demo")]
fn demo_routes(config: &Config) -> Option<axum::Router> {
    use crate::ids::Provider;
    use fake_spotify::{FakeSpotify, OtherProvider, RegisteredClient, Settings};
    let registered_client = |provider: OtherProvider| {
        let way = config.ways_in.iter().find(|way| way.provider.key() == provider.key())?;
        Some(RegisteredClient {
            provider,
            client_id: way.client_id.clone(),
            client_secret: way.client_secret.expose().to_owned(),
            redirect_uri: config.redirect_uri(way.provider).to_string(),
        })
    };
    config.demo.then(|| {
        let fake = FakeSpotify::new(Settings {
            base_url: config.spotify.accounts_url.clone(),
            app_name: "Heartlist".into(),
            client_id: config.spotify.client_id.clone(),
            client_secret: config.spotify.client_secret.expose().to_owned(),
            redirect_uris: vec![config.redirect_uri(Provider::Spotify).to_string()],
            other_clients: OtherProvider::ALL.into_iter().filter_map(registered_client).collect(),
        });
        axum::Router::new()
            .nest("/fake-spotify", fake_spotify::router(fake))
            .route("/standin/{*path}", axum::routing::get(moved_demo))
    })
}

/// Redirects the demo's former addresses, which the covers of saved playlists still have.
#[cfg(feature = "demo")]
async fn moved_demo(uri: axum::http::Uri) -> axum::response::Redirect {
    axum::response::Redirect::permanent(&uri.to_string().replacen("/standin", "/fake-spotify", 1))
}

#[cfg(not(feature = "demo"))]
fn demo_routes(_: &Config) -> Option<axum::Router> {
    None
}

/// Changes when the process is asked to stop; asking again changes nothing more.
fn stop_signals() -> Result<watch::Receiver<()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (asked, receiver) = watch::channel(());
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            let _ = asked.send(());
        }
    });
    Ok(receiver)
}
