//! The lists of the most hearted playlists, stored ready to be shown.

use sqlx::Connection;
use time::OffsetDateTime;

use super::{Pool, Result};
use crate::ids::PlaylistId;

#[derive(Clone, Debug)]
pub struct TopEntry {
    pub id: String,
    /// May be empty.
    pub name: String,
    pub owner_name: Option<String>,
    pub cover_url: Option<String>,
    /// When Spotify last showed it to a user.
    pub seen_at: OffsetDateTime,
    /// Hearts of the last seven days.
    pub week: i64,
    pub ever: i64,
}

/// Returns the latest list of `period` (`week` or `ever`).
pub async fn load(pool: &Pool, period: &str) -> Result<Vec<TopEntry>> {
    let query = sqlx::query_as!(
        TopEntry,
        r#"select playlist_id as id, name as "name!", owner_name, cover_url, seen_at as "seen_at!", week, ever
           from top_playlists where period = $1 and seen_at is not null and playlist_id not in (select playlist_id from hidden_playlists)
           order by place"#,
        period
    );
    Ok(query.fetch_all(pool).await?)
}

/// Returns whether a list shows anything.
pub async fn has_entries(pool: &Pool) -> Result<bool> {
    let query = sqlx::query_scalar!(
        r#"select exists (select from top_playlists where seen_at is not null
                              and playlist_id not in (select playlist_id from hidden_playlists)) as "has_entries!""#
    );
    Ok(query.fetch_one(pool).await?)
}

pub async fn find_name(pool: &Pool, playlist: &PlaylistId) -> Result<Option<String>> {
    let query = sqlx::query_scalar!(
        "select name from top_playlists where playlist_id = $1 and seen_at is not null
             and playlist_id not in (select playlist_id from hidden_playlists) limit 1",
        playlist.as_str()
    );
    Ok(query.fetch_optional(pool).await?.flatten())
}

/// Returns a time up to which this replica is complete: when its lists were made or its last change was replayed.
/// `None` if it has no lists.
pub async fn replica_as_of(replica: &Pool) -> Result<Option<OffsetDateTime>> {
    let query = sqlx::query_scalar!("select greatest(made_at, pg_last_xact_replay_timestamp()) from top_lists");
    Ok(query.fetch_optional(replica).await?.flatten())
}

#[derive(Clone, Debug)]
pub struct Candidate {
    pub id: String,
    /// Hearts of the last seven days.
    pub week: i64,
    pub ever: i64,
}

/// Returns playlists that at least `min_hearts` users heart, most hearted first, ever or in the last seven days.
pub async fn most_hearted(
    pool: &Pool,
    min_hearts: i64,
    is_weekly: bool,
    (offset, limit): (i64, i64),
) -> Result<Vec<Candidate>> {
    let query = sqlx::query_as!(
        Candidate,
        "select playlist_id as id, week, hearts as ever from heart_counts
         where hearts >= $1 and (week > 0 or not $2) and playlist_id not in (select playlist_id from hidden_playlists)
         order by case when $2 then week end desc, hearts desc, playlist_id offset $3 limit $4",
        min_hearts,
        is_weekly,
        offset,
        limit
    );
    Ok(query.fetch_all(pool).await?)
}

/// Returns the playlists of `ids` that some user's library has as public and no user has as private, as last seen after
/// `seen_since`. Those seen outside a library do not count: somebody had their link, which may be secret. The hearts
/// are 0.
pub async fn find_public(pool: &Pool, ids: &[String], seen_since: OffsetDateTime) -> Result<Vec<TopEntry>> {
    let query = sqlx::query_as!(
        TopEntry,
        r#"select distinct on (id) id, name, owner_name, cover_url, seen_at, 0::bigint as "week!", 0::bigint as "ever!"
           from playlists where id = any($1) and public and position is not null and seen_at > $2
           order by id, seen_at desc"#,
        ids,
        seen_since
    );
    let mut seen = query.fetch_all(pool).await?;
    let query = sqlx::query_scalar!("select distinct id from playlists where id = any($1) and not public", ids);
    let private = query.fetch_all(pool).await?;
    seen.retain(|playlist| !private.contains(&playlist.id));
    Ok(seen)
}

/// Replaces the list of `period` in one transaction, so that readers see the old list or the new one.
pub async fn replace(pool: &Pool, period: &str, entries: &[TopEntry]) -> Result<()> {
    let text = |column: fn(&TopEntry) -> Option<&str>| {
        entries.iter().map(|entry| column(entry).map(str::to_owned)).collect::<Vec<_>>()
    };
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    sqlx::query!("delete from top_playlists where period = $1", period).execute(&mut *tx).await?;
    let query = sqlx::query!(
        "insert into top_playlists (period, place, playlist_id, name, owner_name, cover_url, seen_at, week, ever)
         select $1, l.place, l.id, l.name, l.owner_name, l.cover_url, l.seen_at, l.week, l.ever
         from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::bigint[], $8::bigint[])
              with ordinality as l (id, name, owner_name, cover_url, seen_at, week, ever, place)",
        period,
        &text(|entry| Some(&entry.id)) as _,
        &text(|entry| Some(&entry.name)) as _,
        &text(|entry| entry.owner_name.as_deref()) as _,
        &text(|entry| entry.cover_url.as_deref()) as _,
        &entries.iter().map(|entry| entry.seen_at).collect::<Vec<_>>(),
        &entries.iter().map(|entry| entry.week).collect::<Vec<_>>(),
        &entries.iter().map(|entry| entry.ever).collect::<Vec<_>>()
    );
    query.execute(&mut *tx).await?;
    Ok(tx.commit().await?)
}
