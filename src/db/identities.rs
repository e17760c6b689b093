//! Who vouches for whom.

use sqlx::{Connection, PgConnection};
use time::OffsetDateTime;

use super::{Error, Pool};
use crate::ids::{Provider, UserId};

/// A way in, as its owner sees it.
pub struct Identity {
    /// The provider's key.
    pub provider: String,
    /// The e-mail address that the provider gave.
    pub email: Option<String>,
    /// When it was first used.
    pub created_at: OffsetDateTime,
    /// When it was last used.
    pub last_used_at: OffsetDateTime,
}

impl Identity {
    /// The provider's name as a person reads it.
    pub fn label(&self) -> String {
        Provider::with_key(&self.provider).map_or_else(|| self.provider.clone(), |provider| provider.label().to_owned())
    }
}

/// An identity as a provider has just shown it.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// Who vouches.
    pub provider: Provider,
    /// For whom: the provider's own id.
    pub subject: &'a str,
    /// The e-mail address, and whether the provider has verified it.
    pub email: Option<(&'a str, bool)>,
    /// When.
    pub at: OffsetDateTime,
}

impl Shown<'_> {
    fn verified(&self) -> bool {
        self.email.is_some_and(|(_, verified)| verified)
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

/// Gives the identity `old` the name `new`, unless that is taken: then somebody else was quicker, and nothing
/// changes.
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
    match change.execute(pool).await {
        Err(sqlx::Error::Database(told)) if told.is_unique_violation() => Ok(()),
        done => Ok(done.map(drop)?),
    }
}

/// Adds a way in to a person who has none by this provider. False: another request was quicker, and the
/// identity is somebody's, or the person has another one.
///
/// # Errors
/// When the database fails.
pub async fn link(pool: &Pool, user: UserId, shown: Shown<'_>) -> Result<bool, Error> {
    add(&mut *pool.acquire().await?, user, shown).await
}

/// The same, as a part of something larger.
pub(super) async fn add(connection: &mut PgConnection, user: UserId, shown: Shown<'_>) -> Result<bool, Error> {
    let row = sqlx::query!(
        "insert into identities (user_id, provider, subject, created_at, last_used_at, email, email_verified)
         values ($1, $2, $3, $4, $4, $5, $6) on conflict do nothing",
        user.0,
        shown.provider.key(),
        shown.subject,
        shown.at,
        shown.email.map(|(address, _)| address),
        shown.verified()
    );
    Ok(row.execute(connection).await?.rows_affected() == 1)
}

/// Notes that the identity was used, and the address it comes with today.
///
/// # Errors
/// When the database fails.
pub async fn touch(pool: &Pool, shown: Shown<'_>) -> Result<(), Error> {
    let change = sqlx::query!(
        "update identities set last_used_at = $3, email = $4, email_verified = $5 where provider = $1 and subject = $2",
        shown.provider.key(),
        shown.subject,
        shown.at,
        shown.email.map(|(address, _)| address),
        shown.verified()
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
        "select provider, email, created_at, last_used_at from identities where user_id = $1 order by created_at, provider",
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

/// Somebody else's identity with the same verified address.
pub struct Alike {
    /// Whose it is.
    pub user: UserId,
    /// The provider's key.
    pub provider: String,
}

/// Whose identities come with a verified address that one of `user`'s comes with too, by providers by which
/// `user` has no way in.
///
/// # Errors
/// When the database fails.
pub async fn alike(pool: &Pool, user: UserId) -> Result<Vec<Alike>, Error> {
    let rows = sqlx::query!(
        "select distinct theirs.user_id, theirs.provider
         from identities mine join identities theirs on lower(theirs.email) = lower(mine.email)
         where mine.user_id = $1 and mine.email_verified and theirs.email_verified and theirs.user_id <> $1
           and not exists (select from identities m where m.user_id = $1 and m.provider = theirs.provider)
         order by theirs.provider",
        user.0
    );
    let rows = rows.fetch_all(pool).await?.into_iter();
    Ok(rows.map(|row| Alike { user: UserId(row.user_id), provider: row.provider }).collect())
}

/// What became of the wish to give up a way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlinked {
    /// It is gone.
    Gone,
    /// It was not there.
    NotThere,
    /// It stays: nobody could sign in to the account without it.
    LastWayIn,
}

/// Takes a way in away, unless none of `usable` (providers' keys) would be left.
///
/// # Errors
/// When the database fails.
pub async fn unlink(pool: &Pool, user: UserId, provider: Provider, usable: &[String]) -> Result<Unlinked, Error> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    // Two at once must not each believe that the other's stays.
    sqlx::query!("select id from users where id = $1 for update", user.0).fetch_optional(&mut *tx).await?;
    let gone = sqlx::query!("delete from identities where user_id = $1 and provider = $2", user.0, provider.key());
    if gone.execute(&mut *tx).await?.rows_affected() == 0 {
        return Ok(Unlinked::NotThere);
    }
    let left = sqlx::query_scalar!(
        r#"select exists (select from identities where user_id = $1 and provider = any($2)) as "left!""#,
        user.0,
        usable
    );
    if !left.fetch_one(&mut *tx).await? {
        return Ok(Unlinked::LastWayIn);
    }
    tx.commit().await?;
    Ok(Unlinked::Gone)
}
