//! Tables of medians and their ratios, as Markdown.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::outcome::Outcome;
use crate::workloads::{Comparison, Measure, Workload};

/// Figures of one run of one workload.
#[derive(Clone, Copy)]
pub(crate) struct Figures {
    /// Requests per second.
    pub(crate) rate: f64,
    /// Milliseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// CPU microseconds per request.
    pub(crate) app_cpu: f64,
    pub(crate) postgres_cpu: f64,
    /// Mean size of a page.
    page_kb: f64,
    checked_pages: u64,
}

impl Figures {
    /// `app_cpu` and `postgres_cpu` are the CPU times of all requests.
    pub(crate) fn new(outcome: &Outcome, app_cpu: Duration, postgres_cpu: Duration) -> Self {
        let per_request = |time: Duration| time.as_secs_f64() * 1e6 / outcome.requests.max(1) as f64;
        Self {
            rate: outcome.requests as f64 / outcome.seconds,
            p50: outcome.p50,
            p99: outcome.p99,
            app_cpu: per_request(app_cpu),
            postgres_cpu: per_request(postgres_cpu),
            page_kb: outcome.page_bytes / 1000.0,
            checked_pages: outcome.checked_pages,
        }
    }

    fn get(&self, measure: Measure) -> f64 {
        match measure {
            Measure::Rate => self.rate,
            Measure::P50 => self.p50,
            Measure::P99 => self.p99,
            Measure::AppCpu => self.app_cpu,
            Measure::PostgresCpu => self.postgres_cpu,
            Measure::Cpu => self.app_cpu + self.postgres_cpu,
        }
    }
}

/// The figures of each workload in each round.
pub(crate) type Rounds = Vec<(Workload, Vec<Figures>)>;

/// Prints the date, the hardware, the versions of kernel and pgbench, and the system load.
pub(crate) fn print_machine() -> Result<()> {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models: Vec<&str> = cpus.lines().filter(|line| line.starts_with("model name")).collect();
    let model = models.first().and_then(|line| line.split_once(": ")).map_or("unknown", |(_, name)| name);
    let loadavg = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = loadavg.split(' ').next().unwrap_or("?").to_owned();
    let output = |program: &str, argument| -> Result<String> {
        Ok(String::from_utf8_lossy(&Command::new(program).arg(argument).output()?.stdout).trim().to_owned())
    };
    let (day, kernel, pgbench) = (output("date", "+%F")?, output("uname", "-sr")?, output("pgbench", "--version")?);
    println!("{day}, {} × {model}, {kernel}, {pgbench}, load before the run: {load}\n", models.len());
    Ok(())
}

/// Prints the median of the startup times and the resident memory after the last start.
pub(crate) fn print_startup(times: &mut [Duration], resident_mib: f64) {
    times.sort();
    let median = times[times.len() / 2].as_secs_f64() * 1e3;
    println!(
        "From start to the first 200: {median:.0} ms (median of {}); then {resident_mib:.1} MiB resident.\n",
        times.len()
    );
}

/// Prints a table of medians, followed by the comparisons.
pub(crate) fn print_table(title: &str, rounds: &Rounds) {
    println!("{title}\n");
    println!("| workload | req/s | p50 ms | p99 ms | p99 / p50 | app µs | Postgres µs | page kB | pages checked |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for (workload, figures) in rounds {
        let cell = |field: fn(&Figures) -> f64| format(median(figures.iter().map(field)));
        println!(
            "| {} | {:.0} | {} | {} | {} | {} | {} | {} | {} |",
            workload.name,
            median(figures.iter().map(|f| f.rate)),
            cell(|f| f.p50),
            cell(|f| f.p99),
            cell(|f| f.p99 / f.p50),
            cell(|f| f.app_cpu),
            cell(|f| f.postgres_cpu),
            cell(|f| f.page_kb),
            figures.iter().map(|f| f.checked_pages).sum::<u64>(),
        );
    }
    println!();
    let ratios = rounds.iter().flat_map(|(workload, figures)| {
        let comparisons = workload.comparisons.iter();
        comparisons.filter_map(|comparison| ratio_line(&workload.name, figures, comparison, rounds))
    });
    let ratios: Vec<String> = ratios.collect();
    if !ratios.is_empty() {
        println!("Ratios within each round, median (minimum to maximum):\n\n{}\n", ratios.join("\n"));
    }
}

/// Returns the line of a comparison of the workload `name`. `None` if one that it is compared with was not run.
fn ratio_line(name: &str, figures: &[Figures], comparison: &Comparison, rounds: &Rounds) -> Option<String> {
    let Comparison { measure, with } = comparison;
    let find = |name: &String| rounds.iter().find(|(other, _)| other.name == *name).map(|(_, figures)| figures);
    let others: Option<Vec<_>> = with.iter().map(|(weight, name)| Some((weight, find(name)?))).collect();
    let others = others?;
    let ratio = |(round, own): (usize, &Figures)| {
        own.get(*measure) / others.iter().map(|(weight, other)| *weight * other[round].get(*measure)).sum::<f64>()
    };
    let ratios: Vec<f64> = figures.iter().enumerate().map(ratio).collect();
    let (min, max) = ratios.iter().fold((f64::MAX, f64::MIN), |(a, b), ratio| (a.min(*ratio), b.max(*ratio)));
    let term =
        |(weight, name): &(f64, String)| if *weight == 1.0 { name.clone() } else { format!("{weight} × {name}") };
    Some(format!(
        "- {name}: {} is {:.2} ({min:.2} to {max:.2}) of that of {}",
        measure.label(),
        median(ratios.iter().copied()),
        with.iter().map(term).collect::<Vec<_>>().join(" + ")
    ))
}

impl Measure {
    fn label(self) -> &'static str {
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

/// Returns the median, rounded up to one of the values. Not a number if there are none.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Formats a figure. Zero means that it was not measured.
pub(crate) fn format(value: f64) -> String {
    match value {
        value if value.is_nan() || value == 0.0 => "–".into(),
        value if value < 10.0 => format!("{value:.2}"),
        value => format!("{value:.0}"),
    }
}
