//! Rounds: every mix after the other, again and again, so that a busy machine slows all of them.

use anyhow::{Context, Result};

use crate::Options;
use crate::bench::Bench;
use crate::mixes::Mix;
use crate::report::{self, Figures, Rounds};

/// Runs the mixes that the options name and prints the table.
pub(crate) async fn run(bench: &mut Bench, options: &Options) -> Result<()> {
    let mixes = bench.mixes(&options.only).await?;
    let rounds = run_all(bench, mixes, options).await?;
    let title = format!(
        "Medians of {} rounds of {} s with {} connections:",
        options.rounds, options.seconds, options.connections
    );
    report::print_table(&title, &rounds);
    Ok(())
}

/// Runs `mixes` as many rounds as the options say.
pub(crate) async fn run_all(bench: &mut Bench, mixes: Vec<Mix>, options: &Options) -> Result<Rounds> {
    let mut rounds: Rounds = mixes.into_iter().map(|mix| (mix, Vec::new())).collect();
    for round in 1..=options.rounds {
        for (mix, all) in &mut rounds {
            let figures = bench.run(mix, options).await.with_context(|| mix.name.clone())?;
            let Figures { rate, p50, app, postgres, .. } = figures;
            eprintln!("round {round}: {}: {rate:.0}/s, p50 {p50:.2} ms, {app:.0} + {postgres:.0} µs", mix.name);
            all.push(figures);
        }
    }
    Ok(rounds)
}
