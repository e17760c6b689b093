//! Changes of many hearts at once, which can be undone as a whole. For the last change of each kind, a row for each
//! heart holds the heart before and after it. Rows of one user only: on Citus each statement goes to one shard.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use sqlx::{Connection, PgConnection};
use time::OffsetDateTime;

use super::hearts::{AnnotationRow, OldAnnotation};
use super::tags::{self, HeartTags, TagChange};
use super::{Pool, Result};
use crate::ids::{PlaylistId, UserId};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    Edit,
    Import,
}

impl ChangeKind {
    fn key(self) -> &'static str {
        match self {
            ChangeKind::Edit => "edit",
            ChangeKind::Import => "import",
        }
    }
}

/// A user's change, made at a time of whole microseconds, as the database stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub user: UserId,
    pub kind: ChangeKind,
    pub at: OffsetDateTime,
}

impl Change {
    pub fn new(user: UserId, kind: ChangeKind, now: OffsetDateTime) -> Self {
        let at = now.replace_nanosecond(now.nanosecond() / 1000 * 1000).expect("less than before");
        Self { user, kind, at }
    }

    /// Returns the change with this [`Self::id`]; `None` if the id is no valid time.
    pub fn from_id(user: UserId, kind: ChangeKind, id: i64) -> Option<Self> {
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(id) * 1000).ok()?;
        Some(Self { user, kind, at })
    }

    /// Returns the microseconds since 1970.
    pub fn id(&self) -> i64 {
        (self.at.unix_timestamp_nanos() / 1000) as i64
    }
}

/// Advisory lock keys of changes are this number xor the user id.
const CHANGE_LOCK: i64 = 0x4845_4152_494d_0000;

/// Locks the user's hearts against concurrent changes of many: two could exceed a limit together, or store the same
/// heart. An advisory lock, not one of the user's row: an import takes seconds, in which a sign-in may rename the user,
/// and on Citus that row is on all nodes.
///
/// Turns nested loops off in the transaction: where most users have few hearts, Postgres expects one row here too, and
/// compares each of 10,000 changes with each heart.
pub(super) async fn lock(connection: &mut PgConnection, user: UserId) -> Result<(), sqlx::Error> {
    let query = sqlx::query!(
        "select pg_advisory_xact_lock($1), set_config('enable_nestloop', 'off', true)",
        CHANGE_LOCK ^ user.0
    );
    query.fetch_one(connection).await.map(drop)
}

/// Locks the user's hearts like [`lock`], for a transaction that joins them with other rows.
pub(super) async fn lock_for_merge(connection: &mut PgConnection, user: UserId) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock($1)", CHANGE_LOCK ^ user.0).fetch_one(connection).await?;
    Ok(())
}

/// Stores the hearts of `ids` as they are before the change, instead of the last change of this kind.
pub(super) async fn begin(connection: &mut PgConnection, change: Change, ids: &[String]) -> Result<()> {
    let Change { user, kind, at } = change;
    delete(connection, user, kind).await?;
    let query = sqlx::query!(
        "insert into heart_changes (user_id, kind, playlist_id, changed_at)
         select $1, $2, l.id, $4 from (select distinct unnest($3::text[]) as id) l",
        user.0,
        kind.key(),
        ids,
        at
    );
    query.execute(&mut *connection).await?;
    let query = sqlx::query!(
        "update heart_changes c set hearted_at = h.hearted_at, removed_at = h.removed_at, note = h.note, tags = h.tags,
             note_folded = h.note_folded, tags_folded = h.tags_folded, own_title = h.own_title,
             own_title_folded = h.own_title_folded
         from user_hearts h
         where c.user_id = $1 and c.kind = $2 and h.user_id = $1 and h.playlist_id = c.playlist_id",
        user.0,
        kind.key()
    );
    Ok(query.execute(connection).await.map(drop)?)
}

/// Stores the hearts as they are after the change. Returns how many differ.
pub(super) async fn finish(connection: &mut PgConnection, change: Change) -> Result<u64> {
    let Change { user, kind, .. } = change;
    let query = sqlx::query!(
        "update heart_changes c set new_hearted_at = h.hearted_at, new_removed_at = h.removed_at, new_note = h.note,
             new_tags = h.tags, new_own_title = h.own_title
         from user_hearts h
         where c.user_id = $1 and c.kind = $2 and h.user_id = $1 and h.playlist_id = c.playlist_id",
        user.0,
        kind.key()
    );
    let stored = query.execute(&mut *connection).await?.rows_affected();
    let query = sqlx::query!(
        "delete from heart_changes
         where user_id = $1 and kind = $2
               and (new_hearted_at is null
                    or new_hearted_at = hearted_at and new_removed_at is not distinct from removed_at
                       and new_note is not distinct from note and new_tags = tags
                       and new_own_title is not distinct from own_title)",
        user.0,
        kind.key()
    );
    Ok(stored.saturating_sub(query.execute(connection).await?.rows_affected()))
}

/// Leaves those of the hearts `ids` out of the change that it has not added: they were pressed after it began.
pub(super) async fn leave_out(
    connection: &mut PgConnection,
    change: Change,
    ids: &[String],
    added: &HashSet<String>,
) -> Result<()> {
    let others: Vec<_> = ids.iter().filter(|id| !added.contains(*id)).cloned().collect();
    if others.is_empty() {
        return Ok(());
    }
    let query = sqlx::query!(
        "delete from heart_changes where user_id = $1 and kind = $2 and playlist_id = any($3)",
        change.user.0,
        change.kind.key(),
        &others
    );
    Ok(query.execute(connection).await.map(drop)?)
}

async fn delete(connection: &mut PgConnection, user: UserId, kind: ChangeKind) -> Result<()> {
    let query = sqlx::query!("delete from heart_changes where user_id = $1 and kind = $2", user.0, kind.key());
    Ok(query.execute(connection).await.map(drop)?)
}

/// Counts of an [`add`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddResult {
    pub added: usize,
    /// Hearts that would have exceeded the limit.
    pub over_limit: usize,
}

/// Adds hearts, as [`super::hearts::add`] does, as long as the user has at most `max`.
pub async fn add(
    pool: &Pool,
    change: Change,
    ids: &[String],
    undo_since: OffsetDateTime,
    max: usize,
) -> Result<AddResult> {
    let (mut connection, user) = (pool.acquire().await?, change.user.0);
    let mut tx = connection.begin().await?;
    lock(&mut tx, change.user).await?;
    let query = sqlx::query!(
        r#"select count(*) as "total!",
                  coalesce(array_agg(playlist_id) filter (where playlist_id = any($2)), '{}') as "hearted!"
           from user_hearts where user_id = $1 and removed_at is null"#,
        user,
        ids
    );
    let row = query.fetch_one(&mut *tx).await?;
    let mut new: Vec<_> = ids.iter().filter(|id| !row.hearted.contains(id)).cloned().collect();
    let (requested, free) = (new.len(), max.saturating_sub(row.total as usize));
    new.truncate(free);
    let over_limit = requested - new.len();
    begin(&mut tx, change, &new).await?;
    // Not part of the conflict clause below: Citus would send its parameter to the nodes without a type.
    let query = sqlx::query_scalar!(
        "update user_hearts
         set removed_at = null, snapshot_id = null, gone_at = null, pin = case when removed_at > $4 then pin end,
             hearted_at = case when removed_at > $4 then hearted_at else $3 end
         where user_id = $1 and playlist_id = any($2) and removed_at is not null
         returning playlist_id",
        user,
        &new,
        change.at,
        undo_since
    );
    let mut added: HashSet<_> = query.fetch_all(&mut *tx).await?.into_iter().collect();
    let query = sqlx::query_scalar!(
        "insert into user_hearts (user_id, playlist_id, hearted_at)
         select $1, l.id, $3 from (select unnest($2::text[]) as id) l order by l.id
         on conflict (user_id, playlist_id) do nothing
         returning playlist_id",
        user,
        &new,
        change.at
    );
    added.extend(query.fetch_all(&mut *tx).await?);
    if !added.is_empty() {
        leave_out(&mut tx, change, &new, &added).await?;
        finish(&mut tx, change).await?;
        tx.commit().await?;
    }
    Ok(AddResult { added: added.len(), over_limit })
}

/// Removes hearts, as [`super::hearts::remove`] does. Returns how many; with none, the last change can still be undone.
pub async fn remove(pool: &Pool, change: Change, ids: &[String]) -> Result<u64> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    lock(&mut tx, change.user).await?;
    begin(&mut tx, change, ids).await?;
    let query = sqlx::query!(
        "update user_hearts set removed_at = $3 where user_id = $1 and playlist_id = any($2) and removed_at is null",
        change.user.0,
        ids,
        change.at
    );
    query.execute(&mut *tx).await?;
    let removed = finish(&mut tx, change).await?;
    if removed > 0 {
        tx.commit().await?;
    }
    Ok(removed)
}

/// Replaces the tags of hearts, as [`tags::update`] does. Returns how many.
pub async fn update_tags(pool: &Pool, change: Change, changes: &[TagChange]) -> Result<u64> {
    let ids: Vec<_> = changes.iter().map(|change| change.playlist_id.clone()).collect();
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    lock(&mut tx, change.user).await?;
    begin(&mut tx, change, &ids).await?;
    tags::update(&mut *tx, change.user, changes).await?;
    let changed = finish(&mut tx, change).await?;
    if changed > 0 {
        tx.commit().await?;
    }
    Ok(changed)
}

/// Changes the tags of all hearts that have a tag, removed ones too, by `to_change`. Reads some at a time: those of
/// 100,000 hearts would take hundreds of megabytes. Returns `false` if some were edited meanwhile; all others are
/// changed.
pub async fn replace_tag(
    pool: &Pool,
    user: UserId,
    folded: &str,
    to_change: impl Fn(HeartTags) -> Option<TagChange> + Send,
) -> Result<bool> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    lock(&mut tx, user).await?;
    let (mut last, mut is_complete) = (String::new(), true);
    loop {
        let hearts = tags::list_some(&mut tx, user, folded, &last).await?;
        let Some(end) = hearts.last() else { break };
        last.clone_from(&end.playlist_id);
        let changes: Vec<_> = hearts.into_iter().filter_map(&to_change).collect();
        is_complete &= tags::update(&mut *tx, user, &changes).await? == changes.len() as u64;
    }
    tx.commit().await?;
    drop(connection);
    if last.is_empty() {
        super::check_user(pool, user).await?;
    }
    Ok(is_complete)
}

/// Replaces a heart's own title, note and tags, as [`super::hearts::annotate`] does.
pub async fn annotate(
    pool: &Pool,
    change: Change,
    playlist: &PlaylistId,
    old: OldAnnotation<'_>,
    annotation: &AnnotationRow,
) -> Result<bool> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    lock(&mut tx, change.user).await?;
    begin(&mut tx, change, &[playlist.to_string()]).await?;
    let is_saved = super::hearts::annotate(&mut *tx, change.user, playlist, old, annotation).await?;
    if is_saved {
        finish(&mut tx, change).await?;
        tx.commit().await?;
    }
    Ok(is_saved)
}

/// Counts of an [`undo`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    pub undone: u64,
    /// Hearts that the user has changed since; they stay.
    pub left: u64,
}

/// Undoes a change: each heart is again as it was before, and one that did not exist or was removed is removed now, so
/// that it can be restored from now on. Hearts that were changed since stay. Returns `None` if this is not the last change
/// of its kind.
pub async fn undo(pool: &Pool, change: Change, now: OffsetDateTime) -> Result<Option<Undone>> {
    let Change { user, kind, at } = change;
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    lock(&mut tx, user).await?;
    let query = sqlx::query!(
        "update user_hearts h
         set hearted_at = coalesce(c.hearted_at, h.hearted_at),
             removed_at = case when c.hearted_at is null or c.removed_at is not null then $4::timestamptz end,
             note = case when c.hearted_at is null then h.note else c.note end,
             note_folded = case when c.hearted_at is null then h.note_folded else c.note_folded end,
             tags = coalesce(c.tags, h.tags),
             tags_folded = case when c.hearted_at is null then h.tags_folded else c.tags_folded end,
             own_title = case when c.hearted_at is null then h.own_title else c.own_title end,
             own_title_folded = case when c.hearted_at is null then h.own_title_folded else c.own_title_folded end
         from heart_changes c
         where c.user_id = $1 and c.kind = $2 and c.changed_at = $3 and h.user_id = $1
               and h.playlist_id = c.playlist_id and h.hearted_at = c.new_hearted_at and h.tags = c.new_tags
               and h.removed_at is not distinct from c.new_removed_at and h.note is not distinct from c.new_note
               and h.own_title is not distinct from c.new_own_title",
        user.0,
        kind.key(),
        at,
        now
    );
    let undone = query.execute(&mut *tx).await?.rows_affected();
    let query = sqlx::query!(
        "delete from heart_changes where user_id = $1 and kind = $2 and changed_at = $3",
        user.0,
        kind.key(),
        at
    );
    let recorded = query.execute(&mut *tx).await?.rows_affected();
    tx.commit().await?;
    Ok((recorded > 0).then(|| Undone { undone, left: recorded.saturating_sub(undone) }))
}

/// Returns when the user's last import was, and how many hearts it added.
pub async fn find_import(pool: &Pool, user: UserId) -> Result<Option<(OffsetDateTime, i64)>> {
    let query = sqlx::query!(
        r#"select max(changed_at) as at, count(*) as "hearts!" from heart_changes where user_id = $1 and kind = 'import'"#,
        user.0
    );
    let row = query.fetch_one(pool).await?;
    Ok(row.at.map(|at| (at, row.hearts)))
}

/// Deletes what is stored of changes of hearts that no longer exist.
pub async fn delete_orphans(pool: &Pool, user: UserId) -> Result<()> {
    let query = sqlx::query!(
        "delete from heart_changes c where user_id = $1
         and not exists (select from user_hearts h where h.user_id = $1 and h.playlist_id = c.playlist_id offset 0)",
        user.0
    );
    Ok(query.execute(pool).await.map(drop)?)
}

/// Deletes all changes of a user. After a merge they could not be undone correctly.
pub(super) async fn delete_all(connection: &mut PgConnection, user: UserId) -> Result<()> {
    let query = sqlx::query!("delete from heart_changes where user_id = $1", user.0);
    Ok(query.execute(connection).await.map(drop)?)
}

/// Deletes changes that were made before `before`, in batches. Returns the number of rows.
pub async fn delete_before(pool: &Pool, before: OffsetDateTime) -> Result<u64> {
    super::delete_in_batches(pool, |batch| {
        sqlx::query!(
            "delete from heart_changes where changed_at between '-infinity' and (
                 select max(changed_at) from (select changed_at from heart_changes where changed_at <= $1 order by changed_at limit $2) b)",
            before,
            batch
        )
    })
    .await
}
