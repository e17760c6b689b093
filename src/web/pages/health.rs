//! Health checks for the platform.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::http::StatusCode;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::app::App;
use crate::domain::doctor;
use crate::web::extract::State;

/// How long an answer is given to all probes. Anybody can send as many as they like.
const ANSWER_TTL: Duration = Duration::from_secs(1);
/// Timeout of the database: a frozen one would leave probes without an answer.
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);

type Answer = (StatusCode, &'static str);

/// The last answer and its time. Locked while the database is asked, so that all other probes wait for that answer.
pub(crate) type LastAnswer = Arc<Mutex<Option<(Instant, Answer)>>>;

/// Liveness: calls neither the database nor Spotify.
pub(crate) async fn live() -> &'static str {
    "ok\n"
}

/// Readiness: the database is reachable and has the migrations of this release.
pub(crate) async fn ready(app: State, Extension(last): Extension<LastAnswer>) -> Answer {
    let mut last = last.lock_owned().await;
    if let Some((_, answer)) = last.filter(|(at, _)| at.elapsed() < ANSWER_TTL) {
        return answer;
    }
    // In a task, because a probe that is given up must not make room for the next while the database is still asked.
    let check = tokio::spawn(async move {
        let answer = timeout(CHECK_TIMEOUT, check(&app)).await.unwrap_or(UNREACHABLE);
        *last = Some((Instant::now(), answer));
        answer
    });
    check.await.unwrap_or(UNREACHABLE)
}

const UNREACHABLE: Answer = (StatusCode::SERVICE_UNAVAILABLE, "the database is unreachable\n");

async fn check(app: &App) -> Answer {
    match doctor::is_ready(app).await {
        Ok(true) if app.mode_check.initialized() => (StatusCode::OK, "ready\n"),
        Ok(true) => (StatusCode::SERVICE_UNAVAILABLE, "the database is not checked yet\n"),
        Ok(false) => (StatusCode::SERVICE_UNAVAILABLE, "migrations are missing\n"),
        Err(_) => UNREACHABLE,
    }
}
