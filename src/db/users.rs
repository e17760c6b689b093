//! Users: registration and deletion.

use serde::{Deserialize, Serialize};
use sqlx::{Connection, PgConnection};
use time::OffsetDateTime;

use super::identities::{self, ProviderIdentity};
use super::invites;
use super::{Error, Pool, Result, shares};
use crate::ids::{Registration, TokenHash, UserId};

pub struct UserRow {
    pub display_name: String,
    pub created_at: OffsetDateTime,
}

pub async fn find(pool: &Pool, user: UserId) -> Result<Option<UserRow>> {
    let query = sqlx::query_as!(UserRow, "select display_name, created_at from users where id = $1", user.0);
    Ok(query.fetch_optional(pool).await?)
}

pub async fn count(pool: &Pool) -> Result<i64> {
    Ok(sqlx::query_scalar!(r#"select count(*) as "count!" from users"#).fetch_one(pool).await?)
}

pub async fn rename(pool: &Pool, user: UserId, display_name: &str) -> Result<()> {
    let query = sqlx::query!("update users set display_name = $2 where id = $1", user.0, display_name);
    Ok(query.execute(pool).await.map(drop)?)
}

/// Creates a user with one identity, or returns the user that a concurrent request has just created with it. `invite`
/// is the hash of an invitation's token. Returns `None`, and changes nothing, if the policy does not admit the user.
pub async fn register(
    pool: &Pool,
    identity: ProviderIdentity<'_>,
    display_name: &str,
    policy: Registration,
    invite: Option<TokenHash>,
) -> Result<Option<UserId>> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    super::lock_registrations(&mut tx).await?;
    let query = sqlx::query_scalar!(
        "insert into users (display_name, created_at) values ($1, $2) returning id",
        display_name,
        identity.at
    );
    let user = UserId(query.fetch_one(&mut *tx).await?);
    if !identities::insert(&mut tx, user, identity).await? {
        tx.rollback().await?;
        // Waiting for a second connection while holding the first could exhaust the pool.
        drop(connection);
        let existing = identities::find(pool, identity.provider, identity.subject).await?.ok_or(Error::UserGone)?;
        return Ok(Some(existing.user));
    }
    let makes_operator = match invite {
        Some(token) => invites::redeem(&mut tx, token, user, identity.at).await?,
        None => None,
    };
    let is_admitted = match policy {
        Registration::Open => true,
        Registration::Invite => makes_operator.is_some(),
        Registration::Closed => makes_operator == Some(true),
    };
    if !is_admitted {
        tx.rollback().await?;
        return Ok(None);
    }
    tx.commit().await?;
    Ok(Some(user))
}

/// Stores how a user displays `list`, as a JSON object with this key; `None` for the default. Not built in SQL, because
/// Citus allows only immutable functions of columns, and `jsonb_build_object` is stable.
pub async fn set_display(pool: &Pool, user: UserId, list: &str, display: Option<&str>) -> Result<()> {
    let query = sqlx::query!(
        "update users set displays = nullif(case when $3::text is null then displays - $2
                else coalesce(displays, '{}') || ($3::text)::jsonb end, '{}')
         where id = $1",
        user.0,
        list,
        display
    );
    Ok(query.execute(pool).await.map(drop)?)
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedCounts {
    pub hearts: i64,
    pub notes: i64,
    pub removed_hearts: i64,
    pub playlists: i64,
    pub identities: i64,
    pub sessions: i64,
    pub events: i64,
    pub invites: i64,
    /// Public pages and secret links.
    pub shares: i64,
}

/// Deletes an account with all its rows and the pending logins of `browser` (the hash of the login cookie), in one
/// transaction. A sharing ban outlives it. Returns what was deleted; all zero if the account did not exist any more.
pub async fn delete(
    pool: &Pool,
    user: UserId,
    browser: Option<TokenHash>,
    now: OffsetDateTime,
) -> Result<DeletedCounts> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    super::prepare_account_change(&mut tx).await?;
    // From here on a new row of this user waits for the lock through its foreign key, and then fails.
    if !super::lock_user(&mut tx, user).await? {
        return Ok(DeletedCounts::default());
    }
    if let Some(browser) = browser {
        sqlx::query!("delete from sign_ins where browser_hash = $1", browser.as_bytes()).execute(&mut *tx).await?;
    }
    shares::store_ban(&mut tx, user, now).await?;
    let deleted = delete_rows(&mut tx, user).await?;
    tx.commit().await?;
    Ok(deleted)
}

/// Deletes an account's row in `users` and all rows that refer to it. The tables of the coordinator are named, because
/// on Citus nothing cascades to them from a reference table. Returns what was deleted.
pub(super) async fn delete_rows(connection: &mut PgConnection, user: UserId) -> Result<DeletedCounts> {
    let query = sqlx::query!(
        r#"select count(*) filter (where removed_at is null) as "hearts!",
                  count(*) filter (where removed_at is null and (note is not null or tags <> '{}')) as "notes!",
                  count(removed_at) as "removed_hearts!",
                  (select count(*) from playlists where user_id = $1) as "playlists!"
           from user_hearts where user_id = $1"#,
        user.0
    );
    let distributed = query.fetch_one(&mut *connection).await?;
    let query = sqlx::query!(
        r#"with identity as (delete from identities where user_id = $1 returning 1),
                session as (delete from sessions where user_id = $1 returning 1),
                event as (delete from events where user_id = $1 returning 1),
                share as (delete from shares where user_id = $1 returning slug, token_hash),
                feed as (delete from news_feeds where user_id = $1),
                held_slug as (update held_slugs set user_id = null where user_id = $1),
                invite as (delete from invites where created_by = $1 returning 1),
                used_invite as (update invites set used_by = null where used_by = $1 and created_by is distinct from $1)
           select (select count(*) from identity) as "identities!", (select count(*) from session) as "sessions!",
                  (select count(*) from event) as "events!", (select count(*) from invite) as "invites!",
                  (select count(slug) + count(token_hash) from share) as "shares!""#,
        user.0
    );
    let others = query.fetch_one(&mut *connection).await?;
    sqlx::query!("delete from users where id = $1", user.0).execute(connection).await?;
    Ok(DeletedCounts {
        hearts: distributed.hearts,
        notes: distributed.notes,
        removed_hearts: distributed.removed_hearts,
        playlists: distributed.playlists,
        identities: others.identities,
        sessions: others.sessions,
        events: others.events,
        invites: others.invites,
        shares: others.shares,
    })
}
