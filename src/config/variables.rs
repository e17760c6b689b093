//! The variables that users set. The file `.env.example` is their list; `--help` prints it too.

use std::fmt::Write;
use std::sync::LazyLock;

/// For each variable three lines: what it is about, the default in words, and its name.
pub const ENV_EXAMPLE: &str = include_str!("../../.env.example");

pub struct Variable {
    pub name: &'static str,
    /// The default, in words.
    pub default: &'static str,
    pub about: &'static str,
}

/// The variables of the file, the most important first.
pub static VARIABLES: LazyLock<Vec<Variable>> =
    LazyLock::new(|| ENV_EXAMPLE.split("\n\n").filter_map(Variable::parse).collect());

impl Variable {
    fn parse(entry: &'static str) -> Option<Self> {
        let mut lines = entry.trim().lines().filter_map(|line| line.strip_prefix("# "));
        let (about, default, name) = (lines.next()?, lines.next()?, lines.next()?);
        Some(Self { name: name.strip_suffix('=')?, default: default.strip_prefix("Default: ")?, about })
    }
}

/// Returns the variables as the end of `--help`.
pub fn help() -> String {
    let mut text = String::from("Settings, read from the environment and from the file .env in the working folder:\n");
    for Variable { name, default, about } in VARIABLES.iter() {
        let _ = write!(text, "\n  {name}\n      {about}\n      Default: {default}\n");
    }
    text.push_str("\nAlso read as the system sets them: DYNO and HEROKU_APP_DEFAULT_DOMAIN_NAME (Heroku), HOME and\n");
    text.push_str("XDG_DATA_HOME (your data directory), PATH and XDG_CACHE_HOME (the Postgres programs).\n");
    text
}
