//! Background jobs: cleanup, heart counts, counts of calls to Spotify, folding.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, timeout};

use crate::app::App;
use crate::domain::{Result, cleanup, folding, sharing, spotify_calls, top};

const CLEANUP_INTERVAL: Duration = Duration::from_secs(600);
/// How often a process checks whether the heart counts are out of date.
const HEART_COUNTS_INTERVAL: Duration = Duration::from_secs(10);
/// How often the counts of calls to Spotify are written to the database.
const SPOTIFY_CALLS_INTERVAL: Duration = Duration::from_secs(1);
/// How often a process checks whether stored texts have to be folded again.
const REFOLD_INTERVAL: Duration = Duration::from_secs(3600);
/// Timeout of one run of a job, in case the database stops answering, and maximum delay before a retry. A job that runs
/// less often has its interval as the timeout.
const JOB_TIMEOUT: Duration = Duration::from_secs(900);

/// Runs all jobs forever, once the database is checked. Each has its own timer, so that a long cleanup does not delay
/// the others.
pub(crate) async fn run(app: Arc<App>) {
    app.mode_check.wait().await;
    let cleanup = repeat(CLEANUP_INTERVAL, "cleanup", || cleanup::delete_expired(&app, app.now()));
    let heart_counts = repeat(HEART_COUNTS_INTERVAL, "heart counts", || top::refresh(&app, app.now()));
    let spotify_calls =
        repeat(SPOTIFY_CALLS_INTERVAL, "counts of calls to Spotify", || spotify_calls::flush_counts(&app));
    let refold = repeat(REFOLD_INTERVAL, "folding", async || {
        let rows = folding::refold(&app, app.now()).await?;
        if rows > 0 {
            tracing::info!(rows, "stored texts were folded again");
        }
        Ok(())
    });
    // Repeated, because the previous release may create shares during a rollout.
    let feed_ids = repeat(CLEANUP_INTERVAL, "feed ids", || sharing::backfill_feed_ids(&app));
    tokio::join!(cleanup, heart_counts, spotify_calls, refold, feed_ids);
}

async fn repeat<Run: Future<Output = Result<()>>>(interval: Duration, name: &'static str, job: impl Fn() -> Run) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let result = timeout(interval.max(JOB_TIMEOUT), job()).await;
        if !matches!(result, Ok(Ok(()))) {
            ticks.reset_after(interval.min(JOB_TIMEOUT));
        }
        match result {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, job = name, "a background job failed and will be retried"),
            Err(_) => tracing::warn!(job = name, "a background job timed out and will be retried"),
        }
    }
}
