//! What somebody is listening to, as the Web API tells it.

use super::form::Params;
use super::listeners::Playing;
use super::music;
use super::refused::Refused;
use super::spotify::Caller;
use axum::Json;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// `GET /v1/me/player/currently-playing`.
pub(super) async fn currently_playing(caller: Caller, RawQuery(query): RawQuery) -> Result<Response, Refused> {
    if !caller.may("user-read-currently-playing") {
        // The player's own wording for a missing scope, with 401 where others say 403.
        return Err(Refused::Error(401, "Permissions missing"));
    }
    let query = query.unwrap_or_default();
    let params = Params::read(&query).map_err(|_| Refused::Error(400, "Invalid query"))?;
    let types = params.get("additional_types").unwrap_or("");
    let episodes = types.split(',').any(|kind| kind == "episode");
    Ok(match now_playing(&caller, episodes) {
        Some(body) => Json(body).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

fn now_playing(caller: &Caller, episodes: bool) -> Option<Value> {
    let song = |seed: &str| music::song(&format!("playing {seed}"));
    let (context, item, kind) = match &caller.listener.playing {
        Playing::Nothing => return None,
        Playing::Playlist(id) => (
            json!({
                "external_urls": {"spotify": format!("https://open.spotify.com/playlist/{id}")},
                "href": format!("{}/v1/playlists/{id}", caller.wire.base),
                "type": "playlist", "uri": format!("spotify:playlist:{id}"),
            }),
            caller.wire.track(&song(id)),
            "track",
        ),
        Playing::NoContext => (Value::Null, caller.wire.track(&song("by itself")), "track"),
        Playing::Episode if episodes => (Value::Null, caller.wire.episode(&song("a podcast")), "episode"),
        Playing::Episode => (Value::Null, Value::Null, "episode"),
        Playing::Ad => (Value::Null, Value::Null, "ad"),
    };
    Some(json!({
        "actions": {"disallows": {"resuming": true}},
        "context": context,
        "currently_playing_type": kind,
        "is_playing": true,
        "item": item,
        "progress_ms": 42_000,
        "timestamp": 1_790_000_000_000_i64,
    }))
}
