//! The command line: starts, wires and stops the program.

mod database;
mod doctor;
mod healthcheck;
mod learned_address;
mod operator;
mod poolers;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::{Parser, Subcommand, ValueEnum};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout;

use self::database::RunningDatabase;
use crate::app::{App, Clock};
use crate::config::{self, Config};
use crate::count::pluralize;
use crate::domain::spotify_calls;
use crate::ids::Secret;
use crate::server::ConnectionLimits;
use crate::{background_jobs, db, server, telemetry, vault, web};

/// Interval of the mode check while the database is down.
const RETRY_INTERVAL: Duration = Duration::from_millis(250);

/// Keep the Spotify playlists you love, in a database of your own.
#[derive(Parser)]
#[command(version = env!("HEARTLIST_VERSION"), about, after_help = config::help())]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Subcommand)]
enum Command {
    /// Serve the app (default).
    Serve,
    /// Migrate the database and exit.
    #[command(alias = "create-tables")]
    Migrate,
    /// Check the settings, the database and Spotify. Fails if there is a problem.
    Doctor,
    /// Ask the server on this machine whether it is up. Fails if it is not.
    Healthcheck,
    /// Name the people who operate this server.
    Operator {
        #[command(subcommand)]
        action: Option<operator::Action>,
    },
    /// Record whether a database of an earlier release has real or made-up people, if the program asks for that.
    MarkDatabase { people: People },
    /// Print the settings as the file .env.example.
    ExampleSettings,
}

#[derive(Clone, Copy, ValueEnum)]
enum People {
    /// Real people.
    Real,
    /// Made-up people of a demo.
    Demo,
}

impl Cli {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        let command = self.command.unwrap_or(Command::Serve);
        if matches!(command, Command::ExampleSettings) {
            print!("{}", config::ENV_EXAMPLE);
            return Ok(());
        }
        let lookup = config::environment()?;
        let config = Config::from_env(&lookup, is_root())?;
        telemetry::init(config.log_format, &config.log_filter);
        install_tls();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let outcome = match command {
            Command::Healthcheck => healthcheck::run(config.host, config.port),
            Command::Serve => runtime.block_on(serve(config, &lookup)),
            Command::Doctor => runtime.block_on(with_app(config, run_doctor)),
            Command::Operator { action } => {
                let action = action.unwrap_or(operator::Action::Link);
                runtime.block_on(with_app(config, async |app, _| {
                    check_mode(app).await?;
                    operator::run(app, &action).await
                }))
            }
            Command::MarkDatabase { people } => runtime.block_on(with_app(config, async |app, _| {
                Ok(db::installation::set_mode(&app.db, matches!(people, People::Demo)).await?)
            })),
            Command::Migrate | Command::ExampleSettings => runtime.block_on(with_app(config, migrate)),
        };
        // With a timeout, because a DNS lookup cannot be cancelled.
        runtime.shutdown_timeout(Duration::from_secs(1));
        outcome
    }
}

/// Returns whether the process runs as root. A private Postgres then runs as another OS user.
fn is_root() -> bool {
    #[cfg(feature = "local")]
    return rustix::process::geteuid().is_root();
    #[cfg(not(feature = "local"))]
    false
}

/// Installs ring as the TLS provider of the process. Further calls change nothing.
pub fn install_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Runs a command on the database, which stops afterwards if the process started it.
async fn with_app(config: Config, run: impl AsyncFnOnce(&App, &Secret) -> Result<()>) -> Result<()> {
    let database = RunningDatabase::start(&config).await?;
    let outcome = match build_app(config, &database.url, Arc::new(clock)) {
        Ok(app) => run(&app, &database.url).await,
        Err(error) => Err(error),
    };
    database.stop().await;
    outcome
}

async fn migrate(app: &App, url: &Secret) -> Result<()> {
    poolers::reject_poolers(vec![("DATABASE_URL", url.clone())]).await?;
    migrate_database(&app.db, app.config.distribute).await?;
    check_mode(app).await?;
    println!("The database is up to date.");
    Ok(())
}

/// Prints the doctor's findings. Fails if there is a problem, so that scripts can check the exit code.
async fn run_doctor(app: &App, _: &Secret) -> Result<()> {
    let problems = doctor::print_findings(app).await;
    ensure!(problems == 0, "{} to fix", pluralize(problems, "problem"));
    Ok(())
}

async fn serve(mut config: Config, lookup: &impl Fn(&str) -> Option<String>) -> Result<()> {
    let address = SocketAddr::new(config.host, config.port);
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}; is another program using it? Set PORT to choose another")
    })?;
    let mut stop = stop_signals()?;
    if !config.is_base_url_known {
        let base_url = tokio::select! {
            _ = stop.changed() => return Ok(()),
            base_url = learned_address::learn_base_url(&listener) => base_url,
        };
        let with_base_url = |name: &str| if name == "BASE_URL" { Some(base_url.clone()) } else { lookup(name) };
        config = Config::from_env(with_base_url, is_root())?;
    }
    let database = RunningDatabase::start(&config).await?;
    let outcome = tokio::select! {
        // A migration may be waiting for a lock.
        _ = stop.changed() => Ok(None),
        ready = prepare(config, &database.url) => ready.map(Some),
    };
    let outcome = match outcome {
        Ok(Some((app, unchecked))) => serve_until(stop, listener, app, unchecked).await,
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    database.stop().await;
    outcome
}

/// Builds the app and migrates its database. Also returns the databases that could not be checked for poolers yet.
async fn prepare(config: Config, database_url: &Secret) -> Result<(Arc<App>, poolers::NamedUrls)> {
    let databases = [
        Some(("DATABASE_URL", database_url.clone())),
        config.replica_url.clone().map(|url| ("READ_DATABASE_URL", url)),
    ];
    let unchecked = poolers::reject_poolers(databases.into_iter().flatten().collect()).await?;
    let is_dyno = config.dyno;
    let app = Arc::new(build_app(config, database_url, Arc::new(clock))?);
    // On Heroku the release phase migrates before the new code serves.
    if !is_dyno {
        migrate_database(&app.db, app.config.distribute).await?;
    }
    check_mode(&app).await?;
    Ok((app, unchecked))
}

/// Fails if the database does not belong to this mode. Returns `false` if it is down, as it may be when a dyno starts.
async fn check_mode(app: &App) -> Result<bool> {
    let is_demo = match db::installation::detect_or_record(&app.db, app.config.demo).await {
        Err(db::Error::Unavailable(_)) => return Ok(false),
        is_demo => is_demo.context("cannot tell whose database this is; has `heartlist migrate` run?")?,
    };
    match is_demo {
        Some(is_demo) if is_demo == app.config.demo => {
            // It may be checked repeatedly.
            let _ = app.mode_check.set(());
            Ok(true)
        }
        Some(false) => bail!(
            "this database has real people, so the demo does not start on it: set SPOTIFY_CLIENT_ID, or name an empty database in DATABASE_URL"
        ),
        Some(true) => bail!(
            "this database was filled by the demo, whose people and ids are made up: name an empty database in DATABASE_URL, or another folder in HEARTLIST_DATA. If its people are real, run `heartlist mark-database real`, once"
        ),
        None => bail!(
            "nothing in this database tells whether its people are real or made up by the demo of an earlier release: run `heartlist mark-database real` or `heartlist mark-database demo`, once"
        ),
    }
}

/// Runs the migrations and, if `distribute` is set, distributes the tables over a Citus cluster.
async fn migrate_database(pool: &db::Pool, distribute: bool) -> Result<()> {
    db::migrate(pool)
        .await
        .context("the migrations failed; is the server in DATABASE_URL up, and may this user change its tables?")?;
    if distribute {
        db::distribution::distribute(pool).await.context("the tables could not be distributed (DISTRIBUTE=citus)")?;
    }
    Ok(())
}

async fn serve_until(
    mut stop: watch::Receiver<()>,
    listener: TcpListener,
    app: Arc<App>,
    unchecked: poolers::NamedUrls,
) -> Result<()> {
    println!("Heartlist is ready: {}", app.config.base_url.as_str().trim_end_matches('/'));
    let server = serve_on(listener, app.clone(), async move {
        let _ = stop.changed().await;
    });
    let checks = async {
        while !check_mode(&app).await? {
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
        operator::print_first_link(&app).await;
        Ok(())
    };
    tokio::select! {
        outcome = server => outcome,
        Err(pooler) = poolers::check_when_available(unchecked) => Err(pooler),
        Err(error) = checks => Err(error),
    }
}

#[expect(clippy::disallowed_methods, reason = "the only place that reads the system clock")]
fn clock() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// Builds the app. Without `SESSION_SECRET` it stores a secret in the data folder.
pub fn build_app(config: Config, database_url: &Secret, clock: Clock) -> Result<App> {
    let secret = match &config.session_secret {
        Some(secret) => secret.clone(),
        None => vault::load_or_create_secret(&config.data_dir).with_context(|| {
            format!("cannot store a secret in {}; set HEARTLIST_DATA to another folder", config.data_dir.display())
        })?,
    };
    Ok(App::new(config, database_url, &secret, clock)?)
}

/// Serves `app` on `listener` until `stop`, then lets running requests finish.
pub async fn serve_on(
    listener: TcpListener,
    app: Arc<App>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let router = web::router(app.clone(), demo_routes(&app.config));
    let jobs = tokio::spawn(background_jobs::run(app.clone()));
    let limits = ConnectionLimits::new(app.config.dyno, app.config.access.trusted_proxies > 0);
    let outcome = server::serve(listener, router, limits, stop).await;
    jobs.abort();
    if let Ok(Err(error)) = timeout(Duration::from_secs(1), spotify_calls::flush_counts(&app)).await {
        tracing::warn!(%error, "the last counts of calls to Spotify were not stored");
    }
    outcome
}

/// Routes of the fake Spotify, in demo mode.
#[cfg(feature = "demo")]
fn demo_routes(config: &Config) -> Option<axum::Router> {
    use crate::ids::Provider;
    use fake_spotify::{FakeSpotify, OtherProvider, RegisteredClient, Settings};
    let registered_client = |provider: OtherProvider| {
        let client = config.providers.iter().find(|client| client.provider.key() == provider.key())?;
        Some(RegisteredClient {
            provider,
            client_id: client.client_id.clone(),
            client_secret: client.client_secret.expose().to_owned(),
            redirect_uri: config.redirect_uri(client.provider).to_string(),
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
        fake.update_switches(|switches| switches.active_collaborators = true);
        axum::Router::new()
            .nest("/fake-spotify", fake_spotify::router(fake))
            .route("/standin/{*path}", axum::routing::get(redirect_old_demo_path))
    })
}

/// Redirects the demo's former URLs, which stored playlists still have as covers.
#[cfg(feature = "demo")]
async fn redirect_old_demo_path(uri: axum::http::Uri) -> axum::response::Redirect {
    let path = uri.path_and_query().map_or("/standin/", |path| path.as_str());
    axum::response::Redirect::permanent(&path.replacen("/standin", "/fake-spotify", 1))
}

#[cfg(not(feature = "demo"))]
fn demo_routes(_: &Config) -> Option<axum::Router> {
    None
}

/// Returns a receiver that changes on SIGTERM and SIGINT.
fn stop_signals() -> Result<watch::Receiver<()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (sender, receiver) = watch::channel(());
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            let _ = sender.send(());
        }
    });
    Ok(receiver)
}

/// Joins the error and its causes, without those that an error before them has named already, as sqlx's errors do.
pub fn describe(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |text, cause| match text.as_str() {
        "" => cause,
        _ if text.contains(&cause) => text,
        _ => format!("{text}: {cause}"),
    })
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::describe;

    #[test]
    fn each_cause_is_named_once() {
        let error = anyhow!("no such table").context("migration 7: no such table").context("the migrations failed");
        assert_eq!(describe(&error), "the migrations failed: migration 7: no such table");
        assert_eq!(describe(&anyhow!("alone")), "alone");
    }
}
