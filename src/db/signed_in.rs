//! Where a person is signed in: their sessions, without what is sealed in them.

use time::OffsetDateTime;

use super::{Error, Pool};
use crate::ids::{Digested, UserId};

/// A session, as its owner sees it.
pub struct SignedIn {
    /// Names the row to its owner: the beginning of its digest, which opens nothing.
    pub mark: String,
    /// On what kind of device; none: an older release did not ask.
    pub device: Option<String>,
    /// Since when.
    pub since: OffsetDateTime,
    /// When it was last seen, to within five minutes; none: not since it is noted.
    pub last_seen_at: Option<OffsetDateTime>,
    /// Whether it is the one that asks.
    pub here: bool,
}

/// The person's sessions: the one that asks first, then as they were last seen.
pub async fn of(pool: &Pool, user: UserId, here: Digested) -> Result<Vec<SignedIn>, Error> {
    let rows = sqlx::query_as!(
        SignedIn,
        r#"select encode(substring(id_hash from 1 for 8), 'hex') as "mark!", device,
                  coalesce(signed_in_at, created_at) as "since!", last_seen_at, id_hash = $2 as "here!"
           from sessions where user_id = $1 and expires_at > now()
           order by id_hash <> $2, last_seen_at desc nulls last, id_hash"#,
        user.0,
        here.as_bytes()
    );
    Ok(rows.fetch_all(pool).await?)
}

/// Whether the person has this session.
pub async fn stands(pool: &Pool, user: UserId, session: Digested) -> Result<bool, Error> {
    let row = sqlx::query_scalar!(
        r#"select exists (select from sessions where id_hash = $1 and user_id = $2 and expires_at > now()) as "stands!""#,
        session.as_bytes(),
        user.0
    );
    Ok(row.fetch_one(pool).await?)
}

/// Ends the person's session with this mark, unless it is the one that asks. Says whether there was one.
pub async fn end(pool: &Pool, user: UserId, mark: &str, here: Digested) -> Result<bool, Error> {
    let gone = sqlx::query!(
        "delete from sessions where user_id = $1 and encode(substring(id_hash from 1 for 8), 'hex') = $2 and id_hash <> $3",
        user.0,
        mark,
        here.as_bytes()
    );
    Ok(gone.execute(pool).await?.rows_affected() > 0)
}

/// Ends the person's sessions but the one that asks. Says how many.
pub async fn end_others(pool: &Pool, user: UserId, here: Digested) -> Result<u64, Error> {
    let gone = sqlx::query!("delete from sessions where user_id = $1 and id_hash <> $2", user.0, here.as_bytes());
    Ok(gone.execute(pool).await?.rows_affected())
}
