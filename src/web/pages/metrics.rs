//! `/metrics` in OpenMetrics text format: counts of this process and of the database.

use std::sync::Arc;

use axum::Extension;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::domain::doctor;
use crate::web::error::{AppError, Result};
use crate::web::extract::{Now, State};
use crate::web::middleware::metrics::{Labels, RequestMetrics};
use crate::web::pages::setup::OperatorRequest;

pub(crate) async fn show(
    _: OperatorRequest,
    app: State,
    Now(now): Now,
    Extension(request_metrics): Extension<Arc<RequestMetrics>>,
) -> Result {
    let metrics = doctor::load_metrics(&app, now).await?;
    let mut registry = Registry::with_prefix("heartlist");
    registry.register("requests", "Requests handled by this process", request_metrics.requests.clone());
    registry.register("request_seconds", "Duration of requests in seconds", request_metrics.durations.clone());
    let connections = [("idle", metrics.idle_connections), ("used", metrics.used_connections)]
        .map(|(state, count)| (vec![label("state", state)], count));
    register_gauge_family(&mut registry, "database_connections", "Connections of this process", connections);
    register_gauge(&mut registry, "hearts", "All hearts", metrics.hearts);
    register_gauge(&mut registry, "sessions", "Sessions that have not ended", metrics.sessions);
    let calls = metrics.calls.iter().map(|(endpoint, calls)| (vec![label("endpoint", endpoint)], *calls));
    register_gauge_family(&mut registry, "spotify_calls_today", "Calls to Spotify since midnight UTC", calls);
    let cooldowns = metrics.cooldowns.iter().map(|(bucket, cooldown)| {
        let labels = vec![label("bucket", bucket), label("quota", cooldown.quota)];
        (labels, (cooldown.until - now).whole_seconds())
    });
    register_gauge_family(
        &mut registry,
        "spotify_cooldown_seconds",
        "Remaining seconds of each pause in calls to Spotify",
        cooldowns,
    );
    let mut text = String::new();
    encode(&mut text, &registry).map_err(AppError::internal)?;
    Ok(([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response())
}

fn label(name: &'static str, value: impl ToString) -> (&'static str, String) {
    (name, value.to_string())
}

fn register_gauge(registry: &mut Registry, name: &str, help: &str, value: i64) {
    let gauge = Gauge::<i64>::default();
    gauge.set(value);
    registry.register(name, help, gauge);
}

fn register_gauge_family(
    registry: &mut Registry,
    name: &str,
    help: &str,
    values: impl IntoIterator<Item = (Labels, i64)>,
) {
    let family = Family::<Labels, Gauge>::default();
    for (labels, value) in values {
        family.get_or_create(&labels).set(value);
    }
    registry.register(name, help, family);
}
