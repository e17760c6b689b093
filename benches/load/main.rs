//! The load harness: what a request costs, beside what the database and the socket cost by themselves.
//!
//! `cargo bench --bench load` starts all it needs (see benches/README.md) and prints tables. Every mix and its
//! limit run one after the other, round by round, so that a busy machine slows both: read the ratios.

mod app;
mod driven;
mod growth;
mod instructions;
mod limits;
mod listeners;
mod mixes;
#[path = "../../tests/it/support/page.rs"]
#[expect(dead_code, reason = "the tests look at pages in more ways")]
mod page;
mod postgres;
mod process;
mod report;
mod rounds;
mod stage;
mod standin;
#[path = "../../tests/it/support/visitor.rs"]
#[expect(dead_code, reason = "the tests' visitors do more than these")]
mod visitor;
mod wrk;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Parser;

use stage::Stage;

/// The tests look at each page that a visitor gets; here nothing is to wait for that.
fn look_at(_: &page::Page) {}

/// What may be asked of a run.
#[derive(Clone, Parser)]
#[command(about = "Measures the release build of Heartlist against the limits of this machine")]
struct Wishes {
    /// How long each mix runs in each round.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How many rounds; the figures are medians of them.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How many connections ask at the same time.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// How many people read, and how many others write.
    #[arg(long, default_value_t = 50)]
    listeners: usize,
    /// Only what is named so, for example `--only hearts`; may be given more than once.
    #[arg(long)]
    only: Vec<String>,
    /// Measures this program in place of the one that was just built.
    #[arg(long)]
    program: Option<PathBuf>,
    /// Starts this program, too, on the same database, and compares: the build from before a change.
    #[arg(long)]
    beside: Option<PathBuf>,
    /// Fills the tables step by step up to so many hearts (and a million sessions), and measures at each step.
    #[arg(long, num_args = 0..=1, default_missing_value = "10000000")]
    growth: Option<u64>,
    /// Counts instructions in place of time; needs valgrind.
    #[arg(long)]
    instructions: bool,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let wishes = Wishes::parse();
    // Ctrl-C ends the run here and not the process, so that what was started is stopped.
    let outcome = tokio::select! {
        outcome = run(&wishes) => outcome,
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

async fn run(wishes: &Wishes) -> Result<()> {
    if wishes.instructions {
        return instructions::count(wishes).await;
    }
    wrk::expect_installed()?;
    limits::expect_installed()?;
    report::machine()?;
    let mut stage = Stage::set(wishes).await?;
    match wishes.growth {
        None => rounds::play(&mut stage, wishes).await?,
        Some(most) => growth::play(&mut stage, wishes, most).await?,
    }
    stage.check_the_rows().await?;
    stage.say_memory();
    Ok(())
}
