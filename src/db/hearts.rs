//! Hearts: one row for each user and playlist. A removed heart keeps its row with `removed_at` set.
//!
//! The table is `user_hearts`. The view `hearts` serves the previous release.

use sqlx::PgExecutor;
use time::OffsetDateTime;

use super::pins::MAX_PINS;
use super::playlists::{Playlist, playlist};
use super::{Error, Pool, Result};
use crate::ids::{PlaylistId, UserId};

/// Adds a heart and returns its date; `None` if there is one already, which stays as it is. A removed one returns with
/// its own title, note and tags, and with its date and pin if it was removed after `undo_since`.
///
/// # Errors
/// [`Error::UserGone`] if the account no longer exists.
pub async fn add(
    pool: &Pool,
    user: UserId,
    playlist: &PlaylistId,
    undo_since: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<Option<OffsetDateTime>> {
    // snapshot_id and title are filled in later by news::update_hearts, from the playlist row stored now.
    let query = sqlx::query_scalar!(
        "insert into user_hearts as h (user_id, playlist_id, hearted_at) values ($1, $2, $3)
         on conflict (user_id, playlist_id) do update
             set removed_at = null, snapshot_id = null, gone_at = null,
                 hearted_at = case when h.removed_at > $4 then h.hearted_at else excluded.hearted_at end,
                 pin = case when h.removed_at > $4 then h.pin end
             where h.removed_at is not null
         returning h.hearted_at",
        user.0,
        playlist.as_str(),
        now,
        undo_since
    );
    Ok(query.fetch_optional(pool).await?)
}

/// Removes a heart. Its row stays, with note, tags and date, until [`delete_removed_before`] deletes it.
///
/// # Errors
/// [`Error::UserGone`] if there is no heart, and no account any more.
pub async fn remove(pool: &Pool, user: UserId, playlist: &PlaylistId, now: OffsetDateTime) -> Result<()> {
    let query = sqlx::query!(
        "update user_hearts set removed_at = $3 where user_id = $1 and playlist_id = $2 and removed_at is null",
        user.0,
        playlist.as_str(),
        now
    );
    let removed = query.execute(pool).await?.rows_affected();
    if removed == 0 { super::check_user(pool, user).await } else { Ok(()) }
}

/// Restores a heart that was removed after `since`, as it was. Returns `false` if there is none.
pub async fn restore(pool: &Pool, user: UserId, playlist: &PlaylistId, since: OffsetDateTime) -> Result<bool> {
    let query = sqlx::query!(
        "update user_hearts set removed_at = null where user_id = $1 and playlist_id = $2 and removed_at > $3",
        user.0,
        playlist.as_str(),
        since
    );
    Ok(query.execute(pool).await?.rows_affected() == 1)
}

/// An own title, a note and tags, and their folded forms for the search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnnotationRow {
    /// One line of text, like the note.
    pub own_title: Option<String>,
    pub note: Option<String>,
    /// No tag contains a control character.
    pub tags: Vec<String>,
    pub own_title_folded: Option<String>,
    pub note_folded: Option<String>,
    pub tags_folded: Vec<String>,
}

/// The title, note and tags that others replace.
#[derive(Clone, Copy)]
pub struct OldAnnotation<'a> {
    pub own_title: Option<&'a str>,
    pub note: Option<&'a str>,
    pub tags: &'a [String],
}

/// Replaces a heart's own title, note and tags. Returns `false` if there is no such heart, or if they have changed
/// meanwhile.
pub async fn annotate(
    database: impl PgExecutor<'_>,
    user: UserId,
    playlist: &PlaylistId,
    old: OldAnnotation<'_>,
    annotation: &AnnotationRow,
) -> Result<bool> {
    let query = sqlx::query!(
        "update user_hearts set note = $3, tags = $4, note_folded = $5, tags_folded = $6,
             own_title = $7, own_title_folded = $8
         where user_id = $1 and playlist_id = $2 and removed_at is null
               and own_title is not distinct from $9 and note is not distinct from $10 and tags = $11",
        user.0,
        playlist.as_str(),
        annotation.note.as_deref(),
        &annotation.tags,
        annotation.note_folded.as_deref(),
        &annotation.tags_folded,
        annotation.own_title.as_deref(),
        annotation.own_title_folded.as_deref(),
        old.own_title,
        old.note,
        old.tags
    );
    Ok(query.execute(database).await?.rows_affected() == 1)
}

/// Sets the heart's snapshot to the newest one, because the user has opened the playlist.
pub async fn mark_viewed(pool: &Pool, user: UserId, playlist: &PlaylistId) -> Result<()> {
    let query = sqlx::query!(
        "update user_hearts h set snapshot_id = p.snapshot_id from playlists p
         where h.user_id = $1 and h.playlist_id = $2 and h.removed_at is null and p.user_id = $1 and p.id = $2
               and p.snapshot_id is not null and h.snapshot_id is distinct from p.snapshot_id",
        user.0,
        playlist.as_str()
    );
    Ok(query.execute(pool).await.map(drop)?)
}

/// Sets Spotify's name of a playlist of which nothing else is known.
pub async fn set_title(
    pool: &Pool,
    user: UserId,
    playlist: &PlaylistId,
    (title, folded): (&str, &str),
    now: OffsetDateTime,
) -> Result<()> {
    let query = sqlx::query!(
        "update user_hearts set title = $3, title_folded = $4, title_seen_at = $5
         where user_id = $1 and playlist_id = $2 and removed_at is null",
        user.0,
        playlist.as_str(),
        title,
        folded,
        now
    );
    Ok(query.execute(pool).await.map(drop)?)
}

/// Counts a user's hearts whose playlists Spotify has not shown since `before`, except those that it no longer shows.
pub async fn count_stale(pool: &Pool, user: UserId, before: OffsetDateTime) -> Result<i64> {
    let query = sqlx::query_scalar!(
        r#"select count(*) as "count!" from user_hearts h
           left join lateral (select * from playlists p where p.user_id = $1 and p.id = h.playlist_id limit 1) p on true
           where h.user_id = $1 and h.removed_at is null and h.gone_at is null
                 and coalesce(p.seen_at, '-infinity') < $2"#,
        user.0,
        before
    );
    query.fetch_one(pool).await.map_err(Error::from_search)
}

/// Returns the playlists of some of those hearts: first those without any name, then those seen longest ago.
pub async fn list_stale(pool: &Pool, user: UserId, before: OffsetDateTime, limit: i64) -> Result<Vec<String>> {
    let query = sqlx::query_scalar!(
        "select h.playlist_id from user_hearts h
         left join lateral (select * from playlists p where p.user_id = $1 and p.id = h.playlist_id limit 1) p on true
         where h.user_id = $1 and h.removed_at is null and h.gone_at is null
               and coalesce(p.seen_at, '-infinity') < $2
         order by coalesce(p.name, h.title) is not null, p.seen_at nulls first, h.hearted_at desc, h.playlist_id
         limit $3",
        user.0,
        before,
        limit
    );
    Ok(query.fetch_all(pool).await?)
}

#[derive(Clone, Debug, Default)]
pub struct Heart {
    /// The playlist's name when Spotify last showed it.
    pub title: Option<String>,
    pub own_title: Option<String>,
    pub hearted_at: Option<OffsetDateTime>,
    pub removed_at: Option<OffsetDateTime>,
    /// Since when Spotify no longer shows the playlist.
    pub gone_at: Option<OffsetDateTime>,
    pub note: Option<String>,
    pub tags: Vec<String>,
}

pub async fn find(pool: &Pool, user: UserId, playlist: &PlaylistId) -> Result<Option<Heart>> {
    let query = sqlx::query_as!(
        Heart,
        r#"select title, own_title, hearted_at as "hearted_at?", removed_at, gone_at, note, tags
           from user_hearts where user_id = $1 and playlist_id = $2"#,
        user.0,
        playlist.as_str()
    );
    Ok(query.fetch_optional(pool).await?)
}

pub async fn count(pool: &Pool, user: UserId) -> Result<i64> {
    let query = sqlx::query_scalar!(
        r#"select count(*) as "count!" from user_hearts where user_id = $1 and removed_at is null"#,
        user.0
    );
    Ok(query.fetch_one(pool).await?)
}

pub async fn filter_hearted(pool: &Pool, user: UserId, playlists: &[String]) -> Result<Vec<String>> {
    let query = sqlx::query_scalar!(
        "select playlist_id from user_hearts where user_id = $1 and playlist_id = any($2) and removed_at is null",
        user.0,
        playlists
    );
    Ok(query.fetch_all(pool).await?)
}

pub struct HeartRows {
    pub rows: Vec<Playlist>,
    /// The number of matching hearts; 0 beyond the last page of a search.
    pub found: i64,
    pub total: i64,
}

/// Returns a user's hearts: the pinned ones, then the others, newest first. The number of pins is unknown before the
/// statement runs, so it reads [`MAX_PINS`] more of the others than a page needs. Each of its parts uses an index.
pub async fn list_newest(pool: &Pool, user: UserId, (offset, limit): (i64, i64)) -> Result<HeartRows, Error> {
    let before = offset.min(MAX_PINS as i64);
    let (mut pinned, mut others, mut total) = (Vec::new(), Vec::with_capacity((before + limit) as usize), 0);
    let query = sqlx::query!(
        r#"select count(*) as total, null as id, null as name, null as owner_id, null as owner_name, null as cover_url,
                  null::integer as item_count, null::boolean as public, null::boolean as collaborative,
                  null::timestamptz as seen_at, null::timestamptz as hearted_at, null::timestamptz as gone_at,
                  null as own_title, null as note, null::text[] as tags, null::timestamptz as changed_at, null::smallint as pin
           from user_hearts where user_id = $1 and removed_at is null
           union all
           select null, h.playlist_id, coalesce(p.name, h.title), p.owner_id, p.owner_name, p.cover_url, p.item_count, p.public,
                  p.collaborative, p.seen_at, h.hearted_at, h.gone_at, h.own_title, h.note, nullif(h.tags, '{}'),
                  case when h.snapshot_id <> p.snapshot_id then p.snapshot_seen_at end, h.pin
           from (select * from user_hearts where user_id = $1 and pin is not null and removed_at is null
                 union all
                 (select * from user_hearts where user_id = $1 and removed_at is null and pin is null
                  order by hearted_at desc, playlist_id offset $2 limit $3)) h
           left join lateral (select * from playlists p where p.user_id = $1 and p.id = h.playlist_id limit 1) p on true
           order by hearted_at desc nulls first, id"#,
        user.0,
        offset - before,
        before + limit
    );
    // Rows are collected here, because sqlx would move each through three streams.
    let query = query.map(|row| {
        match (row.total, row.pin) {
            // The first row holds only the total.
            (Some(count), _) => total = count,
            (None, Some(_)) => pinned.push(Playlist { is_pinned: true, ..playlist!(row) }),
            (None, None) => others.push(playlist!(row)),
        }
        Some(())
    });
    query.fetch_all(pool).await?;
    // `others` begins at the position `offset - before + pinned.len()` of the list.
    let first_other = (before as usize).saturating_sub(pinned.len());
    let rows: Vec<_> = pinned.into_iter().skip(offset as usize).chain(others.into_iter().skip(first_other)).collect();
    let rows = rows.into_iter().take(limit as usize).collect();
    Ok(HeartRows { rows, found: total, total })
}

pub struct RemovedHeart {
    pub id: String,
    pub name: Option<String>,
    pub own_title: Option<String>,
    pub owner_name: Option<String>,
    pub cover_url: Option<String>,
    /// `None` if Spotify never showed the playlist, or too long ago.
    pub seen_at: Option<OffsetDateTime>,
    pub hearted_at: OffsetDateTime,
    pub removed_at: OffsetDateTime,
    pub note: Option<String>,
    pub tags: Vec<String>,
}

/// Returns the hearts that a user removed after `since`, latest first, and their total number.
pub async fn list_removed(
    pool: &Pool,
    user: UserId,
    since: OffsetDateTime,
    (offset, limit): (i64, i64),
) -> Result<(Vec<RemovedHeart>, i64)> {
    let query = sqlx::query!(
        r#"select t.total as "total!", h.playlist_id as "id?", coalesce(p.name, h.title) as name,
                  p.owner_name as "owner_name?", p.cover_url as "cover_url?", p.seen_at as "seen_at?", h.hearted_at as "hearted_at?",
                  h.removed_at as "removed_at?", h.own_title as "own_title?", h.note as "note?", nullif(h.tags, '{}') as tags
           from (select count(*) as total from user_hearts where user_id = $1 and removed_at > $2) t
           left join (select * from user_hearts where user_id = $1 and removed_at > $2
                      order by removed_at desc, playlist_id offset $3 limit $4) h on true
           left join lateral (select * from playlists p where p.user_id = $1 and p.id = h.playlist_id limit 1) p on true
           order by h.removed_at desc, h.playlist_id"#,
        user.0,
        since,
        offset,
        limit
    );
    let rows = query.fetch_all(pool).await?;
    let total = rows.first().map_or(0, |row| row.total);
    let rows = rows.into_iter().filter_map(|row| {
        Some(RemovedHeart {
            id: row.id?,
            name: row.name,
            own_title: row.own_title,
            owner_name: row.owner_name,
            cover_url: row.cover_url,
            seen_at: row.seen_at,
            hearted_at: row.hearted_at?,
            removed_at: row.removed_at?,
            note: row.note,
            tags: row.tags.unwrap_or_default(),
        })
    });
    Ok((rows.collect(), total))
}

/// Deletes removed hearts permanently: one playlist's, or all of a user's. Returns their number.
pub async fn delete_removed(pool: &Pool, user: UserId, playlist: Option<&PlaylistId>) -> Result<u64> {
    let query = sqlx::query!(
        "delete from user_hearts
         where user_id = $1 and removed_at is not null and ($2::text is null or playlist_id = $2)",
        user.0,
        playlist.map(PlaylistId::as_str)
    );
    Ok(query.execute(pool).await?.rows_affected())
}

/// Deletes Spotify's names of playlists that it has not shown since `before`, in batches; removed hearts' too. Returns
/// their number. Reads the whole table: few operators set `TITLE_DAYS`, and an index would cost each heart a write.
pub async fn delete_titles_before(pool: &Pool, before: OffsetDateTime) -> Result<u64> {
    super::delete_in_batches(pool, |batch| {
        sqlx::query!(
            "update user_hearts set title = null, title_folded = null
             where (user_id, playlist_id) in (
                 select h.user_id, h.playlist_id from user_hearts h
                 left join playlists p on p.user_id = h.user_id and p.id = h.playlist_id
                 where h.title is not null and h.title_seen_at <= $1 and p.id is null limit $2)",
            before,
            batch
        )
    })
    .await
}

/// Deletes hearts that were removed before `before`, in batches. Returns their number.
pub async fn delete_removed_before(pool: &Pool, before: OffsetDateTime) -> Result<u64> {
    super::delete_in_batches(pool, |batch| {
        sqlx::query!(
            "delete from user_hearts where removed_at between '-infinity' and (
                 select max(removed_at) from (select removed_at from user_hearts where removed_at <= $1 order by removed_at limit $2) b)",
            before,
            batch
        )
    })
    .await
}
