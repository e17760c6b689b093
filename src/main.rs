//! The program: parses the command line and reports errors.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match heartlist::cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("heartlist: {}", describe(&error));
            ExitCode::FAILURE
        }
    }
}

/// Joins the error and its causes, without those that an error before them has named already, as sqlx's errors do.
fn describe(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |text, cause| match text.as_str() {
        "" => cause,
        _ if text.contains(&cause) => text,
        _ => format!("{text}: {cause}"),
    })
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::describe;

    #[test]
    fn each_cause_is_named_once() {
        let error = anyhow!("no such table").context("migration 7: no such table").context("the migrations failed");
        assert_eq!(describe(&error), "the migrations failed: migration 7: no such table");
        assert_eq!(describe(&anyhow!("alone")), "alone");
    }
}
