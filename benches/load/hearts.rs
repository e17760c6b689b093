//! The states of all hearts that the app acknowledged, and their comparison with the rows in Postgres.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use reqwest::header::COOKIE;
use reqwest::{Client, Method};
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::task::JoinSet;

use crate::outcome::Outcome;
use crate::requests::{Heart, Requests};

/// Longer than the five minutes that the app waits after a count that took long.
const COUNT_TIMEOUT: Duration = Duration::from_secs(400);

/// The state of every toggled heart in the last response.
#[derive(Default)]
pub(crate) struct HeartStates {
    states: HashMap<Heart, bool>,
    toggles: u64,
}

impl HeartStates {
    /// Returns the current states of the hearts in `requests`. Hearts start as not set.
    pub(crate) fn get(&self, requests: &Requests) -> Vec<bool> {
        requests.hearts.iter().map(|heart| self.states.get(heart).copied().unwrap_or(false)).collect()
    }

    /// Records the responses of a run. Requests that wrk dropped at its end are sent again, all at once.
    pub(crate) async fn record(&mut self, base_url: &str, requests: &Requests, outcome: &Outcome) -> Result<()> {
        self.toggles += outcome.toggles;
        let client = Client::new();
        let mut in_flight = JoinSet::new();
        for (number, (heart, state)) in requests.hearts.iter().zip(&outcome.states).enumerate() {
            match state {
                Some(state) => drop(self.states.insert(heart.clone(), *state)),
                None => {
                    let (hearted, heart) = (number % 2 == 0, heart.clone());
                    let method = if hearted { Method::PUT } else { Method::DELETE };
                    let request = client.request(method, format!("{base_url}/heart/{}", heart.playlist));
                    let request = request.header(COOKIE, &requests.cookies[&heart.user]);
                    let request = request.header("sec-fetch-site", "same-origin");
                    in_flight.spawn(async move { anyhow::Ok((heart, hearted, request.send().await?.status())) });
                }
            }
        }
        while let Some(response) = in_flight.join_next().await {
            let (heart, hearted, status) = response??;
            ensure!(status == 200, "{heart:?}: {status}");
            self.states.insert(heart, hearted);
            self.toggles += 1;
        }
        Ok(())
    }

    /// Fails if a heart's row differs from its last acknowledged state, or the app's next count of hearts is wrong.
    pub(crate) async fn check(&self, pool: &PgPool) -> Result<()> {
        if self.states.is_empty() {
            return Ok(());
        }
        let users: BTreeSet<i64> = self.states.keys().map(|heart| heart.user).collect();
        let stored = "select user_id, playlist_id from user_hearts where user_id = any($1) and removed_at is null";
        let stored: Vec<(i64, String)> = sqlx::query_as(stored).bind(Vec::from_iter(users)).fetch_all(pool).await?;
        let stored: HashSet<Heart> = stored.into_iter().map(|(user, playlist)| Heart { user, playlist }).collect();
        for (heart, state) in &self.states {
            ensure!(*state == stored.contains(heart), "{heart:?} was acknowledged as {state}");
        }
        println!(
            "{} toggles of {} hearts: the last acknowledged state of each is stored.",
            self.toggles,
            self.states.len()
        );
        check_counts(pool).await
    }
}

async fn check_counts(pool: &PgPool) -> Result<()> {
    let waited = wait_for_count(pool).await?;
    let wrong = "select count(*) from heart_counts c full join (
            select playlist_id, count(*) as hearts from user_hearts where removed_at is null group by playlist_id) h
        using (playlist_id) where c.hearts is distinct from h.hearts";
    let wrong: i64 = sqlx::query_scalar(wrong).fetch_one(pool).await?;
    ensure!(wrong == 0, "heart_counts is wrong for {wrong} playlists");
    println!("The app's next count of hearts, {waited:.0} s later, was right for every playlist.");
    Ok(())
}

/// Waits until the app has counted all hearts as they are now. Returns how many seconds that took.
pub(crate) async fn wait_for_count(pool: &PgPool) -> Result<f64> {
    let start = Instant::now();
    let now: OffsetDateTime = sqlx::query_scalar("select now()").fetch_one(pool).await?;
    let counted = "select exists (select from top_lists where made_at > $1)";
    while !sqlx::query_scalar::<_, bool>(counted).bind(now).fetch_one(pool).await? {
        ensure!(start.elapsed() < COUNT_TIMEOUT, "the app has not counted the hearts within {COUNT_TIMEOUT:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(start.elapsed().as_secs_f64())
}
