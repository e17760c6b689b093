//! The log: its format and where it goes.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt};

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people at a terminal.
    Text,
    /// One JSON object a line, for machines: nothing a visitor sends can forge a line.
    Json,
}

/// Whether `filter` is in `RUST_LOG`'s language.
pub fn understands(filter: &str) -> bool {
    EnvFilter::try_new(filter).is_ok()
}

/// Starts the log on standard error, for the rest of the process.
///
/// `format` none means text on a terminal and JSON elsewhere; `filter` is in `RUST_LOG`'s language.
pub fn start(format: Option<LogFormat>, filter: &str) {
    let terminal = std::io::stderr().is_terminal();
    let by_place = if terminal { LogFormat::Text } else { LogFormat::Json };
    let lines = fmt().with_writer(std::io::stderr).with_env_filter(EnvFilter::new(filter));
    match format.unwrap_or(by_place) {
        LogFormat::Json => lines.json().flatten_event(true).init(),
        LogFormat::Text => lines.with_ansi(terminal).with_target(false).init(),
    }
}
