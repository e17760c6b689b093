//! Request counts and durations for `/metrics`.

use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

pub(crate) type Labels = Vec<(&'static str, String)>;

/// Requests answered by this process.
pub(crate) struct Traffic {
    pub(crate) answered: Family<Labels, Counter>,
    pub(crate) took: Family<Labels, Histogram, fn() -> Histogram>,
}

impl Traffic {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { answered: Family::default(), took: Family::new_with_constructor(histogram) })
    }
}

/// Buckets from a page of stored rows (milliseconds) to the request timeout (25 seconds).
fn histogram() -> Histogram {
    Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0])
}

/// Counts a request by its route, not by its path: the number of paths is unbounded.
pub(crate) async fn count(Extension(traffic): Extension<Arc<Traffic>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    // Clients can invent methods, which would be unbounded, too.
    let known = ["GET", "HEAD", "POST", "PUT", "DELETE"].contains(&request.method().as_str());
    let method = if known { request.method().to_string() } else { "other".into() };
    let start = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    traffic.took.get_or_create(&vec![("route", route.clone())]).observe(start.elapsed().as_secs_f64());
    traffic.answered.get_or_create(&vec![("method", method), ("route", route), ("status", status)]).inc();
    response
}
