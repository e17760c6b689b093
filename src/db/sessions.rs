//! Sessions: a store for tower-sessions, leases on a session's tokens, and the list of a user's sessions.
//!
//! A record is sealed for its own row, and a row holds only the hash of the session id. `save` never inserts: a slow
//! request that ends after the user signed out must not restore the session.

use std::collections::HashMap;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::Connection;
use time::{Duration, OffsetDateTime};
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error as StoreError, Result as StoreResult, SessionStore};

use super::{Error, Pool, Result};
use crate::ids::{TokenHash, UserId};
use crate::vault::{Purpose, Vault};

type Data = HashMap<String, Value>;

/// Key of a new sign-in's provider in a record that is about to be created. It is written to other tables and not
/// stored.
pub const SIGN_IN: &str = "sign_in";
/// Key of the user's choice of order and view for each list. `load` adds it to the record from the user's row; it is
/// not stored in the record.
pub const DISPLAYS: &str = "displays";
/// Key of the user id. Its value is also stored unsealed, so that a user's sessions can be found.
pub const USER_ID: &str = "user_id";
/// Key of the kind of device, which is also stored unsealed.
pub const DEVICE: &str = "device";
/// Key of the time of the sign-in, as a Unix timestamp, which is also stored unsealed.
pub const SIGNED_IN_AT: &str = "signed_in_at";

/// Lifetime of a session in which nobody has signed in. The statement of `load` repeats it.
const ANONYMOUS_TTL: Duration = Duration::minutes(15);

#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// From the last request; accurate to five minutes.
    pub idle: Duration,
    pub absolute: Duration,
}

/// The tower-sessions store over the table `sessions`. It decides when a session ends; the date of a record only
/// decides how long browsers keep the cookie.
#[derive(Clone, Debug)]
pub struct Store {
    pool: Pool,
    vault: Vault,
    lifetimes: Lifetimes,
}

impl Store {
    pub fn new(pool: Pool, vault: Vault, lifetimes: Lifetimes) -> Self {
        Self { pool, vault, lifetimes }
    }

    /// Records that a session was used, at most once in five minutes, and extends it. A failure is only logged, so that
    /// pages still load while the database is read-only.
    async fn touch_last_seen(&self, id_hash: TokenHash) {
        let query = sqlx::query!(
            "update sessions set last_seen_at = now(), expires_at = case when user_id is null then expires_at else
                 least(now() + $2::interval, coalesce(signed_in_at, created_at) + $3::interval) end
             where id_hash = $1",
            id_hash.as_bytes(),
            self.lifetimes.idle as _,
            self.lifetimes.absolute as _
        );
        if let Err(error) = query.execute(&self.pool).await {
            tracing::debug!(%error, "the time a session was last seen was not stored");
        }
    }
}

/// Returns the hash under which the session is stored.
pub fn hash_id(id: Id) -> TokenHash {
    TokenHash::new(id.0.to_le_bytes())
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> StoreResult<()> {
        let provider = record.data.remove(SIGN_IN);
        let provider = provider.as_ref().and_then(Value::as_str);
        loop {
            let id_hash = hash_id(record.id);
            let sealed = seal(&self.vault, id_hash, &record.data);
            let query = sqlx::query!(
                "with used as (
                     update identities set last_used_at = $6 where user_id = $2 and provider = $7::text),
                 recorded as (
                     insert into events (user_id, at, kind, provider, device)
                     select $2, $6, 'signed-in', $7, $5 where $7 is not null)
                 insert into sessions (id_hash, user_id, sealed, created_at, expires_at, device, signed_in_at, last_seen_at)
                 values ($1, $2, $3, now(), now() + case when $2::bigint is null then $4::interval else
                             least($8::interval, coalesce($6, now()) + $9::interval - now()) end, $5, $6, now())
                 on conflict do nothing",
                id_hash.as_bytes(),
                user(&record.data),
                sealed,
                ANONYMOUS_TTL as _,
                device(&record.data),
                signed_in_at(&record.data),
                provider,
                self.lifetimes.idle as _,
                self.lifetimes.absolute as _
            );
            if query.execute(&self.pool).await.map_err(store_error)?.rows_affected() == 1 {
                return Ok(());
            }
            record.id = Id::default();
        }
    }

    async fn save(&self, record: &Record) -> StoreResult<()> {
        let id_hash = hash_id(record.id);
        let sealed = seal(&self.vault, id_hash, &record.data);
        let query = sqlx::query!(
            "update sessions set user_id = $2, sealed = $3, device = $5, signed_in_at = $6,
                 expires_at = case when $2::bigint is null then created_at + $4::interval else
                     least(now() + $7::interval, coalesce($6, created_at) + $8::interval) end
             where id_hash = $1",
            id_hash.as_bytes(),
            user(&record.data),
            sealed,
            ANONYMOUS_TTL as _,
            device(&record.data),
            signed_in_at(&record.data),
            self.lifetimes.idle as _,
            self.lifetimes.absolute as _
        );
        query.execute(&self.pool).await.map_err(store_error)?;
        Ok(())
    }

    async fn load(&self, id: &Id) -> StoreResult<Option<Record>> {
        let id_hash = hash_id(*id);
        let query = sqlx::query!(
            r#"select s.user_id, s.sealed, s.expires_at, u.displays::text as displays,
                      coalesce(s.last_seen_at < now() - interval '5 minutes', true) as "unseen!"
               from sessions s left join users u on u.id = s.user_id
               where s.id_hash = $1 and s.expires_at > now()
                   and case when s.user_id is null then s.created_at > now() - interval '15 minutes' else u.id is not null end"#,
            id_hash.as_bytes()
        );
        let Some(row) = query.fetch_optional(&self.pool).await.map_err(store_error)? else { return Ok(None) };
        if row.unseen {
            self.touch_last_seen(id_hash).await;
        }
        // A record that does not open (SESSION_SECRET was changed) counts as missing, and the user signs in again.
        let data = open(&self.vault, id_hash, &row.sealed).ok().filter(|data| user(data) == row.user_id);
        Ok(data.map(|mut data| {
            data.extend(row.displays.and_then(|json| Some((DISPLAYS.to_owned(), serde_json::from_str(&json).ok()?))));
            Record { id: *id, data, expiry_date: row.expires_at }
        }))
    }

    async fn delete(&self, id: &Id) -> StoreResult<()> {
        let id_hash = hash_id(*id);
        sqlx::query!("delete from sessions where id_hash = $1", id_hash.as_bytes())
            .execute(&self.pool)
            .await
            .map_err(store_error)?;
        Ok(())
    }
}

fn store_error(error: sqlx::Error) -> StoreError {
    StoreError::Backend(error.to_string())
}

fn user(data: &Data) -> Option<i64> {
    data.get(USER_ID).and_then(Value::as_i64)
}

fn device(data: &Data) -> Option<&str> {
    data.get(DEVICE).and_then(Value::as_str)
}

fn signed_in_at(data: &Data) -> Option<OffsetDateTime> {
    data.get(SIGNED_IN_AT).and_then(Value::as_i64).and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok())
}

fn seal(vault: &Vault, id_hash: TokenHash, data: &Data) -> Vec<u8> {
    let data: HashMap<_, _> = data.iter().filter(|(key, _)| *key != DISPLAYS).collect();
    let plaintext = serde_json::to_vec(&data).expect("a map of JSON values is JSON");
    vault.seal(Purpose::Session, id_hash.as_bytes(), &plaintext)
}

fn open(vault: &Vault, id_hash: TokenHash, sealed: &[u8]) -> Result<Data> {
    let plaintext =
        vault.open(Purpose::Session, id_hash.as_bytes(), sealed).map_err(|error| Error::Decrypt(error.to_string()))?;
    serde_json::from_slice(&plaintext).map_err(|_| Error::Decrypt("not a session record".into()))
}

pub struct SessionValue<T> {
    pub value: Option<T>,
    /// Until when a lease to replace it is held.
    pub leased_until: Option<OffsetDateTime>,
}

/// Returns the value `name` of a session's record; `None` if the session has ended.
pub async fn load_value<T: DeserializeOwned>(
    pool: &Pool,
    vault: &Vault,
    id_hash: TokenHash,
    name: &str,
) -> Result<Option<SessionValue<T>>> {
    let query = sqlx::query!(
        "select sealed, leased_until from sessions where id_hash = $1 and expires_at > now()",
        id_hash.as_bytes()
    );
    let Some(row) = query.fetch_optional(pool).await? else { return Ok(None) };
    let value = open(vault, id_hash, &row.sealed)?.get(name).and_then(|value| T::deserialize(value).ok());
    Ok(Some(SessionValue { value, leased_until: row.leased_until }))
}

/// Takes the lease to replace the value `name` until `until` and returns the value, in one statement. No connection is
/// held during the lease. Returns `None` if the lease is taken or the session has ended.
pub async fn lease<T: DeserializeOwned>(
    pool: &Pool,
    vault: &Vault,
    (id_hash, until): (TokenHash, OffsetDateTime),
    name: &str,
    now: OffsetDateTime,
) -> Result<Option<SessionValue<T>>> {
    let query = sqlx::query_scalar!(
        "update sessions set leased_until = $2
         where id_hash = $1 and expires_at > now() and (leased_until is null or leased_until <= $3) returning sealed",
        id_hash.as_bytes(),
        until,
        now
    );
    let Some(sealed) = query.fetch_optional(pool).await? else { return Ok(None) };
    let value = open(vault, id_hash, &sealed)?.get(name).and_then(|value| T::deserialize(value).ok());
    Ok(Some(SessionValue { value, leased_until: Some(until) }))
}

pub async fn release(pool: &Pool, id_hash: TokenHash, until: OffsetDateTime) -> Result<()> {
    let query = sqlx::query!(
        "update sessions set leased_until = null where id_hash = $1 and leased_until = $2",
        id_hash.as_bytes(),
        until
    );
    Ok(query.execute(pool).await.map(drop)?)
}

/// Writes the value `name` (`None` removes it) and releases the lease. Returns `false`, and changes nothing, if the
/// lease has expired and another request has taken it, or if the session has ended.
pub async fn replace_value<T: Serialize>(
    pool: &Pool,
    vault: &Vault,
    (id_hash, until): (TokenHash, OffsetDateTime),
    name: &str,
    value: Option<&T>,
) -> Result<bool> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    let query = sqlx::query_scalar!(
        "select sealed from sessions where id_hash = $1 and leased_until = $2 for update",
        id_hash.as_bytes(),
        until
    );
    let Some(sealed) = query.fetch_optional(&mut *tx).await? else { return Ok(false) };
    let mut data = open(vault, id_hash, &sealed)?;
    match value {
        None => data.remove(name),
        Some(value) => {
            let value = serde_json::to_value(value).map_err(|error| Error::Decrypt(error.to_string()))?;
            data.insert(name.to_owned(), value)
        }
    };
    let sealed = seal(vault, id_hash, &data);
    let query = sqlx::query!(
        "update sessions set sealed = $2, leased_until = null where id_hash = $1",
        id_hash.as_bytes(),
        sealed
    );
    query.execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(true)
}

/// Removes the values `names` from every session of a user, all or none. Sessions that do not open are deleted: they
/// are useless, and must not keep tokens.
pub async fn remove_values(pool: &Pool, vault: &Vault, user: UserId, names: &[&str]) -> Result<()> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    let query = sqlx::query!("select id_hash, sealed from sessions where user_id = $1 order by id_hash", user.0);
    for row in query.fetch_all(&mut *tx).await? {
        let id_hash = row.id_hash.try_into().map(TokenHash).map_err(|_| Error::Decrypt("not a hash".into()))?;
        let mut sealed = Some(row.sealed);
        // A session that another request has changed in the meantime is read again.
        while let Some(old) = sealed.take() {
            let Ok(mut data) = open(vault, id_hash, &old) else {
                sqlx::query!("delete from sessions where id_hash = $1", id_hash.as_bytes()).execute(&mut *tx).await?;
                break;
            };
            data.retain(|name, _| !names.contains(&name.as_str()));
            // The lease goes too: a request that is refreshing the tokens must not write them back.
            let query = sqlx::query!(
                "update sessions set sealed = $2, leased_until = null where id_hash = $1 and sealed = $3",
                id_hash.as_bytes(),
                seal(vault, id_hash, &data),
                old
            );
            if query.execute(&mut *tx).await?.rows_affected() == 0 {
                let query = sqlx::query_scalar!("select sealed from sessions where id_hash = $1", id_hash.as_bytes());
                sealed = query.fetch_optional(&mut *tx).await?;
            }
        }
    }
    Ok(tx.commit().await?)
}

pub struct SessionInfo {
    /// Identifies the session and grants no access.
    pub hash_prefix: String,
    pub device: Option<String>,
    pub since: OffsetDateTime,
    /// Accurate to five minutes.
    pub last_seen_at: Option<OffsetDateTime>,
    /// Whether it is the session of this request.
    pub is_current: bool,
}

/// Returns the user's sessions: the current one first, then the most recently seen.
pub async fn list(pool: &Pool, user: UserId, current: TokenHash) -> Result<Vec<SessionInfo>> {
    let query = sqlx::query_as!(
        SessionInfo,
        r#"select encode(substring(id_hash from 1 for 8), 'hex') as "hash_prefix!", device,
                  coalesce(signed_in_at, created_at) as "since!", last_seen_at, id_hash = $2 as "is_current!"
           from sessions where user_id = $1 and expires_at > now()
           order by id_hash <> $2, last_seen_at desc nulls last, id_hash"#,
        user.0,
        current.as_bytes()
    );
    Ok(query.fetch_all(pool).await?)
}

/// Counts sessions that have not expired.
pub async fn count(pool: &Pool, now: OffsetDateTime) -> Result<i64> {
    let query = sqlx::query_scalar!(r#"select count(*) as "count!" from sessions where expires_at > $1"#, now);
    Ok(query.fetch_one(pool).await?)
}

pub async fn exists(pool: &Pool, user: UserId, session: TokenHash) -> Result<bool> {
    let query = sqlx::query_scalar!(
        r#"select exists (select from sessions where id_hash = $1 and user_id = $2 and expires_at > now()) as "stands!""#,
        session.as_bytes(),
        user.0
    );
    Ok(query.fetch_one(pool).await?)
}

/// Deletes the user's session with this hash prefix, unless it is the current one. Returns whether there was one.
pub async fn delete(pool: &Pool, user: UserId, hash_prefix: [u8; 8], current: TokenHash) -> Result<bool> {
    let query = sqlx::query!(
        "delete from sessions where user_id = $1 and substring(id_hash from 1 for 8) = $2 and id_hash <> $3",
        user.0,
        &hash_prefix,
        current.as_bytes()
    );
    Ok(query.execute(pool).await?.rows_affected() > 0)
}

pub async fn delete_others(pool: &Pool, user: UserId, current: TokenHash) -> Result<u64> {
    let query = sqlx::query!("delete from sessions where user_id = $1 and id_hash <> $2", user.0, current.as_bytes());
    Ok(query.execute(pool).await?.rows_affected())
}

pub async fn delete_expired(pool: &Pool, now: OffsetDateTime) -> Result<u64> {
    super::delete_in_batches(pool, |batch| {
        sqlx::query!(
            "delete from sessions where expires_at between '-infinity' and (
                 select max(expires_at) from (select expires_at from sessions where expires_at <= $1 order by expires_at limit $2) b)",
            now,
            batch
        )
    })
    .await
}

/// Deletes sessions in which nobody has signed in, in batches. Returns their number.
pub async fn delete_anonymous(pool: &Pool, now: OffsetDateTime) -> Result<u64> {
    super::delete_in_batches(pool, |batch| {
        sqlx::query!(
            "delete from sessions where id_hash in (
                 select id_hash from sessions where user_id is null and created_at <= $1 order by created_at limit $2)",
            now - ANONYMOUS_TTL,
            batch
        )
    })
    .await
}
