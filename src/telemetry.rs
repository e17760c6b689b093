//! Logging: format, filter and output.

use std::io::IsTerminal;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{fmt, registry};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    /// One JSON object per line, so that nothing a visitor sends can forge a line.
    Json,
}

/// Targets that are not logged, because their events have secrets: paths with the tokens of links, and unknown
/// parameters of a database URL, which may be the rest of a password.
const SECRET_TARGETS: [&str; 2] = ["tower_http::csrf", "sqlx_postgres::options::parse"];

/// Returns whether `filter` consists of levels and targets. Span and field directives are not supported: they need a
/// regular-expression engine.
pub fn is_valid_filter(filter: &str) -> bool {
    filter.parse::<Targets>().is_ok()
}

/// Starts logging to standard error. Without a `format`, a terminal gets text and everything else JSON.
pub fn init(format: Option<LogFormat>, filter: &str) {
    let is_terminal = std::io::stderr().is_terminal();
    let default = if is_terminal { LogFormat::Text } else { LogFormat::Json };
    // `config` has rejected invalid filters.
    let filter = filter.parse::<Targets>().unwrap_or_default();
    let filter = filter.with_targets(SECRET_TARGETS.map(|target| (target, LevelFilter::OFF)));
    let log = registry().with(filter);
    let lines = fmt::layer().with_writer(std::io::stderr);
    match format.unwrap_or(default) {
        LogFormat::Json => log.with(lines.json().flatten_event(true).with_span_list(false)).init(),
        LogFormat::Text => log.with(lines.with_ansi(is_terminal).with_target(false)).init(),
    }
}
