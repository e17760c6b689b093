//! Who vouches for whom.

use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{Error, Pool, invites};
use crate::ids::{Digested, Provider, UserId};

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

/// Who may come in as somebody new.
#[derive(Clone, Copy, Debug)]
pub enum Door {
    /// Everybody.
    Open,
    /// Whoever brings a link with this digest that is still good; and the first person ever.
    Invited(Option<Digested>),
}

/// Makes a person with one way in, or finds the one that a request beside this one has just made. The first
/// person ever is the operator. None: the door is not open to them, and nothing has changed.
///
/// # Errors
/// When the database fails.
pub async fn join(
    pool: &Pool,
    (provider, subject): (Provider, &str),
    display_name: &str,
    door: Door,
    now: OffsetDateTime,
) -> Result<Option<UserId>, Error> {
    let mut tx = pool.begin().await?;
    let first = is_first(&mut tx).await?;
    let user = sqlx::query_scalar!(
        "insert into users (display_name, created_at, operator) values ($1, $2, $3) returning id",
        display_name,
        now,
        first
    );
    let user = user.fetch_one(&mut *tx).await?;
    let identity = sqlx::query!(
        "insert into identities (user_id, provider, subject, created_at, last_used_at) values ($1, $2, $3, $4, $4) on conflict (provider, subject) do nothing",
        user,
        provider.key(),
        subject,
        now
    );
    if identity.execute(&mut *tx).await?.rows_affected() == 0 {
        tx.rollback().await?;
        return owner(pool, provider, subject).await?.ok_or(Error::OwnerGone).map(Some);
    }
    let admitted = match door {
        Door::Invited(token) if !first => match token {
            Some(token) => invites::spend(&mut tx, token, user, now).await?,
            None => false,
        },
        Door::Open | Door::Invited(_) => true,
    };
    if !admitted {
        tx.rollback().await?;
        return Ok(None);
    }
    tx.commit().await?;
    Ok(Some(UserId(user)))
}

/// Of two first persons at once, one is: the other waits, and looks again.
const FIRST_PERSON_LOCK: i64 = 0x4845_4152_544c_4953;

/// Whether nobody has joined yet.
async fn is_first(connection: &mut PgConnection) -> Result<bool, Error> {
    if !nobody(connection).await? {
        return Ok(false);
    }
    sqlx::query!("select pg_advisory_xact_lock($1)", FIRST_PERSON_LOCK).fetch_one(&mut *connection).await?;
    nobody(connection).await
}

async fn nobody(connection: &mut PgConnection) -> Result<bool, Error> {
    let row = sqlx::query_scalar!(r#"select not exists (select from users) as "nobody!""#);
    Ok(row.fetch_one(connection).await?)
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
