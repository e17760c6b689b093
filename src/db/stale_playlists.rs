//! Deletion of what Spotify has not shown for long.

use time::{Duration, OffsetDateTime};
use tokio::time::Instant;

use super::{Pool, Result};

/// Retention of playlists since Spotify last showed them: its terms allow no lasting copies.
const UNSEEN_RETENTION: Duration = Duration::days(30);

/// Deletes, in batches, what Spotify has not shown for 30 days. Hearts keep titles and dates. Returns how many
/// playlists.
pub async fn delete_expired(pool: &Pool, now: OffsetDateTime) -> Result<u64> {
    let before = now - UNSEEN_RETENTION;
    sqlx::query!("delete from libraries where fetched_at < $1", before).execute(pool).await?;
    let mut deleted = 0;
    loop {
        let start = Instant::now();
        let query = sqlx::query_scalar!(
            "select max(seen_at) from (select seen_at from playlists where seen_at <= $1 order by seen_at limit $2) b",
            before,
            super::CLEANUP_BATCH
        );
        let Some(last) = query.fetch_one(pool).await? else { return Ok(deleted) };
        keep_titles(pool, last).await?;
        let query = sqlx::query!("delete from playlists where seen_at between '-infinity' and $1", last);
        deleted += query.execute(pool).await?.rows_affected();
        tokio::time::sleep(super::CLEANUP_PAUSE * start.elapsed()).await;
    }
}

/// Copies names to the hearts of playlists that were last seen up to `last`.
async fn keep_titles(pool: &Pool, last: OffsetDateTime) -> Result<()> {
    let query = sqlx::query!(
        "update user_hearts h
         set title = coalesce(h.title, nullif(p.name, '')), title_seen_at = p.seen_at,
             title_folded = case when h.title is null then nullif(p.name_folded, '') else h.title_folded end
         from playlists p
         where p.seen_at between '-infinity' and $1 and h.user_id = p.user_id and h.playlist_id = p.id
               and (h.title_seen_at < p.seen_at or h.title is null and p.name <> '')",
        last
    );
    Ok(query.execute(pool).await.map(drop)?)
}
