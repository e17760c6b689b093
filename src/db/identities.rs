//! Who vouches for whom.

use time::OffsetDateTime;

use super::{Error, Pool};
use crate::ids::{Provider, UserId};

/// A way in, as its owner sees it.
pub struct Identity {
    /// The provider's key.
    pub provider: String,
    /// When it was first used.
    pub created_at: OffsetDateTime,
    /// When it was last used.
    pub last_used_at: OffsetDateTime,
}

impl Identity {
    /// The provider's name as a person reads it.
    pub fn label(&self) -> String {
        let known = [Provider::Spotify].into_iter().find(|provider| provider.key() == self.provider);
        known.map_or_else(|| self.provider.clone(), |provider| provider.label().to_owned())
    }
}

/// The person for whom `provider` vouches under `subject`.
///
/// # Errors
/// When the database fails.
pub async fn owner(pool: &Pool, provider: Provider, subject: &str) -> Result<Option<UserId>, Error> {
    let row = sqlx::query_scalar!(
        "select user_id from identities where provider = $1 and subject = $2",
        provider.key(),
        subject
    );
    Ok(row.fetch_optional(pool).await?.map(UserId))
}

/// Gives the identity `old` the name `new`, unless that is taken.
///
/// # Errors
/// When the database fails.
pub async fn rename(pool: &Pool, provider: Provider, old: &str, new: &str) -> Result<(), Error> {
    let change = sqlx::query!(
        "update identities set subject = $3 where provider = $1 and subject = $2",
        provider.key(),
        old,
        new
    );
    change.execute(pool).await?;
    Ok(())
}

/// Makes a person with one way in, or finds the one that a request beside this one has just made.
///
/// # Errors
/// When the database fails.
pub async fn join(
    pool: &Pool,
    provider: Provider,
    subject: &str,
    display_name: &str,
    now: OffsetDateTime,
) -> Result<UserId, Error> {
    let mut tx = pool.begin().await?;
    let user = sqlx::query_scalar!(
        "insert into users (display_name, created_at) values ($1, $2) returning id",
        display_name,
        now
    );
    let user = user.fetch_one(&mut *tx).await?;
    let identity = sqlx::query!(
        "insert into identities (user_id, provider, subject, created_at, last_used_at) values ($1, $2, $3, $4, $4) on conflict (provider, subject) do nothing",
        user,
        provider.key(),
        subject,
        now
    );
    if identity.execute(&mut *tx).await?.rows_affected() == 1 {
        tx.commit().await?;
        return Ok(UserId(user));
    }
    tx.rollback().await?;
    owner(pool, provider, subject).await?.ok_or(Error::OwnerGone)
}

/// Notes that the identity was used.
///
/// # Errors
/// When the database fails.
pub async fn touch(pool: &Pool, provider: Provider, subject: &str, now: OffsetDateTime) -> Result<(), Error> {
    let change = sqlx::query!(
        "update identities set last_used_at = $3 where provider = $1 and subject = $2",
        provider.key(),
        subject,
        now
    );
    change.execute(pool).await?;
    Ok(())
}

/// Notes what the provider calls the person today where it tells whose something is. It may change, so nobody is
/// known by it.
///
/// # Errors
/// When the database fails.
pub async fn note_handle(pool: &Pool, user: UserId, provider: Provider, handle: &str) -> Result<(), Error> {
    let change = sqlx::query!(
        "update identities set handle = $3 where user_id = $1 and provider = $2 and handle is distinct from $3",
        user.0,
        provider.key(),
        handle
    );
    change.execute(pool).await?;
    Ok(())
}

/// A person's ways in, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn of(pool: &Pool, user: UserId) -> Result<Vec<Identity>, Error> {
    let rows = sqlx::query_as!(
        Identity,
        "select provider, created_at, last_used_at from identities where user_id = $1 order by created_at",
        user.0
    );
    Ok(rows.fetch_all(pool).await?)
}

/// Whether the person already has a way in by `provider`.
///
/// # Errors
/// When the database fails.
pub async fn has(pool: &Pool, user: UserId, provider: Provider) -> Result<bool, Error> {
    let row = sqlx::query_scalar!(
        r#"select exists (select from identities where user_id = $1 and provider = $2) as "has!""#,
        user.0,
        provider.key()
    );
    Ok(row.fetch_one(pool).await?)
}

/// Adds a way in to a person who has none by this provider.
///
/// # Errors
/// When the database fails, or another request linked it first.
pub async fn link(
    pool: &Pool,
    user: UserId,
    provider: Provider,
    subject: &str,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let row = sqlx::query!(
        "insert into identities (user_id, provider, subject, created_at, last_used_at) values ($1, $2, $3, $4, $4)",
        user.0,
        provider.key(),
        subject,
        now
    );
    row.execute(pool).await?;
    Ok(())
}
