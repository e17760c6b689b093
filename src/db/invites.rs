//! Invitations, and the operators who may create them.

use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

use super::{Error, Pool};
use crate::ids::{TokenHash, UserId};

/// How long an unused invitation is stored after it expired.
const EXPIRED_RETENTION: Duration = Duration::days(30);
/// How long a used invitation is stored.
const USED_RETENTION: Duration = Duration::days(365);

pub struct Invite {
    pub id: i64,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub used_at: Option<OffsetDateTime>,
    /// The name of the user who used it, unless that account was deleted.
    pub used_by: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InviteStatus {
    Valid,
    Used,
    Expired,
    /// It never existed or was revoked.
    Unknown,
}

/// Returns whether the user may create invitations.
pub async fn is_operator(pool: &Pool, user: UserId) -> Result<bool, Error> {
    let query = sqlx::query_scalar!("select operator from users where id = $1", user.0);
    Ok(query.fetch_optional(pool).await?.unwrap_or(false))
}

pub async fn create(
    pool: &Pool,
    user: UserId,
    token: TokenHash,
    now: OffsetDateTime,
    expires_at: OffsetDateTime,
) -> Result<(), Error> {
    let query = sqlx::query!(
        "insert into invites (token_hash, created_by, created_at, expires_at) values ($1, $2, $3, $4)",
        token.as_bytes(),
        user.0,
        now,
        expires_at
    );
    query.execute(pool).await?;
    Ok(())
}

/// Returns the user's invitations, newest first.
pub async fn list(pool: &Pool, user: UserId) -> Result<Vec<Invite>, Error> {
    let query = sqlx::query_as!(
        Invite,
        r#"select i.id, i.created_at, i.expires_at, i.used_at, u.display_name as "used_by?"
           from invites i left join users u on u.id = i.used_by where i.created_by = $1 order by i.id desc"#,
        user.0
    );
    Ok(query.fetch_all(pool).await?)
}

/// Deletes an unused invitation. Returns whether there was one.
pub async fn revoke(pool: &Pool, user: UserId, id: i64) -> Result<bool, Error> {
    let query = sqlx::query!("delete from invites where id = $1 and created_by = $2 and used_at is null", id, user.0);
    Ok(query.execute(pool).await?.rows_affected() == 1)
}

pub async fn status(pool: &Pool, token: TokenHash, now: OffsetDateTime) -> Result<InviteStatus, Error> {
    let query = sqlx::query!("select used_at, expires_at from invites where token_hash = $1", token.as_bytes());
    Ok(match query.fetch_optional(pool).await? {
        None => InviteStatus::Unknown,
        Some(row) if row.used_at.is_some() => InviteStatus::Used,
        Some(row) if row.expires_at <= now => InviteStatus::Expired,
        Some(_) => InviteStatus::Valid,
    })
}

/// Marks the invitation as used by `user`. Returns `false` if it is not valid. Only one of several concurrent
/// calls succeeds.
pub(super) async fn mark_used(
    connection: &mut PgConnection,
    token: TokenHash,
    user: i64,
    now: OffsetDateTime,
) -> Result<bool, Error> {
    let query = sqlx::query!(
        "update invites set used_at = $2, used_by = $3 where token_hash = $1 and used_at is null and expires_at > $2",
        token.as_bytes(),
        now,
        user
    );
    Ok(query.execute(connection).await?.rows_affected() == 1)
}

pub async fn delete_expired(pool: &Pool, now: OffsetDateTime) -> Result<u64, Error> {
    let query = sqlx::query!(
        "delete from invites where (used_at is null and expires_at < $1) or used_at < $2",
        now - EXPIRED_RETENTION,
        now - USED_RETENTION
    );
    Ok(query.execute(pool).await?.rows_affected())
}
