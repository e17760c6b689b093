//! wrk, the HTTP load generator, with the script `wrk.lua`, which toggles hearts and checks responses.

use std::io::Write as _;
use std::process::Command;
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};
use tempfile::NamedTempFile;

use crate::options::Options;
use crate::outcome::Outcome;
use crate::requests::{ExpectedPage, Requests};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/load/wrk.lua");

/// Fails with a hint if wrk is missing.
pub(crate) fn check_installed() -> Result<()> {
    let output = Command::new("wrk").arg("--version").output();
    output.map(drop).context("wrk is missing: `apt-get install wrk`, `brew install wrk` or https://github.com/wg/wrk")
}

/// Sends `requests` to the app at `base_url`. `states` are the hearts' current states. Fails if a response is an error
/// or a page does not show what is expected.
pub(crate) fn run(options: &Options, base_url: &str, requests: &Requests, states: &[bool]) -> Result<Outcome> {
    let mut file = NamedTempFile::new()?;
    file.write_all(requests.to_raw(base_url).as_bytes())?;
    let connections = requests.connections.unwrap_or(options.connections);
    let threads = connections.min(2);
    let states: String = states.iter().map(|state| if *state { '1' } else { '0' }).collect();
    let mut wrk = Command::new("wrk");
    wrk.args([format!("-t{threads}"), format!("-c{connections}"), format!("-d{}s", options.seconds)]);
    wrk.args(["--latency", "--timeout", "20s", "-s", SCRIPT, base_url, "--"]).arg(file.path());
    // The dash keeps the last argument from being empty: wrk drops empty ones.
    wrk.args([threads.to_string(), requests.pages_per_heart.to_string(), format!("{states}-")]);
    if let Some(ExpectedPage { rows, hearted }) = &requests.expected {
        wrk.args([rows, hearted.start(), hearted.end()].map(ToString::to_string));
    }
    let output = wrk.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("result "));
    let line = line.with_context(|| format!("wrk printed {text}{}", String::from_utf8_lossy(&output.stderr)))?;
    parse_outcome(line)
}

fn parse_outcome(line: &str) -> Result<Outcome> {
    for errors in ["http_errors", "socket_errors", "wrong"] {
        ensure!(parse_field::<u64>(line, errors)? == 0, "not every response was right: {line}");
    }
    let states = parse_field::<String>(line, "states")?;
    Ok(Outcome {
        requests: parse_field(line, "requests")?,
        toggles: parse_field(line, "toggles")?,
        seconds: parse_field(line, "seconds")?,
        p50: parse_field(line, "p50")?,
        p99: parse_field(line, "p99")?,
        checked_pages: parse_field(line, "checked")?,
        page_bytes: parse_field(line, "page_bytes")?,
        states: states.chars().filter(|state| *state != '-').map(parse_state).collect(),
    })
}

fn parse_state(character: char) -> Option<bool> {
    match character {
        '1' => Some(true),
        '0' => Some(false),
        _ => None,
    }
}

fn parse_field<T: FromStr>(line: &str, name: &str) -> Result<T> {
    let mut pairs = line.split_whitespace().filter_map(|pair| pair.split_once('='));
    let Some((_, value)) = pairs.find(|(key, _)| *key == name) else { bail!("no {name} in {line}") };
    value.parse().ok().with_context(|| format!("{name}={value}"))
}
