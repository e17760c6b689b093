//! Load benchmark: throughput, latency and CPU time of requests, compared with the limit that Postgres sets.
//!
//! `cargo bench --bench load` starts everything it needs (see benches/README.md) and prints tables.

mod app;
mod clients;
mod fake_spotify;
mod growth;
mod harness;
mod hearts;
mod instructions;
mod options;
mod outcome;
mod pgbench;
mod postgres;
mod process;
mod report;
mod requests;
mod rounds;
mod support;
mod users;
mod workloads;
mod wrk;

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Parser;

use harness::Harness;
use options::Options;

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    // Ctrl-C ends the run but not the process, so that every child process is stopped.
    let result = tokio::select! {
        result = run(&options) => result,
        _ = tokio::signal::ctrl_c() => Err(anyhow!("interrupted")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<()> {
    if options.instructions {
        return instructions::run(options).await;
    }
    wrk::check_installed()?;
    pgbench::check_installed()?;
    report::print_machine()?;
    let mut harness = Harness::start(options).await?;
    match options.growth {
        None => rounds::run(&mut harness, options).await?,
        Some(max_hearts) => growth::run(&mut harness, options, max_hearts).await?,
    }
    harness.check().await
}
