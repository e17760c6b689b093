//! Tags of a user's hearts. Rows of one user only: on Citus each statement goes to one shard.

use sqlx::{PgConnection, PgExecutor};

use super::{Error, Pool, Result};
use crate::ids::UserId;

/// Separates tags inside a text parameter. No tag contains a control character; a comma may come from folding.
pub(super) const UNIT_SEPARATOR: &str = "\u{1f}";

/// A tag, whatever its spellings, and how many hearts have it.
#[derive(Debug, PartialEq, Eq)]
pub struct TagCount {
    pub folded: String,
    /// The most frequent spelling.
    pub name: String,
    pub hearts: i64,
}

/// Returns a user's tags, the most used first, and the number of hearts without tags. Removed hearts do not count. No
/// heart has two spellings of a tag, so each spelling is counted by itself first: `mode` and `count(distinct)` sort all
/// tags of all hearts, which takes twice as long for 5,000 hearts of five tags.
pub async fn list(pool: &Pool, user: UserId, limit: i64) -> Result<(Vec<TagCount>, i64)> {
    let query = sqlx::query!(
        r#"select null as folded, null as name, count(*) as "hearts!"
           from user_hearts where user_id = $1 and removed_at is null and tags = '{}'
           union all
           (select folded, (array_agg(name order by hearts desc, name))[1], sum(hearts)::bigint
            from (select coalesce(t.folded, lower(t.name)) as folded, t.name, count(*) as hearts
                  from user_hearts h cross join lateral unnest(h.tags, h.tags_folded) t (name, folded)
                  where h.user_id = $1 and h.removed_at is null and t.name is not null group by 1, 2) s
            group by 1 order by 3 desc, 1 limit $2)"#,
        user.0,
        limit
    );
    let (mut tags, mut untagged) = (Vec::new(), 0);
    for row in query.fetch_all(pool).await.map_err(Error::from_search)? {
        match (row.folded, row.name) {
            (Some(folded), Some(name)) => tags.push(TagCount { folded, name, hearts: row.hearts }),
            _ => untagged = row.hearts,
        }
    }
    Ok((tags, untagged))
}

/// Returns those of the tags that a user's hearts have. Removed hearts have tags, but do not count.
pub async fn find(pool: &Pool, user: UserId, folded: &[String]) -> Result<Vec<TagCount>> {
    let query = sqlx::query_as!(
        TagCount,
        r#"select coalesce(t.folded, lower(t.name)) as "folded!",
                  coalesce(mode() within group (order by t.name) filter (where h.removed_at is null),
                           mode() within group (order by t.name)) as "name!",
                  count(distinct h.playlist_id) filter (where h.removed_at is null) as "hearts!"
           from user_hearts h cross join lateral unnest(h.tags, h.tags_folded) t (name, folded)
           where h.user_id = $1 and t.name is not null and coalesce(t.folded, lower(t.name)) = any($2)
           group by 1"#,
        user.0,
        folded
    );
    query.fetch_all(pool).await.map_err(Error::from_search)
}

/// The tags of a heart.
#[derive(Debug, PartialEq, Eq)]
pub struct HeartTags {
    pub playlist_id: String,
    pub tags: Vec<String>,
}

/// Returns some of the hearts that have a tag, in the order of their playlists, starting after `last`.
pub(super) async fn list_some(
    connection: &mut PgConnection,
    user: UserId,
    folded: &str,
    last: &str,
) -> Result<Vec<HeartTags>> {
    let query = sqlx::query_as!(
        HeartTags,
        "select playlist_id, tags from user_hearts h
         where user_id = $1 and playlist_id > $3 and exists (
             select 1 from unnest(h.tags, h.tags_folded) t (name, folded) where coalesce(t.folded, lower(t.name)) = $2)
         order by playlist_id limit 200",
        user.0,
        folded,
        last
    );
    Ok(query.fetch_all(connection).await?)
}

/// A heart's tags before and after a change.
pub struct TagChange {
    pub playlist_id: String,
    pub old: Vec<String>,
    pub new: Vec<String>,
    pub new_folded: Vec<String>,
}

/// Replaces the tags of hearts, except of those whose tags have changed meanwhile. Returns the number of rows. Finds the
/// hearts by the ids alone: without nested loops, the join would read all hearts of the user.
pub async fn update(database: impl PgExecutor<'_>, user: UserId, changes: &[TagChange]) -> Result<u64> {
    let texts = |tags: fn(&TagChange) -> &[String]| {
        changes.iter().map(|change| tags(change).join(UNIT_SEPARATOR)).collect::<Vec<_>>()
    };
    let query = sqlx::query!(
        r"update user_hearts h
          set tags = string_to_array(c.new, E'\x1f'), tags_folded = string_to_array(c.new_folded, E'\x1f')
          from unnest($2::text[], $3::text[], $4::text[], $5::text[]) c (id, old, new, new_folded)
          where h.user_id = $1 and h.playlist_id = any($2) and h.playlist_id = c.id
                and h.tags = string_to_array(c.old, E'\x1f')",
        user.0,
        &changes.iter().map(|change| change.playlist_id.clone()).collect::<Vec<_>>(),
        &texts(|change| &change.old),
        &texts(|change| &change.new),
        &texts(|change| &change.new_folded)
    );
    Ok(query.execute(database).await?.rows_affected())
}
