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
