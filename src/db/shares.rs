//! Shared hearts: public pages, secret links, and reserved slugs.

use sqlx::{Connection, PgConnection, PgExecutor};
use time::{Duration, OffsetDateTime};

use super::{Pool, Result};
use crate::ids::{TokenHash, UserId, hash_identity};

#[derive(Default)]
pub struct Share {
    /// `None` if there is no page.
    pub slug: Option<String>,
    /// Encrypted; `None` if there is no link.
    pub token_sealed: Option<Vec<u8>>,
    pub token_since: Option<OffsetDateTime>,
    /// Tags with a page of their own, as their owner spelled them.
    pub shared_tags: Vec<String>,
    pub shows_notes: bool,
    /// Whether other sites may show a card of the page.
    pub embeddable: bool,
    /// True while an operator keeps the user from sharing.
    pub is_taken_down: bool,
}

pub struct ShareOwner {
    pub user: UserId,
    pub name: String,
    /// When they claimed the slug or created the link.
    pub since: OffsetDateTime,
    /// `None` until [`backfill_feed_ids`] fills it in.
    pub feed_id: Option<String>,
    pub shared_tags: Vec<String>,
    pub shows_notes: bool,
    pub embeddable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimResult {
    Claimed,
    /// Another user has the slug, or had it recently.
    Taken,
    TooMany,
    /// An operator keeps the user from sharing.
    TakenDown,
}

/// Returns the user's sharing settings; `None` if they never shared.
pub async fn find(executor: impl PgExecutor<'_>, user: UserId) -> Result<Option<Share>> {
    let query = sqlx::query_as!(
        Share,
        r#"select slug, token_sealed, token_since, shared_tags, shows_notes, embeddable,
                  taken_down_at is not null as "is_taken_down!"
           from shares where user_id = $1"#,
        user.0
    );
    Ok(query.fetch_optional(executor).await?)
}

/// Retention of sharing bans.
const BAN_RETENTION: Duration = Duration::days(365);

/// Returns whether an operator keeps the user from sharing.
pub async fn is_banned(executor: impl PgExecutor<'_>, user: UserId) -> Result<bool> {
    Ok(find(executor, user).await?.is_some_and(|share| share.is_taken_down))
}

/// Removes a user's public page and secret link, and keeps the user from sharing. The slug stays reserved for a while.
pub async fn take_down(connection: &mut PgConnection, user: UserId, now: OffsetDateTime) -> Result<()> {
    let query = sqlx::query!(
        "with banned as (
             insert into shares (user_id, taken_down_at) values ($1, $2)
             on conflict (user_id) do update
             set slug = null, slug_since = null, token_hash = null, token_sealed = null, token_since = null,
                 taken_down_at = excluded.taken_down_at
             returning user_id)
         update held_slugs h set released_at = $2 from banned where h.user_id = banned.user_id and h.released_at is null",
        user.0,
        now
    );
    Ok(query.execute(connection).await.map(drop)?)
}

/// Stores the hashes of a user's identities if an operator keeps the user from sharing. Called before the account is
/// deleted. They form one group with those of earlier accounts that had one of the identities.
pub(super) async fn store_ban(connection: &mut PgConnection, user: UserId, now: OffsetDateTime) -> Result<()> {
    if !is_banned(&mut *connection, user).await? {
        return Ok(());
    }
    let hashes = hash_identities(connection, user).await?;
    let query = sqlx::query!(
        "update sharing_bans set group_hash = $2
         where group_hash in (select group_hash from sharing_bans where identity_hash = any($1))",
        &hashes,
        hashes.first()
    );
    query.execute(&mut *connection).await?;
    let query = sqlx::query!(
        "insert into sharing_bans (identity_hash, group_hash, banned_at) select unnest($1::bytea[]), $2, $3
         on conflict (identity_hash) do update set group_hash = excluded.group_hash, banned_at = excluded.banned_at",
        &hashes,
        hashes.first(),
        now
    );
    Ok(query.execute(connection).await.map(drop)?)
}

async fn hash_identities(connection: &mut PgConnection, user: UserId) -> Result<Vec<Vec<u8>>> {
    let query = sqlx::query!("select provider, subject from identities where user_id = $1", user.0);
    let identities = query.fetch_all(connection).await?;
    Ok(identities.iter().map(|found| hash_identity(&found.provider, &found.subject).as_bytes().to_vec()).collect())
}

/// Takes down what a user shares if a banned account had the identity that the user now has. The hash stays, so that
/// [`allow_sharing`] finds those of the account's other identities.
pub(super) async fn apply_ban(
    connection: &mut PgConnection,
    user: UserId,
    identity: TokenHash,
    now: OffsetDateTime,
) -> Result<()> {
    let query = sqlx::query_scalar!(
        r#"select exists (select from sharing_bans where identity_hash = $1) as "is_banned!""#,
        identity.as_bytes()
    );
    if query.fetch_one(&mut *connection).await? {
        take_down(connection, user, now).await?;
    }
    Ok(())
}

/// Lets a user share again, with each identity of the user's deleted accounts.
pub async fn allow_sharing(pool: &Pool, user: UserId) -> Result<()> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    sqlx::query!("update shares set taken_down_at = null where user_id = $1", user.0).execute(&mut *tx).await?;
    let hashes = hash_identities(&mut tx, user).await?;
    let query = sqlx::query!(
        "delete from sharing_bans
         where identity_hash = any($1)
               or group_hash in (select group_hash from sharing_bans where identity_hash = any($1))",
        &hashes
    );
    query.execute(&mut *tx).await?;
    Ok(tx.commit().await?)
}

pub async fn delete_expired_bans(pool: &Pool, now: OffsetDateTime) -> Result<u64> {
    let query = sqlx::query!("delete from sharing_bans where banned_at < $1", now - BAN_RETENTION);
    Ok(query.execute(pool).await?.rows_affected())
}

/// Returns the owner of the page at `slug`.
pub async fn find_by_slug(pool: &Pool, slug: &str) -> Result<Option<ShareOwner>> {
    let query = sqlx::query_as!(
        ShareOwner,
        r#"select u.id as "user", u.display_name as name, s.slug_since as "since!", s.page_feed_id as feed_id,
                  s.shared_tags, s.shows_notes, s.embeddable
           from shares s join users u on u.id = s.user_id where s.slug = $1 and s.taken_down_at is null"#,
        slug
    );
    Ok(query.fetch_optional(pool).await?)
}

/// Returns the owner of the secret link with this token.
pub async fn find_by_token(pool: &Pool, token: TokenHash) -> Result<Option<ShareOwner>> {
    let query = sqlx::query_as!(
        ShareOwner,
        r#"select u.id as "user", u.display_name as name, s.token_since as "since!", s.link_feed_id as feed_id,
                  s.shared_tags, s.shows_notes, s.embeddable
           from shares s join users u on u.id = s.user_id where s.token_hash = $1 and s.taken_down_at is null"#,
        token.as_bytes()
    );
    Ok(query.fetch_optional(pool).await?)
}

pub struct SlugClaim<'a> {
    pub slug: &'a str,
    /// Slugs released before this are available.
    pub free_before: OffsetDateTime,
    pub max_slugs: i64,
    /// Id of the page's feeds, if the slug is new.
    pub feed_id: &'a str,
}

/// Moves the user's page to a slug and releases the previous one.
pub async fn claim_slug(pool: &Pool, user: UserId, claim: SlugClaim<'_>, now: OffsetDateTime) -> Result<ClaimResult> {
    let slug_hash = TokenHash::new(claim.slug);
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    // A concurrent request waits here and then releases this one's slug.
    super::lock_existing_user(&mut tx, user).await?;
    // Locks the row of `shares` too, against a take-down at the same time.
    let query = sqlx::query_scalar!(
        "insert into shares (user_id) values ($1) on conflict (user_id) do update set user_id = $1
         returning taken_down_at",
        user.0
    );
    if query.fetch_one(&mut *tx).await?.is_some() {
        return Ok(ClaimResult::TakenDown);
    }
    let query = sqlx::query_scalar!(
        r#"select count(*) as "count!" from held_slugs
           where user_id = $1 and slug_hash <> $2 and (released_at is null or released_at >= $3)"#,
        user.0,
        slug_hash.as_bytes(),
        claim.free_before
    );
    if query.fetch_one(&mut *tx).await? >= claim.max_slugs {
        return Ok(ClaimResult::TooMany);
    }
    let query = sqlx::query!(
        "insert into held_slugs as h (slug_hash, user_id) values ($1, $2)
         on conflict (slug_hash) do update set user_id = excluded.user_id, released_at = null
         where h.user_id = $2 or h.released_at < $3",
        slug_hash.as_bytes(),
        user.0,
        claim.free_before
    );
    if query.execute(&mut *tx).await?.rows_affected() == 0 {
        return Ok(ClaimResult::Taken);
    }
    let query = sqlx::query!(
        "with left_behind as (update held_slugs set released_at = $3 where user_id = $1 and slug_hash <> $4 and released_at is null)
         update shares set slug = $2, slug_since = $3, page_feed_id = $5 where user_id = $1 and slug is distinct from $2",
        user.0,
        claim.slug,
        now,
        slug_hash.as_bytes(),
        claim.feed_id
    );
    query.execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(ClaimResult::Claimed)
}

/// Returns the hashes of those slugs that others hold, or have released after `free_before`.
pub async fn find_taken_slugs(
    pool: &Pool,
    user: UserId,
    slugs: &[TokenHash],
    free_before: OffsetDateTime,
) -> Result<Vec<Vec<u8>>> {
    let query = sqlx::query_scalar!(
        "select slug_hash from held_slugs
         where slug_hash = any($2) and user_id is distinct from $1 and coalesce(released_at >= $3, true)",
        user.0,
        &slugs.iter().map(|slug| slug.as_bytes().to_vec()).collect::<Vec<_>>(),
        free_before
    );
    Ok(query.fetch_all(pool).await?)
}

/// Disables the user's page. Its slug stays reserved for a while.
pub async fn disable_page(pool: &Pool, user: UserId, now: OffsetDateTime) -> Result<()> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    super::lock_existing_user(&mut tx, user).await?;
    let query = sqlx::query!(
        "with off as (update shares set slug = null, slug_since = null, page_feed_id = null where user_id = $1 returning user_id)
         update held_slugs h set released_at = $2 from off where h.user_id = off.user_id and h.released_at is null",
        user.0,
        now
    );
    query.execute(&mut *tx).await?;
    Ok(tx.commit().await?)
}

pub struct NewLink<'a> {
    pub token: TokenHash,
    pub token_sealed: &'a [u8],
    pub feed_id: &'a str,
    /// Whether it may replace an existing link.
    pub replaces: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkResult {
    Created,
    /// There is a link that the new one does not replace.
    Exists,
    /// An operator keeps the user from sharing.
    TakenDown,
}

/// Stores a secret link. Changes nothing unless it returns [`LinkResult::Created`].
pub async fn set_link(pool: &Pool, user: UserId, link: NewLink<'_>, now: OffsetDateTime) -> Result<LinkResult> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    super::lock_existing_user(&mut tx, user).await?;
    let query = sqlx::query!(
        "insert into shares as s (user_id, token_hash, token_sealed, token_since, link_feed_id)
         values ($1, $2, $3, $4, $5)
         on conflict (user_id) do update set token_hash = $2, token_sealed = $3, token_since = $4, link_feed_id = $5
         where s.taken_down_at is null and (s.token_hash is null or $6)",
        user.0,
        link.token.as_bytes(),
        link.token_sealed,
        now,
        link.feed_id,
        link.replaces
    );
    if query.execute(&mut *tx).await?.rows_affected() == 0 {
        let is_banned = is_banned(&mut *tx, user).await?;
        return Ok(if is_banned { LinkResult::TakenDown } else { LinkResult::Exists });
    }
    tx.commit().await?;
    Ok(LinkResult::Created)
}

pub async fn revoke_link(pool: &Pool, user: UserId) -> Result<()> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    super::lock_existing_user(&mut tx, user).await?;
    let query = sqlx::query!(
        "update shares set token_hash = null, token_sealed = null, token_since = null, link_feed_id = null where user_id = $1",
        user.0
    );
    query.execute(&mut *tx).await?;
    Ok(tx.commit().await?)
}

/// Stores the feed ids of shares that an earlier release published, in the form in which it showed them under `host`.
pub async fn backfill_feed_ids(pool: &Pool, host: &str) -> Result<()> {
    let query = sqlx::query!(
        "update shares set
             page_feed_id = coalesce(page_feed_id, 'tag:' || $1 || ',' || to_char(slug_since at time zone 'utc', 'YYYY-MM-DD') || ':u/' || slug),
             link_feed_id = coalesce(link_feed_id, 'tag:' || $1 || ',' || to_char(token_since at time zone 'utc', 'YYYY-MM-DD')
                                                   || ':s/' || encode(substr(token_hash, 1, 16), 'hex'))
         where slug is not null and page_feed_id is null or token_hash is not null and link_feed_id is null",
        host
    );
    Ok(query.execute(pool).await.map(drop)?)
}

/// Stores whether visitors see the user's notes, and whether other sites may show a card of the user's page. `None` keeps
/// what is stored.
pub async fn set_options(pool: &Pool, user: UserId, shows_notes: Option<bool>, embeddable: Option<bool>) -> Result<()> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    super::lock_existing_user(&mut tx, user).await?;
    let query = sqlx::query!(
        "insert into shares as s (user_id, shows_notes, embeddable) values ($1, coalesce($2, false), coalesce($3, false))
         on conflict (user_id) do update set shows_notes = coalesce($2, s.shows_notes), embeddable = coalesce($3, s.embeddable)",
        user.0,
        shows_notes,
        embeddable
    );
    query.execute(&mut *tx).await?;
    Ok(tx.commit().await?)
}

/// Changes the shared tags; concurrent changes wait. Returns `false`, and changes nothing, if `change` returns `None`.
pub async fn change_shared_tags(
    pool: &Pool,
    user: UserId,
    change: impl FnOnce(Vec<String>) -> Option<Vec<String>>,
) -> Result<bool> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    super::lock_existing_user(&mut tx, user).await?;
    let query = sqlx::query_scalar!(
        "insert into shares (user_id) values ($1) on conflict (user_id) do update set user_id = $1 returning shared_tags",
        user.0
    );
    let Some(tags) = change(query.fetch_one(&mut *tx).await?) else { return Ok(false) };
    sqlx::query!("update shares set shared_tags = $2 where user_id = $1", user.0, &tags).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(true)
}

/// Releases slugs of deleted users, and deletes those released before `free_before`. Returns the number of deleted
/// slugs.
pub async fn delete_expired(pool: &Pool, free_before: OffsetDateTime, now: OffsetDateTime) -> Result<u64> {
    let query =
        sqlx::query!("update held_slugs set released_at = $1 where user_id is null and released_at is null", now);
    query.execute(pool).await?;
    let query = sqlx::query!("delete from held_slugs where released_at < $1", free_before);
    Ok(query.execute(pool).await?.rows_affected())
}
