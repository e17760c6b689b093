//! Logins that wait for the provider's callback.

use time::{Duration, OffsetDateTime};

use super::{Pool, Result};
use crate::ids::{Provider, TokenHash};

/// Pending logins of one browser; a further one replaces the oldest.
const MAX_PER_BROWSER: i64 = 10;
/// How long a login is stored, so that a late callback gets an explanation.
pub const RETENTION: Duration = Duration::hours(1);
pub const TTL: Duration = Duration::minutes(10);

/// The status of the login that a state belongs to.
#[derive(Debug, PartialEq, Eq)]
pub enum LoginStatus {
    Pending(SealedLogin),
    Used,
    Expired(SealedLogin),
    /// There is none, or another browser started it.
    Unknown,
}

#[derive(Debug, PartialEq, Eq)]
pub struct SealedLogin {
    pub sealed: Vec<u8>,
    /// The provider's key.
    pub provider: String,
}

pub struct NewLogin<'a> {
    pub browser: TokenHash,
    pub provider: Provider,
    pub state: TokenHash,
    pub sealed: &'a [u8],
    pub at: OffsetDateTime,
}

pub async fn create(pool: &Pool, login: NewLogin<'_>) -> Result<()> {
    let query = sqlx::query!(
        "with crowded as (select state_hash from sign_ins where browser_hash = $2 and used_at is null order by started_at desc offset $6),
              gone as (delete from sign_ins where state_hash in (select state_hash from crowded))
         insert into sign_ins (state_hash, browser_hash, provider, sealed, started_at) values ($1, $2, $3, $4, $5)",
        login.state.as_bytes(),
        login.browser.as_bytes(),
        login.provider.key(),
        login.sealed,
        login.at,
        MAX_PER_BROWSER - 1
    );
    Ok(query.execute(pool).await.map(drop)?)
}

/// Takes the login that `state` belongs to. Only one of several concurrent calls gets it.
pub async fn take(pool: &Pool, browser: TokenHash, state: TokenHash, now: OffsetDateTime) -> Result<LoginStatus> {
    let query = sqlx::query!(
        r#"with found as (select state_hash, provider, sealed, started_at, used_at from sign_ins where state_hash = $1 and browser_hash = $2 for update)
           update sign_ins s set used_at = coalesce(s.used_at, $3), sealed = '' from found f where s.state_hash = f.state_hash
           returning f.provider, f.sealed, f.started_at, f.used_at"#,
        state.as_bytes(),
        browser.as_bytes(),
        now
    );
    let Some(row) = query.fetch_optional(pool).await? else { return Ok(LoginStatus::Unknown) };
    let login = SealedLogin { sealed: row.sealed, provider: row.provider };
    Ok(match row.used_at {
        Some(_) => LoginStatus::Used,
        None if row.started_at + TTL < now => LoginStatus::Expired(login),
        None => LoginStatus::Pending(login),
    })
}

pub async fn delete_expired(pool: &Pool, now: OffsetDateTime) -> Result<u64> {
    let result = sqlx::query!("delete from sign_ins where started_at < $1", now - RETENTION).execute(pool).await?;
    Ok(result.rows_affected())
}
