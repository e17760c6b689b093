//! The command line.

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::Parser;

/// Options of a run.
#[derive(Clone, Parser)]
#[command(about = "Measures the release build of Heartlist")]
pub(crate) struct Options {
    /// Duration of each workload in each round.
    #[arg(long, default_value_t = 5)]
    pub(crate) seconds: u64,
    /// Number of rounds. The figures are their medians.
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// Connections of wrk and pgbench, and of the app to Postgres.
    #[arg(long, default_value_t = 16)]
    pub(crate) connections: usize,
    /// Number of users who read, of users who toggle hearts, and of users who do both.
    #[arg(long, default_value_t = 64, value_parser = parse_user_count)]
    pub(crate) users: usize,
    /// Runs only the workload of this name and those it is compared with. Can be repeated.
    #[arg(long)]
    pub(crate) only: Vec<String>,
    /// Measures this program instead of the one just built.
    #[arg(long)]
    pub(crate) program: Option<PathBuf>,
    /// Also runs this older build on the same database and compares the two.
    #[arg(long)]
    pub(crate) baseline: Option<PathBuf>,
    /// Fills the tables step by step up to this many hearts (and a million sessions) and measures at each step.
    #[arg(long, num_args = 0..=1, default_missing_value = "10000000")]
    pub(crate) growth: Option<u64>,
    /// Counts instructions instead of time. Needs valgrind.
    #[arg(long)]
    pub(crate) instructions: bool,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    pub(crate) bench: bool,
}

fn parse_user_count(text: &str) -> Result<usize> {
    text.parse().ok().filter(|users| *users >= 2).ok_or_else(|| anyhow!("must be a number of at least 2"))
}
