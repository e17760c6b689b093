//! Invitations, and who may make them.

use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

use super::{Error, Pool};
use crate::ids::{Digested, UserId};

/// How long an invitation is kept after its time was over, and how long after it was used.
const KEPT: (Duration, Duration) = (Duration::days(30), Duration::days(365));

/// An invitation, as its maker sees it.
pub struct Invite {
    /// Its number.
    pub id: i64,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// Until when it is good.
    pub expires_at: OffsetDateTime,
    /// When it was used.
    pub used_at: Option<OffsetDateTime>,
    /// By whom, while they have an account.
    pub used_by: Option<String>,
}

/// What a link is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It lets somebody in.
    Good,
    /// It let somebody in.
    Used,
    /// Its time is over.
    Expired,
    /// There is none such, or it was taken back.
    Unknown,
}

/// Whether the person may invite others.
pub async fn is_operator(pool: &Pool, user: UserId) -> Result<bool, Error> {
    let row = sqlx::query_scalar!("select operator from users where id = $1", user.0);
    Ok(row.fetch_optional(pool).await?.unwrap_or(false))
}

/// Keeps an invitation whose link has this digest.
pub async fn make(
    pool: &Pool,
    user: UserId,
    token: Digested,
    now: OffsetDateTime,
    expires_at: OffsetDateTime,
) -> Result<(), Error> {
    let row = sqlx::query!(
        "insert into invites (token_hash, created_by, created_at, expires_at) values ($1, $2, $3, $4)",
        token.as_bytes(),
        user.0,
        now,
        expires_at
    );
    row.execute(pool).await?;
    Ok(())
}

/// The invitations that the person made, newest first.
pub async fn of(pool: &Pool, user: UserId) -> Result<Vec<Invite>, Error> {
    let rows = sqlx::query_as!(
        Invite,
        r#"select i.id, i.created_at, i.expires_at, i.used_at, u.display_name as "used_by?"
           from invites i left join users u on u.id = i.used_by where i.created_by = $1 order by i.id desc"#,
        user.0
    );
    Ok(rows.fetch_all(pool).await?)
}

/// Takes an invitation back that nobody has used. Says whether there was one.
pub async fn revoke(pool: &Pool, user: UserId, id: i64) -> Result<bool, Error> {
    let gone = sqlx::query!("delete from invites where id = $1 and created_by = $2 and used_at is null", id, user.0);
    Ok(gone.execute(pool).await?.rows_affected() == 1)
}

/// What the link with this digest is worth now.
pub async fn standing(pool: &Pool, token: Digested, now: OffsetDateTime) -> Result<Standing, Error> {
    let row = sqlx::query!("select used_at, expires_at from invites where token_hash = $1", token.as_bytes());
    Ok(match row.fetch_optional(pool).await? {
        None => Standing::Unknown,
        Some(row) if row.used_at.is_some() => Standing::Used,
        Some(row) if row.expires_at <= now => Standing::Expired,
        Some(_) => Standing::Good,
    })
}

/// Lets the new person `user` in by the link with this digest: of any number at once, one.
pub(super) async fn spend(
    connection: &mut PgConnection,
    token: Digested,
    user: i64,
    now: OffsetDateTime,
) -> Result<bool, Error> {
    let spent = sqlx::query!(
        "update invites set used_at = $2, used_by = $3 where token_hash = $1 and used_at is null and expires_at > $2",
        token.as_bytes(),
        now,
        user
    );
    Ok(spent.execute(connection).await?.rows_affected() == 1)
}

/// Removes invitations that are of no use to anybody.
pub async fn sweep(pool: &Pool, now: OffsetDateTime) -> Result<u64, Error> {
    let gone = sqlx::query!(
        "delete from invites where (used_at is null and expires_at < $1) or used_at < $2",
        now - KEPT.0,
        now - KEPT.1
    );
    Ok(gone.execute(pool).await?.rows_affected())
}
