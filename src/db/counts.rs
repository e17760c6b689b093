//! How many hearts each playlist has: rows that people share, and so always locked in one order, that of their ids.

use sqlx::PgConnection;

use super::Error;
use crate::ids::UserId;

/// Locks what the end of the account of `user` changes, in one pass: the numbers of its hearts, or of those alone that
/// `into` gave too when they move there, and of what only its library may know as private. In two passes, the second
/// could wait for somebody who waits for the first.
///
/// # Errors
/// When the database fails.
pub(super) async fn lock(connection: &mut PgConnection, user: UserId, into: Option<UserId>) -> Result<(), Error> {
    let locked = sqlx::query!(
        "select count(*) from (
             select c.playlist_id from heart_counts c where c.playlist_id in (
                 select h.playlist_id from hearts h where h.user_id = $1
                        and ($2::bigint is null or exists (select from hearts i where i.user_id = $2 and i.playlist_id = h.playlist_id))
                 union select id from playlists where user_id = $1 and not public)
             order by 1 for update of c) locked",
        user.0,
        into.map(|into| into.0)
    );
    locked.fetch_one(connection).await?;
    Ok(())
}

/// Keeps in mind what the person's library has as private, before its rows go: it must not show to others because
/// nobody knows that any longer. To be locked before.
///
/// # Errors
/// When the database fails.
pub(super) async fn remember_private(connection: &mut PgConnection, user: UserId) -> Result<(), Error> {
    let hidden = sqlx::query!(
        "update heart_counts c set private = true from playlists p
         where p.user_id = $1 and not p.public and c.playlist_id = p.id and not c.private",
        user.0
    );
    hidden.execute(connection).await?;
    Ok(())
}

/// The same for single rows of libraries, each by its person and its playlist.
///
/// # Errors
/// When the database fails.
pub(super) async fn remember_these(connection: &mut PgConnection, users: &[i64], ids: &[String]) -> Result<(), Error> {
    let hidden = sqlx::query!(
        "with hidden as (select c.playlist_id from heart_counts c where not c.private and c.playlist_id in (
                             select p.id from unnest($1::bigint[], $2::text[]) as old (user_id, id) join playlists p using (user_id, id)
                             where not p.public)
                         order by 1 for update of c)
         update heart_counts c set private = true from hidden where c.playlist_id = hidden.playlist_id",
        users,
        ids
    );
    hidden.execute(connection).await?;
    Ok(())
}
