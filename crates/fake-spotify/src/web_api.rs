//! The Web API under `/v1`, as seen by a development-mode app.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, Path, RawQuery, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::api_error::ApiError;
use crate::paging::Page;
use crate::params::Params;
use crate::playlist::Playlist;
use crate::state::{self, FakeSpotify};
use crate::user::User;
use crate::wire::{WireFormat, path_segment};

/// Extractor: the user of the bearer token. Rejects requests that the Web API refuses as a whole.
pub(crate) struct ApiUser {
    pub(crate) user: Arc<User>,
    scope: String,
    pub(crate) wire: WireFormat,
}

impl FromRequestParts<FakeSpotify> for ApiUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, fake: &FakeSpotify) -> Result<Self, ApiError> {
        let token = bearer_token(&parts.headers)?;
        let state = fake.state();
        let access = state.grants.access_token(token, state.now());
        let access = access.ok_or(ApiError::Token("invalid_token"))?;
        if !state.switches.owner_has_premium {
            return Err(ApiError::NotPremium);
        }
        // Spotify does not document its answer to a client-credentials token here; 403 is its usual refusal.
        let key = access.user_key.ok_or(ApiError::FORBIDDEN)?;
        let user = state.user(&key).ok_or(ApiError::Token("invalid_token"))?;
        if !user.is_allow_listed {
            return Err(ApiError::NotAllowListed);
        }
        Ok(Self {
            user,
            scope: access.scope,
            wire: WireFormat {
                base: fake.settings().base().to_owned(),
                is_legacy: state.switches.legacy_api,
                paging_quirk: state.switches.paging_quirk,
            },
        })
    }
}

impl ApiUser {
    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|granted| granted == scope)
    }

    /// Whether the scopes cover a playlist of the user's library.
    fn can_see(&self, playlist: &Playlist) -> bool {
        let private = playlist.owner.id == self.user.id && playlist.public != Some(true);
        (!private || self.has_scope("playlist-read-private"))
            && (!playlist.collaborative || self.has_scope("playlist-read-collaborative"))
    }

    /// A playlist that the app may see: from the user's library, or a public one of another user.
    pub(crate) fn find_playlist(&self, state: &state::State, id: &str) -> Option<Playlist> {
        let own = self.user.library.iter().flatten();
        if let Some(playlist) = own.into_iter().find(|p| p.id == id) {
            return self.can_see(playlist).then(|| playlist.clone());
        }
        let all = state.users.iter().flat_map(|user| user.library.iter().flatten());
        all.into_iter().find(|p| p.id == id && p.public == Some(true)).cloned()
    }

    fn can_see_items(&self, playlist: &Playlist) -> bool {
        self.wire.is_legacy || self.user.can_see_items(playlist)
    }
}

/// `GET /v1/me`.
pub(crate) async fn get_profile(api_user: ApiUser) -> Json<Value> {
    Json(api_user.wire.profile(&api_user.user))
}

/// `GET /v1/me/playlists`: playlists that the user owns or follows.
pub(crate) async fn list_playlists(
    State(fake): State<FakeSpotify>,
    api_user: ApiUser,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    let page = api_user.wire.replace_page(parse_page(query.as_deref())?);
    let library = api_user.user.library.iter();
    let visible: Vec<_> = library.filter(|entry| entry.as_ref().is_none_or(|p| api_user.can_see(p))).collect();
    let shown = visible.iter().skip(page.offset).take(page.limit);
    let entries = shown.map(|entry| match entry {
        Some(playlist) => api_user.wire.to_simplified(playlist),
        None => Value::Null,
    });
    // Spotify's links lead to this path too, although it refuses development-mode apps there.
    let path = format!("/v1/users/{}/playlists", path_segment(&api_user.user.id));
    let length = (visible.len(), visible.len() + api_user.user.total_excess);
    let entries = entries.collect();
    let collaborative = visible.iter().copied().flatten().find(|playlist| playlist.collaborative);
    let is_changing = page.offset == 0 && fake.state().switches.active_collaborators;
    if let Some(playlist) = collaborative.filter(|_| is_changing) {
        fake.add_song(&playlist.id);
    }
    Ok(Json(api_user.wire.paging(&path, page, length, entries)))
}

/// `GET /v1/playlists/{id}`: with items if the user owns it or collaborates on it.
pub(crate) async fn get_playlist(
    State(fake): State<FakeSpotify>,
    api_user: ApiUser,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let playlist = api_user.find_playlist(&fake.state(), &id).ok_or(ApiError::NOT_FOUND)?;
    let with_items = api_user.can_see_items(&playlist);
    Ok(Json(api_user.wire.full(&playlist, with_items)))
}

/// `GET /v1/playlists/{id}/items`: 403 unless the user owns it or collaborates on it.
pub(crate) async fn list_items(
    State(fake): State<FakeSpotify>,
    api_user: ApiUser,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    let page = parse_page(query.as_deref())?;
    let playlist = api_user.find_playlist(&fake.state(), &id).ok_or(ApiError::NOT_FOUND)?;
    if !api_user.can_see_items(&playlist) {
        return Err(ApiError::FORBIDDEN);
    }
    Ok(Json(api_user.wire.items(&playlist, page)))
}

/// `/v1/playlists/{id}/tracks`: removed in February 2026, except for legacy apps.
pub(crate) async fn list_tracks(
    state: State<FakeSpotify>,
    api_user: ApiUser,
    id: Path<String>,
    query: RawQuery,
) -> Result<Json<Value>, ApiError> {
    if !api_user.wire.is_legacy {
        return Err(ApiError::FORBIDDEN);
    }
    list_items(state, api_user, id, query).await
}

/// `GET /oembed`: what a page needs to embed a public playlist. 404 without a body for all others.
pub(crate) async fn embed(State(fake): State<FakeSpotify>, RawQuery(query): RawQuery) -> Response {
    let params = Params::parse(query.as_deref().unwrap_or("")).unwrap_or_default();
    let id = params.get("url").and_then(|url| url.strip_prefix("https://open.spotify.com/playlist/"));
    let state = fake.state();
    let mut all = state.users.iter().flat_map(|user| user.library.iter().flatten());
    let Some(playlist) = id.and_then(|id| all.find(|p| p.id == id && p.public == Some(true))) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let frame = format!("https://open.spotify.com/embed/playlist/{}?utm_source=oembed", playlist.id);
    let response = json!({
        "html": format!("<iframe src=\"{frame}\" width=\"100%\" height=\"352\"></iframe>"), "iframe_url": frame,
        "width": 456, "height": 352, "version": "1.0", "type": "rich", "title": playlist.name,
        "provider_name": "Spotify", "provider_url": "https://spotify.com",
    });
    Json(response).into_response()
}

/// Paths removed for development-mode apps.
pub(crate) async fn forbid(_api_user: ApiUser) -> ApiError {
    ApiError::FORBIDDEN
}

/// Any other path.
pub(crate) async fn not_found(uri: Uri) -> Response {
    if uri.path().starts_with("/v1/") {
        return ApiError::Message(404, "Service not found").into_response();
    }
    (StatusCode::NOT_FOUND, "Not found. This is a made-up Spotify.").into_response()
}

/// The token of the header; a token in the query is ignored, as Spotify does.
fn bearer_token(headers: &HeaderMap) -> Result<&str, ApiError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Err(ApiError::Token("missing_token"));
    };
    let value = value.to_str().unwrap_or("");
    let malformed = ApiError::Message(400, "Only valid bearer authentication supported");
    let (scheme, token) = value.split_once(' ').ok_or(malformed)?;
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(malformed);
    }
    Ok(token)
}

fn parse_page(query: Option<&str>) -> Result<Page, ApiError> {
    let params = Params::parse(query.unwrap_or("")).map_err(|_| ApiError::INVALID_QUERY)?;
    let number = |name, default| match params.get(name) {
        None => Ok(default),
        Some(text) => text.parse::<usize>(),
    };
    let limit = number("limit", 20).ok().filter(|limit| (1..=50).contains(limit));
    let offset = number("offset", 0).ok().filter(|offset| *offset <= 100_000);
    Ok(Page {
        limit: limit.ok_or(ApiError::Message(400, "Invalid limit"))?,
        offset: offset.ok_or(ApiError::Message(400, "Invalid offset"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_and_offset_are_validated() {
        assert_eq!(parse_page(None).unwrap(), Page { limit: 20, offset: 0 });
        let requested = parse_page(Some("limit=50&offset=100000&locale=de")).unwrap();
        assert_eq!((requested.limit, requested.offset), (50, 100_000));
        for bad in ["limit=0", "limit=51", "limit=-1", "limit=x", "offset=100001", "limit=1&limit=2"] {
            assert_eq!(parse_page(Some(bad)).unwrap_err().into_response().status(), 400, "{bad}");
        }
    }
}
