//! The process: the command, the settings, the log, and how it all ends.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match heartlist::cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("heartlist: {error:#}");
            ExitCode::FAILURE
        }
    }
}
