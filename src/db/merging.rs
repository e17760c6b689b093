//! Merges two accounts.
//!
//! Every table that holds what people made is named here; the rest of the account that ends is deleted with it.

use sqlx::{Connection, PgConnection};

use super::{Error, Pool};
use crate::ids::UserId;

/// Moves the identities and hearts of `from` to `into` and deletes `from` with its sessions, in one transaction. Of a
/// heart that both have, the one that stands counts and keeps the earlier date and both sets of tags. `false`, and
/// nothing has changed, if one of them is gone or both have an identity at the same provider.
pub async fn merge(pool: &Pool, from: UserId, into: UserId) -> Result<bool, Error> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    super::prepare_account_change(&mut tx).await?;
    // A heart that `from` adds meanwhile waits for this lock through its foreign key, and then finds no account.
    for user in [from.min(into), from.max(into)] {
        let locked = sqlx::query!("select id from users where id = $1 for update", user.0);
        if locked.fetch_optional(&mut *tx).await?.is_none() {
            return Ok(false);
        }
    }
    if share_a_provider(&mut tx, from, into).await? {
        return Ok(false);
    }
    sqlx::query!("update identities set user_id = $2 where user_id = $1", from.0, into.0).execute(&mut *tx).await?;
    move_hearts(&mut tx, from, into).await?;
    super::leaving::delete_rows(&mut tx, from).await?;
    tx.commit().await?;
    Ok(true)
}

async fn share_a_provider(connection: &mut PgConnection, from: UserId, into: UserId) -> Result<bool, Error> {
    let row = sqlx::query_scalar!(
        r#"select exists (select from identities a join identities b using (provider)
                          where a.user_id = $1 and b.user_id = $2) as "share!""#,
        from.0,
        into.0
    );
    Ok(row.fetch_one(connection).await?)
}

/// Copies the hearts of `from`, removed ones too. A heart that stands replaces a removed one; the words of both stay.
async fn move_hearts(connection: &mut PgConnection, from: UserId, into: UserId) -> Result<(), Error> {
    let hearts = sqlx::query!(
        "insert into user_hearts as h
             (user_id, playlist_id, hearted_at, snapshot_id, gone_at, note, tags, note_folded, tags_folded, removed_at,
              title, title_folded)
         select $2, f.playlist_id, f.hearted_at, coalesce(f.snapshot_id, p.snapshot_id), f.gone_at, f.note, f.tags,
                f.note_folded, f.tags_folded, f.removed_at, coalesce(f.title, nullif(p.name, '')),
                case when f.title is null then p.name_folded else f.title_folded end
         from user_hearts f left join playlists p on p.user_id = $1 and p.id = f.playlist_id
         where f.user_id = $1
         on conflict (user_id, playlist_id) do update
         set hearted_at = least(h.hearted_at, excluded.hearted_at),
             removed_at = case when h.removed_at is not null and excluded.removed_at is not null
                               then greatest(h.removed_at, excluded.removed_at) end,
             title = coalesce(h.title, excluded.title),
             title_folded = case when h.title is null then excluded.title_folded else h.title_folded end,
             note = coalesce(h.note, excluded.note),
             note_folded = case when h.note is null then excluded.note_folded else h.note_folded end,
             tags = array(select distinct tag from unnest(h.tags || excluded.tags) as tag order by tag),
             tags_folded = array(select distinct tag from unnest(coalesce(h.tags_folded, h.tags)
                                     || coalesce(excluded.tags_folded, excluded.tags)) as tag order by tag)",
        from.0,
        into.0
    );
    hearts.execute(connection).await?;
    Ok(())
}
