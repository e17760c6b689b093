//! Reads environment variables and collects their errors.

use std::fmt::{self, Display};
use std::ops::RangeInclusive;
use std::str::FromStr;

use url::Url;

use super::variables::{VARIABLES, Variable};
use crate::ids::Secret;

pub(super) const MIN_SECRET_BYTES: usize = 32;
pub(super) const SECRET_ADVICE: &str = "at least 32 characters, for example from `openssl rand -base64 48`";

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

    /// Parses a variable. `expected` completes the error "NAME is not …".
    pub(super) fn parse<T>(&mut self, name: &str, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let parsed = parse(&self.get(name)?);
        if parsed.is_none() {
            self.error(format!("{name} is not {expected}"));
        }
        parsed
    }

    pub(super) fn switch(&mut self, name: &str, [on, off]: [&str; 2]) -> Option<bool> {
        self.parse(name, &format!("`{on}` or `{off}`"), |text| [on, off].contains(&text).then_some(text == on))
    }

    /// Parses a number in a range, by default `default`.
    pub(super) fn number<T: FromStr + PartialOrd + Display>(
        &mut self,
        name: &str,
        noun: &str,
        range: RangeInclusive<T>,
        default: T,
    ) -> T {
        let expected = format!("a {noun} from {} to {}", range.start(), range.end());
        let parse = |text: &str| text.parse().ok().filter(|number| range.contains(number));
        self.parse(name, &expected, parse).unwrap_or(default)
    }

    /// Returns a secret that is long enough.
    pub(super) fn secret(&mut self, name: &str) -> Option<Secret> {
        let secret = self.get(name)?;
        if secret.len() < MIN_SECRET_BYTES {
            self.error(format!("{name} is too short: {SECRET_ADVICE}"));
        }
        Some(Secret::new(secret))
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
