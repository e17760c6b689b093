//! The load harness: what a request costs, beside what the database alone needs for it.
//!
//! `cargo bench --bench load` starts everything it needs (see benches/README.md) and prints tables.

mod app;
mod bench;
mod clients;
mod fake_spotify;
mod growth;
mod hearts;
mod instructions;
mod mixes;
#[path = "../../tests/it/support/page.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod page;
mod people;
mod pgbench;
mod postgres;
mod process;
mod report;
mod rounds;
#[path = "../../tests/it/support/visitor.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod visitor;
mod wrk;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Parser;

use bench::Bench;

/// The tests check each page that a visitor gets. The harness does not.
fn assert_valid_html(_: &page::Page) {}

/// Options of a run.
#[derive(Clone, Parser)]
#[command(about = "Measures the release build of Heartlist")]
struct Options {
    /// Duration of each mix in each round.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Number of rounds. The figures are medians of them.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Connections of wrk and pgbench, and of the app to Postgres.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// How many people read, how many others press hearts, and how many others do both.
    #[arg(long, default_value_t = 64, value_parser = at_least_two)]
    people: usize,
    /// Runs only the mix of this name, and what it is compared with. May be given more than once.
    #[arg(long)]
    only: Vec<String>,
    /// Measures this program instead of the one just built.
    #[arg(long)]
    program: Option<PathBuf>,
    /// Also starts this program on the same database, and compares: the build from before a change.
    #[arg(long)]
    beside: Option<PathBuf>,
    /// Fills the tables step by step up to so many hearts (and a million sessions), and measures at each step.
    #[arg(long, num_args = 0..=1, default_missing_value = "10000000")]
    growth: Option<u64>,
    /// Counts instructions instead of time; needs valgrind.
    #[arg(long)]
    instructions: bool,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn at_least_two(text: &str) -> Result<usize> {
    text.parse().ok().filter(|people| *people >= 2).ok_or_else(|| anyhow!("not a number from 2 on"))
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    // Ctrl-C ends the run but not the process, so that everything that was started is stopped.
    let outcome = tokio::select! {
        outcome = run(&options) => outcome,
        _ = tokio::signal::ctrl_c() => Err(anyhow!("interrupted")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<()> {
    if options.instructions {
        return instructions::count(options).await;
    }
    wrk::check_installed()?;
    pgbench::check_installed()?;
    report::print_machine()?;
    let mut bench = Bench::start(options).await?;
    match options.growth {
        None => rounds::run(&mut bench, options).await?,
        Some(most) => growth::run(&mut bench, options, most).await?,
    }
    bench.check().await
}
