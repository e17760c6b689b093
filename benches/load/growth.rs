//! The same requests with more and more hearts and sessions of strangers in the tables.

use std::future::Future;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use heartlist::db::{self, Pool};
use heartlist::ids::Secret;
use sqlx::{Executor, PgPool};
use time::OffsetDateTime;
use tokio::time::timeout;

use crate::Options;
use crate::bench::Bench;
use crate::hearts::wait_for_count;
use crate::report::{self, Rounds, median};
use crate::rounds::run_all;

/// Sizes of the table of hearts.
const STEPS: [u64; 5] = [0, 10_000, 100_000, 1_000_000, 10_000_000];
/// How many strangers there are, each with a session.
const STRANGERS: u64 = 1_000_000;
/// How long the cleanup of half their sessions is waited for.
const MAX_CLEANUP: Duration = Duration::from_secs(120);
/// What is measured at each step.
const MIXES: [&str; 7] = ["heart", "pgbench", "playlists", "hearts", "search", "sign-ins", "top"];

/// Fills the tables step by step up to `most` hearts, and prints a table at each step and one that compares them.
pub(crate) async fn run(bench: &mut Bench, options: &Options, most: u64) -> Result<()> {
    let only = MIXES.map(str::to_owned);
    let mut steps: Vec<(u64, Rounds)> = Vec::new();
    for size in STEPS.into_iter().filter(|size| *size <= most) {
        let pool = &bench.postgres.pool;
        let start = Instant::now();
        match steps.last() {
            None => {}
            Some((0, _)) => {
                add_strangers(pool).await?;
                add_hearts(pool, 0, size).await?;
            }
            Some((before, _)) => add_hearts(pool, *before, size).await?,
        }
        eprintln!("filled to {size} hearts in {:.0} s", start.elapsed().as_secs_f64());
        wait_for_count(pool).await?;
        let mixes = bench.mixes(&only).await?;
        let rounds = run_all(bench, mixes, options).await?;
        let sessions = if size == 0 { 0 } else { STRANGERS };
        report::print_table(&format!("With {size} hearts and {sessions} sessions of strangers:"), &rounds);
        steps.push((size, rounds));
    }
    print_growth(&steps);
    if steps.len() > 1 {
        run_while_counting(bench, options).await?;
        run_while_cleaning_up(bench, options).await?;
    }
    Ok(())
}

/// Prints each step's CPU time and p50 as a ratio of the first step's. pgbench's tables do not grow: its ratio is that of
/// the machine.
fn print_growth(steps: &[(u64, Rounds)]) {
    let Some((_, first)) = steps.first() else { return };
    println!("CPU of app and Postgres, and p50, divided by those without strangers:\n");
    let names: Vec<&str> = first.iter().map(|(mix, _)| mix.name.as_str()).collect();
    println!("| hearts | {} |\n| ---: |{}", names.join(" | "), " ---: |".repeat(names.len()));
    for (size, rounds) in steps {
        let cells = rounds.iter().zip(first).map(|((_, now), (_, before))| {
            let ratio =
                |take: fn(&report::Figures) -> f64| median(now.iter().map(take)) / median(before.iter().map(take));
            format!("{}, {}", report::format(ratio(|f| f.app + f.postgres)), report::format(ratio(|f| f.p50)))
        });
        println!("| {size} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
    println!();
}

/// Measures the app's count of all hearts, alone and while hearts are pressed.
async fn run_while_counting(bench: &mut Bench, options: &Options) -> Result<()> {
    let pool = db::pool(&Secret::new(bench.postgres.url()), 1)?;
    let clock = bench.postgres.pool.clone();
    let alone = count_hearts(&pool, &clock).await?;
    println!("The app's count of all hearts takes {:.2} s on an idle server.\n", alone.as_secs_f64());
    let duration = Duration::from_secs(options.seconds);
    let counting = async move {
        let mut times = Vec::new();
        let start = Instant::now();
        while start.elapsed() < duration {
            times.push(count_hearts(&pool, &clock).await?.as_secs_f64());
        }
        let (count, longest) = (times.len(), times.iter().copied().fold(0.0, f64::max));
        anyhow::Ok(format!(
            "While all hearts are counted without a rest, {count} times, which takes {longest:.2} s at most:"
        ))
    };
    run_hearts_during(bench, options, counting).await
}

/// Counts all hearts as the app's job does, when no other process does. Returns how long it took.
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
        let took = start.elapsed();
        db::heart_counts::release(pool, until, now, time::Duration::ZERO).await?;
        return Ok(took);
    }
}

/// Measures hearts while the app's cleanup deletes half of the strangers' sessions.
async fn run_while_cleaning_up(bench: &mut Bench, options: &Options) -> Result<()> {
    let end = "update sessions set expires_at = now() - random() * interval '1 day'
               where user_id % 2 = 0 and user_id in (select id from users where display_name = 'stranger')";
    for statement in [end, "vacuum analyze sessions", "checkpoint"] {
        bench.postgres.pool.execute(statement).await?;
    }
    let now: OffsetDateTime = sqlx::query_scalar("select now()").fetch_one(&bench.postgres.pool).await?;
    let pool = db::pool(&Secret::new(bench.postgres.url()), 1)?;
    let cleanup = async move {
        let start = Instant::now();
        let deleted = timeout(MAX_CLEANUP, db::sessions::delete_expired(&pool, now)).await;
        let seconds = start.elapsed().as_secs_f64();
        anyhow::Ok(match deleted {
            Ok(deleted) => format!("While {} expired sessions are deleted, which takes {seconds:.0} s:", deleted?),
            Err(_) => format!("While expired sessions are deleted, which is not finished after {seconds:.0} s:"),
        })
    };
    run_hearts_during(bench, options, cleanup).await
}

/// Runs one round of hearts while `job` runs. The job returns the title of the table.
async fn run_hearts_during(
    bench: &mut Bench,
    options: &Options,
    job: impl Future<Output = Result<String>> + Send + 'static,
) -> Result<()> {
    let job = tokio::spawn(job);
    let mut mixes = bench.mixes(&["heart".into()]).await?;
    mixes.retain(|mix| mix.name == "heart");
    let rounds = run_all(bench, mixes, &Options { rounds: 1, ..options.clone() }).await?;
    let title = job.await.context("the job")??;
    report::print_table(&title, &rounds);
    Ok(())
}

/// Adds people who never come back, each with a session as large as a real one.
async fn add_strangers(pool: &PgPool) -> Result<()> {
    let fill = "with strangers as (insert into users (display_name, created_at)
            select 'stranger', now() from generate_series(1, $1::int8) returning id)
        insert into sessions (id_hash, user_id, sealed, created_at, expires_at)
        select sha256(convert_to(id::text, 'UTF8')), id, (select sealed from sessions where user_id is not null limit 1),
               now(), now() + random() * interval '180 days' + interval '1 day' from strangers";
    let mut connection = pool.acquire().await?;
    connection.execute("set synchronous_commit = off").await?;
    sqlx::query(fill).bind(STRANGERS as i64).execute(&mut *connection).await?;
    connection.execute("reset synchronous_commit").await?;
    Ok(())
}

/// Adds the strangers' hearts number `from` to `to`: one for each stranger, then another for each, of 200,000 playlists.
async fn add_hearts(pool: &PgPool, from: u64, to: u64) -> Result<()> {
    let fill = "with strangers as (select min(id) as first from users where display_name = 'stranger')
        insert into user_hearts (user_id, playlist_id, hearted_at)
            select first + n % $3, 'G' || lpad(((n % $3 * 7 + n / $3 * 13) % 200000)::text, 21, '0'), now() - n * interval '1 ms'
            from generate_series($1::int8, $2::int8 - 1) n, strangers";
    let mut connection = pool.acquire().await?;
    // The foreign key's look-ups are skipped here alone.
    connection.execute("set synchronous_commit = off; set session_replication_role = replica").await?;
    let bounds = sqlx::query(fill).bind(from as i64).bind(to as i64).bind(STRANGERS as i64);
    bounds.execute(&mut *connection).await?;
    connection.execute("reset synchronous_commit; reset session_replication_role").await?;
    for statement in ["vacuum analyze", "checkpoint"] {
        connection.execute(statement).await?;
    }
    // The kernel writes what Postgres gave it before anything is measured.
    tokio::task::spawn_blocking(|| Command::new("sync").status()).await??;
    Ok(())
}
