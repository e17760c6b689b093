//! Numbers for the operator's monitoring, in Prometheus's text format.

use std::fmt::Write;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::error::Fault;
use super::setup::Operator;
use super::{Now, State};
use crate::domain::doctor;

/// How often Spotify was asked today, and how long nobody may ask it; from the rows that all processes share.
pub(super) async fn show(_: Operator, app: State, Now(now): Now) -> Result<Response, Fault> {
    let meter = doctor::meter(&app, now).await?;
    let mut text = String::from("# HELP heartlist_spotify_calls_today Calls to Spotify since midnight UTC.\n");
    text.push_str("# TYPE heartlist_spotify_calls_today gauge\n");
    for (endpoint, calls) in meter.calls {
        let _ = writeln!(text, "heartlist_spotify_calls_today{{endpoint=\"{endpoint}\"}} {calls}");
    }
    text.push_str("# HELP heartlist_spotify_cooldown_seconds For how long nobody asks Spotify.\n");
    text.push_str("# TYPE heartlist_spotify_cooldown_seconds gauge\n");
    for cooldown in meter.cooldowns {
        let (bucket, quota) = (cooldown.bucket, cooldown.quota);
        let left = (cooldown.until - now).whole_seconds();
        let _ = writeln!(text, "heartlist_spotify_cooldown_seconds{{bucket=\"{bucket}\",quota=\"{quota}\"}} {left}");
    }
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}
