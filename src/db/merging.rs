//! Two accounts become one.
//!
//! Whatever table holds what people made must be named here: the rest of the account that ends goes with it.

use sqlx::{Connection, PgConnection};

use super::{Error, Pool, counts};
use crate::ids::UserId;

/// Moves the ways in and the hearts of `from` to `into` and ends `from` with all its sessions, in one
/// transaction. A heart that both gave counts once, and keeps its first date. False, and nothing has changed:
/// one of them is gone, or both have a way in by the same provider.
///
/// # Errors
/// When the database fails; then nothing has changed.
pub async fn merge(pool: &Pool, from: UserId, into: UserId) -> Result<bool, Error> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    super::plan_anew(&mut tx).await?;
    super::without_haste(&mut tx).await?;
    // Locked for as long as it takes: a heart that `from` gives meanwhile waits, and then finds no owner.
    let both = sqlx::query!("select id from users where id in ($1, $2) order by id for update", from.0, into.0);
    if both.fetch_all(&mut *tx).await?.len() != 2 || collide(&mut tx, from, into).await? {
        return Ok(false);
    }
    sqlx::query!("update identities set user_id = $2 where user_id = $1", from.0, into.0).execute(&mut *tx).await?;
    counts::lock(&mut tx, from, Some(into)).await?;
    move_hearts(&mut tx, from, into).await?;
    counts::remember_private(&mut tx, from).await?;
    sqlx::query!("delete from users where id = $1", from.0).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(true)
}

async fn collide(connection: &mut PgConnection, from: UserId, into: UserId) -> Result<bool, Error> {
    let row = sqlx::query_scalar!(
        r#"select exists (select from identities a join identities b using (provider) where a.user_id = $1 and b.user_id = $2) as "collide!""#,
        from.0,
        into.0
    );
    Ok(row.fetch_one(connection).await?)
}

async fn move_hearts(connection: &mut PgConnection, from: UserId, into: UserId) -> Result<(), Error> {
    // Counted twice so far.
    let both = sqlx::query!(
        "update heart_counts c set hearts = c.hearts - 1 from hearts a join hearts b using (playlist_id)
         where a.user_id = $1 and b.user_id = $2 and c.playlist_id = a.playlist_id",
        from.0,
        into.0
    );
    both.execute(&mut *connection).await?;
    let hearts = sqlx::query!(
        "insert into hearts (user_id, playlist_id, hearted_at, snapshot_id, gone_at, note, tags, note_folded, tags_folded)
         select $2, playlist_id, hearted_at, snapshot_id, gone_at, note, tags, note_folded, tags_folded from hearts where user_id = $1
         on conflict (user_id, playlist_id) do update
         set hearted_at = least(hearts.hearted_at, excluded.hearted_at), note = coalesce(hearts.note, excluded.note),
             note_folded = case when hearts.note is null then excluded.note_folded else hearts.note_folded end,
             tags = array(select distinct tag from unnest(hearts.tags || excluded.tags) as tag order by tag),
             tags_folded = array(select distinct tag from unnest(coalesce(hearts.tags_folded, hearts.tags) || coalesce(excluded.tags_folded, excluded.tags)) as tag)",
        from.0,
        into.0
    );
    hearts.execute(&mut *connection).await?;
    let removed = sqlx::query!(
        "insert into removed_hearts (user_id, playlist_id, hearted_at, snapshot_id, note, tags, note_folded, tags_folded, removed_at)
         select $2, playlist_id, hearted_at, snapshot_id, note, tags, note_folded, tags_folded, removed_at from removed_hearts where user_id = $1
         on conflict do nothing",
        from.0,
        into.0
    );
    removed.execute(connection).await?;
    Ok(())
}
