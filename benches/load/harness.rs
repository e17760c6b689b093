//! The servers and users of a run.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::app::{App, AppConfig};
use crate::clients;
use crate::fake_spotify::FakeSpotify;
use crate::hearts::{HeartStates, wait_for_count};
use crate::options::Options;
use crate::outcome::Outcome;
use crate::pgbench::Pgbench;
use crate::postgres::Postgres;
use crate::report::{self, Figures};
use crate::users::{self, User, UserFactory};
use crate::workloads::{self, Driver, UserGroups, Workload};
use crate::wrk;

/// Number of starts whose median is reported as the startup time.
const STARTUP_RUNS: usize = 5;

/// The running servers and the signed-in users.
pub(crate) struct Harness {
    app: App,
    /// Older build that is compared with `app`, if the options name one.
    baseline: Option<App>,
    spotify: FakeSpotify,
    pub(crate) postgres: Postgres,
    pgbench: Pgbench,
    readers: Vec<User>,
    writers: Vec<User>,
    regulars: Vec<User>,
    collectors: Vec<User>,
    /// Users whose stored library is deleted before each page.
    cold_users: Vec<User>,
    hearts: HeartStates,
    /// Rate of the last run of the workload `heart`.
    heart_rate: Option<f64>,
}

impl Harness {
    /// Starts all servers and signs all users in.
    pub(crate) async fn start(options: &Options) -> Result<Self> {
        heartlist::cli::install_tls();
        let postgres = Postgres::start().await?;
        let spotify = FakeSpotify::start().await?;
        let config = AppConfig {
            database_url: postgres.url(),
            database_connections: options.connections,
            spotify_url: &spotify.base_url,
        };
        let app = start_repeatedly(options, config).await?;
        let factory = UserFactory { base_url: &app.base_url, pool: &postgres.pool, spotify: &spotify };
        let readers = factory.create_with_hearts("reader", options.users).await?;
        let regulars = factory.create_with_hearts("regular", options.users).await?;
        let writers = factory.create("writer", options.users).await?;
        let collectors = factory.create("collector", options.connections).await?;
        users::enlarge_libraries(&postgres.pool, &collectors).await?;
        let cold_users = factory.create("cold", options.connections).await?;
        let pgbench = Pgbench::prepare(&postgres, options).await?;
        let baseline = match options.baseline.as_deref() {
            Some(program) => Some(App::start(Some(program), config).await?),
            None => None,
        };
        Ok(Self {
            app,
            baseline,
            spotify,
            postgres,
            pgbench,
            readers,
            writers,
            regulars,
            collectors,
            cold_users,
            hearts: HeartStates::default(),
            heart_rate: None,
        })
    }

    /// Returns the workloads named in `only` (all, if it is empty) and those they are compared with.
    pub(crate) async fn workloads(&self, only: &[String]) -> Result<Vec<Workload>> {
        let groups = UserGroups {
            readers: &self.readers,
            writers: &self.writers,
            regulars: &self.regulars,
            collectors: &self.collectors,
        };
        let mut workloads = workloads::all(&groups);
        let names: Vec<String> = workloads.iter().map(|workload| workload.name.clone()).collect();
        ensure!(only.iter().all(|name| names.contains(name)), "--only takes one of {names:?}");
        let is_selected = |workload: &Workload| only.is_empty() || only.contains(&workload.name);
        let comparisons = workloads.iter().filter(|workload| is_selected(workload)).flat_map(|w| &w.comparisons);
        let compared: Vec<String> = comparisons.flat_map(|c| c.with.iter().map(|(_, name)| name.clone())).collect();
        workloads.retain(|workload| is_selected(workload) || compared.contains(&workload.name));
        if workloads.iter().any(|workload| workload.name == "top") {
            wait_for_count(&self.postgres.pool).await?;
        }
        if self.baseline.is_some() {
            workloads = workloads.into_iter().flat_map(|w| [w.for_baseline(), Some(w)]).flatten().collect();
        }
        Ok(workloads)
    }

    /// Runs a workload once.
    pub(crate) async fn run(&mut self, workload: &Workload, options: &Options) -> Result<Figures> {
        users::refresh_libraries(&self.postgres.pool).await?;
        let app = match (&workload.driver, &self.baseline) {
            (Driver::WrkOnBaseline(_), Some(baseline)) => baseline,
            _ => &self.app,
        };
        let cpu_times = || (app.cpu_time(), self.postgres.cpu_time());
        let before = cpu_times();
        let outcome = self.drive(app, workload, options).await?;
        // A worker's CPU time is added to its parent's when the worker has ended. Requests that wrk dropped end, too.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let after = cpu_times();
        if let Driver::Wrk(requests) | Driver::WrkOnBaseline(requests) = &workload.driver {
            self.hearts.record(&app.base_url, requests, &outcome).await?;
        }
        let figures = Figures::new(&outcome, after.0 - before.0, after.1 - before.1);
        if workload.name == "heart" {
            self.heart_rate = Some(figures.rate);
        }
        Ok(figures)
    }

    async fn drive(&self, app: &App, workload: &Workload, options: &Options) -> Result<Outcome> {
        match &workload.driver {
            Driver::Wrk(requests) | Driver::WrkOnBaseline(requests) => {
                let states = self.hearts.get(requests);
                tokio::task::block_in_place(|| wrk::run(options, &app.base_url, requests, &states))
            }
            Driver::Pgbench => self.pgbench.run(options, None).await,
            Driver::PacedPgbench => {
                let rate = self.heart_rate.context("needs the rate of the workload `heart`: add --only heart")?;
                self.pgbench.run(options, Some(rate)).await
            }
            Driver::SignIns => clients::run_sign_ins(options, &app.base_url, &self.writers).await,
            Driver::ColdLibrary => {
                let (pool, spotify) = (&self.postgres.pool, &self.spotify);
                clients::run_cold_library(options, &app.base_url, &self.cold_users, pool, spotify).await
            }
        }
    }

    /// Compares all acknowledged hearts with their rows and prints the app's memory.
    pub(crate) async fn check(&self) -> Result<()> {
        self.hearts.check(&self.postgres.pool).await?;
        let (current, peak) = self.app.resident_mib();
        println!("Resident memory of the app at the end: {current:.1} MiB, at its peak {peak:.1} MiB.");
        Ok(())
    }
}

/// Starts the app several times, prints the startup time and returns the last process.
async fn start_repeatedly(options: &Options, config: AppConfig<'_>) -> Result<App> {
    let program = options.program.as_deref();
    // The first start applies the migrations and is not timed.
    let mut app = App::start(program, config).await?;
    let mut times = Vec::new();
    for _ in 0..STARTUP_RUNS {
        drop(app);
        app = App::start(program, config).await?;
        times.push(app.startup_time);
    }
    report::print_startup(&mut times, app.resident_mib().0);
    Ok(app)
}
