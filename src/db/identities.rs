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
pub struct ProviderIdentity<'a> {
    /// The provider.
    pub provider: Provider,
    /// The provider's own id of the account.
    pub subject: &'a str,
    /// The account's name where the provider says who owns something. It may change, so nobody is known by it.
    pub handle: Option<&'a str>,
    /// The e-mail address, and whether the provider has verified it.
    pub email: Option<(&'a str, bool)>,
    /// When it was shown.
    pub at: OffsetDateTime,
}

impl ProviderIdentity<'_> {
    fn is_email_verified(&self) -> bool {
        self.email.is_some_and(|(_, verified)| verified)
    }
}

/// A stored identity and its account.
pub struct KnownIdentity {
    /// Whose it is.
    pub user: UserId,
    /// The account's name.
    pub display_name: String,
    /// Whether the account is called as this identity's provider says: it is the oldest one.
    pub names_account: bool,
    email: Option<String>,
    email_verified: bool,
    handle: Option<String>,
}

impl KnownIdentity {
    /// Whether the provider says something new of the identity.
    pub fn differs_from(&self, shown: ProviderIdentity<'_>) -> bool {
        self.email.as_deref() != shown.email.map(|(address, _)| address)
            || self.email_verified != shown.is_email_verified()
            || shown.handle.is_some() && self.handle.as_deref() != shown.handle
    }
}

/// Finds an identity and its account.
pub async fn find(pool: &Pool, provider: Provider, subject: &str) -> Result<Option<KnownIdentity>, Error> {
    let row = sqlx::query!(
        r#"select i.user_id, u.display_name, i.email, i.email_verified, i.handle,
                  i.provider = (select provider from identities where user_id = i.user_id
                                order by created_at, provider limit 1) as "names_account!"
           from identities i join users u on u.id = i.user_id where i.provider = $1 and i.subject = $2"#,
        provider.key(),
        subject
    );
    Ok(row.fetch_optional(pool).await?.map(|row| KnownIdentity {
        user: UserId(row.user_id),
        display_name: row.display_name,
        names_account: row.names_account,
        email: row.email,
        email_verified: row.email_verified,
        handle: row.handle,
    }))
}

/// Returns Spotify's id of a person as the owner of playlists, if known.
pub async fn spotify_handle(pool: &Pool, user: UserId) -> Result<Option<String>, Error> {
    let row = sqlx::query_scalar!("select handle from identities where user_id = $1 and provider = 'spotify'", user.0);
    Ok(row.fetch_optional(pool).await?.flatten())
}

/// Gives the identity `old` the name `new`, unless that is taken: then somebody else was quicker, and nothing
/// changes.
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
pub async fn link(pool: &Pool, user: UserId, shown: ProviderIdentity<'_>) -> Result<bool, Error> {
    add(&mut *pool.acquire().await?, user, shown).await
}

/// The same, as a part of something larger.
pub(super) async fn add(
    connection: &mut PgConnection,
    user: UserId,
    shown: ProviderIdentity<'_>,
) -> Result<bool, Error> {
    let row = sqlx::query!(
        "insert into identities (user_id, provider, subject, created_at, last_used_at, email, email_verified, handle)
         values ($1, $2, $3, $4, $4, $5, $6, $7) on conflict do nothing",
        user.0,
        shown.provider.key(),
        shown.subject,
        shown.at,
        shown.email.map(|(address, _)| address),
        shown.is_email_verified(),
        shown.handle
    );
    Ok(row.execute(connection).await?.rows_affected() == 1)
}

/// Writes what the provider says of an identity today.
pub async fn update(pool: &Pool, shown: ProviderIdentity<'_>) -> Result<(), Error> {
    let change = sqlx::query!(
        "update identities set email = $3, email_verified = $4, handle = coalesce($5, handle)
         where provider = $1 and subject = $2",
        shown.provider.key(),
        shown.subject,
        shown.email.map(|(address, _)| address),
        shown.is_email_verified(),
        shown.handle
    );
    change.execute(pool).await?;
    Ok(())
}

/// A person's ways in, oldest first.
pub async fn of(pool: &Pool, user: UserId) -> Result<Vec<Identity>, Error> {
    let rows = sqlx::query_as!(
        Identity,
        "select provider, email, created_at, last_used_at from identities where user_id = $1 order by created_at, provider",
        user.0
    );
    Ok(rows.fetch_all(pool).await?)
}

/// Whether the person already has a way in by `provider`.
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
