//! The lists of most hearted playlists, with the names that they show.

use sqlx::Connection;
use time::OffsetDateTime;

use super::{Error, Pool};

/// An entry of a list.
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

/// Returns the list of `period` (`week` or `ever`) as it was last made.
pub async fn load(pool: &Pool, period: &str) -> Result<Vec<TopEntry>, Error> {
    let rows = sqlx::query_as!(
        TopEntry,
        r#"select playlist_id as id, name as "name!", owner_name, cover_url, seen_at as "seen_at!", week, ever
           from top_playlists where period = $1 and seen_at is not null order by place"#,
        period
    );
    Ok(rows.fetch_all(pool).await?)
}

/// Returns a time up to which this replica is complete: when its lists were made or its last change was replayed.
/// `None` if it has no lists.
pub async fn replica_as_of(replica: &Pool) -> Result<Option<OffsetDateTime>, Error> {
    let row = sqlx::query_scalar!("select greatest(made_at, pg_last_xact_replay_timestamp()) from top_lists");
    Ok(row.fetch_optional(replica).await?.flatten())
}

/// A playlist by its number of hearts.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub id: String,
    /// Hearts of the last seven days.
    pub week: i64,
    pub ever: i64,
}

/// Returns playlists that at least `least` users heart, most hearted first.
pub async fn most_hearted(pool: &Pool, least: i64, (offset, limit): (i64, i64)) -> Result<Vec<Candidate>, Error> {
    let rows = sqlx::query_as!(
        Candidate,
        "select playlist_id as id, week, hearts as ever from heart_counts
         where hearts >= $1 order by hearts desc, playlist_id offset $2 limit $3",
        least,
        offset,
        limit
    );
    Ok(rows.fetch_all(pool).await?)
}

/// Returns the same by the hearts of the last seven days.
pub async fn most_hearted_this_week(
    pool: &Pool,
    least: i64,
    (offset, limit): (i64, i64),
) -> Result<Vec<Candidate>, Error> {
    let rows = sqlx::query_as!(
        Candidate,
        "select playlist_id as id, week, hearts as ever from heart_counts
         where hearts >= $1 and week > 0 order by week desc, hearts desc, playlist_id offset $2 limit $3",
        least,
        offset,
        limit
    );
    Ok(rows.fetch_all(pool).await?)
}

/// A playlist as a user saw it.
#[derive(Clone, Debug)]
pub struct PublicPlaylist {
    pub id: String,
    /// May be empty.
    pub name: String,
    pub owner_name: Option<String>,
    pub cover_url: Option<String>,
    pub seen_at: OffsetDateTime,
}

/// Returns those of `ids` that a library has as public and none as private, as last seen since `seen_since`.
pub async fn find_public(
    pool: &Pool,
    ids: &[String],
    seen_since: OffsetDateTime,
) -> Result<Vec<PublicPlaylist>, Error> {
    let seen = sqlx::query_as!(
        PublicPlaylist,
        "select distinct on (id) id, name, owner_name, cover_url, seen_at from playlists
         where id = any($1) and public and seen_at > $2 order by id, seen_at desc",
        ids,
        seen_since
    );
    let mut seen = seen.fetch_all(pool).await?;
    let private = sqlx::query_scalar!("select distinct id from playlists where id = any($1) and not public", ids);
    let private = private.fetch_all(pool).await?;
    seen.retain(|playlist| !private.contains(&playlist.id));
    Ok(seen)
}

/// Replaces the list of `period`; readers see the old one until then.
pub async fn replace(pool: &Pool, period: &str, entries: &[TopEntry]) -> Result<(), Error> {
    let text = |column: fn(&TopEntry) -> Option<&str>| {
        entries.iter().map(|entry| column(entry).map(str::to_owned)).collect::<Vec<_>>()
    };
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    sqlx::query!("delete from top_playlists where period = $1", period).execute(&mut *tx).await?;
    let rows = sqlx::query!(
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
    rows.execute(&mut *tx).await?;
    Ok(tx.commit().await?)
}
