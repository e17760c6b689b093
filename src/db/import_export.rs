//! Import and export of hearts.

use std::collections::HashSet;

use sqlx::{Connection, PgConnection};
use time::OffsetDateTime;

use super::heart_changes::{self, Change};
use super::hearts::AnnotationRow;
use super::pins;
use super::tags::UNIT_SEPARATOR;
use super::{Pool, Result};
use crate::ids::{PlaylistId, UserId};

#[derive(Clone, Debug)]
pub struct ExportedHeart {
    pub playlist_id: String,
    pub name: Option<String>,
    pub own_title: Option<String>,
    pub owner_name: Option<String>,
    pub hearted_at: OffsetDateTime,
    pub note: Option<String>,
    pub tags: Vec<String>,
    pub pin: Option<i16>,
}

/// Returns up to `limit` of a user's hearts, newest first, starting after `last`.
pub async fn export(pool: &Pool, user: UserId, last: Option<&ExportedHeart>, limit: i64) -> Result<Vec<ExportedHeart>> {
    let query = sqlx::query_as!(
        ExportedHeart,
        r#"select h.playlist_id, coalesce(p.name, h.title) as name, h.own_title, p.owner_name as "owner_name?",
                  h.hearted_at, h.note, h.tags, h.pin
           from user_hearts h
           left join lateral (select * from playlists p where p.user_id = $1 and p.id = h.playlist_id limit 1) p on true
           where h.user_id = $1 and h.removed_at is null and h.hearted_at <= coalesce($2, 'infinity'::timestamptz)
                 and ($2 is null or h.hearted_at < $2 or h.playlist_id > $3)
           order by h.hearted_at desc, h.playlist_id limit $4"#,
        user.0,
        last.map(|last| last.hearted_at),
        last.map(|last| last.playlist_id.as_str()),
        limit
    );
    Ok(query.fetch_all(pool).await?)
}

/// Returns those of the playlists that the user has hearted, newest first.
pub async fn export_selected(pool: &Pool, user: UserId, ids: &[String]) -> Result<Vec<ExportedHeart>> {
    let query = sqlx::query_as!(
        ExportedHeart,
        r#"select h.playlist_id, coalesce(p.name, h.title) as name, h.own_title, p.owner_name as "owner_name?",
                  h.hearted_at, h.note, h.tags, h.pin
           from user_hearts h
           left join lateral (select * from playlists p where p.user_id = $1 and p.id = h.playlist_id limit 1) p on true
           where h.user_id = $1 and h.playlist_id = any($2) and h.removed_at is null
           order by h.hearted_at desc, h.playlist_id"#,
        user.0,
        ids
    );
    Ok(query.fetch_all(pool).await?)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewHeart {
    pub playlist: PlaylistId,
    pub hearted_at: OffsetDateTime,
    pub annotation: AnnotationRow,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportResult {
    Added {
        hearts: i64,
        /// The number of added hearts that were to be pinned and are not.
        left_unpinned: usize,
    },
    /// No heart was added: the user would have too many.
    TooMany { existing: i64, new: i64 },
    /// No heart was added: with this number of removed ones, the user would have too many rows.
    TooManyRemoved(i64),
}

/// Adds hearts that do not exist yet, all or none, as long as the user has at most `max`, and twice as many with
/// removed ones. Existing ones stay as they are, so that of two lines with one id the first wins. A removed one is
/// restored with the imported date, and with the imported own title, note and tags if there are any. `batches` has the
/// hearts in parts, because a statement copies its parameters. Those of the added hearts that are in `pinned` are
/// pinned in its order, as long as there are pins.
///
/// # Errors
/// [`Error::UserGone`] if the account no longer exists.
pub async fn import(
    pool: &Pool,
    change: Change,
    (ids, pinned): (&[&str], &[PlaylistId]),
    batches: impl Iterator<Item = Vec<NewHeart>>,
    max: i64,
) -> Result<ImportResult> {
    let (mut connection, user) = (pool.acquire().await?, change.user);
    let mut tx = connection.begin().await?;
    heart_changes::lock(&mut tx, user).await?;
    let (existing, new_ids, removed, new_rows) = find_existing_and_new(&mut tx, user, ids).await?;
    let new = new_ids.len() as i64;
    if new == 0 {
        return Ok(ImportResult::Added { hearts: 0, left_unpinned: 0 });
    }
    if existing + new > max {
        return Ok(ImportResult::TooMany { existing, new });
    }
    if new_rows > 0 && existing + removed + new_rows > 2 * max {
        return Ok(ImportResult::TooManyRemoved(removed));
    }
    heart_changes::begin(&mut tx, change, &new_ids).await?;
    let mut added = HashSet::new();
    for hearts in batches {
        added.extend(insert_hearts(&mut tx, user, &hearts).await?);
    }
    if added.is_empty() {
        return Ok(ImportResult::Added { hearts: 0, left_unpinned: 0 });
    }
    heart_changes::leave_out(&mut tx, change, &new_ids, &added).await?;
    heart_changes::finish(&mut tx, change).await?;
    tx.commit().await?;
    drop(connection);
    let pinned: Vec<_> = pinned.iter().filter(|id| added.contains(id.as_str())).cloned().collect();
    let left_unpinned = pins::pin_all(pool, user, &pinned).await;
    Ok(ImportResult::Added { hearts: added.len() as i64, left_unpinned })
}

/// Returns the number of the user's hearts and those of `ids` that are not among them, the number of removed hearts and
/// how many of `ids` are in neither.
async fn find_existing_and_new(
    connection: &mut PgConnection,
    user: UserId,
    ids: &[&str],
) -> Result<(i64, Vec<String>, i64, i64)> {
    let query = sqlx::query!(
        r#"select (select count(*) from user_hearts where user_id = $1 and removed_at is null) as "existing!",
                  (select count(*) from user_hearts where user_id = $1 and removed_at is not null) as "removed!",
                  (select coalesce(array_agg(n.id), '{}') from (
                       select unnest($2::text[]) as id
                       except select playlist_id from user_hearts where user_id = $1 and removed_at is null) n) as "new!",
                  (select count(*) from (
                       select unnest($2::text[])
                       except select playlist_id from user_hearts where user_id = $1) n) as "new_rows!""#,
        user.0,
        ids as _
    );
    let row = query.fetch_one(connection).await?;
    Ok((row.existing, row.new, row.removed, row.new_rows))
}

/// Inserts hearts and restores removed ones. Returns the ids of their playlists.
async fn insert_hearts(connection: &mut PgConnection, user: UserId, hearts: &[NewHeart]) -> Result<Vec<String>> {
    let text = |column: fn(&AnnotationRow) -> Option<String>| {
        hearts.iter().map(|heart| column(&heart.annotation)).collect::<Vec<_>>()
    };
    // Distinct, because one statement may change a row only once; the first of two lines wins. Ordered by id, so
    // that two concurrent statements do not deadlock.
    let query = sqlx::query_scalar!(
        "insert into user_hearts as h (user_id, playlist_id, hearted_at, note, tags, note_folded, tags_folded,
                                       own_title, own_title_folded)
         select $1, l.id, l.hearted_at, l.note, string_to_array(l.tags, E'\x1f'), l.note_folded,
                string_to_array(l.tags_folded, E'\x1f'), l.own_title, l.own_title_folded
         from (select distinct on (id) *
               from unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                           $9::text[])
                    with ordinality as l (id, hearted_at, note, tags, note_folded, tags_folded, own_title,
                                          own_title_folded, line)
               order by id, line) l
         order by l.id
         on conflict (user_id, playlist_id) do update set
             removed_at = null, snapshot_id = null, gone_at = null, hearted_at = excluded.hearted_at, pin = null,
             own_title = coalesce(excluded.own_title, h.own_title),
             own_title_folded = coalesce(excluded.own_title_folded, h.own_title_folded),
             note = coalesce(excluded.note, h.note),
             note_folded = case when excluded.note is null then h.note_folded else excluded.note_folded end,
             tags = case when excluded.tags = '{}' then h.tags else excluded.tags end,
             tags_folded = case when excluded.tags = '{}' then h.tags_folded else excluded.tags_folded end
         where h.removed_at is not null
         returning playlist_id",
        user.0,
        &hearts.iter().map(|heart| heart.playlist.to_string()).collect::<Vec<_>>(),
        &hearts.iter().map(|heart| heart.hearted_at).collect::<Vec<_>>(),
        &text(|annotation| annotation.note.clone()) as _,
        &text(|annotation| Some(annotation.tags.join(UNIT_SEPARATOR))) as _,
        &text(|annotation| annotation.note_folded.clone()) as _,
        &text(|annotation| Some(annotation.tags_folded.join(UNIT_SEPARATOR))) as _,
        &text(|annotation| annotation.own_title.clone()) as _,
        &text(|annotation| annotation.own_title_folded.clone()) as _
    );
    Ok(query.fetch_all(connection).await?)
}
