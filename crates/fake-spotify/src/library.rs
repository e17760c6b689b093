//! The library under `/v1/me/library`, as it is since February 2026: one path for all kinds of content.

use axum::extract::{RawQuery, State};

use crate::api_error::ApiError;
use crate::params::Params;
use crate::state::FakeSpotify;
use crate::web_api::ApiUser;

/// Maximum number of URIs in a request.
const MAX_URIS: usize = 40;
/// The scopes that playlists need. Spotify lists three for the path; which of them a request needs depends on its URIs.
const SCOPES: [&str; 2] = ["user-library-modify", "playlist-modify-public"];

/// `PUT /v1/me/library?uris=…`: saves playlists, which follows them. All or none; other content is not imitated.
pub(crate) async fn save(
    State(fake): State<FakeSpotify>,
    api_user: ApiUser,
    RawQuery(query): RawQuery,
) -> Result<(), ApiError> {
    if !SCOPES.iter().all(|scope| api_user.has_scope(scope)) {
        return Err(ApiError::Message(403, "Insufficient client scope"));
    }
    let params = Params::parse(query.as_deref().unwrap_or("")).map_err(|_| ApiError::INVALID_QUERY)?;
    let uris: Vec<_> = params.get("uris").unwrap_or("").split(',').collect();
    let ids: Option<Vec<_>> = uris.iter().map(|uri| uri.strip_prefix("spotify:playlist:")).collect();
    let ids = ids.filter(|ids| ids.len() <= MAX_URIS).ok_or(ApiError::Message(400, "Invalid uris"))?;
    let playlists: Option<Vec<_>> = ids.iter().map(|id| api_user.find_playlist(&fake.state(), id)).collect();
    let playlists = playlists.ok_or(ApiError::NOT_FOUND)?;
    fake.update_user(&api_user.user.key, |user| {
        for playlist in playlists {
            if !user.has_in_library(&playlist.id) {
                user.library.insert(0, Some(playlist));
            }
        }
    });
    Ok(())
}
