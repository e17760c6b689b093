//! wrk, the load tool, with the script `wrk.lua`, which toggles hearts and checks answers.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::ops::RangeInclusive;
use std::process::Command;
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};
use tempfile::NamedTempFile;

use crate::Options;
use crate::hearts::Heart;
use crate::people::Person;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/load/wrk.lua");

/// Stands for the host and port in a request, which differ between two builds of the app.
const HOST: &str = "{host}";

/// Pages and hearts that wrk asks for again and again, in this order.
#[derive(Clone, Default)]
pub(crate) struct Requests {
    /// Raw HTTP, separated by zero bytes.
    raw: String,
    /// The hearts among them. Each press toggles one.
    pub(crate) hearts: Vec<Heart>,
    /// Cookie headers of those who press them.
    pub(crate) cookies: HashMap<i64, String>,
    pages_per_heart: usize,
    expected: Option<Expected>,
    /// `None`: as many as the options say.
    connections: Option<usize>,
}

/// Contents of each page.
#[derive(Clone)]
struct Expected {
    rows: usize,
    pressed: RangeInclusive<usize>,
}

impl Requests {
    /// Adds a page that `person` opens.
    pub(crate) fn add_page(&mut self, person: &Person, path: &str, headers: &[(&str, &str)]) {
        self.add("GET", person, path, headers);
    }

    /// Adds a heart that `person` toggles.
    pub(crate) fn add_heart(&mut self, person: &Person, playlist: &str) {
        self.hearts.push(Heart { user: person.id, playlist: playlist.to_owned() });
        self.cookies.insert(person.id, person.cookie.clone());
        // The app takes ids of at least 20 characters.
        let number = format!("heart-{:015}", self.hearts.len());
        self.add("PUT", person, &format!("/heart/{playlist}"), &[("X-Request-Id", &number)]);
    }

    fn add(&mut self, method: &str, person: &Person, path: &str, headers: &[(&str, &str)]) {
        let _ = write!(self.raw, "{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nCookie: {}\r\n", person.cookie);
        self.raw.push_str("Sec-Fetch-Site: same-origin\r\n");
        for (name, value) in headers {
            let _ = write!(self.raw, "{name}: {value}\r\n");
        }
        self.raw.push_str("\r\n\0");
    }

    /// Sends so many pages for each heart.
    pub(crate) fn with_pages_per_heart(self, pages_per_heart: usize) -> Self {
        Self { pages_per_heart, ..self }
    }

    /// Checks every sixteenth page: so many rows and pressed hearts.
    pub(crate) fn expecting(self, rows: usize, pressed: RangeInclusive<usize>) -> Self {
        Self { expected: Some(Expected { rows, pressed }), ..self }
    }

    /// Sends them over so many connections.
    pub(crate) fn over(self, connections: usize) -> Self {
        Self { connections: Some(connections), ..self }
    }
}

/// Result of one run of one mix.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) requests: u64,
    /// Answered hearts among the requests.
    pub(crate) presses: u64,
    pub(crate) seconds: f64,
    /// Milliseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Checked pages.
    pub(crate) checked: u64,
    /// Mean size of a page as it was sent.
    pub(crate) page_bytes: f64,
    /// State of each heart by its last answer. `None` while a request was under way.
    pub(crate) states: Vec<Option<bool>>,
}

/// Fails with a hint if wrk is missing.
pub(crate) fn check_installed() -> Result<()> {
    let found = Command::new("wrk").arg("--version").output();
    found.map(drop).context("wrk is missing: `apt-get install wrk`, `brew install wrk` or https://github.com/wg/wrk")
}

/// Sends `requests` to `base`. `states` are the hearts' states before.
///
/// # Errors
/// If an answer is an error, or a page does not show what is expected.
pub(crate) fn run(options: &Options, base: &str, requests: &Requests, states: &[bool]) -> Result<Outcome> {
    let mut file = NamedTempFile::new()?;
    file.write_all(requests.raw.replace(HOST, base.trim_start_matches("http://")).as_bytes())?;
    let connections = requests.connections.unwrap_or(options.connections);
    let threads = connections.min(2);
    let initial: String = states.iter().map(|state| if *state { '1' } else { '0' }).collect();
    let mut wrk = Command::new("wrk");
    wrk.args([format!("-t{threads}"), format!("-c{connections}"), format!("-d{}s", options.seconds)]);
    wrk.args(["--latency", "--timeout", "20s", "-s", SCRIPT, base, "--"]).arg(file.path());
    // An empty argument would be lost.
    wrk.args([threads.to_string(), requests.pages_per_heart.to_string(), format!("{initial}-")]);
    if let Some(Expected { rows, pressed }) = &requests.expected {
        wrk.args([rows, pressed.start(), pressed.end()].map(ToString::to_string));
    }
    let output = wrk.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("result "));
    let line = line.with_context(|| format!("wrk says {text}{}", String::from_utf8_lossy(&output.stderr)))?;
    let errors = (field::<u64>(line, "refused")?, field::<u64>(line, "broken")?, field::<u64>(line, "wrong")?);
    ensure!(errors == (0, 0, 0), "not every answer was right: {line}");
    let states = field::<String>(line, "states")?;
    Ok(Outcome {
        requests: field(line, "requests")?,
        presses: field(line, "presses")?,
        seconds: field(line, "seconds")?,
        p50: field(line, "p50")?,
        p99: field(line, "p99")?,
        checked: field(line, "checked")?,
        page_bytes: field(line, "page_bytes")?,
        states: states.chars().filter(|state| *state != '-').map(state).collect(),
    })
}

fn state(character: char) -> Option<bool> {
    match character {
        '1' => Some(true),
        '0' => Some(false),
        _ => None,
    }
}

fn field<T: FromStr>(line: &str, name: &str) -> Result<T> {
    let mut pairs = line.split_whitespace().filter_map(|pair| pair.split_once('='));
    let Some((_, value)) = pairs.find(|(key, _)| *key == name) else { bail!("no {name} in {line}") };
    value.parse().ok().with_context(|| format!("{name}={value}"))
}
