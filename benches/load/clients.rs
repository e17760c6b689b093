//! Clients of the harness itself, for workloads that wrk cannot send: a sign-in involves two servers, and a cold
//! library needs a change in the database before each page.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use reqwest::header::COOKIE;
use sqlx::PgPool;

use crate::fake_spotify::FakeSpotify;
use crate::options::Options;
use crate::outcome::Outcome;
use crate::support::visitor::Visitor;
use crate::users::{CARD_TAG, ROWS_PER_PAGE, User, sign_in};

/// Latency of each playlist request to the fake Spotify.
const SPOTIFY_DELAY: Duration = Duration::from_millis(20);

/// Signs `users` in over and over, each time with a new cookie jar.
pub(crate) async fn run_sign_ins(options: &Options, base_url: &str, users: &[User]) -> Result<Outcome> {
    let (base_url, users) = (base_url.to_owned(), users.to_vec());
    run_clients(options, move |client| {
        let (base_url, key) = (base_url.clone(), users[client % users.len()].key.clone());
        async move {
            let start = Instant::now();
            sign_in(&Visitor::new(&base_url), &key).await?;
            Ok(start.elapsed())
        }
    })
    .await
}

/// Opens pages of `users` whose library is deleted before each. Only the page is timed.
pub(crate) async fn run_cold_library(
    options: &Options,
    base_url: &str,
    users: &[User],
    pool: &PgPool,
    spotify: &FakeSpotify,
) -> Result<Outcome> {
    spotify.delay_lists(SPOTIFY_DELAY);
    let http = reqwest::Client::new();
    let (users, pool, url) = (users.to_vec(), pool.clone(), format!("{base_url}/playlists"));
    let outcome = run_clients(options, move |client| {
        let (http, pool, url) = (http.clone(), pool.clone(), url.clone());
        let user = users[client % users.len()].clone();
        async move {
            sqlx::query("delete from libraries where user_id = $1").bind(user.id).execute(&pool).await?;
            let start = Instant::now();
            let page = http.get(url).header(COOKIE, user.cookie).send().await?.text().await?;
            let elapsed = start.elapsed();
            ensure!(page.matches(CARD_TAG).count() == ROWS_PER_PAGE, "not a page of {ROWS_PER_PAGE}: {page}");
            Ok(elapsed)
        }
    })
    .await;
    spotify.end_delay();
    outcome
}

/// Runs one client per connection. Each sends requests until the time is up; `request` returns how long one took.
async fn run_clients<F>(options: &Options, request: impl Fn(usize) -> F + Clone + Send + 'static) -> Result<Outcome>
where
    F: Future<Output = Result<Duration>> + Send + 'static,
{
    let start = Instant::now();
    let end = start + Duration::from_secs(options.seconds);
    let clients = (0..options.connections).map(|client| {
        let request = request.clone();
        tokio::spawn(async move {
            let mut times = Vec::new();
            while Instant::now() < end {
                times.push(request(client).await?);
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
    let percentile = |n: usize| times.get(times.len() * n / 100).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3);
    let requests = times.len() as u64;
    Ok(Outcome {
        requests,
        toggles: 0,
        seconds,
        p50: percentile(50),
        p99: percentile(99),
        checked_pages: requests,
        page_bytes: f64::NAN,
        states: Vec::new(),
    })
}
