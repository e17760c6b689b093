//! What people show of their hearts: a page, a link, and the addresses that are taken.

use sqlx::Connection;
use time::OffsetDateTime;

use super::playlists::Playlist;
use super::{Error, Pool};
use crate::ids::{Digested, UserId};

/// What a person has switched on.
pub struct Share {
    /// The page's address; none: there is no page.
    pub slug: Option<String>,
    /// The link's token, sealed; none: there is no link.
    pub token_sealed: Option<Vec<u8>>,
    /// When the link was made.
    pub token_since: Option<OffsetDateTime>,
}

/// Somebody who shows their hearts at an address.
pub struct Owner {
    /// Who.
    pub user: UserId,
    /// What they are called.
    pub name: String,
    /// Since when the address is theirs.
    pub since: OffsetDateTime,
}

/// What became of the wish for a slug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The page is there.
    Yes,
    /// Somebody else has the slug, or had it not long ago.
    Taken,
    /// The person holds as many as one may.
    TooMany,
}

/// What the person has switched on; none: nothing, ever.
pub async fn of(pool: &Pool, user: UserId) -> Result<Option<Share>, Error> {
    let row = sqlx::query_as!(Share, "select slug, token_sealed, token_since from shares where user_id = $1", user.0);
    Ok(row.fetch_optional(pool).await?)
}

/// Whose page is at `slug`; none: there is none.
pub async fn at_slug(pool: &Pool, slug: &str) -> Result<Option<Owner>, Error> {
    let row = sqlx::query!(
        r#"select u.id, u.display_name, s.slug_since as "since!" from shares s join users u on u.id = s.user_id where s.slug = $1"#,
        slug
    );
    let row = row.fetch_optional(pool).await?;
    Ok(row.map(|row| Owner { user: UserId(row.id), name: row.display_name, since: row.since }))
}

/// Whose link has this token; none: nobody's.
pub async fn at_token(pool: &Pool, token: Digested) -> Result<Option<Owner>, Error> {
    let row = sqlx::query!(
        r#"select u.id, u.display_name, s.token_since as "since!" from shares s join users u on u.id = s.user_id where s.token_hash = $1"#,
        token.as_bytes()
    );
    let row = row.fetch_optional(pool).await?;
    Ok(row.map(|row| Owner { user: UserId(row.id), name: row.display_name, since: row.since }))
}

/// The wish for a slug.
pub struct Claim<'a> {
    /// The wanted address.
    pub slug: &'a str,
    /// Slugs given up before this are free for everybody.
    pub free_before: OffsetDateTime,
    /// How many slugs one person may hold, given-up ones included.
    pub at_most: i64,
}

/// Puts the person's page at a slug, and gives up the one it was at.
///
/// # Errors
/// When the database fails or the person is gone; then nothing has changed.
pub async fn claim(pool: &Pool, user: UserId, claim: Claim<'_>, now: OffsetDateTime) -> Result<Claimed, Error> {
    let slug_hash = Digested::of(claim.slug);
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    // First the one row that two tabs share: the second waits here, and gives up what the first took.
    sqlx::query!("insert into shares (user_id) values ($1) on conflict (user_id) do update set user_id = $1", user.0)
        .execute(&mut *tx)
        .await?;
    let others = sqlx::query_scalar!(
        r#"select count(*) as "count!" from held_slugs
           where user_id = $1 and slug_hash <> $2 and (released_at is null or released_at >= $3)"#,
        user.0,
        slug_hash.as_bytes(),
        claim.free_before
    );
    if others.fetch_one(&mut *tx).await? >= claim.at_most {
        return Ok(Claimed::TooMany);
    }
    let held = sqlx::query!(
        "insert into held_slugs as h (slug_hash, user_id) values ($1, $2)
         on conflict (slug_hash) do update set user_id = excluded.user_id, released_at = null
         where h.user_id = $2 or h.released_at < $3",
        slug_hash.as_bytes(),
        user.0,
        claim.free_before
    );
    if held.execute(&mut *tx).await?.rows_affected() == 0 {
        return Ok(Claimed::Taken);
    }
    let moved = sqlx::query!(
        "with left_behind as (update held_slugs set released_at = $3 where user_id = $1 and slug_hash <> $4 and released_at is null)
         update shares set slug = $2, slug_since = $3 where user_id = $1 and slug is distinct from $2",
        user.0,
        claim.slug,
        now,
        slug_hash.as_bytes()
    );
    moved.execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(Claimed::Yes)
}

/// Switches the person's page off; the slug stays out of others' reach for a while.
pub async fn close_page(pool: &Pool, user: UserId, now: OffsetDateTime) -> Result<(), Error> {
    let closed = sqlx::query!(
        "with off as (update shares set slug = null, slug_since = null where user_id = $1 returning user_id)
         update held_slugs h set released_at = $2 from off where h.user_id = off.user_id and h.released_at is null",
        user.0,
        now
    );
    closed.execute(pool).await?;
    Ok(())
}

/// Gives the person's link a new token; the old one, if any, opens nothing from then on.
///
/// # Errors
/// When the database fails or the person is gone; then nothing has changed.
pub async fn set_token(
    pool: &Pool,
    user: UserId,
    token: Digested,
    sealed: &[u8],
    now: OffsetDateTime,
) -> Result<(), Error> {
    let made = sqlx::query!(
        "insert into shares (user_id, token_hash, token_sealed, token_since) values ($1, $2, $3, $4)
         on conflict (user_id) do update set token_hash = $2, token_sealed = $3, token_since = $4",
        user.0,
        token.as_bytes(),
        sealed,
        now
    );
    made.execute(pool).await?;
    Ok(())
}

/// Switches the person's link off.
pub async fn close_link(pool: &Pool, user: UserId) -> Result<(), Error> {
    let closed = sqlx::query!(
        "update shares set token_hash = null, token_sealed = null, token_since = null where user_id = $1",
        user.0
    );
    closed.execute(pool).await?;
    Ok(())
}

/// How many of the person's hearts others may see: those on public playlists that Spotify showed since `fresh`.
pub async fn count(pool: &Pool, user: UserId, fresh: OffsetDateTime) -> Result<i64, Error> {
    let shown = sqlx::query_scalar!(
        r#"select count(*) as "count!" from user_hearts h join playlists p on p.user_id = $1 and p.id = h.playlist_id
           where h.user_id = $1 and h.removed_at is null and p.public and h.gone_at is null and p.seen_at >= $2"#,
        user.0,
        fresh
    );
    Ok(shown.fetch_one(pool).await?)
}

/// A stretch of those hearts, newest first. Only what others may see of a playlist is read.
pub async fn stretch(
    pool: &Pool,
    user: UserId,
    fresh: OffsetDateTime,
    offset: i64,
    limit: i64,
) -> Result<Vec<Playlist>, Error> {
    let rows = sqlx::query_as!(
        Playlist,
        r#"select p.id, p.name as "name?", p.owner_name, p.cover_url, null::integer as item_count, p.public, false as "collaborative!",
                  p.seen_at as "seen_at?", h.hearted_at as "hearted_at?", null::timestamptz as changed_at, h.gone_at, null::text as note, '{}'::text[] as "tags!"
           from user_hearts h join playlists p on p.user_id = $1 and p.id = h.playlist_id
           where h.user_id = $1 and h.removed_at is null and p.public and h.gone_at is null and p.seen_at >= $2
           order by h.hearted_at desc, h.playlist_id offset $3 limit $4"#,
        user.0,
        fresh,
        offset,
        limit
    );
    Ok(rows.fetch_all(pool).await?)
}

/// Counts the time of slugs whose owners are gone from now, and frees those given up before `free_before`.
pub async fn sweep(pool: &Pool, free_before: OffsetDateTime, now: OffsetDateTime) -> Result<u64, Error> {
    let orphans =
        sqlx::query!("update held_slugs set released_at = $1 where user_id is null and released_at is null", now);
    orphans.execute(pool).await?;
    let freed = sqlx::query!("delete from held_slugs where released_at < $1", free_before);
    Ok(freed.execute(pool).await?.rows_affected())
}
