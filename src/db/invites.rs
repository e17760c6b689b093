//! Invitations, and links that make their bearer operator.

use sqlx::{Connection, PgConnection, PgExecutor};
use time::{Duration, OffsetDateTime};

use super::{Pool, Result};
use crate::ids::{TokenHash, UserId};

/// How long an unused invitation is stored after it expired.
const EXPIRED_RETENTION: Duration = Duration::days(30);
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
    Valid {
        makes_operator: bool,
    },
    Used,
    Expired,
    /// It never existed or was revoked.
    Unknown,
}

/// Creates an invitation. Returns `false`, and changes nothing, if the user is not operator: [`super::operators::revoke`]
/// at the same time would leave it behind.
pub async fn create(
    pool: &Pool,
    user: UserId,
    token: TokenHash,
    now: OffsetDateTime,
    expires_at: OffsetDateTime,
) -> Result<bool> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    let query = sqlx::query_scalar!("select operator from users where id = $1 for update", user.0);
    if query.fetch_optional(&mut *tx).await? != Some(true) {
        return Ok(false);
    }
    let query = sqlx::query!(
        "insert into invites (token_hash, created_by, created_at, expires_at) values ($1, $2, $3, $4)",
        token.as_bytes(),
        user.0,
        now,
        expires_at
    );
    query.execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(true)
}

/// Creates an invitation that makes its bearer operator.
pub async fn create_operator_link(
    pool: &Pool,
    token: TokenHash,
    now: OffsetDateTime,
    expires_at: OffsetDateTime,
) -> Result<()> {
    let query = sqlx::query!(
        "insert into invites (token_hash, created_at, expires_at, makes_operator) values ($1, $2, $3, true)",
        token.as_bytes(),
        now,
        expires_at
    );
    Ok(query.execute(pool).await.map(drop)?)
}

pub async fn list(pool: &Pool, user: UserId) -> Result<Vec<Invite>> {
    let query = sqlx::query_as!(
        Invite,
        r#"select i.id, i.created_at, i.expires_at, i.used_at, u.display_name as "used_by?"
           from invites i left join users u on u.id = i.used_by where i.created_by = $1 order by i.id desc"#,
        user.0
    );
    Ok(query.fetch_all(pool).await?)
}

/// Deletes an unused invitation. Returns whether there was one.
pub async fn revoke(pool: &Pool, user: UserId, id: i64) -> Result<bool> {
    let query = sqlx::query!("delete from invites where id = $1 and created_by = $2 and used_at is null", id, user.0);
    Ok(query.execute(pool).await?.rows_affected() == 1)
}

/// Deletes a user's unused invitations.
pub(super) async fn delete_unused(connection: &mut PgConnection, user: UserId) -> Result<()> {
    let query = sqlx::query!("delete from invites where created_by = $1 and used_at is null", user.0);
    Ok(query.execute(connection).await.map(drop)?)
}

pub async fn status(pool: &Pool, token: TokenHash, now: OffsetDateTime) -> Result<InviteStatus> {
    let query =
        sqlx::query!("select used_at, expires_at, makes_operator from invites where token_hash = $1", token.as_bytes());
    Ok(match query.fetch_optional(pool).await? {
        None => InviteStatus::Unknown,
        Some(row) if row.used_at.is_some() => InviteStatus::Used,
        Some(row) if row.expires_at <= now => InviteStatus::Expired,
        Some(row) => InviteStatus::Valid { makes_operator: row.makes_operator },
    })
}

/// Marks the invitation as used by `user`, and makes the user operator if it is for one. Returns whether it is; `None`
/// if it is not valid. Only one of several concurrent calls succeeds.
pub(super) async fn redeem(
    connection: &mut PgConnection,
    token: TokenHash,
    user: UserId,
    now: OffsetDateTime,
) -> Result<Option<bool>> {
    let query = sqlx::query_scalar!(
        "update invites set used_at = $2, used_by = $3 where token_hash = $1 and used_at is null and expires_at > $2
         returning makes_operator",
        token.as_bytes(),
        now,
        user.0
    );
    let makes_operator = query.fetch_optional(&mut *connection).await?;
    if makes_operator == Some(true) {
        sqlx::query!("update users set operator = true where id = $1", user.0).execute(&mut *connection).await?;
        // Each process printed a link at its start; the first one that is used ends the others.
        delete_operator_links(connection).await?;
    }
    Ok(makes_operator)
}

/// Deletes the unused links that make their bearer operator.
pub async fn delete_operator_links(executor: impl PgExecutor<'_>) -> Result<()> {
    sqlx::query!("delete from invites where makes_operator and used_at is null").execute(executor).await?;
    Ok(())
}

/// Makes an existing user operator by such a link. Returns `false`, and changes nothing, if the link is not valid or
/// only lets new people join.
pub async fn redeem_operator_link(pool: &Pool, token: TokenHash, user: UserId, now: OffsetDateTime) -> Result<bool> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    super::lock_registrations(&mut tx).await?;
    if redeem(&mut tx, token, user, now).await? != Some(true) {
        return Ok(false);
    }
    tx.commit().await?;
    Ok(true)
}

pub async fn delete_expired(pool: &Pool, now: OffsetDateTime) -> Result<u64> {
    let query = sqlx::query!(
        "delete from invites where (used_at is null and expires_at < $1) or used_at < $2",
        now - EXPIRED_RETENTION,
        now - USED_RETENTION
    );
    Ok(query.execute(pool).await?.rows_affected())
}
