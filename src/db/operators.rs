//! Operators, and what only they read and change.

use sqlx::{Connection, PgExecutor};
use time::OffsetDateTime;

use super::{Pool, Result};
use crate::ids::{PlaylistId, UserId};

pub async fn is_operator(executor: impl PgExecutor<'_>, user: UserId) -> Result<bool> {
    let query = sqlx::query_scalar!("select operator from users where id = $1", user.0);
    Ok(query.fetch_optional(executor).await?.unwrap_or(false))
}

pub async fn exists(pool: &Pool) -> Result<bool> {
    let query = sqlx::query_scalar!(r#"select exists (select 1 from users where operator) as "exists!""#);
    Ok(query.fetch_one(pool).await?)
}

/// Returns whether somebody else is operator.
pub async fn has_other(executor: impl PgExecutor<'_>, user: UserId) -> Result<bool> {
    let query =
        sqlx::query_scalar!(r#"select exists (select 1 from users where operator and id <> $1) as "exists!""#, user.0);
    Ok(query.fetch_one(executor).await?)
}

/// Makes a user operator, and ends the links that would make somebody else one. Returns `false` if there is no such
/// user.
pub async fn grant(pool: &Pool, user: UserId) -> Result<bool> {
    if is_operator(pool, user).await? {
        return Ok(true);
    }
    // First, so that no link outlives the grant.
    super::invites::delete_operator_links(pool).await?;
    let query = sqlx::query!("update users set operator = true where id = $1", user.0);
    Ok(query.execute(pool).await?.rows_affected() == 1)
}

/// Ends a user's role as operator, and the user's invitations, unless nobody else has the role. Returns whether it
/// ended.
pub async fn revoke(pool: &Pool, user: UserId) -> Result<bool> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    // Two operators could otherwise end each other's role at the same time.
    super::lock_registrations(&mut tx).await?;
    if !has_other(&mut *tx, user).await? {
        return Ok(false);
    }
    let query = sqlx::query!("update users set operator = false where id = $1 and operator", user.0);
    let is_revoked = query.execute(&mut *tx).await?.rows_affected() == 1;
    if is_revoked {
        super::invites::delete_unused(&mut tx, user).await?;
    }
    tx.commit().await?;
    Ok(is_revoked)
}

/// A user as operators see them: no hearts, no notes, no email address.
pub struct ListedAccount {
    pub id: i64,
    pub display_name: String,
    pub created_at: OffsetDateTime,
    pub is_operator: bool,
    /// When they last opened a page or signed in.
    pub last_seen_at: Option<OffsetDateTime>,
    /// Keys of the providers that they sign in with.
    pub providers: Vec<String>,
    pub slug: Option<String>,
    pub has_link: bool,
    pub taken_down_at: Option<OffsetDateTime>,
}

pub async fn list_people(pool: &Pool, offset: i64, limit: i64) -> Result<Vec<ListedAccount>> {
    let query = sqlx::query_as!(
        ListedAccount,
        r#"select u.id, u.display_name, u.created_at, u.operator as is_operator,
                  greatest((select max(last_seen_at) from sessions where user_id = u.id),
                           (select max(last_used_at) from identities where user_id = u.id)) as last_seen_at,
                  array(select provider from identities where user_id = u.id order by provider) as "providers!",
                  s.slug as "slug?", s.token_hash is not null as "has_link!",
                  s.taken_down_at as "taken_down_at?"
           from users u left join shares s on s.user_id = u.id order by u.id desc offset $1 limit $2"#,
        offset,
        limit
    );
    Ok(query.fetch_all(pool).await?)
}

pub async fn take_down(pool: &Pool, user: UserId, now: OffsetDateTime) -> Result<()> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    super::lock_existing_user(&mut tx, user).await?;
    super::shares::take_down(&mut tx, user, now).await?;
    Ok(tx.commit().await?)
}

/// Keeps a playlist off the popular lists.
pub async fn hide(pool: &Pool, playlist: &PlaylistId, now: OffsetDateTime) -> Result<()> {
    let query = sqlx::query!(
        "insert into hidden_playlists (playlist_id, hidden_at) values ($1, $2) on conflict do nothing",
        playlist.as_str(),
        now
    );
    Ok(query.execute(pool).await.map(drop)?)
}

pub async fn unhide(pool: &Pool, playlist: &PlaylistId) -> Result<()> {
    sqlx::query!("delete from hidden_playlists where playlist_id = $1", playlist.as_str()).execute(pool).await?;
    Ok(())
}

pub struct HiddenPlaylist {
    pub id: String,
    pub hidden_at: OffsetDateTime,
}

pub async fn list_hidden(pool: &Pool) -> Result<Vec<HiddenPlaylist>> {
    let query = sqlx::query_as!(
        HiddenPlaylist,
        "select playlist_id as id, hidden_at from hidden_playlists order by hidden_at desc, playlist_id"
    );
    Ok(query.fetch_all(pool).await?)
}
