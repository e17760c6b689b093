//! The same requests while the tables grow: what a heart and a page cost must not follow the size of the table.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};
use heartlist::db;
use heartlist::ids::Secret;
use sqlx::Executor;
use time::OffsetDateTime;

use crate::Wishes;
use crate::report;
use crate::rounds::play_all;
use crate::stage::Stage;

/// The tables' sizes, in hearts.
const STEPS: [u64; 5] = [0, 10_000, 100_000, 1_000_000, 10_000_000];
/// How many strangers there are, each with a session.
const STRANGERS: u64 = 1_000_000;
/// What is measured at each step.
const MIXES: [&str; 5] = ["heart", "hearts", "hearts, new", "playlists", "top"];

/// Fills the tables step by step up to `most` hearts and prints a table at each.
pub(crate) async fn play(stage: &mut Stage, wishes: &Wishes, most: u64) -> Result<()> {
    let known = stage.mixes(&[]).await?;
    let only: Vec<String> =
        MIXES.iter().filter(|name| known.iter().any(|mix| mix.name == **name)).map(|name| (*name).to_owned()).collect();
    let mut before = 0;
    for (step, size) in STEPS.into_iter().filter(|size| *size <= most).enumerate() {
        let begun = Instant::now();
        if before == 0 && size > 0 {
            strangers(stage).await?;
        }
        hearts(stage, before, size).await?;
        eprintln!("filled to {size} hearts in {:.0} s", begun.elapsed().as_secs_f64());
        let mixes = stage.mixes(&only).await?;
        let rounds = play_all(stage, mixes, wishes, (step + 1) * 10_000).await?;
        let sessions = if size == 0 { 0 } else { STRANGERS };
        report::table(&format!("With {size} hearts and {sessions} sessions of strangers:"), &rounds);
        before = size;
    }
    if before > 0 { while_swept(stage, wishes).await } else { Ok(()) }
}

/// Hearts, while half of the strangers' sessions are removed as the app does it.
async fn while_swept(stage: &mut Stage, wishes: &Wishes) -> Result<()> {
    let end = "update sessions set expires_at = now() - random() * interval '1 day'
               where user_id % 2 = 0 and user_id in (select id from users where display_name = 'stranger')";
    for statement in [end, "vacuum analyze sessions", "checkpoint"] {
        stage.postgres.pool.execute(statement).await?;
    }
    let now: OffsetDateTime = sqlx::query_scalar("select now()").fetch_one(&stage.postgres.pool).await?;
    let pool = db::pool(&Secret::new(stage.postgres.url()), 1)?;
    let sweep = tokio::spawn(async move {
        let begun = Instant::now();
        let gone = db::sessions::sweep(&pool, now).await?;
        anyhow::Ok((gone, begun.elapsed().as_secs_f64()))
    });
    let (hearts, once) = (stage.mixes(&["heart".into()]).await?, Wishes { rounds: 1, ..wishes.clone() });
    let rounds = play_all(stage, hearts, &once, 90_000).await?;
    let (gone, seconds) = sweep.await.context("the sweep")??;
    report::table(&format!("While {gone} ended sessions are swept, which takes {seconds:.1} s:"), &rounds);
    Ok(())
}

/// People who never come back, each with a session as large as a real one.
async fn strangers(stage: &Stage) -> Result<()> {
    let fill = "with made as (insert into users (display_name, created_at)
            select 'stranger', now() from generate_series(1, $1::int8) returning id)
        insert into sessions (id_hash, user_id, sealed, created_at, expires_at)
        select sha256(convert_to(id::text, 'UTF8')), id, (select sealed from sessions where user_id is not null limit 1),
               now(), now() + random() * interval '180 days' + interval '1 day' from made";
    let mut connection = stage.postgres.pool.acquire().await?;
    connection.execute("set synchronous_commit = off").await?;
    sqlx::query(fill).bind(STRANGERS as i64).execute(&mut *connection).await?;
    connection.execute("reset synchronous_commit").await?;
    Ok(())
}

/// The strangers' hearts number `from` to `to`: each stranger hearts a playlist, then each another, of 200,000.
async fn hearts(stage: &Stage, from: u64, to: u64) -> Result<()> {
    let fill = "with strangers as (select min(id) as first from users where display_name = 'stranger'),
        given as (insert into hearts (user_id, playlist_id, hearted_at)
            select first + n % $3, 'G' || lpad(((n % $3 * 7 + n / $3 * 13) % 200000)::text, 21, '0'), now() - n * interval '1 ms'
            from generate_series($1::int8, $2::int8 - 1) n, strangers returning playlist_id)
        insert into heart_counts as c (playlist_id, hearts) select playlist_id, count(*) from given group by playlist_id
        on conflict (playlist_id) do update set hearts = c.hearts + excluded.hearts";
    let mut connection = stage.postgres.pool.acquire().await?;
    // Off for the filling alone: a million look-ups of people who are there.
    connection.execute("set synchronous_commit = off; set session_replication_role = replica").await?;
    let bounds = sqlx::query(fill).bind(from as i64).bind(to as i64).bind(STRANGERS as i64);
    bounds.execute(&mut *connection).await?;
    connection.execute("reset synchronous_commit; reset session_replication_role").await?;
    for tidy in ["vacuum analyze", "checkpoint"] {
        connection.execute(tidy).await?;
    }
    // The kernel writes what it was given, too, before anything is measured.
    tokio::task::spawn_blocking(|| Command::new("sync").status()).await??;
    Ok(())
}
