//! The states of all hearts that the app acknowledged, and the comparison with what Postgres stores.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use reqwest::header::COOKIE;
use reqwest::{Client, Method};
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::task::JoinSet;

use crate::wrk::{Outcome, Requests};

/// One person's heart for one playlist.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Heart {
    pub(crate) user: i64,
    pub(crate) playlist: String,
}

/// Every heart that was pressed, with its state by the last answer.
#[derive(Default)]
pub(crate) struct HeartStates {
    states: HashMap<Heart, bool>,
    presses: u64,
}

impl HeartStates {
    /// Returns the states from which `requests` goes on. A heart that was never pressed is not given.
    pub(crate) fn get(&self, requests: &Requests) -> Vec<bool> {
        requests.hearts.iter().map(|heart| self.states.get(heart).copied().unwrap_or(false)).collect()
    }

    /// Records the answers of one run. Hearts whose answer wrk did not wait for are pressed once more, all of them at
    /// once.
    ///
    /// # Errors
    /// If one of these presses fails.
    pub(crate) async fn record(&mut self, base: &str, requests: &Requests, outcome: &Outcome) -> Result<()> {
        self.presses += outcome.presses;
        let client = Client::new();
        let mut under_way = JoinSet::new();
        for (number, (heart, state)) in requests.hearts.iter().zip(&outcome.states).enumerate() {
            match state {
                Some(state) => drop(self.states.insert(heart.clone(), *state)),
                None => {
                    let (hearted, heart) = (number % 2 == 0, heart.clone());
                    let method = if hearted { Method::PUT } else { Method::DELETE };
                    let request = client.request(method, format!("{base}/heart/{}", heart.playlist));
                    let request = request.header(COOKIE, &requests.cookies[&heart.user]);
                    let request = request.header("sec-fetch-site", "same-origin");
                    under_way.spawn(async move { anyhow::Ok((heart, hearted, request.send().await?.status())) });
                }
            }
        }
        while let Some(answer) = under_way.join_next().await {
            let (heart, hearted, status) = answer??;
            ensure!(status == 200, "{heart:?}: {status}");
            self.states.insert(heart, hearted);
            self.presses += 1;
        }
        Ok(())
    }

    /// Compares every acknowledged state with Postgres, then waits for the app's count of all hearts and compares that.
    ///
    /// # Errors
    /// If a heart is not as it was acknowledged, or a count is wrong.
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
            "{} presses of {} hearts: the last acknowledged state of each is stored.",
            self.presses,
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
    println!("The app's next count, {waited:.0} s later, was right for every playlist.");
    Ok(())
}

/// Waits until the app has counted all hearts as they are now. Returns how many seconds that took.
pub(crate) async fn wait_for_count(pool: &PgPool) -> Result<f64> {
    let start = Instant::now();
    let now: OffsetDateTime = sqlx::query_scalar("select now()").fetch_one(pool).await?;
    let counted = "select exists (select from top_lists where made_at > $1)";
    while !sqlx::query_scalar::<_, bool>(counted).bind(now).fetch_one(pool).await? {
        // A long count is followed by a rest of up to five minutes.
        ensure!(start.elapsed() < Duration::from_secs(400), "the app does not count the hearts");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(start.elapsed().as_secs_f64())
}
