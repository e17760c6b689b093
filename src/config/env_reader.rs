//! Reads environment variables and collects their errors.

use std::fmt;

use url::Url;

use super::variables::{VARIABLES, Variable};

/// All errors in the settings.
#[derive(Debug)]
pub struct ConfigErrors(pub(super) Vec<String>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "The settings are not valid:")?;
        self.0.iter().try_for_each(|error| writeln!(f, "  - {error}"))
    }
}

impl std::error::Error for ConfigErrors {}

/// Quotes as people type them and as word processors replace them.
const QUOTES: [(char, char); 8] = [
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('\u{201c}', '\u{201d}'),
    ('\u{2018}', '\u{2019}'),
    ('\u{201e}', '\u{201c}'),
    ('\u{201e}', '\u{201d}'),
    ('\u{ab}', '\u{bb}'),
];

fn is_between(text: &str, (start, end): (char, char)) -> bool {
    text.starts_with(start) && text.ends_with(end)
}

pub(super) struct EnvReader<'a> {
    pub(super) lookup: &'a dyn Fn(&str) -> Option<String>,
    pub(super) errors: Vec<String>,
}

impl EnvReader<'_> {
    /// Returns the variable's value. An empty value counts as not set.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        (self.lookup)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// Reports values that kept their quotes, as those in a file for `docker run --env-file` do.
    pub(super) fn check_quotes(&mut self) {
        let is_quoted = |value: String| QUOTES.iter().any(|quotes| value.len() > 1 && is_between(&value, *quotes));
        for Variable { name, .. } in VARIABLES.iter() {
            if self.get(name).is_some_and(is_quoted) {
                self.error(format!("{name} has quotes around its value: remove them, or in .env use straight ones"));
            }
        }
    }

    pub(super) fn error(&mut self, message: impl Into<String>) {
        self.errors.push(message.into());
    }

    pub(super) fn url(&mut self, name: &str, default: String, demo: bool) -> Url {
        let given = self.get(name);
        if demo && given.is_some() {
            self.error(format!("{name} is set but SPOTIFY_CLIENT_ID is not: set both, or neither for the demo"));
        }
        let text = given.unwrap_or(default);
        let parsed = Url::parse(text.trim_end_matches('/')).ok();
        parsed.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host()).unwrap_or_else(|| {
            self.error(format!("{name} is not a URL: it starts with https:// or http://"));
            Url::parse("http://127.0.0.1").expect("a fixed URL")
        })
    }
}
