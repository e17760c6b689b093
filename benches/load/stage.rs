//! All that a run needs, started in order: database, made-up Spotify, app, people, limits.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::app::App;
use crate::limits::{Bare, Pgbench};
use crate::listeners::{self, Listener};
use crate::mixes::{self, Mix, People, Work};
use crate::postgres::Postgres;
use crate::report::{Figures, start_up};
use crate::standin::Standin;
use crate::wrk::{Requests, Told};
use crate::{Wishes, driven, process, wrk};

/// How often the app is started to say how long that takes.
const STARTS: usize = 5;

/// What runs while something is measured.
pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) standin: Standin,
    pub(crate) postgres: Postgres,
    pub(crate) cold: Vec<Listener>,
    writers: Vec<Listener>,
    readers: Vec<Listener>,
    /// Those with 10,000 playlists.
    collectors: Vec<Listener>,
    other: Option<App>,
    bare: Bare,
    pgbench: Pgbench,
    /// How many hearts the app said it keeps.
    acknowledged: u64,
    /// How many more it may keep: wrk hangs up on what is on its way when its time is over.
    unheard: u64,
}

impl Stage {
    /// Starts everything and signs everybody in.
    pub(crate) async fn set(wishes: &Wishes) -> Result<Self> {
        heartlist::cli::install_tls();
        let postgres = Postgres::start().await?;
        let standin = Standin::start().await?;
        // The first start makes the tables, the others find them.
        let program = wishes.program.as_deref();
        let mut app = App::start(program, postgres.url(), &standin.base).await?;
        let mut starts = Vec::new();
        for _ in 0..STARTS {
            drop(app);
            app = App::start(program, postgres.url(), &standin.base).await?;
            starts.push(app.started_in);
        }
        start_up(&mut starts, app.memory().0);
        let place = (app.base.as_str(), &postgres.pool);
        let readers = listeners::sign_in_all(place, &standin, "reader", wishes.listeners).await?;
        let writers = listeners::sign_in_all(place, &standin, "writer", wishes.listeners).await?;
        let collectors = listeners::sign_in_all(place, &standin, "collector", wishes.connections).await?;
        listeners::enlarge(&postgres.pool, &collectors).await?;
        let cold = listeners::sign_in_all(place, &standin, "cold", wishes.connections).await?;
        let bare = Bare::start(&app.base, &readers[0].cookie).await?;
        // The sample of a heart was given; the reader's page is to stay as it was.
        let taken_back = "with gone as (delete from hearts where playlist_id = repeat('0', 22))
            delete from heart_counts where playlist_id = repeat('0', 22)";
        sqlx::query(taken_back).execute(&postgres.pool).await?;
        let pgbench = Pgbench::prepare(&postgres, wishes.listeners).await?;
        let other = match wishes.beside.as_deref() {
            Some(program) => Some(App::start(Some(program), postgres.url(), &standin.base).await?),
            None => None,
        };
        let (acknowledged, unheard) = (0, 0);
        Ok(Self {
            app,
            standin,
            postgres,
            cold,
            writers,
            readers,
            collectors,
            other,
            bare,
            pgbench,
            acknowledged,
            unheard,
        })
    }

    /// The mixes that are wished for, with what limits them.
    pub(crate) async fn mixes(&self, only: &[String]) -> Result<Vec<Mix>> {
        let top = reqwest::get(format!("{}/top", self.app.base)).await?.status() == 200;
        let people = People { readers: &self.readers, writers: &self.writers, collectors: &self.collectors };
        let mut all = mixes::all(&self.app.base, &self.bare, &people, top);
        let names: Vec<String> = all.iter().map(|mix| mix.name.clone()).collect();
        ensure!(only.iter().all(|name| names.contains(name)), "these can be named: {names:?}");
        let limits: Vec<String> =
            all.iter().filter(|mix| only.contains(&mix.name)).filter_map(|mix| mix.limit.clone()).collect();
        all.retain(|mix| only.is_empty() || only.contains(&mix.name) || limits.contains(&mix.name));
        if self.other.is_some() {
            all = all.into_iter().flat_map(|mix| [mix.of_the_other(), Some(mix)]).flatten().collect();
        }
        Ok(all)
    }

    /// Plays one mix once, and says what it cost whom.
    pub(crate) async fn play(&mut self, mix: &Mix, wishes: &Wishes, seed: usize) -> Result<Figures> {
        let cpu = |stage: &Self| {
            let server = match (&mix.work, &stage.other) {
                (Work::Bare(_), _) => process::cpu(std::process::id()),
                (Work::Other(_), Some(other)) => other.cpu(),
                _ => stage.app.cpu(),
            };
            (server, stage.postgres.cpu())
        };
        let before = cpu(self);
        let told = self.work(&mix.work, wishes, seed).await?;
        // Postgres counts a worker's time when it has ended.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let after = cpu(self);
        Ok(Figures::of(told, after.0 - before.0, after.1 - before.1))
    }

    async fn work(&mut self, work: &Work, wishes: &Wishes, seed: usize) -> Result<Told> {
        match work {
            Work::App(requests) => self.ask(&self.app.base.clone(), requests, wishes, seed),
            Work::Other(requests) => {
                let other = self.other.as_ref().context("no other build")?.base.clone();
                self.ask(&other, requests, wishes, seed)
            }
            Work::Bare(requests) => tokio::task::block_in_place(|| wrk::run(wishes, &self.bare.base, requests, seed)),
            Work::Pgbench => tokio::task::block_in_place(|| self.pgbench.run(wishes, seed)),
            Work::SignIns => driven::sign_ins(self, wishes).await,
            Work::Cold => driven::cold(self, wishes).await,
        }
    }

    fn ask(&mut self, base: &str, requests: &Requests, wishes: &Wishes, seed: usize) -> Result<Told> {
        let told = tokio::task::block_in_place(|| wrk::run(wishes, base, requests, seed))?;
        self.acknowledged += if requests.writes_only() { told.requests } else { told.writes };
        self.unheard += wishes.connections as u64;
        Ok(told)
    }

    /// Every heart that was acknowledged is a row, and the counts are those of the rows.
    pub(crate) async fn check_the_rows(&self) -> Result<()> {
        let writers: Vec<i64> = self.writers.iter().map(|writer| writer.id).collect();
        let rows = "select count(*) from hearts where user_id = any($1)";
        let rows: i64 = sqlx::query_scalar(rows).bind(writers).fetch_one(&self.postgres.pool).await?;
        let more = u64::try_from(rows)?.checked_sub(self.acknowledged);
        ensure!(more.is_some_and(|more| more <= self.unheard), "{rows} rows, {} acknowledged", self.acknowledged);
        let sums = "select (select count(*) from hearts), (select coalesce(sum(hearts), 0)::int8 from heart_counts)";
        let (hearts, counted): (i64, i64) = sqlx::query_as(sums).fetch_one(&self.postgres.pool).await?;
        ensure!(hearts == counted, "{hearts} hearts, but the counts say {counted}");
        println!(
            "{} hearts were acknowledged and {rows} rows are there (wrk hangs up on at most {} that it has not heard of); \
             the counts of all {hearts} hearts are right.",
            self.acknowledged, self.unheard
        );
        Ok(())
    }

    /// Says how much memory the app holds.
    pub(crate) fn say_memory(&self) {
        let (now, most) = self.app.memory();
        println!("Resident memory of the app after all this: {now:.1} MiB, at its highest {most:.1} MiB.");
    }
}
