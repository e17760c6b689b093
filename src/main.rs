//! The program: parses the command line and reports errors.

use std::process::ExitCode;

use clap::Parser;
use heartlist::cli::{self, Cli};

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("heartlist: {}", cli::describe(&error));
            ExitCode::FAILURE
        }
    }
}
