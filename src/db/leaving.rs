//! Leaving for good.

use sqlx::Connection;

use super::{Error, Pool, counts};
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

/// Removes the person with every row of theirs, and the sign-ins that `browsers` have on their way, in one
/// transaction. Says what went; nothing, if another request was quicker.
///
/// # Errors
/// When the database fails; then nothing is removed.
pub async fn delete(pool: &Pool, user: UserId, browsers: &[Digested]) -> Result<Gone, Error> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    super::plan_anew(&mut tx).await?;
    super::without_haste(&mut tx).await?;
    // From here on nobody adds a row of theirs: who tries waits, and then has no owner for it.
    let here = sqlx::query!("select id from users where id = $1 for update", user.0);
    if here.fetch_optional(&mut *tx).await?.is_none() {
        return Ok(Gone::default());
    }
    let gone = count(&mut tx, user).await?;
    counts::lock(&mut tx, user, None).await?;
    uncount(&mut tx, user).await?;
    let browsers: Vec<Vec<u8>> = browsers.iter().map(|browser| browser.as_bytes().to_vec()).collect();
    sqlx::query!("delete from sign_ins where browser_hash = any($1)", &browsers).execute(&mut *tx).await?;
    sqlx::query!("delete from users where id = $1", user.0).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(gone)
}

async fn count(connection: &mut sqlx::PgConnection, user: UserId) -> Result<Gone, Error> {
    let row = sqlx::query_as!(
        Gone,
        r#"select (select count(*) from hearts where user_id = $1) as "hearts!",
                  (select count(*) from hearts where user_id = $1 and (note is not null or tags <> '{}')) as "notes!",
                  (select count(*) from removed_hearts where user_id = $1) as "removed_hearts!",
                  (select count(*) from playlists where user_id = $1) as "playlists!",
                  (select count(*) from identities where user_id = $1) as "identities!",
                  (select count(*) from sessions where user_id = $1) as "sessions!",
                  (select count(*) from events where user_id = $1) as "events!",
                  (select count(*) from invites where created_by = $1) as "invites!",
                  (select count(slug) + count(token_hash) from shares where user_id = $1) as "shares!""#,
        user.0
    );
    Ok(row.fetch_one(connection).await?)
}

/// Takes the person's hearts out of the numbers of hearts, which then forget playlists that nobody hearts.
async fn uncount(connection: &mut sqlx::PgConnection, user: UserId) -> Result<(), Error> {
    let nobodys = sqlx::query!(
        "with gone as (delete from hearts where user_id = $1 returning playlist_id)
         update heart_counts c set hearts = c.hearts - 1 from gone where c.playlist_id = gone.playlist_id
         returning c.playlist_id, c.hearts",
        user.0
    );
    let left = nobodys.fetch_all(&mut *connection).await?.into_iter();
    let nobodys: Vec<String> = left.filter(|count| count.hearts == 0).map(|count| count.playlist_id).collect();
    counts::remember_private(&mut *connection, user).await?;
    let forget = sqlx::query!("delete from heart_counts where playlist_id = any($1) and hearts = 0", &nobodys);
    forget.execute(connection).await?;
    Ok(())
}
