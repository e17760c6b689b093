//! The doctor: looks at settings, database and Spotify, and says what it found, why it matters, what to do.
//!
//! It changes nothing and never says a secret. The same findings go to the terminal and to the page `/setup`.

mod records;
mod settings;
mod spotify;

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::timeout;

use super::Result;
use crate::app::App;
use crate::db::{self, Pool, doctor::Cooldown};

/// How long the nodes of a cluster may take to answer.
const CLUSTER_TIMEOUT: Duration = Duration::from_secs(10);

/// How a thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// As it should be.
    Good,
    /// Works, and should be known; or nobody but the operator can check it.
    Note,
    /// Something will fail.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug)]
pub struct Finding {
    /// How it stands.
    pub state: State,
    /// What was looked at, in a word or two.
    pub about: &'static str,
    /// What was found, in sentences; what is to be typed stands between backticks, here and in `mend`.
    pub what: String,
    /// A text to copy to the letter.
    pub exact: Option<String>,
    /// Why it matters.
    pub why: &'static str,
    /// What to do about it; none: nothing.
    pub mend: Option<String>,
}

/// From where the operator looks.
pub enum RequestContext {
    /// From a terminal: no server of ours need be running.
    Terminal,
    /// Through a browser, by which the server was reached under this name.
    Browser {
        /// The `Host` that the browser asked for.
        host: Option<String>,
        /// `https` or `http`, when a proxy in front says which.
        scheme: Option<String>,
    },
}

/// Looks at everything there is.
pub async fn examine(app: &App, seat: &RequestContext) -> Vec<Finding> {
    let mut found = settings::examine(app, seat);
    let schema = db::doctor::schema(&app.db).await;
    found.extend(records::findings(&schema, app.config.dyno));
    if schema.is_ok() {
        let cluster = timeout(CLUSTER_TIMEOUT, db::distribution::examine(&app.db)).await;
        found.extend(records::cluster(cluster.ok(), app.config.distribute));
    }
    if let Some(follower) = &app.follower {
        found.push(records::follower(&db::doctor::follower(follower.pool()).await));
    }
    found.extend(spotify::examine(app, seat, schema.is_ok()).await);
    found
}

/// What Spotify was asked today and may not be asked now.
pub struct Meter {
    /// Calls for each endpoint.
    pub calls: Vec<(String, i64)>,
    /// Times in which nobody asks.
    pub cooldowns: Vec<Cooldown>,
    /// How many hearts there are.
    pub hearts: i64,
    /// How many sessions have not ended.
    pub sessions: i64,
    /// How many connections to the database this process has open and does not use.
    pub idle: i64,
    /// How many it uses.
    pub used: i64,
}

/// Whether the database answers and has every table that this program needs.
pub async fn ready(app: &App) -> Result<bool> {
    let schema = db::doctor::schema(&app.db).await?;
    Ok(schema.pending == 0 && schema.changed == 0)
}

/// Reads the meter.
pub async fn meter(app: &App, now: OffsetDateTime) -> Result<Meter> {
    app.spotify_calls.flush(&app.db).await?;
    let calls = db::doctor::calls(&app.db, now.date()).await?;
    let cooldowns = db::doctor::cooldowns(&app.db, now).await?;
    let (hearts, sessions) = counts(app, now).await?;
    let (idle, used) = app.db.connections();
    Ok(Meter { calls, cooldowns, hearts, sessions, idle, used })
}

/// How many hearts and sessions there are. Whole tables are read for that, so a follower does it if it can.
async fn counts(app: &App, now: OffsetDateTime) -> Result<(i64, i64)> {
    let counted = async |pool: &Pool| Ok((db::doctor::hearts(pool).await?, db::doctor::sessions(pool, now).await?));
    if let Some(follower) = &app.follower
        && let Some(counts) = follower.read(now, counted).await
    {
        return Ok(counts);
    }
    Ok(counted(&app.db).await?)
}

/// How many of `findings` are in `state`.
pub fn count(findings: &[Finding], state: State) -> usize {
    findings.iter().filter(|finding| finding.state == state).count()
}

impl Finding {
    fn of(state: State, about: &'static str, what: impl Into<String>, why: &'static str) -> Self {
        Self { state, about, what: what.into(), exact: None, why, mend: None }
    }

    fn good(about: &'static str, what: impl Into<String>, why: &'static str) -> Self {
        Self::of(State::Good, about, what, why)
    }

    fn note(about: &'static str, what: impl Into<String>, why: &'static str) -> Self {
        Self::of(State::Note, about, what, why)
    }

    fn bad(about: &'static str, what: impl Into<String>, why: &'static str) -> Self {
        Self::of(State::Bad, about, what, why)
    }

    fn mend(mut self, how: impl Into<String>) -> Self {
        self.mend = Some(how.into());
        self
    }

    fn exactly(mut self, text: impl Into<String>) -> Self {
        self.exact = Some(text.into());
        self
    }
}
