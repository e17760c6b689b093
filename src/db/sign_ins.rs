//! Sign-ins that wait for the provider's answer.

use time::{Duration, OffsetDateTime};

use super::{Error, Pool};
use crate::ids::{Digested, Provider};

/// How many one browser may have open; the oldest gives way.
const AT_A_TIME: i64 = 10;
/// How long a sign-in is remembered, so that a late visitor is told what happened.
pub const KEPT: Duration = Duration::hours(1);
/// How long one may wait.
pub const LIFE: Duration = Duration::minutes(10);

/// What became of a state that a browser brought back.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// It was open: here is what was sealed for it, and by whom it is to be answered.
    Open(Vec<u8>, String),
    /// It was answered before.
    Used,
    /// It waited too long.
    Old,
    /// This browser never started it, or so long ago that it is forgotten.
    Unknown,
}

/// A sign-in on its way to the provider.
pub struct Started<'a> {
    /// Who started it.
    pub browser: Digested,
    /// Who is to answer.
    pub provider: Provider,
    /// What the answer must bring back.
    pub state: Digested,
    /// What is to be remembered until then.
    pub sealed: &'a [u8],
    /// When it was started.
    pub at: OffsetDateTime,
}

/// Notes that a browser starts a sign-in.
pub async fn start(pool: &Pool, started: Started<'_>) -> Result<(), Error> {
    let row = sqlx::query!(
        "with crowded as (select state_hash from sign_ins where browser_hash = $2 and used_at is null order by started_at desc offset $6),
              gone as (delete from sign_ins where state_hash in (select state_hash from crowded))
         insert into sign_ins (state_hash, browser_hash, provider, sealed, started_at) values ($1, $2, $3, $4, $5)",
        started.state.as_bytes(),
        started.browser.as_bytes(),
        started.provider.key(),
        started.sealed,
        started.at,
        AT_A_TIME - 1
    );
    row.execute(pool).await?;
    Ok(())
}

/// Takes the state that `browser` brings back: of any number of requests at once, one gets it.
pub async fn take(pool: &Pool, browser: Digested, state: Digested, now: OffsetDateTime) -> Result<Taken, Error> {
    let row = sqlx::query!(
        r#"with found as (select state_hash, provider, sealed, started_at, used_at from sign_ins where state_hash = $1 and browser_hash = $2 for update)
           update sign_ins s set used_at = coalesce(s.used_at, $3), sealed = '' from found f where s.state_hash = f.state_hash
           returning f.provider, f.sealed, f.started_at, f.used_at"#,
        state.as_bytes(),
        browser.as_bytes(),
        now
    );
    Ok(match row.fetch_optional(pool).await? {
        None => Taken::Unknown,
        Some(row) if row.used_at.is_some() => Taken::Used,
        Some(row) if row.started_at + LIFE < now => Taken::Old,
        Some(row) => Taken::Open(row.sealed, row.provider),
    })
}

/// Forgets sign-ins that nobody can finish any more; they are kept for an hour so that a late visitor is
/// told what happened.
pub async fn sweep(pool: &Pool, now: OffsetDateTime) -> Result<u64, Error> {
    let gone = sqlx::query!("delete from sign_ins where started_at < $1", now - KEPT).execute(pool).await?;
    Ok(gone.rows_affected())
}
