//! The program: parses the command line and reports errors.

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
