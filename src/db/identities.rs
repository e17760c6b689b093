//! Users' identities at OAuth providers.

use sqlx::{Connection, PgConnection, PgExecutor};
use time::OffsetDateTime;

use super::{Pool, Result, shares};
use crate::ids::{Provider, UserId, hash_identity};

pub struct Identity {
    /// The provider's key.
    pub provider: String,
    pub subject: String,
    pub email: Option<String>,
    pub created_at: OffsetDateTime,
    pub last_used_at: OffsetDateTime,
}

impl Identity {
    pub fn label(&self) -> &str {
        Provider::label_of(&self.provider)
    }
}

/// An identity as a provider has just described it.
#[derive(Clone, Copy)]
pub struct ProviderIdentity<'a> {
    pub provider: Provider,
    /// The provider's id of the account.
    pub subject: &'a str,
    /// The user's id as the owner of playlists; Spotify only.
    pub handle: Option<&'a str>,
    /// The email address, and whether the provider has verified it.
    pub email: Option<(&'a str, bool)>,
    /// When the provider described it.
    pub at: OffsetDateTime,
}

impl ProviderIdentity<'_> {
    fn is_email_verified(&self) -> bool {
        self.email.is_some_and(|(_, verified)| verified)
    }
}

pub struct KnownIdentity {
    pub user: UserId,
    pub display_name: String,
    /// Whether the account takes its name from this identity, because it is the oldest one.
    pub names_account: bool,
    email: Option<String>,
    email_verified: bool,
    handle: Option<String>,
}

impl KnownIdentity {
    /// Returns whether the stored identity is out of date.
    pub fn differs_from(&self, identity: ProviderIdentity<'_>) -> bool {
        self.email.as_deref() != identity.email.map(|(address, _)| address)
            || self.email_verified != identity.is_email_verified()
            || identity.handle.is_some() && self.handle.as_deref() != identity.handle
    }
}

pub async fn find(pool: &Pool, provider: Provider, subject: &str) -> Result<Option<KnownIdentity>> {
    let query = sqlx::query_as!(
        KnownIdentity,
        r#"select i.user_id as "user", u.display_name, i.email, i.email_verified, i.handle,
                  i.provider = (select provider from identities where user_id = i.user_id
                                order by created_at, provider limit 1) as "names_account!"
           from identities i join users u on u.id = i.user_id where i.provider = $1 and i.subject = $2"#,
        provider.key(),
        subject
    );
    Ok(query.fetch_optional(pool).await?)
}

/// Returns the user's Spotify id as the owner of playlists, if known.
pub async fn find_spotify_handle(pool: &Pool, user: UserId) -> Result<Option<String>> {
    let query =
        sqlx::query_scalar!("select handle from identities where user_id = $1 and provider = 'spotify'", user.0);
    Ok(query.fetch_optional(pool).await?.flatten())
}

/// Changes an identity's subject, unless a concurrent request has just stored the new one.
pub async fn change_subject(pool: &Pool, provider: Provider, old: &str, new: &str) -> Result<()> {
    let query = sqlx::query!(
        "update identities set subject = $3 where provider = $1 and subject = $2",
        provider.key(),
        old,
        new
    );
    match query.execute(pool).await {
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(()),
        result => Ok(result.map(drop)?),
    }
}

/// Links an identity to a user. Returns `false` if the identity is linked already or the user has another one at this
/// provider.
///
/// # Errors
/// [`Error::UserGone`] if the account no longer exists. On Citus no foreign key says so.
pub async fn link(pool: &Pool, user: UserId, identity: ProviderIdentity<'_>) -> Result<bool> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    super::lock_existing_user(&mut tx, user).await?;
    let is_linked = insert(&mut tx, user, identity).await?;
    if is_linked && identity.provider == Provider::Spotify {
        clear_library(&mut tx, user).await?;
    }
    tx.commit().await?;
    Ok(is_linked)
}

/// Empties the library of a user who gets an account at Spotify: what is stored is of one that was unlinked. Its
/// playlists stay, for the hearts.
pub(super) async fn clear_library(connection: &mut PgConnection, user: UserId) -> Result<()> {
    sqlx::query!("delete from libraries where user_id = $1", user.0).execute(&mut *connection).await?;
    let query =
        sqlx::query!("update playlists set position = null where user_id = $1 and position is not null", user.0);
    Ok(query.execute(connection).await.map(drop)?)
}

/// Like [`link`], within a transaction.
pub(super) async fn insert(
    connection: &mut PgConnection,
    user: UserId,
    identity: ProviderIdentity<'_>,
) -> Result<bool> {
    let query = sqlx::query!(
        "insert into identities (user_id, provider, subject, created_at, last_used_at, email, email_verified, handle)
         values ($1, $2, $3, $4, $4, $5, $6, $7) on conflict do nothing",
        user.0,
        identity.provider.key(),
        identity.subject,
        identity.at,
        identity.email.map(|(address, _)| address),
        identity.is_email_verified(),
        identity.handle
    );
    let is_linked = query.execute(&mut *connection).await?.rows_affected() == 1;
    if is_linked {
        let hash = hash_identity(identity.provider.key(), identity.subject);
        shares::apply_ban(connection, user, hash, identity.at).await?;
    }
    Ok(is_linked)
}

pub async fn update(pool: &Pool, identity: ProviderIdentity<'_>) -> Result<()> {
    let query = sqlx::query!(
        "update identities set email = $3, email_verified = $4, handle = coalesce($5, handle)
         where provider = $1 and subject = $2",
        identity.provider.key(),
        identity.subject,
        identity.email.map(|(address, _)| address),
        identity.is_email_verified(),
        identity.handle
    );
    Ok(query.execute(pool).await.map(drop)?)
}

pub async fn list(pool: &Pool, user: UserId) -> Result<Vec<Identity>> {
    let query = sqlx::query_as!(
        Identity,
        "select provider, subject, email, created_at, last_used_at from identities where user_id = $1 order by created_at, provider",
        user.0
    );
    Ok(query.fetch_all(pool).await?)
}

/// Returns whether the user has an identity at one of the `providers`.
pub async fn exists(executor: impl PgExecutor<'_>, user: UserId, providers: &[Provider]) -> Result<bool> {
    let keys: Vec<_> = providers.iter().map(|provider| provider.key().to_owned()).collect();
    let query = sqlx::query_scalar!(
        r#"select exists (select from identities where user_id = $1 and provider = any($2)) as "exists!""#,
        user.0,
        &keys
    );
    Ok(query.fetch_one(executor).await?)
}

/// Another user's identity with the same verified email address.
pub struct MergeCandidate {
    pub user: UserId,
    /// The provider's key.
    pub provider: String,
}

/// Returns other users' identities that share a verified email address with `user`, at providers where `user` has none.
pub async fn merge_candidates(pool: &Pool, user: UserId) -> Result<Vec<MergeCandidate>> {
    let query = sqlx::query_as!(
        MergeCandidate,
        r#"select distinct theirs.user_id as "user", theirs.provider
           from identities mine join identities theirs on lower(theirs.email) = lower(mine.email)
           where mine.user_id = $1 and mine.email_verified and theirs.email_verified and theirs.user_id <> $1
             and not exists (select from identities m where m.user_id = $1 and m.provider = theirs.provider)
           order by theirs.provider"#,
        user.0
    );
    Ok(query.fetch_all(pool).await?)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnlinkOutcome {
    Unlinked,
    NotLinked,
    /// The identity was kept, because nobody could sign in to the account without it.
    LastIdentity,
    /// The identity was kept, because an operator keeps the user from sharing: it could join again alone, and share.
    Banned,
}

/// Deletes an identity, unless the user would have none left at the `configured` providers.
pub async fn unlink(pool: &Pool, user: UserId, provider: Provider, configured: &[Provider]) -> Result<UnlinkOutcome> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    // Two concurrent calls must not delete the last two identities.
    super::lock_user(&mut tx, user).await?;
    let query = sqlx::query!("delete from identities where user_id = $1 and provider = $2", user.0, provider.key());
    if query.execute(&mut *tx).await?.rows_affected() == 0 {
        return Ok(UnlinkOutcome::NotLinked);
    }
    if !exists(&mut *tx, user, configured).await? {
        return Ok(UnlinkOutcome::LastIdentity);
    }
    if shares::is_banned(&mut *tx, user).await? {
        return Ok(UnlinkOutcome::Banned);
    }
    tx.commit().await?;
    Ok(UnlinkOutcome::Unlinked)
}
