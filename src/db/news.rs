//! News of hearts, made from what Spotify shows of their playlists, and private feeds of them.
//!
//! A row stays while its heart is removed, because the heart may be restored: queries join the hearts that stand.

use sqlx::{Connection, PgConnection};
use time::{Date, Duration, OffsetDateTime};

use super::{Pool, Result};
use crate::ids::{PlaylistId, TokenHash, UserId};

const RETENTION: Duration = Duration::days(180);
/// News of one user. The next cleanup deletes older ones.
const MAX_PER_USER: i64 = 500;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewsKind {
    Updated,
    Renamed,
    Unavailable,
    Back,
}

impl NewsKind {
    const ALL: [Self; 4] = [Self::Updated, Self::Renamed, Self::Unavailable, Self::Back];

    pub fn key(self) -> &'static str {
        match self {
            NewsKind::Updated => "updated",
            NewsKind::Renamed => "renamed",
            NewsKind::Unavailable => "unavailable",
            NewsKind::Back => "back",
        }
    }
}

pub struct NewsItem {
    pub playlist_id: String,
    pub kind: NewsKind,
    /// With playlist and kind, the identity of the item.
    pub day: Date,
    pub at: OffsetDateTime,
    /// `None` unless it is about a new name; so is `new_name`.
    pub old_name: Option<String>,
    pub new_name: Option<String>,
    /// Spotify's current name of the playlist.
    pub name: Option<String>,
    pub own_title: Option<String>,
}

/// Columns of playlists as Spotify has just shown them.
pub(super) struct SeenColumns {
    pub(super) ids: Vec<Option<String>>,
    pub(super) names: Vec<Option<String>>,
    pub(super) folded_names: Vec<Option<String>>,
    pub(super) snapshot_ids: Vec<Option<String>>,
}

/// Records news of hearts whose playlists are among `seen`. Then updates the hearts' titles, clears `gone_at`, and
/// gives hearts without a snapshot the stored one. Must run before `seen` is stored, because it compares with what was
/// stored.
pub(super) async fn update_hearts(
    connection: &mut PgConnection,
    user: UserId,
    seen: SeenColumns,
    now: OffsetDateTime,
) -> Result<()> {
    let query = sqlx::query!(
        "insert into news (user_id, playlist_id, kind, day, at, old_name, new_name)
         select h.user_id, h.playlist_id, e.kind, ($5::timestamptz at time zone 'utc')::date, $5,
                case when e.kind = 'renamed' then coalesce(h.title, p.name) end,
                case when e.kind = 'renamed' then l.name end
         from unnest($2::text[], $3::text[], $4::text[]) as l (id, name, snapshot_id)
         cross join lateral (
             select * from user_hearts h where h.user_id = $1 and h.playlist_id = l.id and h.removed_at is null limit 1) h
         left join lateral (select * from playlists p where p.user_id = $1 and p.id = l.id limit 1) p on true
         cross join lateral (values
             ('updated', coalesce(p.snapshot_id, h.snapshot_id) <> l.snapshot_id),
             ('renamed', l.name <> '' and coalesce(h.title, nullif(p.name, '')) <> l.name),
             ('back', h.gone_at is not null)) as e (kind, is_new)
         where e.is_new
         on conflict (user_id, playlist_id, kind, day) do update set at = excluded.at, new_name = excluded.new_name",
        user.0,
        &seen.ids as _,
        &seen.names as _,
        &seen.snapshot_ids as _,
        now
    );
    query.execute(&mut *connection).await?;
    let query = sqlx::query!(
        "update user_hearts h
         set title = coalesce(nullif(l.name, ''), h.title), gone_at = null,
             title_folded = case when l.name = '' then h.title_folded else l.name_folded end,
             snapshot_id = coalesce(h.snapshot_id, p.snapshot_id, l.snapshot_id)
         from unnest($2::text[], $3::text[], $4::text[], $5::text[]) as l (id, name, name_folded, snapshot_id)
         left join lateral (select * from playlists p where p.user_id = $1 and p.id = l.id limit 1) p on true
         where h.user_id = $1 and h.playlist_id = l.id
               and (h.gone_at is not null or h.title is distinct from coalesce(nullif(l.name, ''), h.title)
                    or h.snapshot_id is null and coalesce(p.snapshot_id, l.snapshot_id) is not null)",
        user.0,
        &seen.ids as _,
        &seen.names as _,
        &seen.folded_names as _,
        &seen.snapshot_ids as _
    );
    Ok(query.execute(connection).await.map(drop)?)
}

/// Records that Spotify no longer shows a hearted playlist, in the heart and as news. An earlier time stays.
pub async fn mark_unavailable(pool: &Pool, user: UserId, playlist: &PlaylistId, now: OffsetDateTime) -> Result<()> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    let query = sqlx::query!(
        "update user_hearts set gone_at = $3
         where user_id = $1 and playlist_id = $2 and removed_at is null and gone_at is null",
        user.0,
        playlist.as_str(),
        now
    );
    if query.execute(&mut *tx).await?.rows_affected() == 0 {
        return Ok(());
    }
    let query = sqlx::query!(
        "insert into news (user_id, playlist_id, kind, day, at)
         values ($1, $2, 'unavailable', ($3::timestamptz at time zone 'utc')::date, $3)
         on conflict (user_id, playlist_id, kind, day) do update set at = excluded.at",
        user.0,
        playlist.as_str(),
        now
    );
    query.execute(&mut *tx).await?;
    Ok(tx.commit().await?)
}

/// Returns news of a user's hearts, newest first, and their total number; 0 beyond the last page. Omits what is older
/// than the heart, and names that were changed back on the same day.
pub async fn list(pool: &Pool, user: UserId, (offset, limit): (i64, i64)) -> Result<(Vec<NewsItem>, i64)> {
    let query = sqlx::query!(
        r#"select count(*) over () as "total!", n.playlist_id, n.kind, n.day, n.at, n.old_name, n.new_name,
                  coalesce(p.name, h.title) as name, h.own_title
           from news n
           cross join lateral (select * from user_hearts h where h.user_id = $1 and h.playlist_id = n.playlist_id
                                   and h.removed_at is null and h.hearted_at <= n.at limit 1) h
           left join lateral (select * from playlists p where p.user_id = $1 and p.id = n.playlist_id limit 1) p on true
           where n.user_id = $1 and (n.kind <> 'renamed' or n.old_name <> n.new_name)
           order by n.at desc, n.playlist_id, n.kind offset $2 limit $3"#,
        user.0,
        offset,
        limit
    );
    let rows = query.fetch_all(pool).await?;
    let total = rows.first().map_or(0, |row| row.total);
    let items = rows.into_iter().filter_map(|row| {
        Some(NewsItem {
            kind: NewsKind::ALL.into_iter().find(|kind| kind.key() == row.kind)?,
            playlist_id: row.playlist_id,
            day: row.day,
            at: row.at,
            old_name: row.old_name,
            new_name: row.new_name,
            name: row.name,
            own_title: row.own_title,
        })
    });
    Ok((items.collect(), total))
}

/// Deletes a user's news of playlists without a heart, removed ones included.
pub async fn delete_without_heart(pool: &Pool, user: UserId) -> Result<()> {
    let query = sqlx::query!(
        "delete from news n where n.user_id = $1
             and not exists (select from user_hearts h where h.user_id = $1 and h.playlist_id = n.playlist_id offset 0)",
        user.0
    );
    Ok(query.execute(pool).await.map(drop)?)
}

/// Deletes old news, those beyond [`MAX_PER_USER`], and those whose hearts were deleted. Returns their number.
pub async fn delete_expired(pool: &Pool, now: OffsetDateTime) -> Result<u64> {
    let expired = super::delete_in_batches(pool, |batch| {
        sqlx::query!(
            "delete from news where at between '-infinity' and (
                 select max(at) from (select at from news where at <= $1 order by at limit $2) b)",
            now - RETENTION,
            batch
        )
    })
    .await?;
    // Only of users with news since yesterday, which an index finds: nobody else has more than at the last cleanup.
    let query = sqlx::query!(
        "delete from news n using (
             select user_id, at from (select user_id, at, row_number() over (partition by user_id order by at desc) as place
                                      from news where user_id in (select user_id from news where at > $2)) ranked
             where place = $1) last
         where n.user_id = last.user_id and n.at < last.at",
        MAX_PER_USER,
        now - Duration::DAY
    );
    let surplus = query.execute(pool).await?.rows_affected();
    let query = sqlx::query!(
        "delete from news n where not exists (
             select from user_hearts h where h.user_id = n.user_id and h.playlist_id = n.playlist_id)"
    );
    Ok(expired + surplus + query.execute(pool).await?.rows_affected())
}

/// Copies the news of `from` to `into`, and moves the feed if `into` has none. The feed's address can then not be shown
/// any more, because its token was sealed for `from`.
pub(super) async fn move_to(connection: &mut PgConnection, from: UserId, into: UserId) -> Result<()> {
    let query = sqlx::query!(
        "insert into news (user_id, playlist_id, kind, day, at, old_name, new_name)
         select $2, playlist_id, kind, day, at, old_name, new_name from news where user_id = $1
         on conflict do nothing",
        from.0,
        into.0
    );
    query.execute(&mut *connection).await?;
    let query = sqlx::query!(
        "update news_feeds set user_id = $2, token_sealed = null
         where user_id = $1 and not exists (select from news_feeds where user_id = $2)",
        from.0,
        into.0
    );
    Ok(query.execute(connection).await.map(drop)?)
}

pub struct NewsFeed {
    pub user: UserId,
    /// Encrypted; `None` if it cannot be shown again.
    pub token_sealed: Option<Vec<u8>>,
    pub created_at: OffsetDateTime,
    pub feed_id: String,
}

pub async fn find_feed(pool: &Pool, user: UserId) -> Result<Option<NewsFeed>> {
    let query = sqlx::query_as!(
        NewsFeed,
        r#"select user_id as "user", token_sealed, created_at, feed_id from news_feeds where user_id = $1"#,
        user.0
    );
    Ok(query.fetch_optional(pool).await?)
}

pub async fn find_feed_by_token(pool: &Pool, token: TokenHash) -> Result<Option<NewsFeed>> {
    let query = sqlx::query_as!(
        NewsFeed,
        r#"select user_id as "user", token_sealed, created_at, feed_id from news_feeds where token_hash = $1"#,
        token.as_bytes()
    );
    Ok(query.fetch_optional(pool).await?)
}

/// Stores a user's feed. Returns `false`, and changes nothing, if there is one that it does not replace.
pub async fn set_feed(pool: &Pool, feed: &NewsFeed, token: TokenHash, replaces: bool) -> Result<bool> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    super::lock_existing_user(&mut tx, feed.user).await?;
    let query = sqlx::query!(
        "insert into news_feeds (user_id, token_hash, token_sealed, created_at, feed_id) values ($1, $2, $3, $4, $5)
         on conflict (user_id) do update set token_hash = $2, token_sealed = $3, created_at = $4, feed_id = $5 where $6",
        feed.user.0,
        token.as_bytes(),
        feed.token_sealed.as_deref(),
        feed.created_at,
        feed.feed_id,
        replaces
    );
    let is_stored = query.execute(&mut *tx).await?.rows_affected() == 1;
    tx.commit().await?;
    Ok(is_stored)
}

pub async fn delete_feed(pool: &Pool, user: UserId) -> Result<()> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    super::lock_existing_user(&mut tx, user).await?;
    sqlx::query!("delete from news_feeds where user_id = $1", user.0).execute(&mut *tx).await?;
    Ok(tx.commit().await?)
}
