//! Hearts that were taken back, for as long as they may return.

use time::OffsetDateTime;

use super::{Error, Pool};
use crate::ids::{PlaylistId, UserId};

/// A heart that was taken back, and what is known of its playlist.
pub struct Removed {
    /// Spotify's id of the playlist.
    pub id: String,
    /// As Spotify gave it; empty when there is none or nothing is known.
    pub name: String,
    /// Who made the playlist, by name.
    pub owner_name: Option<String>,
    /// When Spotify last showed the playlist; none: never, or too long ago.
    pub seen_at: Option<OffsetDateTime>,
    /// When it was hearted.
    pub hearted_at: OffsetDateTime,
    /// When the heart was taken back.
    pub removed_at: OffsetDateTime,
    /// What the person wrote beside it.
    pub note: Option<String>,
    /// The person's tags for it.
    pub tags: Vec<String>,
}

/// How many hearts a person took back after `since`.
///
/// # Errors
/// When the database fails.
pub async fn count(pool: &Pool, user: UserId, since: OffsetDateTime) -> Result<i64, Error> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from removed_hearts where user_id = $1 and removed_at > $2"#,
        user.0,
        since
    );
    Ok(count.fetch_one(pool).await?)
}

/// A stretch of what a person took back after `since`, the latest first.
///
/// # Errors
/// When the database fails.
pub async fn latest(
    pool: &Pool,
    user: UserId,
    since: OffsetDateTime,
    offset: i64,
    limit: i64,
) -> Result<Vec<Removed>, Error> {
    let rows = sqlx::query_as!(
        Removed,
        r#"select r.playlist_id as id, coalesce(p.name, '') as "name!", p.owner_name as "owner_name?", p.seen_at as "seen_at?",
                  r.hearted_at, r.removed_at, r.note, r.tags
           from (select * from removed_hearts where user_id = $1 and removed_at > $2
                 order by removed_at desc, playlist_id offset $3 limit $4) r
           left join playlists p on p.user_id = r.user_id and p.id = r.playlist_id
           order by r.removed_at desc, r.playlist_id"#,
        user.0,
        since,
        offset,
        limit
    );
    Ok(rows.fetch_all(pool).await?)
}

/// Makes what was taken back a heart again, as it was. If the playlist was hearted again meanwhile, the earlier
/// date stays, and the words that stand there. False: nothing of it is kept.
///
/// # Errors
/// When the database fails.
pub async fn restore(pool: &Pool, user: UserId, playlist: &PlaylistId, since: OffsetDateTime) -> Result<bool, Error> {
    // A row that was inserted and not updated has no xmax: only that one is a heart more.
    let restored = sqlx::query_scalar!(
        r#"with back as (delete from removed_hearts where user_id = $1 and playlist_id = $2 and removed_at > $3 returning *),
                given as (insert into hearts as h (user_id, playlist_id, hearted_at, snapshot_id, note, tags, note_folded, tags_folded)
                          select user_id, playlist_id, hearted_at, snapshot_id, note, tags, note_folded, tags_folded from back
                          on conflict (user_id, playlist_id) do update set hearted_at = least(h.hearted_at, excluded.hearted_at),
                              note = coalesce(h.note, excluded.note), tags = case when h.tags = '{}' then excluded.tags else h.tags end,
                              note_folded = case when h.note is null then excluded.note_folded else h.note_folded end,
                              tags_folded = case when h.tags = '{}' then excluded.tags_folded else h.tags_folded end
                          returning h.playlist_id, h.xmax = 0 as fresh),
                counted as (insert into heart_counts as c (playlist_id, hearts) select playlist_id, 1 from given where fresh
                            on conflict (playlist_id) do update set hearts = c.hearts + 1)
           select exists (select from given) as "restored!""#,
        user.0,
        playlist.as_str(),
        since
    );
    Ok(restored.fetch_one(pool).await?)
}

/// Forgets what was taken back: one playlist's, or all of a person's. Returns how many that were.
///
/// # Errors
/// When the database fails.
pub async fn forget(pool: &Pool, user: UserId, playlist: Option<&PlaylistId>) -> Result<u64, Error> {
    let forgotten = sqlx::query!(
        "delete from removed_hearts where user_id = $1 and ($2::text is null or playlist_id = $2)",
        user.0,
        playlist.map(PlaylistId::as_str)
    );
    Ok(forgotten.execute(pool).await?.rows_affected())
}

/// Removes what was taken back before `before`, a batch at a time.
///
/// # Errors
/// When the database fails; what was removed before stays so.
pub async fn sweep(pool: &Pool, before: OffsetDateTime) -> Result<u64, Error> {
    let removing = |most: i64| {
        sqlx::query!(
            "delete from removed_hearts where ctid = any(array(
                 select ctid from removed_hearts where removed_at <= $1 order by removed_at limit $2 for update skip locked))",
            before,
            most
        )
    };
    super::in_batches(pool, removing).await
}
