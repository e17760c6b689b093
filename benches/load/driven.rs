//! What no load tool can ask, because a visit goes through two servers or needs a change before it: played by
//! tasks of the harness, each doing one after the other.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use reqwest::header::COOKIE;

use crate::Wishes;
use crate::listeners::{ROWS, sign_in};
use crate::stage::Stage;
use crate::visitor::Visitor;
use crate::wrk::Told;

/// How long Spotify takes for each list.
const SPOTIFY: Duration = Duration::from_millis(20);

/// Whole sign-ins, each with a new browser.
pub(crate) async fn sign_ins(stage: &Stage, wishes: &Wishes) -> Result<Told> {
    let base = stage.app.base.clone();
    let listeners = wishes.listeners;
    looped(wishes, move |client| {
        let (base, key) = (base.clone(), format!("writer-{}", client % listeners + 1));
        async move {
            let begun = Instant::now();
            sign_in(&Visitor::new(&base), &key).await?;
            Ok(begun.elapsed())
        }
    })
    .await
}

/// Pages of people whose library is forgotten before each; only the page's time counts.
pub(crate) async fn cold(stage: &Stage, wishes: &Wishes) -> Result<Told> {
    stage.standin.slow(SPOTIFY);
    let client = reqwest::Client::new();
    let (people, pool) = (stage.cold.clone(), stage.postgres.pool.clone());
    let address = format!("{}/playlists", stage.app.base);
    let told = looped(wishes, move |number| {
        let (client, pool, address, person) =
            (client.clone(), pool.clone(), address.clone(), people[number % people.len()].clone());
        async move {
            sqlx::query("delete from libraries where user_id = $1").bind(person.id).execute(&pool).await?;
            let begun = Instant::now();
            let page = client.get(address).header(COOKIE, person.cookie).send().await?.text().await?;
            let took = begun.elapsed();
            ensure!(page.matches("<li class=\"card\"").count() == ROWS, "not a page of {ROWS}: {page}");
            Ok(took)
        }
    })
    .await;
    stage.standin.mend();
    told
}

/// Lets every client act again and again for as long as is wished.
async fn looped<F>(wishes: &Wishes, act: impl Fn(usize) -> F + Clone + Send + 'static) -> Result<Told>
where
    F: Future<Output = Result<Duration>> + Send + 'static,
{
    let begun = Instant::now();
    let end = begun + Duration::from_secs(wishes.seconds);
    let clients = (0..wishes.connections).map(|client| {
        let act = act.clone();
        tokio::spawn(async move {
            let mut took = Vec::new();
            while Instant::now() < end {
                took.push(act(client).await?);
            }
            anyhow::Ok(took)
        })
    });
    let mut all = Vec::new();
    for client in clients.collect::<Vec<_>>() {
        all.append(&mut client.await??);
    }
    let seconds = begun.elapsed().as_secs_f64();
    all.sort();
    let at = |part: usize| all.get(all.len() * part / 100).map_or(f64::NAN, |took| took.as_secs_f64() * 1e3);
    let requests = all.len() as u64;
    Ok(Told { requests, writes: 0, seconds, p50: at(50), p99: at(99), checked: requests })
}
