//! Clients of the harness itself, for what no load tool can ask: a sign-in goes through two servers, and a cold library
//! needs a change before each page.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use reqwest::header::COOKIE;

use crate::Options;
use crate::bench::Bench;
use crate::people::{CARD, ROWS, sign_in};
use crate::visitor::Visitor;
use crate::wrk::Outcome;

/// How long the fake Spotify takes for each list.
const SPOTIFY_DELAY: Duration = Duration::from_millis(20);

/// People sign in again and again, each time with a new browser.
pub(crate) async fn sign_ins(bench: &Bench, options: &Options) -> Result<Outcome> {
    let (base, people) = (bench.app.base.clone(), bench.writers.clone());
    run(options, move |client| {
        let (base, key) = (base.clone(), people[client % people.len()].key.clone());
        async move {
            let start = Instant::now();
            sign_in(&Visitor::new(&base), &key).await?;
            Ok(start.elapsed())
        }
    })
    .await
}

/// Pages of people whose library is deleted before each. Only the page is timed.
pub(crate) async fn cold_library(bench: &Bench, options: &Options) -> Result<Outcome> {
    bench.spotify.delay_lists(SPOTIFY_DELAY);
    let client = reqwest::Client::new();
    let (people, pool) = (bench.cold.clone(), bench.postgres.pool.clone());
    let address = format!("{}/playlists", bench.app.base);
    let outcome = run(options, move |number| {
        let (client, pool, address) = (client.clone(), pool.clone(), address.clone());
        let person = people[number % people.len()].clone();
        async move {
            sqlx::query("delete from libraries where user_id = $1").bind(person.id).execute(&pool).await?;
            let start = Instant::now();
            let page = client.get(address).header(COOKIE, person.cookie).send().await?.text().await?;
            let took = start.elapsed();
            ensure!(page.matches(CARD).count() == ROWS, "not a page of {ROWS}: {page}");
            Ok(took)
        }
    })
    .await;
    bench.spotify.end_delay();
    outcome
}

/// Runs as many clients as there are connections, each of which calls `act` again and again.
async fn run<F>(options: &Options, act: impl Fn(usize) -> F + Clone + Send + 'static) -> Result<Outcome>
where
    F: Future<Output = Result<Duration>> + Send + 'static,
{
    let start = Instant::now();
    let end = start + Duration::from_secs(options.seconds);
    let clients = (0..options.connections).map(|client| {
        let act = act.clone();
        tokio::spawn(async move {
            let mut times = Vec::new();
            while Instant::now() < end {
                times.push(act(client).await?);
            }
            anyhow::Ok(times)
        })
    });
    let mut times = Vec::new();
    for client in clients.collect::<Vec<_>>() {
        times.append(&mut client.await??);
    }
    let seconds = start.elapsed().as_secs_f64();
    times.sort();
    let at = |part: usize| times.get(times.len() * part / 100).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3);
    let requests = times.len() as u64;
    Ok(Outcome {
        requests,
        presses: 0,
        seconds,
        p50: at(50),
        p99: at(99),
        checked: requests,
        page_bytes: f64::NAN,
        states: Vec::new(),
    })
}
