//! The hearts that visitors of shared pages see.

use time::OffsetDateTime;

use super::playlists::Playlist;
use super::{Pool, Result};
use crate::ids::{PlaylistId, UserId};

/// Hearts of a user that visitors may see: those on public playlists that Spotify showed since `seen_since`.
#[derive(Clone, Copy)]
pub struct VisibleHearts<'a> {
    pub user: UserId,
    pub seen_since: OffsetDateTime,
    /// Folded; only hearts with this tag.
    pub tag: Option<&'a str>,
    /// Only the heart of this playlist.
    pub playlist: Option<&'a PlaylistId>,
    pub shows_notes: bool,
}

pub async fn count(pool: &Pool, hearts: VisibleHearts<'_>) -> Result<i64> {
    let query = sqlx::query_scalar!(
        r#"select count(*) as "count!" from user_hearts h
           cross join lateral (select * from playlists p where p.user_id = $1 and p.id = h.playlist_id limit 1) p
           where h.user_id = $1 and h.removed_at is null and p.public and h.gone_at is null and p.seen_at >= $2
             and ($3::text is null or exists (
                 select 1 from unnest(h.tags, h.tags_folded) t (name, folded) where coalesce(t.folded, lower(t.name)) = $3))"#,
        hearts.user.0,
        hearts.seen_since,
        hearts.tag
    );
    Ok(query.fetch_one(pool).await?)
}

/// Returns some of the hearts, newest first; with `pins_first`, after the pinned ones. Selects only the columns that
/// visitors may see.
pub async fn list(
    pool: &Pool,
    hearts: VisibleHearts<'_>,
    pins_first: bool,
    (offset, limit): (i64, i64),
) -> Result<Vec<Playlist>> {
    let query = sqlx::query_as!(
        Playlist,
        r#"select p.id, p.name as "name?", null::text as owner_id, p.owner_name, p.cover_url,
                  null::integer as item_count, p.public, false as "collaborative!",
                  p.seen_at as "seen_at?", h.hearted_at as "hearted_at?", null::timestamptz as changed_at, h.gone_at, null::text as own_title,
                  case when $7 then h.note end as note, '{}'::text[] as "tags!",
                  h.pin is not null as "is_pinned!"
           from user_hearts h
           cross join lateral (select * from playlists p where p.user_id = $1 and p.id = h.playlist_id limit 1) p
           where h.user_id = $1 and h.removed_at is null and p.public and h.gone_at is null and p.seen_at >= $2
             and ($5::text is null or exists (
                 select 1 from unnest(h.tags, h.tags_folded) t (name, folded) where coalesce(t.folded, lower(t.name)) = $5))
             and ($6::text is null or h.playlist_id = $6)
           order by $8 and h.pin is not null desc, h.hearted_at desc, h.playlist_id offset $3 limit $4"#,
        hearts.user.0,
        hearts.seen_since,
        offset,
        limit,
        hearts.tag,
        hearts.playlist.map(PlaylistId::as_str),
        hearts.shows_notes,
        pins_first
    );
    Ok(query.fetch_all(pool).await?)
}
