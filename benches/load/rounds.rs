//! Rounds: every mix after the other, again and again, so that all meet the same noise.

use anyhow::{Context, Result};

use crate::Wishes;
use crate::mixes::Mix;
use crate::report::{self, Rounds};
use crate::stage::Stage;

/// Plays the mixes that are wished for and prints the table.
pub(crate) async fn play(stage: &mut Stage, wishes: &Wishes) -> Result<()> {
    let mixes = stage.mixes(&wishes.only).await?;
    let rounds = play_all(stage, mixes, wishes, 0).await?;
    let title = format!(
        "Medians of {} rounds of {} s with {} connections; hearts and sessions as the run made them:",
        wishes.rounds, wishes.seconds, wishes.connections
    );
    report::table(&title, &rounds);
    Ok(())
}

/// Plays `mixes`; `seed` keeps this call's fresh ids apart from those of other calls.
pub(crate) async fn play_all(stage: &mut Stage, mixes: Vec<Mix>, wishes: &Wishes, seed: usize) -> Result<Rounds> {
    let mut rounds: Rounds = mixes.into_iter().map(|mix| (mix, Vec::new())).collect();
    for round in 0..wishes.rounds {
        for (place, (mix, figures)) in rounds.iter_mut().enumerate() {
            let seed = seed + 1 + round * 100 + place;
            let played = stage.play(mix, wishes, seed).await.with_context(|| mix.name.clone())?;
            eprintln!(
                "round {}: {}: {:.0}/s, p50 {:.2} ms, {:.0} + {:.0} µs",
                round + 1,
                mix.name,
                played.rate,
                played.p50,
                played.server,
                played.postgres
            );
            figures.push(played);
        }
    }
    Ok(rounds)
}
