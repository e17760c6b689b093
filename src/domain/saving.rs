//! Saving hearted playlists in the user's library at Spotify, for users who turned that on. The heart is stored before,
//! and stands whatever Spotify answers. Nothing is ever removed at Spotify.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio::time::timeout;

use super::spotify_calls::Endpoint;
use super::{CurrentUser, Error, Scopes, tokens};
use crate::app::App;
use crate::ids::PlaylistId;
use crate::oauth::providers::SAVING_SCOPES;
use crate::rate_limiter::retry_seconds;

/// How long the response to a new heart waits for Spotify. The call itself may take longer.
const SAVING_WAIT: Duration = Duration::from_secs(2);

/// Why a playlist was not saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotSaved {
    /// Spotify lacks or refuses the user's consent to saving.
    NotGranted,
    Reconnect,
    NotFound,
    /// Spotify or Heartlist limits calls for this number of minutes.
    Limited(u64),
    Unavailable,
    /// Spotify has not responded within [`SAVING_WAIT`].
    NoResponseYet,
}

/// Returns whether the user has allowed Heartlist at Spotify to save playlists.
pub fn is_granted(user: &CurrentUser) -> bool {
    user.grant.as_ref().is_some_and(|grant| grants_saving(&grant.scopes))
}

pub fn grants_saving(scopes: &Scopes) -> bool {
    SAVING_SCOPES.iter().all(|scope| scopes.contains(*scope))
}

pub fn lacks_saving(missing: &Scopes) -> bool {
    SAVING_SCOPES.iter().any(|scope| missing.contains(*scope))
}

/// Returns the scopes to request with the next consent, if saving is off.
pub fn without_saving(scopes: &Scopes) -> Scopes {
    scopes - &SAVING_SCOPES.map(str::to_owned).into()
}

/// Saves a playlist that the user has just hearted. Returns `None` if the user has not turned that on.
pub async fn save(
    app: &App,
    user: &CurrentUser,
    playlist: &PlaylistId,
    now: OffsetDateTime,
) -> Option<Result<(), NotSaved>> {
    if !user.saves_to_library {
        return None;
    }
    let (app, user, playlist) = (app.clone(), user.clone(), playlist.clone());
    // Spawned, so that neither the timeout nor a closed page cancels the call.
    let call = tokio::spawn(async move { call(&app, &user, &playlist, now).await });
    let result = timeout(SAVING_WAIT, call).await;
    Some(result.map_or(Err(NotSaved::NoResponseYet), |joined| joined.unwrap_or(Err(NotSaved::Unavailable))))
}

async fn call(app: &App, user: &CurrentUser, playlist: &PlaylistId, now: OffsetDateTime) -> Result<(), NotSaved> {
    if user.grant.is_some() && !is_granted(user) {
        return Err(NotSaved::NotGranted);
    }
    let saved = tokens::with_token(app, user, Endpoint::SaveToLibrary, now, |token| async move {
        app.spotify.save_to_library(&token, playlist).await
    });
    saved.await.map_err(|error| {
        tracing::debug!(%error, "a hearted playlist was not saved at Spotify");
        match error {
            Error::NotAllowed => NotSaved::NotGranted,
            Error::Reconnect | Error::NotConnected => NotSaved::Reconnect,
            Error::NotFound => NotSaved::NotFound,
            Error::RateLimited { wait, .. } | Error::TooManyCalls { wait, .. } => {
                NotSaved::Limited(retry_seconds(wait).div_ceil(60))
            }
            _ => NotSaved::Unavailable,
        }
    })
}
