//! Texts of hearts and playlists with their folded forms, to fold them again. One user at a time, one row a statement:
//! on Citus each goes to one shard, and nothing waits for many locks.

use time::OffsetDateTime;

use super::{Pool, Result};
use crate::ids::UserId;

/// Takes the lease of a pass by the rules of `version`: the first, or a second one if the first was finished before
/// `first_before`. Returns the last user whose texts are folded; `None` if there is nothing to do or another process
/// has the lease.
pub async fn lease(
    pool: &Pool,
    version: i32,
    until: OffsetDateTime,
    first_before: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<Option<UserId>> {
    let query = sqlx::query_scalar!(
        // A time in the future, from a wrong clock, must not stop the folding forever.
        "insert into text_folding as t (version, leased_until) values ($1, $2)
         on conflict (only_one) do update set version = $1, leased_until = $2,
             passes = case when t.version = $1 then t.passes else 0 end,
             reached = case when t.version = $1 then t.reached else 0 end
         where (t.version < $1 or t.version = $1 and (t.passes = 0 or t.passes = 1 and t.finished_at < $3))
               and (t.leased_until is null or t.leased_until not between $4 and $2::timestamptz + interval '1 minute')
         returning reached",
        version,
        until,
        first_before,
        now
    );
    Ok(query.fetch_optional(pool).await?.map(UserId))
}

/// Records the last folded user and renews the lease. Returns `false` if the lease was lost.
pub async fn renew(pool: &Pool, (until, renewed): (OffsetDateTime, OffsetDateTime), reached: UserId) -> Result<bool> {
    let query = sqlx::query!(
        "update text_folding set leased_until = $2, reached = $3 where leased_until = $1",
        until,
        renewed,
        reached.0
    );
    Ok(query.execute(pool).await?.rows_affected() == 1)
}

/// Records the end of a pass and releases its lease.
pub async fn finish(pool: &Pool, until: OffsetDateTime, now: OffsetDateTime) -> Result<()> {
    let query = sqlx::query!(
        "update text_folding set passes = passes + 1, reached = 0, finished_at = $2, leased_until = null
         where leased_until = $1",
        until,
        now
    );
    Ok(query.execute(pool).await.map(drop)?)
}

/// Returns up to `limit` users in the order of their ids, starting after `after`.
pub async fn list_users(pool: &Pool, after: UserId, limit: i64) -> Result<Vec<UserId>> {
    let query = sqlx::query_scalar!("select id from users where id > $1 order by id limit $2", after.0, limit);
    Ok(query.fetch_all(pool).await?.into_iter().map(UserId).collect())
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeartTexts {
    pub playlist_id: String,
    pub title: Option<String>,
    pub title_folded: Option<String>,
    pub own_title: Option<String>,
    pub own_title_folded: Option<String>,
    pub note: Option<String>,
    pub note_folded: Option<String>,
    pub tags: Vec<String>,
    pub tags_folded: Option<Vec<String>>,
}

/// Returns the texts of some of a user's hearts, removed ones too, that are not all ASCII, or have a tag that was folded
/// with its `#`; in the order of their playlists, starting after `last`.
pub async fn list_hearts(pool: &Pool, user: UserId, last: &str) -> Result<Vec<HeartTexts>> {
    let query = sqlx::query_as!(
        HeartTexts,
        r#"select playlist_id, title, title_folded, own_title, own_title_folded, note, note_folded, tags, tags_folded
           from (select *, concat(title, own_title, note, array_to_string(tags, '')) as text
                 from user_hearts where user_id = $1 and playlist_id > $2) h
           where octet_length(text) <> char_length(text)
                 or exists (select 1 from unnest(coalesce(tags_folded, tags)) tag where tag like '#%')
           order by playlist_id limit 1000"#,
        user.0,
        last
    );
    Ok(query.fetch_all(pool).await?)
}

/// Writes a heart's folded texts and its tags, unless `old` has changed meanwhile. Returns the number of rows.
pub async fn update_heart(pool: &Pool, user: UserId, old: &HeartTexts, new: &HeartTexts) -> Result<u64> {
    let query = sqlx::query!(
        "update user_hearts set title_folded = $3, note_folded = $4, tags = $5, tags_folded = $6,
             own_title_folded = $10
         where user_id = $1 and playlist_id = $2
               and title is not distinct from $7 and note is not distinct from $8 and tags = $9
               and own_title is not distinct from $11",
        user.0,
        new.playlist_id,
        new.title_folded.as_deref(),
        new.note_folded.as_deref(),
        &new.tags,
        new.tags_folded.as_deref(),
        old.title.as_deref(),
        old.note.as_deref(),
        &old.tags,
        new.own_title_folded.as_deref(),
        old.own_title.as_deref()
    );
    Ok(query.execute(pool).await?.rows_affected())
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaylistTexts {
    pub id: String,
    pub name: String,
    pub name_folded: Option<String>,
    pub owner_name: Option<String>,
    pub owner_folded: Option<String>,
}

/// Returns the texts of some of a user's playlists that are not all ASCII; in the order of their ids, starting after
/// `last`.
pub async fn list_playlists(pool: &Pool, user: UserId, last: &str) -> Result<Vec<PlaylistTexts>> {
    let query = sqlx::query_as!(
        PlaylistTexts,
        r#"select id, name, name_folded, owner_name, owner_folded
           from (select *, concat(name, owner_name) as text from playlists where user_id = $1 and id > $2) p
           where octet_length(text) <> char_length(text)
           order by id limit 1000"#,
        user.0,
        last
    );
    Ok(query.fetch_all(pool).await?)
}

/// Writes a playlist's folded texts, unless the texts have changed meanwhile. Returns the number of rows.
pub async fn update_playlist(pool: &Pool, user: UserId, new: &PlaylistTexts) -> Result<u64> {
    let query = sqlx::query!(
        "update playlists set name_folded = $3, owner_folded = $4
         where user_id = $1 and id = $2 and name = $5 and owner_name is not distinct from $6",
        user.0,
        new.id,
        new.name_folded.as_deref(),
        new.owner_folded.as_deref(),
        new.name,
        new.owner_name.as_deref()
    );
    Ok(query.execute(pool).await?.rows_affected())
}
