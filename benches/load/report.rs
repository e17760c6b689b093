//! Tables of medians and their ratios, as Markdown.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::mixes::{Comparison, Measure, Mix};
use crate::wrk::Outcome;

/// Result of one run of one mix.
#[derive(Clone, Copy)]
pub(crate) struct Figures {
    /// Requests per second.
    pub(crate) rate: f64,
    /// Milliseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// CPU microseconds per request.
    pub(crate) app: f64,
    pub(crate) postgres: f64,
    /// Mean size of a page, in kB.
    page: f64,
    /// Checked pages.
    checked: u64,
}

impl Figures {
    pub(crate) fn new(outcome: &Outcome, app: Duration, postgres: Duration) -> Self {
        let each = |time: Duration| time.as_secs_f64() * 1e6 / outcome.requests.max(1) as f64;
        Self {
            rate: outcome.requests as f64 / outcome.seconds,
            p50: outcome.p50,
            p99: outcome.p99,
            app: each(app),
            postgres: each(postgres),
            page: outcome.page_bytes / 1000.0,
            checked: outcome.checked,
        }
    }

    fn get(&self, measure: Measure) -> f64 {
        match measure {
            Measure::Rate => self.rate,
            Measure::P50 => self.p50,
            Measure::P99 => self.p99,
            Measure::AppCpu => self.app,
            Measure::PostgresCpu => self.postgres,
            Measure::Cpu => self.app + self.postgres,
        }
    }
}

/// The figures of each mix, one for each round.
pub(crate) type Rounds = Vec<(Mix, Vec<Figures>)>;

/// Prints what the figures were taken on.
pub(crate) fn print_machine() -> Result<()> {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models: Vec<&str> = cpus.lines().filter(|line| line.starts_with("model name")).collect();
    let model = models.first().and_then(|line| line.split_once(": ")).map_or("unknown", |(_, name)| name);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    let output = |program: &str, argument| -> Result<String> {
        Ok(String::from_utf8_lossy(&Command::new(program).arg(argument).output()?.stdout).trim().to_owned())
    };
    let (day, kernel, pgbench) = (output("date", "+%F")?, output("uname", "-sr")?, output("pgbench", "--version")?);
    println!("{day}, {} × {model}, {kernel}, {pgbench}, load before the run: {load}\n", models.len());
    Ok(())
}

/// Prints how long the app took from its start to its first answer.
pub(crate) fn print_start(starts: &mut [Duration], memory: f64) {
    starts.sort();
    let median = starts[starts.len() / 2].as_secs_f64() * 1e3;
    println!(
        "From start to the first 200: {median:.0} ms (median of {}); then {memory:.1} MiB resident.\n",
        starts.len()
    );
}

/// Prints a table of medians, and the comparisons below it.
pub(crate) fn print_table(title: &str, rounds: &Rounds) {
    println!("{title}\n");
    println!("| mix | req/s | p50 ms | p99 ms | p99 / p50 | app µs | Postgres µs | page kB | pages checked |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for (mix, figures) in rounds {
        let of = |take: fn(&Figures) -> f64| format(median(figures.iter().map(take)));
        println!(
            "| {} | {:.0} | {} | {} | {} | {} | {} | {} | {} |",
            mix.name,
            median(figures.iter().map(|f| f.rate)),
            of(|f| f.p50),
            of(|f| f.p99),
            of(|f| f.p99 / f.p50),
            of(|f| f.app),
            of(|f| f.postgres),
            of(|f| f.page),
            figures.iter().map(|f| f.checked).sum::<u64>(),
        );
    }
    println!();
    let ratios = rounds.iter().flat_map(|(mix, figures)| {
        mix.comparisons.iter().filter_map(|comparison| ratio(mix, figures, comparison, rounds))
    });
    let ratios: Vec<String> = ratios.collect();
    if !ratios.is_empty() {
        println!("Ratios within each round, the median (least to greatest):\n\n{}\n", ratios.join("\n"));
    }
}

/// Returns the line of a comparison. `None` if a mix that it is compared with was not run.
fn ratio(mix: &Mix, figures: &[Figures], comparison: &Comparison, rounds: &Rounds) -> Option<String> {
    let Comparison { measure, with } = comparison;
    let find = |name: &String| rounds.iter().find(|(other, _)| other.name == *name).map(|(_, figures)| figures);
    let others: Option<Vec<_>> = with.iter().map(|(weight, name)| Some((weight, find(name)?))).collect();
    let others = others?;
    let ratio = |(round, own): (usize, &Figures)| {
        own.get(*measure) / others.iter().map(|(weight, other)| *weight * other[round].get(*measure)).sum::<f64>()
    };
    let ratios: Vec<f64> = figures.iter().enumerate().map(ratio).collect();
    let (least, most) = ratios.iter().fold((f64::MAX, f64::MIN), |(a, b), ratio| (a.min(*ratio), b.max(*ratio)));
    let name =
        |(weight, name): &(f64, String)| if *weight == 1.0 { name.clone() } else { format!("{weight} × {name}") };
    Some(format!(
        "- {}: {} is {:.2} ({least:.2} to {most:.2}) of that of {}",
        mix.name,
        measure.name(),
        median(ratios.iter().copied()),
        with.iter().map(name).collect::<Vec<_>>().join(" + ")
    ))
}

impl Measure {
    fn name(self) -> &'static str {
        match self {
            Measure::Rate => "the rate",
            Measure::P50 => "p50",
            Measure::P99 => "p99",
            Measure::AppCpu => "CPU of the app",
            Measure::PostgresCpu => "CPU of Postgres",
            Measure::Cpu => "CPU of app and Postgres",
        }
    }
}

/// The median.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

pub(crate) fn format(value: f64) -> String {
    match value {
        // Zero: not measured.
        value if value.is_nan() || value == 0.0 => "–".into(),
        value if value < 10.0 => format!("{value:.2}"),
        value => format!("{value:.0}"),
    }
}
