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

pub(crate) struct RequestMetrics {
    pub(crate) requests: Family<Labels, Counter>,
    pub(crate) durations: Family<Labels, Histogram, fn() -> Histogram>,
}

impl RequestMetrics {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { requests: Family::default(), durations: Family::new_with_constructor(histogram) })
    }
}

/// Buckets in seconds, up to the request timeout.
fn histogram() -> Histogram {
    Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0])
}

/// Records a request by its route pattern, because the number of paths is unbounded.
pub(crate) async fn record_request(
    Extension(request_metrics): Extension<Arc<RequestMetrics>>,
    request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    // Clients can send any method, so unknown ones share a label.
    let is_known = ["GET", "HEAD", "POST", "PUT", "DELETE"].contains(&request.method().as_str());
    let method = if is_known { request.method().to_string() } else { "other".into() };
    let start = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    request_metrics.durations.get_or_create(&vec![("route", route.clone())]).observe(start.elapsed().as_secs_f64());
    request_metrics.requests.get_or_create(&vec![("method", method), ("route", route), ("status", status)]).inc();
    response
}
