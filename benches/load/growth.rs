//! The workloads with more and more hearts and sessions of other users in the tables.

use std::future::Future;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use heartlist::db::{self, Pool};
use heartlist::ids::Secret;
use sqlx::{Executor, PgPool};
use time::OffsetDateTime;
use tokio::time::timeout;

use crate::harness::Harness;
use crate::hearts::wait_for_count;
use crate::options::Options;
use crate::report::{self, Figures, Rounds, median};
use crate::rounds::run_workloads;

/// Number of filler hearts at each step.
const HEART_COUNTS: [u64; 5] = [0, 10_000, 100_000, 1_000_000, 10_000_000];
/// Number of filler users, each with a session.
const FILLER_USERS: u64 = 1_000_000;
/// Limit for the deletion of half of the filler sessions.
const CLEANUP_TIMEOUT: Duration = Duration::from_secs(120);
/// Workloads that are measured at each step.
const WORKLOADS: [&str; 7] = ["heart", "pgbench", "playlists", "hearts", "search", "sign-ins", "top"];

/// Fills the tables step by step up to `max_hearts`, prints a table at each step, and then one that compares them.
pub(crate) async fn run(harness: &mut Harness, options: &Options, max_hearts: u64) -> Result<()> {
    let only = WORKLOADS.map(str::to_owned);
    let mut steps: Vec<(u64, Rounds)> = Vec::new();
    for heart_count in HEART_COUNTS.into_iter().filter(|count| *count <= max_hearts) {
        let pool = &harness.postgres.pool;
        let start = Instant::now();
        match steps.last() {
            None => {}
            Some((0, _)) => {
                add_filler_users(pool).await?;
                add_filler_hearts(pool, 0, heart_count).await?;
            }
            Some((previous, _)) => add_filler_hearts(pool, *previous, heart_count).await?,
        }
        eprintln!("filled to {heart_count} hearts in {:.0} s", start.elapsed().as_secs_f64());
        wait_for_count(pool).await?;
        let workloads = harness.workloads(&only).await?;
        let rounds = run_workloads(harness, workloads, options).await?;
        let sessions = if heart_count == 0 { 0 } else { FILLER_USERS };
        report::print_table(&format!("With {heart_count} hearts and {sessions} sessions of other users:"), &rounds);
        steps.push((heart_count, rounds));
    }
    print_growth(&steps);
    if steps.len() > 1 {
        run_while_counting(harness, options).await?;
        run_while_cleaning_up(harness, options).await?;
    }
    Ok(())
}

/// Prints each step's CPU time and p50 divided by the first step's. pgbench's tables do not grow, so its ratio shows
/// how much the machine itself has changed.
fn print_growth(steps: &[(u64, Rounds)]) {
    let Some((_, first)) = steps.first() else { return };
    println!("CPU of app and Postgres, and p50, divided by those of the first step:\n");
    let names: Vec<&str> = first.iter().map(|(workload, _)| workload.name.as_str()).collect();
    println!("| hearts | {} |\n| ---: |{}", names.join(" | "), " ---: |".repeat(names.len()));
    for (heart_count, rounds) in steps {
        let cells = rounds.iter().zip(first).map(|((_, now), (_, before))| {
            let ratio = |field: fn(&Figures) -> f64| median(now.iter().map(field)) / median(before.iter().map(field));
            format!("{}, {}", report::format(ratio(|f| f.app_cpu + f.postgres_cpu)), report::format(ratio(|f| f.p50)))
        });
        println!("| {heart_count} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
    println!();
}

/// Measures the app's count of all hearts, alone and during the workload `heart`.
async fn run_while_counting(harness: &mut Harness, options: &Options) -> Result<()> {
    let pool = db::pool(&Secret::new(harness.postgres.url()), 1)?;
    let clock = harness.postgres.pool.clone();
    let idle_time = count_hearts(&pool, &clock).await?;
    println!("The app's count of all hearts takes {:.2} s on an idle server.\n", idle_time.as_secs_f64());
    let duration = Duration::from_secs(options.seconds);
    let counting = async move {
        let mut times = Vec::new();
        let start = Instant::now();
        while start.elapsed() < duration {
            times.push(count_hearts(&pool, &clock).await?.as_secs_f64());
        }
        let (count, longest) = (times.len(), times.iter().copied().fold(0.0, f64::max));
        anyhow::Ok(format!("While all hearts are counted {count} times without a pause, each within {longest:.2} s:"))
    };
    run_hearts_during(harness, options, counting).await
}

/// Counts all hearts as the app's job does, once no other process counts them. Returns how long it took.
async fn count_hearts(pool: &Pool, clock: &PgPool) -> Result<Duration> {
    loop {
        let now: OffsetDateTime = sqlx::query_scalar("select now()").fetch_one(clock).await?;
        let (limit, until) = (time::Duration::minutes(5), now + time::Duration::minutes(5));
        if !db::heart_counts::lease(pool, time::Duration::ZERO, until, now).await? {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        }
        let start = Instant::now();
        db::heart_counts::refresh(pool, limit, now).await?;
        let elapsed = start.elapsed();
        db::heart_counts::release(pool, until, now, time::Duration::ZERO).await?;
        return Ok(elapsed);
    }
}

/// Measures the workload `heart` while the app's cleanup deletes half of the filler sessions.
async fn run_while_cleaning_up(harness: &mut Harness, options: &Options) -> Result<()> {
    let expire = "update sessions set expires_at = now() - random() * interval '1 day'
               where user_id % 2 = 0 and user_id in (select id from users where display_name = 'filler')";
    for statement in [expire, "vacuum analyze sessions", "checkpoint"] {
        harness.postgres.pool.execute(statement).await?;
    }
    let now: OffsetDateTime = sqlx::query_scalar("select now()").fetch_one(&harness.postgres.pool).await?;
    let pool = db::pool(&Secret::new(harness.postgres.url()), 1)?;
    let cleanup = async move {
        let start = Instant::now();
        let deleted = timeout(CLEANUP_TIMEOUT, db::sessions::delete_expired(&pool, now)).await;
        let seconds = start.elapsed().as_secs_f64();
        anyhow::Ok(match deleted {
            Ok(deleted) => format!("While {} expired sessions are deleted, which takes {seconds:.0} s:", deleted?),
            Err(_) => format!("While expired sessions are deleted, which is not finished after {seconds:.0} s:"),
        })
    };
    run_hearts_during(harness, options, cleanup).await
}

/// Runs one round of the workload `heart` while `job` runs. The job returns the title of the table.
async fn run_hearts_during(
    harness: &mut Harness,
    options: &Options,
    job: impl Future<Output = Result<String>> + Send + 'static,
) -> Result<()> {
    let job = tokio::spawn(job);
    let mut workloads = harness.workloads(&["heart".into()]).await?;
    workloads.retain(|workload| workload.name == "heart");
    let rounds = run_workloads(harness, workloads, &Options { rounds: 1, ..options.clone() }).await?;
    let title = job.await.context("the job panicked")??;
    report::print_table(&title, &rounds);
    Ok(())
}

/// Adds users who send no requests, each with a session as large as a real one.
async fn add_filler_users(pool: &PgPool) -> Result<()> {
    let fill = "with filler as (insert into users (display_name, created_at)
            select 'filler', now() from generate_series(1, $1::int8) returning id)
        insert into sessions (id_hash, user_id, sealed, created_at, expires_at)
        select sha256(convert_to(id::text, 'UTF8')), id, (select sealed from sessions where user_id is not null limit 1),
               now(), now() + random() * interval '180 days' + interval '1 day' from filler";
    let mut connection = pool.acquire().await?;
    connection.execute("set synchronous_commit = off").await?;
    sqlx::query(fill).bind(FILLER_USERS as i64).execute(&mut *connection).await?;
    connection.execute("reset synchronous_commit").await?;
    Ok(())
}

/// Adds the filler hearts number `from` to `to`, spread evenly over the filler users and 200,000 playlists.
async fn add_filler_hearts(pool: &PgPool, from: u64, to: u64) -> Result<()> {
    let fill = "with filler as (select min(id) as first from users where display_name = 'filler')
        insert into user_hearts (user_id, playlist_id, hearted_at)
            select first + n % $3, 'G' || lpad(((n % $3 * 7 + n / $3 * 13) % 200000)::text, 21, '0'), now() - n * interval '1 ms'
            from generate_series($1::int8, $2::int8 - 1) n, filler";
    let mut connection = pool.acquire().await?;
    // Replica mode skips the foreign key checks.
    connection.execute("set synchronous_commit = off; set session_replication_role = replica").await?;
    let insert = sqlx::query(fill).bind(from as i64).bind(to as i64).bind(FILLER_USERS as i64);
    insert.execute(&mut *connection).await?;
    connection.execute("reset synchronous_commit; reset session_replication_role").await?;
    for statement in ["vacuum analyze", "checkpoint"] {
        connection.execute(statement).await?;
    }
    // Flushes dirty pages, which would disturb the next measurement.
    tokio::task::spawn_blocking(|| Command::new("sync").status()).await??;
    Ok(())
}
