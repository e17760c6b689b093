//! Numbers for the operator's monitoring, in Prometheus's text format: those of this process, and the rows that all
//! processes share.

use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::extract::{MatchedPath, Request};
use axum::http::header::CONTENT_TYPE;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::error::Fault;
use super::setup::Operator;
use super::{Now, State};
use crate::domain::doctor;

type Labels = Vec<(&'static str, String)>;

/// The requests that this process has answered.
pub(super) struct Traffic {
    answered: Family<Labels, Counter>,
    took: Family<Labels, Histogram, fn() -> Histogram>,
}

impl Traffic {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { answered: Family::default(), took: Family::new_with_constructor(histogram) })
    }
}

/// From a page of kept rows (milliseconds) to the longest that a request may take (25 seconds).
fn histogram() -> Histogram {
    Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0])
}

/// Counts a request when it is answered, by its route and not by its address: those are without number.
pub(super) async fn count(Extension(traffic): Extension<Arc<Traffic>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    // Anybody may invent a method.
    let known = ["GET", "HEAD", "POST", "PUT", "DELETE"].contains(&request.method().as_str());
    let method = if known { request.method().to_string() } else { "other".into() };
    let start = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    traffic.took.get_or_create(&vec![("route", route.clone())]).observe(start.elapsed().as_secs_f64());
    traffic.answered.get_or_create(&vec![("method", method), ("route", route), ("status", status)]).inc();
    response
}

/// All numbers, for the operator alone.
pub(super) async fn show(
    _: Operator,
    app: State,
    Now(now): Now,
    Extension(traffic): Extension<Arc<Traffic>>,
) -> Result<Response, Fault> {
    let meter = doctor::meter(&app, now).await?;
    let mut all = Registry::with_prefix("heartlist");
    all.register("requests", "Requests answered by this process", traffic.answered.clone());
    all.register("request_seconds", "How long their answers took", traffic.took.clone());
    let connections =
        [("idle", meter.idle), ("used", meter.used)].map(|(state, count)| (vec![label("state", state)], count));
    gauge(&mut all, "database_connections", "Connections of this process", connections);
    number(&mut all, "hearts", "All hearts", meter.hearts);
    number(&mut all, "sessions", "Sessions that have not ended", meter.sessions);
    let calls = meter.calls.iter().map(|(endpoint, calls)| (vec![label("endpoint", endpoint)], *calls));
    gauge(&mut all, "spotify_calls_today", "Calls to Spotify since midnight UTC", calls);
    let left = meter.cooldowns.iter().map(|rest| {
        let labels = vec![label("bucket", &rest.bucket), label("quota", rest.quota)];
        (labels, (rest.until - now).whole_seconds())
    });
    gauge(&mut all, "spotify_cooldown_seconds", "For how long nobody asks Spotify", left);
    let mut text = String::new();
    encode(&mut text, &all).map_err(Fault::internal)?;
    Ok(([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response())
}

fn label(name: &'static str, value: impl ToString) -> (&'static str, String) {
    (name, value.to_string())
}

fn number(all: &mut Registry, name: &str, help: &str, value: i64) {
    let gauge = Gauge::<i64>::default();
    gauge.set(value);
    all.register(name, help, gauge);
}

/// A number for each thing of a kind.
fn gauge(all: &mut Registry, name: &str, help: &str, values: impl IntoIterator<Item = (Labels, i64)>) {
    let family = Family::<Labels, Gauge>::default();
    for (labels, value) in values {
        family.get_or_create(&labels).set(value);
    }
    all.register(name, help, family);
}
