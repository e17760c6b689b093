//! Tables of medians, as Markdown.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::mixes::Mix;
use crate::wrk::Told;

/// What one run of one mix showed.
#[derive(Clone, Copy)]
pub(crate) struct Figures {
    /// Requests in a second.
    pub(crate) rate: f64,
    /// Milliseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Microseconds of CPU for each request: of who serves, and of Postgres.
    pub(crate) server: f64,
    pub(crate) postgres: f64,
    /// Pages that were looked at.
    pub(crate) checked: u64,
}

impl Figures {
    pub(crate) fn of(told: Told, server: Duration, postgres: Duration) -> Self {
        let each = |time: Duration| time.as_secs_f64() * 1e6 / told.requests.max(1) as f64;
        Self {
            rate: told.requests as f64 / told.seconds,
            p50: told.p50,
            p99: told.p99,
            server: each(server),
            postgres: each(postgres),
            checked: told.checked,
        }
    }
}

/// The figures of each mix, one for each round.
pub(crate) type Rounds = Vec<(Mix, Vec<Figures>)>;

/// Prints what the figures were taken on.
pub(crate) fn machine() -> Result<()> {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models: Vec<&str> = cpus.lines().filter(|line| line.starts_with("model name")).collect();
    let model = models.first().and_then(|line| line.split_once(": ")).map_or("unknown", |(_, name)| name);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    let said = |program: &str, argument| -> Result<String> {
        Ok(String::from_utf8_lossy(&Command::new(program).arg(argument).output()?.stdout).trim().to_owned())
    };
    let (day, kernel, pgbench) = (said("date", "+%F")?, said("uname", "-sr")?, said("pgbench", "--version")?);
    println!("{day}, {} × {model}, {kernel}, {pgbench}, load before the run: {load}\n", models.len());
    Ok(())
}

/// Prints how long the app took from its start to its first answer.
pub(crate) fn start_up(starts: &mut [Duration], memory: f64) {
    starts.sort();
    let median = starts[starts.len() / 2].as_secs_f64() * 1e3;
    println!(
        "From start to the first 200: {median:.0} ms (median of {}); then {memory:.1} MiB resident.\n",
        starts.len()
    );
}

/// Prints a table of medians.
pub(crate) fn table(title: &str, rounds: &Rounds) {
    println!("{title}\n");
    println!(
        "| mix | req/s | of its limit | p50 ms | p99 ms | p99 / p50 | CPU µs, server | CPU µs, Postgres | looked at |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for (mix, figures) in rounds {
        let of = |take: fn(&Figures) -> f64| median(figures.iter().map(take));
        println!(
            "| {} | {:.0} | {} | {} | {} | {} | {} | {} | {} |",
            mix.name,
            of(|f| f.rate),
            share(mix, figures, rounds),
            shown(of(|f| f.p50)),
            shown(of(|f| f.p99)),
            shown(of(|f| f.p99 / f.p50)),
            shown(of(|f| f.server)),
            shown(of(|f| f.postgres)),
            figures.iter().map(|f| f.checked).sum::<u64>(),
        );
    }
    println!();
}

/// The rate as part of the limit's rate, round by round, with its spread.
fn share(mix: &Mix, figures: &[Figures], rounds: &Rounds) -> String {
    let Some((_, limit)) = rounds.iter().find(|(other, _)| mix.limit.as_ref() == Some(&other.name)) else {
        return "–".into();
    };
    let shares: Vec<f64> = figures.iter().zip(limit).map(|(own, limit)| own.rate / limit.rate).collect();
    let (least, most) = shares.iter().fold((f64::MAX, f64::MIN), |(a, b), share| (a.min(*share), b.max(*share)));
    format!("{:.2} ({least:.2} to {most:.2})", median(shares.iter().copied()))
}

/// The middle one.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn shown(value: f64) -> String {
    match value {
        value if value.is_nan() => "–".into(),
        value if value < 10.0 => format!("{value:.2}"),
        value => format!("{value:.0}"),
    }
}
