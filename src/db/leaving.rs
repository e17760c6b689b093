//! Leaving for good.

use sqlx::{Connection, PgConnection};

use super::{Error, Pool};
use crate::ids::{Digested, UserId};

/// What went with an account, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gone {
    /// Hearts.
    pub hearts: i64,
    /// Hearts beside which a note or tags stood.
    pub notes: i64,
    /// Hearts taken back, which were kept for a while.
    pub removed_hearts: i64,
    /// Playlists as Spotify had shown them.
    pub playlists: i64,
    /// Ways in.
    pub identities: i64,
    /// Sessions.
    pub sessions: i64,
    /// Events of the account.
    pub events: i64,
    /// Invitations that the person had made.
    pub invites: i64,
    /// Addresses at which the person showed hearts.
    pub shares: i64,
}

/// Deletes an account with all its rows, and the sign-ins that `browser` has in progress, in one transaction. Returns
/// what was deleted; nothing if the account was already gone.
pub async fn delete(pool: &Pool, user: UserId, browser: Option<Digested>) -> Result<Gone, Error> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    super::prepare_account_change(&mut tx).await?;
    // From here on nobody adds a row of theirs: it waits for this lock through its foreign key, and then finds no account.
    let account = sqlx::query!("select id from users where id = $1 for update", user.0);
    if account.fetch_optional(&mut *tx).await?.is_none() {
        return Ok(Gone::default());
    }
    if let Some(browser) = browser {
        sqlx::query!("delete from sign_ins where browser_hash = $1", browser.as_bytes()).execute(&mut *tx).await?;
    }
    let gone = delete_rows(&mut tx, user).await?;
    tx.commit().await?;
    Ok(gone)
}

/// Deletes an account's row in `users` and all rows that refer to it. The tables of the coordinator are named, because on
/// Citus nothing cascades to them from a table that lies on every node. Returns what was deleted.
pub(super) async fn delete_rows(connection: &mut PgConnection, user: UserId) -> Result<Gone, Error> {
    let distributed = sqlx::query!(
        r#"select count(*) filter (where removed_at is null) as "hearts!",
                  count(*) filter (where removed_at is null and (note is not null or tags <> '{}')) as "notes!",
                  count(removed_at) as "removed_hearts!",
                  (select count(*) from playlists where user_id = $1) as "playlists!"
           from user_hearts where user_id = $1"#,
        user.0
    );
    let distributed = distributed.fetch_one(&mut *connection).await?;
    let others = sqlx::query!(
        r#"with identity as (delete from identities where user_id = $1 returning 1),
                session as (delete from sessions where user_id = $1 returning 1),
                event as (delete from events where user_id = $1 returning 1),
                share as (delete from shares where user_id = $1 returning slug, token_hash),
                held_slug as (update held_slugs set user_id = null where user_id = $1),
                invite as (delete from invites where created_by = $1 returning 1),
                used_invite as (update invites set used_by = null where used_by = $1 and created_by <> $1)
           select (select count(*) from identity) as "identities!", (select count(*) from session) as "sessions!",
                  (select count(*) from event) as "events!", (select count(*) from invite) as "invites!",
                  (select count(slug) + count(token_hash) from share) as "shares!""#,
        user.0
    );
    let others = others.fetch_one(&mut *connection).await?;
    sqlx::query!("delete from users where id = $1", user.0).execute(connection).await?;
    Ok(Gone {
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
