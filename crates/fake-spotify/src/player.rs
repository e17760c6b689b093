//! The player endpoint of the Web API.

use axum::Json;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::api_error::ApiError;
use crate::music;
use crate::params::Params;
use crate::user::Playing;
use crate::web_api::ApiUser;

/// `GET /v1/me/player/currently-playing`.
pub(crate) async fn get_currently_playing(api_user: ApiUser, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    if !api_user.has_scope("user-read-currently-playing") {
        // The player answers 401 to a missing scope, where other endpoints answer 403.
        return Err(ApiError::Message(401, "Permissions missing"));
    }
    let query = query.unwrap_or_default();
    let params = Params::parse(&query).map_err(|_| ApiError::INVALID_QUERY)?;
    let types = params.get("additional_types").unwrap_or("");
    let with_episodes = types.split(',').any(|kind| kind == "episode");
    Ok(match now_playing(&api_user, with_episodes) {
        Some(body) => Json(body).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

fn now_playing(api_user: &ApiUser, with_episodes: bool) -> Option<Value> {
    let song = |seed: &str| music::song(&format!("playing {seed}"));
    let (context, item, kind) = match &api_user.user.playing {
        Playing::Nothing => return None,
        Playing::Playlist(id) => (
            json!({
                "external_urls": {"spotify": format!("https://open.spotify.com/playlist/{id}")},
                "href": format!("{}/v1/playlists/{id}", api_user.wire.base),
                "type": "playlist", "uri": format!("spotify:playlist:{id}"),
            }),
            api_user.wire.track(&song(id)),
            "track",
        ),
        Playing::NoContext => (Value::Null, api_user.wire.track(&song("by itself")), "track"),
        Playing::Episode if with_episodes => (Value::Null, api_user.wire.episode(&song("a podcast")), "episode"),
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
