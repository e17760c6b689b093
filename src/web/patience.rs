//! How long a request may take. The clock stands while a long form is on its way, as long as it comes with some speed:
//! a slow line is its owner's, and the router before us waits for it too.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt;
use tokio::time::{Instant, timeout_at};

/// What is waited for.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// How long an answer may take once the whole request is here, and how long nothing more of it may come.
    pub(super) answer: Duration,
    /// How many bytes have to come in a second, on the whole: who drips has no more time than who sends nothing.
    pub(super) slowest: u32,
    /// How long a request may be on its way at most.
    pub(super) way: Duration,
}

impl Patience {
    /// Heroku's router gives up after 30 seconds, which it too counts from a request's end
    /// (devcenter.heroku.com/articles/request-timeout). The largest import comes in time at 18 KB a second.
    pub(super) const USUAL: Self =
        Self { answer: Duration::from_secs(25), slowest: 16 * 1024, way: Duration::from_secs(300) };
}

/// How far a request has come; clones look at the same one.
#[derive(Clone)]
struct Progress {
    begun: Instant,
    /// When something of it came last, and how many bytes have come.
    come: Arc<Mutex<(Instant, usize)>>,
}

impl Progress {
    fn begin() -> Self {
        let begun = Instant::now();
        Self { begun, come: Arc::new(Mutex::new((begun, 0))) }
    }

    fn note(&self, bytes: usize) {
        let mut come = self.come.lock().unwrap_or_else(PoisonError::into_inner);
        *come = (Instant::now(), come.1 + bytes);
    }

    /// When its time is over, if nothing more comes.
    fn deadline(&self, patience: Patience) -> Instant {
        let (latest, bytes) = *self.come.lock().unwrap_or_else(PoisonError::into_inner);
        let earned = Duration::from_secs_f64(bytes as f64 / f64::from(patience.slowest)).min(patience.way);
        latest.min(self.begun + earned) + patience.answer
    }
}

/// Ends a request whose time is over.
pub(super) async fn hold(State(patience): State<Patience>, request: Request, next: Next) -> Response {
    let progress = Progress::begin();
    let mut answer = pin!(next.run(request.map(|body| watched(body, progress.clone()))));
    loop {
        let deadline = progress.deadline(patience);
        match timeout_at(deadline, &mut answer).await {
            Ok(answer) => return answer,
            // More of it has come meanwhile.
            Err(_) if progress.deadline(patience) > deadline => {}
            Err(_) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    }
}

fn watched(body: Body, progress: Progress) -> Body {
    if body.is_end_stream() {
        return body;
    }
    Body::from_stream(body.into_data_stream().inspect_ok(move |part| progress.note(part.len())))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::Router;
    use axum::body::Bytes;
    use axum::middleware::from_fn_with_state;
    use axum::routing::post;
    use futures_util::stream;
    use tower::ServiceExt;

    use super::*;
    use crate::web::hearts::import;

    const STEP: Duration = Duration::from_secs(1);

    /// The answer to a form of ten parts of so many bytes, one in each step; the handler takes `work` when it has it.
    async fn answered(answer: Duration, part: usize, work: Duration) -> StatusCode {
        let handler = async move |body: Bytes| {
            tokio::time::sleep(work).await;
            body.len().to_string()
        };
        let patience = Patience { answer, slowest: 100, way: STEP * 100 };
        let router = Router::new().route("/", post(handler)).layer(from_fn_with_state(patience, hold));
        let parts = stream::unfold(0, move |sent| async move {
            tokio::time::sleep(STEP).await;
            (sent < 10).then(|| (Ok::<_, Infallible>(vec![b'x'; part]), sent + 1))
        });
        let request = Request::post("/").body(Body::from_stream(parts)).unwrap();
        router.oneshot(request).await.unwrap().status()
    }

    #[tokio::test(start_paused = true)]
    async fn a_form_may_be_long_on_its_way_but_not_its_answer() {
        // All of it takes ten seconds, and no part of it as long as nothing may come.
        assert_eq!(answered(STEP * 2, 1000, Duration::ZERO).await, StatusCode::OK);
        assert_eq!(answered(STEP * 2, 1000, STEP * 100).await, StatusCode::SERVICE_UNAVAILABLE);
    }

    #[tokio::test(start_paused = true)]
    async fn who_drips_or_sends_nothing_has_no_longer() {
        assert_eq!(answered(STEP * 5, 1, Duration::ZERO).await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answered(STEP / 2, 1000, Duration::ZERO).await, StatusCode::SERVICE_UNAVAILABLE);
    }

    #[tokio::test(start_paused = true)]
    async fn the_largest_import_may_take_five_minutes_and_no_request_longer() {
        let progress = Progress::begin();
        let time = || progress.deadline(Patience::USUAL) - progress.begun;
        assert_eq!(time(), Duration::from_secs(25));
        tokio::time::advance(Duration::from_secs(3600)).await;
        for bytes in [import::LONGEST_FILE, import::LONGEST_REQUEST] {
            progress.note(bytes);
            assert_eq!(time(), Duration::from_secs(300 + 25));
        }
    }
}
