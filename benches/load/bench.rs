//! Everything that a run needs, started in order: database, fake Spotify, app, people, pgbench.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::app::{App, Servers};
use crate::fake_spotify::FakeSpotify;
use crate::hearts::{HeartStates, wait_for_count};
use crate::mixes::{self, Mix, People, Work};
use crate::people::{self, Person, Site};
use crate::pgbench::Pgbench;
use crate::postgres::Postgres;
use crate::report::{Figures, print_start};
use crate::{Options, clients, wrk};

/// How often the app is started to measure how long that takes.
const STARTS: usize = 5;

/// The running servers and the people who signed in.
pub(crate) struct Bench {
    pub(crate) app: App,
    pub(crate) spotify: FakeSpotify,
    pub(crate) postgres: Postgres,
    readers: Vec<Person>,
    pub(crate) writers: Vec<Person>,
    regulars: Vec<Person>,
    collectors: Vec<Person>,
    /// People whose library is deleted again and again.
    pub(crate) cold: Vec<Person>,
    other_build: Option<App>,
    pgbench: Pgbench,
    hearts: HeartStates,
    /// Rate of the last run of the mix `heart`.
    heart_rate: Option<f64>,
}

impl Bench {
    /// Starts everything and signs everybody in.
    pub(crate) async fn start(options: &Options) -> Result<Self> {
        heartlist::cli::install_tls();
        let postgres = Postgres::start().await?;
        let spotify = FakeSpotify::start().await?;
        let servers = Servers { database: postgres.url(), connections: options.connections, spotify: &spotify.base };
        // The first start makes the tables.
        let program = options.program.as_deref();
        let mut app = App::start(program, servers).await?;
        let mut starts = Vec::new();
        for _ in 0..STARTS {
            drop(app);
            app = App::start(program, servers).await?;
            starts.push(app.started_in);
        }
        print_start(&mut starts, app.memory().0);
        let site = Site { base: &app.base, pool: &postgres.pool, spotify: &spotify };
        let readers = site.sign_in_all_with_hearts("reader", options.people).await?;
        let regulars = site.sign_in_all_with_hearts("regular", options.people).await?;
        let writers = site.sign_in_all("writer", options.people).await?;
        let collectors = site.sign_in_all("collector", options.connections).await?;
        people::enlarge(&postgres.pool, &collectors).await?;
        let cold = site.sign_in_all("cold", options.connections).await?;
        let pgbench = Pgbench::prepare(&postgres, options).await?;
        let other_build = match options.beside.as_deref() {
            Some(program) => Some(App::start(Some(program), servers).await?),
            None => None,
        };
        let hearts = HeartStates::default();
        Ok(Self {
            app,
            spotify,
            postgres,
            readers,
            writers,
            regulars,
            collectors,
            cold,
            other_build,
            pgbench,
            hearts,
            heart_rate: None,
        })
    }

    /// Returns the mixes named by `only` (all, if it is empty), and those that they are compared with.
    pub(crate) async fn mixes(&self, only: &[String]) -> Result<Vec<Mix>> {
        let people = People {
            readers: &self.readers,
            writers: &self.writers,
            regulars: &self.regulars,
            collectors: &self.collectors,
        };
        let mut all = mixes::all(&people);
        let names: Vec<String> = all.iter().map(|mix| mix.name.clone()).collect();
        ensure!(only.iter().all(|name| names.contains(name)), "these can be named: {names:?}");
        let named = |mix: &Mix| only.is_empty() || only.contains(&mix.name);
        let compared = all.iter().filter(|mix| named(mix)).flat_map(|mix| &mix.comparisons);
        let compared: Vec<String> = compared.flat_map(|c| c.with.iter().map(|(_, name)| name.clone())).collect();
        all.retain(|mix| named(mix) || compared.contains(&mix.name));
        if all.iter().any(|mix| mix.name == "top") {
            wait_for_count(&self.postgres.pool).await?;
        }
        if self.other_build.is_some() {
            all = all.into_iter().flat_map(|mix| [mix.of_other_build(), Some(mix)]).flatten().collect();
        }
        Ok(all)
    }

    /// Runs one mix once.
    pub(crate) async fn run(&mut self, mix: &Mix, options: &Options) -> Result<Figures> {
        people::refresh_libraries(&self.postgres.pool).await?;
        let app = match (&mix.work, &self.other_build) {
            (Work::OtherBuild(_), Some(other)) => other,
            _ => &self.app,
        };
        let cpu = || (app.cpu(), self.postgres.cpu());
        let before = cpu();
        let outcome = match &mix.work {
            Work::App(requests) | Work::OtherBuild(requests) => {
                let states = self.hearts.get(requests);
                tokio::task::block_in_place(|| wrk::run(options, &app.base, requests, &states))?
            }
            Work::Pgbench => self.pgbench.run(options, None).await?,
            Work::PacedPgbench => {
                let rate = self.heart_rate.context("it needs the rate of the mix `heart`: add --only heart")?;
                self.pgbench.run(options, Some(rate)).await?
            }
            Work::SignIns => clients::sign_ins(self, options).await?,
            Work::ColdLibrary => clients::cold_library(self, options).await?,
        };
        // The kernel adds a worker's time to its parent's when it has ended. Presses that wrk hung up on end, too.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let after = cpu();
        if let Work::App(requests) | Work::OtherBuild(requests) = &mix.work {
            self.hearts.record(&app.base, requests, &outcome).await?;
        }
        let figures = Figures::new(&outcome, after.0 - before.0, after.1 - before.1);
        if mix.name == "heart" {
            self.heart_rate = Some(figures.rate);
        }
        Ok(figures)
    }

    /// Compares all acknowledged hearts with Postgres, and prints how much memory the app uses.
    pub(crate) async fn check(&self) -> Result<()> {
        self.hearts.check(&self.postgres.pool).await?;
        let (now, peak) = self.app.memory();
        println!("Resident memory of the app after all this: {now:.1} MiB, at its peak {peak:.1} MiB.");
        Ok(())
    }
}
