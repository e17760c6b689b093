//! People.

use time::OffsetDateTime;

use super::{Error, Pool};
use crate::ids::{Provider, UserId};

/// A person's row.
pub struct User {
    /// What the person is called.
    pub display_name: String,
    /// When they first came.
    pub created_at: OffsetDateTime,
}

/// The person, if still with us.
///
/// # Errors
/// When the database fails.
pub async fn find(pool: &Pool, user: UserId) -> Result<Option<User>, Error> {
    let row = sqlx::query_as!(User, "select display_name, created_at from users where id = $1", user.0);
    Ok(row.fetch_optional(pool).await?)
}

/// Notes what `provider` calls the person today. The way in that they have longest gives the name: else it
/// would change with every door.
///
/// # Errors
/// When the database fails.
pub async fn rename(pool: &Pool, user: UserId, provider: Provider, display_name: &str) -> Result<(), Error> {
    let change = sqlx::query!(
        "update users set display_name = $2 where id = $1 and display_name <> $2
         and $3 = (select provider from identities where user_id = $1 order by created_at, provider limit 1)",
        user.0,
        display_name,
        provider.key()
    );
    change.execute(pool).await?;
    Ok(())
}

/// Removes the person and every row of theirs, in one transaction; says how many hearts went.
///
/// # Errors
/// When the database fails; then nothing is removed.
pub async fn delete(pool: &Pool, user: UserId) -> Result<u64, Error> {
    let mut tx = pool.begin().await?;
    let hearts = sqlx::query!(
        "with gone as (delete from hearts where user_id = $1 returning playlist_id),
              counted as (select c.playlist_id from heart_counts c join gone using (playlist_id) order by 1 for update of c)
         update heart_counts c set hearts = c.hearts - 1 from counted where c.playlist_id = counted.playlist_id",
        user.0
    );
    let hearts = hearts.execute(&mut *tx).await?.rows_affected();
    sqlx::query!("delete from users where id = $1", user.0).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(hearts)
}
