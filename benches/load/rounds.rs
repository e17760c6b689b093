//! Rounds: all workloads take turns, so that other load on the machine slows all of them.

use anyhow::{Context, Result};

use crate::harness::Harness;
use crate::options::Options;
use crate::report::{self, Figures, Rounds};
use crate::workloads::Workload;

/// Runs the selected workloads and prints the table.
pub(crate) async fn run(harness: &mut Harness, options: &Options) -> Result<()> {
    let workloads = harness.workloads(&options.only).await?;
    let rounds = run_workloads(harness, workloads, options).await?;
    let title = format!(
        "Medians of {} rounds of {} s with {} connections:",
        options.rounds, options.seconds, options.connections
    );
    report::print_table(&title, &rounds);
    Ok(())
}

/// Runs `workloads` in as many rounds as the options ask for.
pub(crate) async fn run_workloads(
    harness: &mut Harness,
    workloads: Vec<Workload>,
    options: &Options,
) -> Result<Rounds> {
    let mut rounds: Rounds = workloads.into_iter().map(|workload| (workload, Vec::new())).collect();
    for round in 1..=options.rounds {
        for (workload, all_figures) in &mut rounds {
            let figures = harness.run(workload, options).await.with_context(|| workload.name.clone())?;
            let Figures { rate, p50, app_cpu, postgres_cpu, .. } = figures;
            let name = &workload.name;
            eprintln!("round {round}: {name}: {rate:.0}/s, p50 {p50:.2} ms, {app_cpu:.0} + {postgres_cpu:.0} µs");
            all_figures.push(figures);
        }
    }
    Ok(rounds)
}
