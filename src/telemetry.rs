//! The log: its format and where it goes.

use std::io::IsTerminal;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{fmt, registry};

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people at a terminal.
    Text,
    /// One JSON object a line, for machines: nothing a visitor sends can forge a line.
    Json,
}

/// Whether `filter` is in `RUST_LOG`'s language: levels, and targets with levels. (Spans and patterns, which others take
/// there too, would cost a regular-expression engine, and there are none here.)
pub fn understands(filter: &str) -> bool {
    filter.parse::<Targets>().is_ok()
}

/// Starts the log on standard error, for the rest of the process.
///
/// `format` none means text on a terminal and JSON elsewhere; `filter` is in `RUST_LOG`'s language.
pub fn start(format: Option<LogFormat>, filter: &str) {
    let terminal = std::io::stderr().is_terminal();
    let by_place = if terminal { LogFormat::Text } else { LogFormat::Json };
    // A setting that is none was refused before.
    let log = registry().with(filter.parse::<Targets>().unwrap_or_default());
    let lines = fmt::layer().with_writer(std::io::stderr);
    match format.unwrap_or(by_place) {
        LogFormat::Json => log.with(lines.json().flatten_event(true).with_span_list(false)).init(),
        LogFormat::Text => log.with(lines.with_ansi(terminal).with_target(false)).init(),
    }
}
