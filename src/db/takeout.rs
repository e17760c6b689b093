//! A person's hearts as they leave in a file and come back from one.

use sqlx::{Connection, PgConnection};
use time::OffsetDateTime;

use super::hearts::Words;
use super::{Error, Pool};
use crate::ids::{PlaylistId, UserId};

/// A heart, and what its playlist is called where that is known.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Spotify's id of the playlist.
    pub playlist_id: String,
    /// As Spotify gave it.
    pub name: Option<String>,
    /// Who made the playlist, by name.
    pub owner_name: Option<String>,
    /// When it was hearted, to the microsecond.
    pub hearted_at: OffsetDateTime,
    /// What the person wrote beside it.
    pub note: Option<String>,
    /// The person's tags for it.
    pub tags: Vec<String>,
}

/// Up to `limit` of a person's hearts, newest first, behind `last`; none: from the first one on.
///
/// # Errors
/// When the database fails.
pub async fn after(pool: &Pool, user: UserId, last: Option<&Kept>, limit: i64) -> Result<Vec<Kept>, Error> {
    let rows = sqlx::query_as!(
        Kept,
        r#"select h.playlist_id, p.name as "name?", p.owner_name as "owner_name?", h.hearted_at, h.note, h.tags
           from hearts h left join playlists p on p.user_id = h.user_id and p.id = h.playlist_id
           where h.user_id = $1 and h.hearted_at <= coalesce($2, 'infinity'::timestamptz)
                 and ($2 is null or h.hearted_at < $2 or h.playlist_id > $3)
           order by h.hearted_at desc, h.playlist_id limit $4"#,
        user.0,
        last.map(|last| last.hearted_at),
        last.map(|last| last.playlist_id.as_str()),
        limit
    );
    Ok(rows.fetch_all(pool).await?)
}

/// A heart from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct New {
    /// The playlist.
    pub playlist: PlaylistId,
    /// When it was hearted.
    pub hearted_at: OffsetDateTime,
    /// What the person wrote beside it.
    pub words: Words,
}

/// What became of the hearts from a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// So many were not there yet and were added.
    These(u64),
    /// None was added: with them there would be too many.
    TooMany {
        /// How many the person has.
        there: i64,
        /// How many would have been added.
        new: i64,
    },
}

/// Adds the hearts that are not there yet, all or none, up to `most` of the person's in all; those that are there
/// stay as they are.
///
/// # Errors
/// When the database fails, or the person is gone; then nothing is added.
pub async fn add(pool: &Pool, user: UserId, hearts: &[New], most: i64) -> Result<Added, Error> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    super::plan_anew(&mut tx).await?;
    // Two files of one person at once are counted one after the other; single hearts need not wait.
    let owner = sqlx::query!("select id from users where id = $1 for no key update", user.0);
    if owner.fetch_optional(&mut *tx).await?.is_none() {
        return Err(Error::OwnerGone);
    }
    let ids: Vec<_> = hearts.iter().map(|heart| heart.playlist.to_string()).collect();
    let (there, new) = counts(&mut tx, user, &ids).await?;
    if new > 0 && there + new > most {
        return Ok(Added::TooMany { there, new });
    }
    let added = insert(&mut tx, user, &ids, hearts).await?;
    tx.commit().await?;
    Ok(Added::These(added))
}

/// How many hearts the person has, and how many of `ids` are not among them.
async fn counts(connection: &mut PgConnection, user: UserId, ids: &[String]) -> Result<(i64, i64), Error> {
    let row = sqlx::query!(
        r#"select (select count(*) from hearts where user_id = $1) as "there!",
                  (select count(*) from (select unnest($2::text[]) except select playlist_id from hearts where user_id = $1) as new) as "new!""#,
        user.0,
        ids
    );
    let row = row.fetch_one(connection).await?;
    Ok((row.there, row.new))
}

async fn insert(connection: &mut PgConnection, user: UserId, ids: &[String], hearts: &[New]) -> Result<u64, Error> {
    // In the order of their ids, so that two of these at once wait for each other and not in a circle.
    let added = sqlx::query_scalar!(
        r#"with given as (insert into hearts (user_id, playlist_id, hearted_at, note, tags, note_folded, tags_folded)
                          select $1, l.id, l.hearted_at, l.note, string_to_array(l.tags, ','), l.note_folded, string_to_array(l.tags_folded, ',')
                          from unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[])
                               as l (id, hearted_at, note, tags, note_folded, tags_folded)
                          order by l.id on conflict do nothing returning playlist_id),
                counted as (insert into heart_counts as c (playlist_id, hearts) select playlist_id, 1 from given order by playlist_id
                            on conflict (playlist_id) do update set hearts = c.hearts + 1)
           select count(*) as "added!" from given"#,
        user.0,
        ids,
        &hearts.iter().map(|heart| heart.hearted_at).collect::<Vec<_>>(),
        &hearts.iter().map(|heart| heart.words.note.clone()).collect::<Vec<_>>() as _,
        &hearts.iter().map(|heart| heart.words.tags.join(",")).collect::<Vec<_>>(),
        &hearts.iter().map(|heart| heart.words.note_folded.clone()).collect::<Vec<_>>() as _,
        &hearts.iter().map(|heart| heart.words.tags_folded.join(",")).collect::<Vec<_>>(),
    );
    Ok(added.fetch_one(connection).await? as u64)
}
