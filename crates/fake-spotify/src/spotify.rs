//! The Web API under `/v1`, as a development-mode app meets it.

use super::World;
use super::form::Params;
use super::library::Playlist;
use super::listeners::Listener;
use super::refused::Refused;
use super::wire::{Page, Wire, path_segment};
use super::world::State as WorldState;
use axum::Json;
use axum::extract::{FromRequestParts, Path, RawQuery, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::sync::Arc;

/// Whoever the bearer token stands for, let in by every gate there is.
pub(super) struct Caller {
    pub(super) listener: Arc<Listener>,
    scope: String,
    pub(super) wire: Wire,
}

impl FromRequestParts<World> for Caller {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, world: &World) -> Result<Self, Refused> {
        let token = bearer(&parts.headers)?;
        let state = world.state();
        let pass = state.grants.pass(token, state.now());
        let pass = pass.ok_or(Refused::Token("invalid_token"))?;
        if !state.switches.owner_premium {
            return Err(Refused::NotPremium);
        }
        // What the real service tells an app that asks for nobody is not documented; this is its usual no.
        let listener = pass.listener.ok_or(Refused::FORBIDDEN)?;
        let listener = state.listener(&listener).ok_or(Refused::Token("invalid_token"))?;
        if !listener.allow_listed {
            return Err(Refused::NotListed);
        }
        Ok(Self {
            listener,
            scope: pass.scope,
            wire: Wire { base: world.settings().base().to_owned(), legacy: state.switches.legacy_regime },
        })
    }
}

impl Caller {
    pub(super) fn may(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|granted| granted == scope)
    }

    /// Whether the scopes let the app know of an entry of the person's own list.
    fn may_know(&self, playlist: &Playlist) -> bool {
        let private = playlist.owner.id == self.listener.id && playlist.public != Some(true);
        (!private || self.may("playlist-read-private"))
            && (!playlist.collaborative || self.may("playlist-read-collaborative"))
    }

    /// A playlist they may know of: one of their list, or a public one of somebody else.
    fn find(&self, state: &WorldState, id: &str) -> Option<Playlist> {
        let own = self.listener.library.iter().flatten();
        if let Some(playlist) = own.into_iter().find(|p| p.id == id) {
            return self.may_know(playlist).then(|| playlist.clone());
        }
        let all = state.listeners.iter().flat_map(|l| l.library.iter().flatten());
        all.into_iter().find(|p| p.id == id && p.public == Some(true)).cloned()
    }

    fn sees_inside(&self, playlist: &Playlist) -> bool {
        self.wire.legacy || self.listener.has_a_hand_in(playlist)
    }
}

/// `GET /v1/me`.
pub(super) async fn me(caller: Caller) -> Json<Value> {
    Json(caller.wire.profile(&caller.listener))
}

/// `GET /v1/me/playlists`: what they made and what they follow.
pub(super) async fn my_playlists(caller: Caller, RawQuery(query): RawQuery) -> Result<Json<Value>, Refused> {
    let page = page(query.as_deref())?;
    let shelf = caller.listener.library.iter();
    let known: Vec<_> = shelf.filter(|entry| entry.as_ref().is_none_or(|p| caller.may_know(p))).collect();
    let shown = known.iter().skip(page.offset).take(page.limit);
    let entries = shown.map(|entry| match entry {
        Some(playlist) => caller.wire.simplified(playlist),
        None => Value::Null,
    });
    // The links lead to a path that development-mode apps are refused; so do the real ones.
    let path = format!("/v1/users/{}/playlists", path_segment(&caller.listener.id));
    let length = (known.len(), known.len() + caller.listener.surplus);
    let entries = entries.collect();
    Ok(Json(caller.wire.paging(&path, page, length, entries)))
}

/// `GET /v1/playlists/{id}`: with its contents if they have a hand in it.
pub(super) async fn playlist(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refused> {
    let playlist = caller.find(&world.state(), &id).ok_or(Refused::NOT_FOUND)?;
    let inside = caller.sees_inside(&playlist);
    Ok(Json(caller.wire.full(&playlist, inside)))
}

/// `GET /v1/playlists/{id}/items`: only if they have a hand in it.
pub(super) async fn items(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refused> {
    let page = page(query.as_deref())?;
    let playlist = caller.find(&world.state(), &id).ok_or(Refused::NOT_FOUND)?;
    if !caller.sees_inside(&playlist) {
        return Err(Refused::FORBIDDEN);
    }
    Ok(Json(caller.wire.items(&playlist, page)))
}

/// `/v1/playlists/{id}/tracks`: gone since February 2026, but for legacy apps.
pub(super) async fn tracks(
    state: State<World>,
    caller: Caller,
    id: Path<String>,
    query: RawQuery,
) -> Result<Json<Value>, Refused> {
    if !caller.wire.legacy {
        return Err(Refused::FORBIDDEN);
    }
    items(state, caller, id, query).await
}

/// Paths that development-mode apps lost.
pub(super) async fn removed(_caller: Caller) -> Refused {
    Refused::FORBIDDEN
}

/// Whatever else is asked for.
pub(super) async fn unknown(uri: Uri) -> Response {
    if uri.path().starts_with("/v1/") {
        return Refused::Error(404, "Service not found").into_response();
    }
    (StatusCode::NOT_FOUND, "Nothing here. This is a made-up Spotify.").into_response()
}

/// The token of the header; one in the address does not count.
fn bearer(headers: &HeaderMap) -> Result<&str, Refused> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Err(Refused::Token("missing_token"));
    };
    let value = value.to_str().unwrap_or("");
    let malformed = Refused::Error(400, "Only valid bearer authentication supported");
    let (scheme, token) = value.split_once(' ').ok_or(malformed)?;
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(malformed);
    }
    Ok(token)
}

fn page(query: Option<&str>) -> Result<Page, Refused> {
    let params = Params::read(query.unwrap_or("")).map_err(|_| Refused::Error(400, "Invalid query"))?;
    let number = |name, default| match params.get(name) {
        None => Ok(default),
        Some(text) => text.parse::<usize>(),
    };
    let limit = number("limit", 20).ok().filter(|limit| (1..=50).contains(limit));
    let offset = number("offset", 0).ok().filter(|offset| *offset <= 100_000);
    Ok(Page {
        limit: limit.ok_or(Refused::Error(400, "Invalid limit"))?,
        offset: offset.ok_or(Refused::Error(400, "Invalid offset"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_kept() {
        assert_eq!(page(None).unwrap(), Page { limit: 20, offset: 0 });
        let asked = page(Some("limit=50&offset=100000&locale=de")).unwrap();
        assert_eq!((asked.limit, asked.offset), (50, 100_000));
        for bad in ["limit=0", "limit=51", "limit=-1", "limit=x", "offset=100001", "limit=1&limit=2"] {
            assert_eq!(page(Some(bad)).unwrap_err().into_response().status(), 400, "{bad}");
        }
    }
}
