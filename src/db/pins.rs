//! Pins: a user's hearts that stand first in lists. Each holds a number from 1 to 4, which a unique index gives to one
//! heart at a time. A removed heart keeps its number until another heart needs it, so that no statement that brings it
//! back, in whichever build, can fail.

use super::{Pool, Result};
use crate::ids::{PlaylistId, UserId};

pub const MAX_PINS: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinResult {
    /// It is pinned now, or was before.
    Pinned,
    TooMany,
    NotHearted,
}

/// Pins a heart, if fewer than [`MAX_PINS`] others are pinned.
pub async fn pin(pool: &Pool, user: UserId, playlist: &PlaylistId) -> Result<PinResult> {
    // A concurrent request may take the same pin. It then counts as taken at the next attempt.
    for _ in 0..2 * MAX_PINS {
        match try_pin(pool, user, playlist).await {
            Err(error) if is_pin_taken(&error) => {}
            Ok(PinResult::TooMany) if release_one(pool, user).await? => {}
            result => return Ok(result?),
        }
    }
    Ok(PinResult::TooMany)
}

/// Pins hearts that have just been stored, as many as it can. Returns the number of the others. An error is only
/// logged, because it must not look as if the hearts were lost.
pub(super) async fn pin_all(pool: &Pool, user: UserId, playlists: &[PlaylistId]) -> usize {
    let mut left_unpinned = 0;
    for playlist in playlists {
        let result = pin(pool, user, playlist).await;
        if let Err(error) = &result {
            tracing::warn!(%user, %error, "a heart was not pinned");
        }
        left_unpinned += usize::from(!matches!(result, Ok(PinResult::Pinned)));
    }
    left_unpinned
}

/// Takes the pin of the heart that was removed first. Returns `false` if no removed heart has one.
async fn release_one(pool: &Pool, user: UserId) -> Result<bool> {
    let query = sqlx::query_scalar!(
        "select playlist_id from user_hearts where user_id = $1 and pin is not null and removed_at is not null
         order by removed_at, playlist_id limit 1",
        user.0
    );
    let Some(removed) = query.fetch_optional(pool).await? else { return Ok(false) };
    let query = sqlx::query!(
        "update user_hearts set pin = null where user_id = $1 and playlist_id = $2 and removed_at is not null",
        user.0,
        removed
    );
    // A heart that has just returned keeps its pin. The next attempt finds another, or none.
    query.execute(pool).await?;
    Ok(true)
}

async fn try_pin(pool: &Pool, user: UserId, playlist: &PlaylistId) -> Result<PinResult, sqlx::Error> {
    let query = sqlx::query_scalar!(
        "update user_hearts set pin = coalesce(pin, (
             select min(free)::smallint from generate_series(1, 4) free
             where not exists (select from user_hearts o
                               where o.user_id = $1 and o.pin = free and o.pin is not null)))
         where user_id = $1 and playlist_id = $2 and removed_at is null
         returning pin",
        user.0,
        playlist.as_str()
    );
    Ok(match query.fetch_optional(pool).await? {
        Some(Some(_)) => PinResult::Pinned,
        Some(None) => PinResult::TooMany,
        None => PinResult::NotHearted,
    })
}

/// Takes the pin off a heart.
///
/// # Errors
/// [`super::Error::UserGone`] if there is no such pin, and no account any more.
pub async fn unpin(pool: &Pool, user: UserId, playlist: &PlaylistId) -> Result<()> {
    let query = sqlx::query!(
        "update user_hearts set pin = null where user_id = $1 and playlist_id = $2 and pin is not null",
        user.0,
        playlist.as_str()
    );
    let unpinned = query.execute(pool).await?.rows_affected();
    if unpinned == 0 { super::check_user(pool, user).await } else { Ok(()) }
}

/// Returns the ids of a user's pinned playlists.
pub async fn list(executor: impl sqlx::PgExecutor<'_>, user: UserId) -> Result<Vec<String>> {
    let query = sqlx::query_scalar!(
        "select playlist_id from user_hearts where user_id = $1 and pin is not null and removed_at is null order by pin",
        user.0
    );
    Ok(query.fetch_all(executor).await?)
}

/// True if a concurrent request has taken the pin.
fn is_pin_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.is_unique_violation())
}
