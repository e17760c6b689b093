//! `/metrics` in Prometheus's text format: counts of this process, and of the rows that all processes share.

use std::sync::Arc;

use axum::Extension;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::domain::doctor;
use crate::web::error::AppError;
use crate::web::extract::{Now, State};
use crate::web::middleware::metrics::{Labels, Traffic};
use crate::web::pages::setup::Operator;

pub(crate) async fn show(
    _: Operator,
    app: State,
    Now(now): Now,
    Extension(traffic): Extension<Arc<Traffic>>,
) -> Result<Response, AppError> {
    let meter = doctor::load_metrics(&app, now).await?;
    let mut all = Registry::with_prefix("heartlist");
    all.register("requests", "Requests answered by this process", traffic.answered.clone());
    all.register("request_seconds", "How long their answers took", traffic.took.clone());
    let connections = [("idle", meter.idle_connections), ("used", meter.used_connections)]
        .map(|(state, count)| (vec![label("state", state)], count));
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
    encode(&mut text, &all).map_err(AppError::internal)?;
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

fn gauge(all: &mut Registry, name: &str, help: &str, values: impl IntoIterator<Item = (Labels, i64)>) {
    let family = Family::<Labels, Gauge>::default();
    for (labels, value) in values {
        family.get_or_create(&labels).set(value);
    }
    all.register(name, help, family);
}
