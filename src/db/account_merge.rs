//! Merging two accounts of one person.

use sqlx::{Connection, PgConnection, PgExecutor};
use time::OffsetDateTime;

use super::shares::Share;
use super::{Error, Pool, Result, heart_changes, identities, news, operators, pins, shares, users};
use crate::ids::{PlaylistId, Provider, TokenHash, UserId};

/// An account, with counts of its content.
#[derive(Clone, Debug)]
pub struct AccountSummary {
    pub name: String,
    pub since: OffsetDateTime,
    pub hearts: i64,
    pub notes: i64,
    pub tags: i64,
    /// Devices that are signed in.
    pub sessions: i64,
    /// `None` if there is no public page.
    pub slug: Option<String>,
    pub has_link: bool,
}

/// Returns what the account holds; `None` if there is no such account.
pub async fn summarize(pool: &Pool, user: UserId, now: OffsetDateTime) -> Result<Option<AccountSummary>> {
    let query = sqlx::query!(
        r#"select u.display_name, u.created_at, s.slug as "slug?", s.token_hash is not null as "has_link!",
                  (select count(*) from sessions where user_id = $1 and expires_at > $2) as "sessions!"
           from users u left join shares s on s.user_id = u.id where u.id = $1"#,
        user.0,
        now
    );
    let Some(account) = query.fetch_optional(pool).await.map_err(Error::from_search)? else { return Ok(None) };
    let query = sqlx::query!(
        r#"select count(*) as "hearts!", count(note) as "notes!",
                  (select count(distinct coalesce(t.folded, lower(t.name)))
                   from user_hearts h cross join lateral unnest(h.tags, h.tags_folded) t (name, folded)
                   where h.user_id = $1 and h.removed_at is null and t.name is not null) as "tags!"
           from user_hearts where user_id = $1 and removed_at is null"#,
        user.0
    );
    let hearts = query.fetch_one(pool).await.map_err(Error::from_search)?;
    Ok(Some(AccountSummary {
        name: account.display_name,
        since: account.created_at,
        hearts: hearts.hearts,
        notes: hearts.notes,
        tags: hearts.tags,
        sessions: account.sessions,
        slug: account.slug,
        has_link: account.has_link,
    }))
}

/// Numbers of hearts that two accounts have together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinedHearts {
    pub total: i64,
    /// Playlists that both have hearted.
    pub in_both: i64,
    /// Those with a note in both, of which one is kept.
    pub with_two_notes: i64,
    /// Those with an own title in both, of which one is kept.
    pub with_two_titles: i64,
    /// Those pinned in one or both, of which four stay pinned.
    pub pinned: i64,
}

pub async fn count_joined(pool: &Pool, one: UserId, other: UserId) -> Result<JoinedHearts> {
    let query = sqlx::query_as!(
        JoinedHearts,
        r#"select count(*) as "total!", count(*) filter (where hearts > 1) as "in_both!",
                  count(*) filter (where notes > 1) as "with_two_notes!",
                  count(*) filter (where titles > 1) as "with_two_titles!", count(*) filter (where pins > 0) as "pinned!"
           from (select count(*) as hearts, count(note) as notes, count(own_title) as titles, count(pin) as pins
                 from user_hearts where user_id in ($1, $2) and removed_at is null group by playlist_id) joined"#,
        one.0,
        other.0
    );
    query.fetch_one(pool).await.map_err(Error::from_search)
}

/// Returns whether both have an identity at the same provider, so that the accounts cannot be merged.
pub async fn have_common_provider(executor: impl PgExecutor<'_>, one: UserId, other: UserId) -> Result<bool> {
    let query = sqlx::query_scalar!(
        r#"select exists (select from identities a join identities b using (provider)
                          where a.user_id = $1 and b.user_id = $2) as "share!""#,
        one.0,
        other.0
    );
    Ok(query.fetch_one(executor).await?)
}

/// The sharing settings of an account, and the notes and tags that they concern. Removed hearts count, because a heart of
/// another account may take their notes and tags, or they may be restored.
#[derive(Clone, Debug, Default)]
pub struct SharedContent {
    pub has_page: bool,
    pub has_link: bool,
    pub options: SharingOptions,
    pub has_notes: bool,
    /// Folded; of the hearts' tags only those that one of the accounts shares, because there may be a million.
    pub tags: Vec<String>,
}

/// The notes and tags that visitors of an account's page and link see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharingOptions {
    pub shows_notes: bool,
    pub shared_tags: Vec<String>,
}

/// Returns the contents of both accounts.
pub async fn find_shared_contents(
    pool: &Pool,
    users: [UserId; 2],
    fold_tag: fn(&str) -> String,
) -> Result<[SharedContent; 2]> {
    load_shared_contents(&mut *pool.acquire().await.map_err(Error::from_search)?, users, fold_tag).await
}

async fn load_shared_contents(
    connection: &mut PgConnection,
    users: [UserId; 2],
    fold_tag: fn(&str) -> String,
) -> Result<[SharedContent; 2]> {
    let [one, other] = users;
    let mut shares = [None, None];
    for (share, user) in shares.iter_mut().zip(users) {
        *share = shares::find(&mut *connection, user).await?;
    }
    let tags: Vec<_> = shares.iter().flatten().flat_map(|share| &share.shared_tags).map(|tag| fold_tag(tag)).collect();
    let [share, other_share] = shares.map(Option::unwrap_or_default);
    Ok([
        load_shared_content(connection, one, share, &tags).await?,
        load_shared_content(connection, other, other_share, &tags).await?,
    ])
}

async fn load_shared_content(
    connection: &mut PgConnection,
    user: UserId,
    share: Share,
    tags: &[String],
) -> Result<SharedContent> {
    let query = sqlx::query!(
        r#"select count(h.note) > 0 as "has_notes!",
                  array(select distinct coalesce(t.folded, lower(t.name))
                        from user_hearts h cross join lateral unnest(h.tags, h.tags_folded) t (name, folded)
                        where h.user_id = $1 and coalesce(t.folded, lower(t.name)) = any($2)) as "tags!"
           from user_hearts h where h.user_id = $1"#,
        user.0,
        tags
    );
    let row = query.fetch_one(connection).await.map_err(Error::from_search)?;
    Ok(SharedContent {
        has_page: share.slug.is_some(),
        has_link: share.token_sealed.is_some(),
        options: SharingOptions { shows_notes: share.shows_notes, shared_tags: share.shared_tags },
        has_notes: row.has_notes,
        tags: row.tags,
    })
}

pub struct Merge<'a> {
    pub from: UserId,
    pub into: UserId,
    /// The session that has confirmed it, and its user: if it has ended, nothing is merged. `None` asks for none.
    pub session: Option<(UserId, TokenHash)>,
    /// Encrypts the token of `from`'s secret link for `into`; `None` if it cannot be decrypted.
    pub reseal: &'a (dyn Fn(&[u8]) -> Option<Vec<u8>> + Sync),
    /// Folds tags as [`SharedContent::tags`] are.
    pub fold_tag: fn(&str) -> String,
    /// Returns what visitors may see of both.
    pub join_options: fn(&[SharedContent; 2]) -> SharingOptions,
}

/// Moves the identities, hearts, activity and shares of `from` to `into` and deletes `from` with its sessions, in one
/// transaction. A heart that both have keeps the earlier date and both sets of tags. Pins of `from` stay where `into`
/// has pins left. Notes and tags are shared as far as `join_options` says. Returns `false`, and changes nothing, if one
/// of them was deleted, both have an identity at the same provider, or the session has ended. A new table with users'
/// content must be added here.
pub async fn merge(pool: &Pool, merge: Merge<'_>, now: OffsetDateTime) -> Result<bool> {
    let Merge { from, into, session, reseal, fold_tag, join_options } = merge;
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    super::prepare_account_change(&mut tx).await?;
    // Before the accounts, as changes of many hearts do.
    for user in [from.min(into), from.max(into)] {
        heart_changes::lock_for_merge(&mut tx, user).await?;
    }
    // A heart that `from` adds now waits for this lock through its foreign key, and then fails.
    for user in [from.min(into), from.max(into)] {
        if !super::lock_user(&mut tx, user).await? {
            return Ok(false);
        }
    }
    // A change of a heart of `from` would be deleted with it. It waits, too, and then finds none.
    let query = sqlx::query!("select from user_hearts where user_id = $1 order by playlist_id for update", from.0);
    query.execute(&mut *tx).await?;
    if have_common_provider(&mut *tx, from, into).await? {
        return Ok(false);
    }
    let pinned = pins::list(&mut *tx, from).await?;
    let options = join_options(&load_shared_contents(&mut tx, [into, from], fold_tag).await?);
    if identities::exists(&mut *tx, from, &[Provider::Spotify]).await? {
        identities::clear_library(&mut tx, into).await?;
    }
    sqlx::query!("update identities set user_id = $2 where user_id = $1", from.0, into.0).execute(&mut *tx).await?;
    sqlx::query!("update events set user_id = $2 where user_id = $1", from.0, into.0).execute(&mut *tx).await?;
    move_hearts(&mut tx, from, into).await?;
    heart_changes::delete_all(&mut tx, into).await?;
    news::move_to(&mut tx, from, into).await?;
    keep_role_and_ban(&mut tx, from, into, now).await?;
    move_shares(&mut tx, from, into, reseal, now).await?;
    let query = sqlx::query!(
        "update shares set shows_notes = $2, shared_tags = $3 where user_id = $1",
        into.0,
        options.shows_notes,
        &options.shared_tags
    );
    query.execute(&mut *tx).await?;
    // One of `from` is deleted below.
    if let Some((user, session)) = session
        && !lock_session(&mut tx, user, session).await?
    {
        return Ok(false);
    }
    users::delete_rows(&mut tx, from).await?;
    tx.commit().await?;
    drop(connection);
    let pinned: Vec<_> = pinned.iter().filter_map(|id| PlaylistId::parse(id).ok()).collect();
    pins::pin_all(pool, into, &pinned).await;
    Ok(true)
}

/// Locks a user's session until the transaction ends. Returns `false` if it has been ended.
async fn lock_session(connection: &mut PgConnection, user: UserId, session: TokenHash) -> Result<bool> {
    let query =
        sqlx::query!("select from sessions where id_hash = $1 and user_id = $2 for update", session.as_bytes(), user.0);
    Ok(query.fetch_optional(connection).await?.is_some())
}

/// Gives `into` the page, with its card for other sites, and the link of `from` where it has none. Another address of
/// `from` stays reserved for `into`. Nothing moves to a user whom an operator keeps from sharing.
async fn move_shares(
    connection: &mut PgConnection,
    from: UserId,
    into: UserId,
    reseal: &(dyn Fn(&[u8]) -> Option<Vec<u8>> + Sync),
    now: OffsetDateTime,
) -> Result<()> {
    let query = sqlx::query!(
        "delete from shares where user_id = $1 and taken_down_at is null
         returning slug, slug_since, page_feed_id, token_hash, token_sealed, token_since, link_feed_id, embeddable",
        from.0
    );
    let Some(share) = query.fetch_optional(&mut *connection).await? else { return Ok(()) };
    let token_sealed = share.token_sealed.map(|sealed| reseal(&sealed).unwrap_or(sealed));
    let query = sqlx::query_scalar!(
        r#"insert into shares as s (user_id, slug, slug_since, page_feed_id, token_hash, token_sealed, token_since,
                                    link_feed_id, embeddable)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
           on conflict (user_id) do update
           set slug = coalesce(s.slug, $2),
               slug_since = case when s.slug is null then $3 else s.slug_since end,
               page_feed_id = case when s.slug is null then $4 else s.page_feed_id end,
               token_hash = coalesce(s.token_hash, $5),
               token_sealed = case when s.token_hash is null then $6 else s.token_sealed end,
               token_since = case when s.token_hash is null then $7 else s.token_since end,
               link_feed_id = case when s.token_hash is null then $8 else s.link_feed_id end,
               embeddable = case when s.slug is null then $9 else s.embeddable end
           where s.taken_down_at is null
           returning slug"#,
        into.0,
        share.slug,
        share.slug_since,
        share.page_feed_id,
        share.token_hash,
        token_sealed,
        share.token_since,
        share.link_feed_id,
        share.embeddable
    );
    let slug = query.fetch_optional(&mut *connection).await?.flatten();
    let slug_hash = slug.map(TokenHash::new);
    let query = sqlx::query!(
        "update held_slugs set user_id = $2,
                released_at = case when slug_hash = $3 then null else coalesce(released_at, $4) end
         where user_id = $1",
        from.0,
        into.0,
        slug_hash.as_ref().map(|hash| hash.as_bytes()),
        now
    );
    Ok(query.execute(connection).await.map(drop)?)
}

/// Carries over the role of an operator with its invitations, and a sharing ban, which takes down what `into` shares.
async fn keep_role_and_ban(
    connection: &mut PgConnection,
    from: UserId,
    into: UserId,
    now: OffsetDateTime,
) -> Result<()> {
    if operators::is_operator(&mut *connection, from).await? {
        sqlx::query!("update users set operator = true where id = $1", into.0).execute(&mut *connection).await?;
    }
    let query = sqlx::query!(
        "update invites set created_by = case created_by when $1 then $2 else created_by end,
                            used_by = case used_by when $1 then $2 else used_by end
         where created_by = $1 or used_by = $1",
        from.0,
        into.0
    );
    query.execute(&mut *connection).await?;
    if shares::is_banned(&mut *connection, from).await? {
        shares::take_down(connection, into, now).await?;
    }
    Ok(())
}

/// Copies the hearts of `from`, removed ones too. A heart replaces a removed one, with its titles and its note where it
/// has them; between two hearts, those of `into` stay. The tags of both are kept. Of tags that a search cannot tell
/// apart, the spelling of `into` stays. Tags and their folded forms are in the same order.
async fn move_hearts(connection: &mut PgConnection, from: UserId, into: UserId) -> Result<()> {
    let query = sqlx::query!(
        "insert into user_hearts as h
             (user_id, playlist_id, hearted_at, snapshot_id, gone_at, note, tags, note_folded, tags_folded, removed_at,
              title, title_folded, title_seen_at, own_title, own_title_folded)
         select $2, f.playlist_id, f.hearted_at, coalesce(f.snapshot_id, p.snapshot_id), f.gone_at, f.note, f.tags,
                f.note_folded, f.tags_folded, f.removed_at, coalesce(f.title, nullif(p.name, '')),
                case when f.title is null then p.name_folded else f.title_folded end,
                greatest(f.title_seen_at, p.seen_at), f.own_title, f.own_title_folded
         from user_hearts f
         left join lateral (select * from playlists p where p.user_id = $1 and p.id = f.playlist_id limit 1) p on true
         where f.user_id = $1
         on conflict (user_id, playlist_id) do update
         set hearted_at = least(h.hearted_at, excluded.hearted_at),
             pin = case when h.removed_at is null then h.pin end,
             removed_at = case when h.removed_at is not null and excluded.removed_at is not null
                               then greatest(h.removed_at, excluded.removed_at) end,
             snapshot_id = case when h.removed_at is not null and excluded.removed_at is null
                                then excluded.snapshot_id else h.snapshot_id end,
             gone_at = case when h.removed_at is not null and excluded.removed_at is null
                            then excluded.gone_at else h.gone_at end,
             title_seen_at = greatest(h.title_seen_at, excluded.title_seen_at),
             title = case when h.title is null or excluded.title is not null
                            and h.removed_at is not null and excluded.removed_at is null
                       then excluded.title else h.title end,
             title_folded = case when h.title is null or excluded.title is not null
                            and h.removed_at is not null and excluded.removed_at is null
                       then excluded.title_folded else h.title_folded end,
             own_title = case when h.own_title is null or excluded.own_title is not null
                            and h.removed_at is not null and excluded.removed_at is null
                       then excluded.own_title else h.own_title end,
             own_title_folded = case when h.own_title is null or excluded.own_title is not null
                            and h.removed_at is not null and excluded.removed_at is null
                       then excluded.own_title_folded else h.own_title_folded end,
             note = case when h.note is null or excluded.note is not null
                            and h.removed_at is not null and excluded.removed_at is null
                       then excluded.note else h.note end,
             note_folded = case when h.note is null or excluded.note is not null
                            and h.removed_at is not null and excluded.removed_at is null
                       then excluded.note_folded else h.note_folded end,
             tags = array(
                 select (array_agg(t.name order by t.place, t.name))[1]
                 from (select 1, * from unnest(h.tags, h.tags_folded)
                       union all select 2, * from unnest(excluded.tags, excluded.tags_folded)) t (place, name, folded)
                 where t.name is not null
                 group by coalesce(t.folded, lower(t.name)) collate \"C\"
                 order by coalesce(t.folded, lower(t.name)) collate \"C\"),
             tags_folded = array(
                 select distinct coalesce(t.folded, lower(t.name)) collate \"C\"
                 from (select * from unnest(h.tags, h.tags_folded)
                       union all select * from unnest(excluded.tags, excluded.tags_folded)) t (name, folded)
                 where t.name is not null order by 1)",
        from.0,
        into.0
    );
    Ok(query.execute(connection).await.map(drop)?)
}
