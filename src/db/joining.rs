//! How somebody new comes in.

use sqlx::{Connection, PgConnection};

use super::identities::{ProviderIdentity, add, find};
use super::{Error, Pool, invites};
use crate::ids::{Digested, UserId};

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
pub async fn join(
    pool: &Pool,
    shown: ProviderIdentity<'_>,
    display_name: &str,
    door: Door,
) -> Result<Option<UserId>, Error> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    let first = is_first(&mut tx).await?;
    let user = sqlx::query_scalar!(
        "insert into users (display_name, created_at, operator) values ($1, $2, $3) returning id",
        display_name,
        shown.at,
        first
    );
    let user = UserId(user.fetch_one(&mut *tx).await?);
    if !add(&mut tx, user, shown).await? {
        tx.rollback().await?;
        // Whoever waits for a second connection must not hold the first: all of them could be held by such requests.
        drop(connection);
        let known = find(pool, shown.provider, shown.subject).await?.ok_or(Error::OwnerGone)?;
        return Ok(Some(known.user));
    }
    let admitted = match door {
        Door::Invited(Some(token)) if !first => invites::spend(&mut tx, token, user.0, shown.at).await?,
        Door::Invited(None) if !first => false,
        Door::Open | Door::Invited(_) => true,
    };
    if !admitted {
        tx.rollback().await?;
        return Ok(None);
    }
    tx.commit().await?;
    Ok(Some(user))
}

/// Taken by whoever joins, one at a time. Of two first persons at once, one is; and on Citus two transactions that write
/// `users` and then a row that refers to it would wait for each other.
const JOIN_LOCK: i64 = 0x4845_4152_544c_4953;

/// Whether nobody has joined yet.
async fn is_first(connection: &mut PgConnection) -> Result<bool, Error> {
    sqlx::query!("select pg_advisory_xact_lock($1)", JOIN_LOCK).fetch_one(&mut *connection).await?;
    let row = sqlx::query_scalar!(r#"select not exists (select from users) as "nobody!""#);
    Ok(row.fetch_one(connection).await?)
}
