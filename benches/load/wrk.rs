//! The load tool: wrk, told by a script what to ask and how to look at the answers.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Command;
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};
use tempfile::NamedTempFile;

use crate::Wishes;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/load/wrk.lua");

/// Requests to be asked again and again, in this order.
#[derive(Clone, Default)]
pub(crate) struct Requests {
    /// Raw HTTP, parted by zero bytes; `{fresh}` stands for an id that is new each time.
    raw: String,
    /// How many rows and how many pressed hearts each page must show; none: nobody looks.
    expected: Option<(usize, usize)>,
}

impl Requests {
    /// Adds one, with what a browser says of a request of its own page, and `more` headers.
    pub(crate) fn add(&mut self, method: &str, path: &str, more: &[(&str, &str)]) {
        let _ = write!(self.raw, "{method} {path} HTTP/1.1\r\nSec-Fetch-Site: same-origin\r\n");
        for (name, value) in more {
            let _ = write!(self.raw, "{name}: {value}\r\n");
        }
        self.raw.push_str("\r\n\0");
    }

    /// Every page that is looked at must show so many rows and pressed hearts.
    pub(crate) fn expecting(mut self, rows: usize, hearts: usize) -> Self {
        self.expected = Some((rows, hearts));
        self
    }

    /// Whether every request is a heart.
    pub(crate) fn writes_only(&self) -> bool {
        self.raw.split_terminator('\0').all(|raw| raw.starts_with("PUT "))
    }
}

/// What a run of wrk says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    /// Answers in all.
    pub(crate) requests: u64,
    /// Answers to writes.
    pub(crate) writes: u64,
    pub(crate) seconds: f64,
    /// Milliseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Pages that were looked at.
    pub(crate) checked: u64,
}

/// Says how to get wrk where it is missing.
pub(crate) fn expect_installed() -> Result<()> {
    let found = Command::new("wrk").arg("--version").output();
    found.map(drop).context("wrk is missing: `apt-get install wrk`, `brew install wrk` or https://github.com/wg/wrk")
}

/// Asks `base` for `requests` as long and by as many connections as is wished; `seed` decides the fresh ids.
///
/// # Errors
/// When an answer is an error or a page shows what it should not.
pub(crate) fn run(wishes: &Wishes, base: &str, requests: &Requests, seed: usize) -> Result<Told> {
    let mut file = NamedTempFile::new()?;
    file.write_all(requests.raw.as_bytes())?;
    let threads = wishes.connections.min(2);
    let mut wrk = Command::new("wrk");
    wrk.args([format!("-t{threads}"), format!("-c{}", wishes.connections), format!("-d{}s", wishes.seconds)]);
    wrk.args(["--latency", "--timeout", "20s", "-s", SCRIPT, base, "--"]).arg(file.path()).arg(seed.to_string());
    if let Some((rows, hearts)) = requests.expected {
        wrk.args([rows.to_string(), hearts.to_string()]);
    }
    let output = wrk.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("told "));
    let line = line.with_context(|| format!("wrk says {text}{}", String::from_utf8_lossy(&output.stderr)))?;
    let (refused, broken, wrong) = (field::<u64>(line, "refused")?, field(line, "broken")?, field(line, "wrong")?);
    ensure!((refused, broken, wrong) == (0, 0, 0), "not every answer was right: {line}");
    Ok(Told {
        requests: field(line, "requests")?,
        writes: field(line, "writes")?,
        seconds: field(line, "seconds")?,
        p50: field(line, "p50")?,
        p99: field(line, "p99")?,
        checked: field(line, "checked")?,
    })
}

fn field<T: FromStr>(line: &str, name: &str) -> Result<T> {
    let mut pairs = line.split_whitespace().filter_map(|pair| pair.split_once('='));
    let Some((_, value)) = pairs.find(|(key, _)| *key == name) else { bail!("no {name} in {line}") };
    value.parse().ok().with_context(|| format!("{name}={value}"))
}
