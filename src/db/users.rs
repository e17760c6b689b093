//! People.

use time::OffsetDateTime;

use super::{Error, Pool};
use crate::ids::UserId;

/// A person's row.
pub struct User {
    /// What the person is called.
    pub display_name: String,
    /// When they first came.
    pub created_at: OffsetDateTime,
}

/// The person, if still with us.
pub async fn find(pool: &Pool, user: UserId) -> Result<Option<User>, Error> {
    let row = sqlx::query_as!(User, "select display_name, created_at from users where id = $1", user.0);
    Ok(row.fetch_optional(pool).await?)
}

/// Renames a person.
pub async fn rename(pool: &Pool, user: UserId, display_name: &str) -> Result<(), Error> {
    let change = sqlx::query!("update users set display_name = $2 where id = $1", user.0, display_name);
    change.execute(pool).await?;
    Ok(())
}
