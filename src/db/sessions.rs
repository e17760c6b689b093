//! Sessions: a store for tower-sessions, and the right to renew a session's tokens.
//!
//! A record is sealed for its own row, and a row knows only the digest of the cookie. `save` never inserts:
//! a slow request that ends after somebody signed out must not bring the session back.

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::Connection;
use time::OffsetDateTime;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error as StoreError, Result as StoreResult, SessionStore};

use super::{Error, Pool};
use crate::ids::{Digested, UserId};
use crate::vault::{Purpose, Vault};

type Data = std::collections::HashMap<String, Value>;

/// Key of a new sign-in in a record that is about to be created. It is written to other tables and not kept.
pub const SIGN_IN: &str = "sign_in";
/// The place in a record where the person's id stands, copied beside the seal so that sessions can be ended.
pub const USER_ID: &str = "user_id";
/// Where a record says on what kind of device it was signed in, copied likewise for its owner to see.
pub const DEVICE: &str = "device";
/// Where a record says when it was signed in, as seconds since 1970, copied likewise.
pub const SIGNED_IN_AT: &str = "signed_in_at";

/// tower-sessions' store over the table `sessions`.
#[derive(Clone, Debug)]
pub struct Store {
    pool: Pool,
    vault: Vault,
}

impl Store {
    /// A store whose records `vault` seals.
    pub fn new(pool: Pool, vault: Vault) -> Self {
        Self { pool, vault }
    }
}

/// Records that a session was used, at most once in five minutes. A database that takes no writes keeps nobody from
/// reading, so a failure is only logged.
async fn touch_last_seen(pool: &Pool, key: Digested) {
    let seen = sqlx::query!("update sessions set last_seen_at = now() where id_hash = $1", key.as_bytes());
    if let Err(error) = seen.execute(pool).await {
        tracing::debug!(%error, "when a session was last seen could not be kept");
    }
}

/// What the database calls the session with this id.
pub fn key(id: Id) -> Digested {
    Digested::of(id.0.to_le_bytes())
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> StoreResult<()> {
        let provider = record.data.remove(SIGN_IN);
        let provider = provider.as_ref().and_then(Value::as_str);
        loop {
            let key = key(record.id);
            let sealed = seal(&self.vault, key, &record.data);
            let row = sqlx::query!(
                "with used as (
                     update identities set last_used_at = $6 where user_id = $2 and provider = $7::text),
                 recorded as (
                     insert into events (user_id, at, kind, provider, device)
                     select $2, $6, 'signed-in', $7, $5 where $7 is not null)
                 insert into sessions (id_hash, user_id, sealed, created_at, expires_at, device, signed_in_at, last_seen_at)
                 values ($1, $2, $3, now(), $4, $5, $6, now()) on conflict do nothing",
                key.as_bytes(),
                user(&record.data),
                sealed,
                record.expiry_date,
                device(&record.data),
                signed_in_at(&record.data),
                provider
            );
            if row.execute(&self.pool).await.map_err(backend)?.rows_affected() == 1 {
                return Ok(());
            }
            record.id = Id::default();
        }
    }

    async fn save(&self, record: &Record) -> StoreResult<()> {
        let key = key(record.id);
        let sealed = seal(&self.vault, key, &record.data);
        let row = sqlx::query!(
            "update sessions set user_id = $2, sealed = $3, expires_at = $4, device = $5, signed_in_at = $6 where id_hash = $1",
            key.as_bytes(),
            user(&record.data),
            sealed,
            record.expiry_date,
            device(&record.data),
            signed_in_at(&record.data)
        );
        row.execute(&self.pool).await.map_err(backend)?;
        Ok(())
    }

    async fn load(&self, id: &Id) -> StoreResult<Option<Record>> {
        let key = key(*id);
        let row = sqlx::query!(
            r#"select sealed, expires_at, coalesce(last_seen_at < now() - interval '5 minutes', true) as "unseen!"
               from sessions where id_hash = $1 and expires_at > now()"#,
            key.as_bytes()
        );
        let Some(row) = row.fetch_optional(&self.pool).await.map_err(backend)? else { return Ok(None) };
        if row.unseen {
            touch_last_seen(&self.pool, key).await;
        }
        // A record that does not open (SESSION_SECRET was changed) counts as none: its owner signs in again.
        Ok(open(&self.vault, key, &row.sealed).ok().map(|data| Record { id: *id, data, expiry_date: row.expires_at }))
    }

    async fn delete(&self, id: &Id) -> StoreResult<()> {
        let key = key(*id);
        sqlx::query!("delete from sessions where id_hash = $1", key.as_bytes())
            .execute(&self.pool)
            .await
            .map_err(backend)?;
        Ok(())
    }
}

fn backend(error: sqlx::Error) -> StoreError {
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

fn seal(vault: &Vault, key: Digested, data: &Data) -> Vec<u8> {
    let plain = serde_json::to_vec(data).expect("a map of JSON values is JSON");
    vault.seal(Purpose::Session, key.as_bytes(), &plain)
}

fn open(vault: &Vault, key: Digested, sealed: &[u8]) -> Result<Data, Error> {
    let plain =
        vault.open(Purpose::Session, key.as_bytes(), sealed).map_err(|error| Error::Sealed(error.to_string()))?;
    serde_json::from_slice(&plain).map_err(|_| Error::Sealed("not a session's record".into()))
}

/// A session's record at one moment, as far as it concerns one thing in it.
pub struct Peek<T> {
    /// What stands there.
    pub value: Option<T>,
    /// Until when somebody else has the right to replace it.
    pub leased_until: Option<OffsetDateTime>,
}

/// Looks at what stands under `name` in a session's record. None: the session has ended.
///
/// # Errors
/// When the database fails, or the record does not open.
pub async fn peek<T: DeserializeOwned>(
    pool: &Pool,
    vault: &Vault,
    key: Digested,
    name: &str,
) -> Result<Option<Peek<T>>, Error> {
    let row = sqlx::query!(
        "select sealed, leased_until from sessions where id_hash = $1 and expires_at > now()",
        key.as_bytes()
    );
    let Some(row) = row.fetch_optional(pool).await? else { return Ok(None) };
    let value = open(vault, key, &row.sealed)?.get(name).and_then(|value| T::deserialize(value).ok());
    Ok(Some(Peek { value, leased_until: row.leased_until }))
}

/// Takes the right to replace what stands under `name` in the session's record, for one process at a time and
/// until `until`, and looks at it in the same statement: nobody can have replaced it in between. No connection
/// is held meanwhile. None: somebody else has the right, or the session has ended.
///
/// # Errors
/// When the database fails, or the record does not open.
pub async fn lease<T: DeserializeOwned>(
    pool: &Pool,
    vault: &Vault,
    (key, until): (Digested, OffsetDateTime),
    name: &str,
    now: OffsetDateTime,
) -> Result<Option<Peek<T>>, Error> {
    let row = sqlx::query_scalar!(
        "update sessions set leased_until = $2
         where id_hash = $1 and expires_at > now() and (leased_until is null or leased_until <= $3) returning sealed",
        key.as_bytes(),
        until,
        now
    );
    let Some(sealed) = row.fetch_optional(pool).await? else { return Ok(None) };
    let value = open(vault, key, &sealed)?.get(name).and_then(|value| T::deserialize(value).ok());
    Ok(Some(Peek { value, leased_until: Some(until) }))
}

/// Gives the right back without having used it.
pub async fn release(pool: &Pool, key: Digested, until: OffsetDateTime) -> Result<(), Error> {
    let row = sqlx::query!(
        "update sessions set leased_until = null where id_hash = $1 and leased_until = $2",
        key.as_bytes(),
        until
    );
    row.execute(pool).await?;
    Ok(())
}

/// Writes `value` under `name` (none removes it) and gives the right back, if it is still held: who was too
/// slow must not undo what the next one did. An ended session stays ended. Says whether it was written.
pub async fn replace<T: Serialize>(
    pool: &Pool,
    vault: &Vault,
    (key, until): (Digested, OffsetDateTime),
    name: &str,
    value: Option<&T>,
) -> Result<bool, Error> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    let row = sqlx::query_scalar!(
        "select sealed from sessions where id_hash = $1 and leased_until = $2 for update",
        key.as_bytes(),
        until
    );
    let Some(sealed) = row.fetch_optional(&mut *tx).await? else { return Ok(false) };
    let mut data = open(vault, key, &sealed)?;
    match value {
        None => data.remove(name),
        Some(value) => {
            let value = serde_json::to_value(value).map_err(|error| Error::Sealed(error.to_string()))?;
            data.insert(name.to_owned(), value)
        }
    };
    let sealed = seal(vault, key, &data);
    let row =
        sqlx::query!("update sessions set sealed = $2, leased_until = null where id_hash = $1", key.as_bytes(), sealed);
    row.execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(true)
}

/// Removes `names` from every session of a person, all or none. Sessions that do not open are deleted: they sign nobody
/// in any more, and must not keep the others' tokens.
pub async fn forget(pool: &Pool, vault: &Vault, user: UserId, names: &[&str]) -> Result<(), Error> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    let rows = sqlx::query!("select id_hash, sealed from sessions where user_id = $1 order by id_hash", user.0);
    for row in rows.fetch_all(&mut *tx).await? {
        let key = row.id_hash.try_into().map(Digested).map_err(|_| Error::Sealed("not a digest".into()))?;
        let mut sealed = Some(row.sealed);
        // A session that another request changed meanwhile is read again.
        while let Some(old) = sealed.take() {
            let Ok(mut data) = open(vault, key, &old) else {
                sqlx::query!("delete from sessions where id_hash = $1", key.as_bytes()).execute(&mut *tx).await?;
                break;
            };
            data.retain(|name, _| !names.contains(&name.as_str()));
            // The lease goes too: a request that is renewing the tokens must not write them back.
            let change = sqlx::query!(
                "update sessions set sealed = $2, leased_until = null where id_hash = $1 and sealed = $3",
                key.as_bytes(),
                seal(vault, key, &data),
                old
            );
            if change.execute(&mut *tx).await?.rows_affected() == 0 {
                let row = sqlx::query_scalar!("select sealed from sessions where id_hash = $1", key.as_bytes());
                sealed = row.fetch_optional(&mut *tx).await?;
            }
        }
    }
    Ok(tx.commit().await?)
}

/// Deletes expired sessions, in batches. Returns how many.
pub async fn delete_expired(pool: &Pool, now: OffsetDateTime) -> Result<u64, Error> {
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
