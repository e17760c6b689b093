//! A person's hearts on their way into a file and from one.

use sqlx::{Connection, PgConnection};
use time::OffsetDateTime;

use super::hearts::Annotation;
use super::{Error, Pool};
use crate::ids::{PlaylistId, UserId};

/// A heart and what is known of its playlist.
#[derive(Clone, Debug)]
pub struct ExportedHeart {
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

/// Returns up to `limit` of a person's hearts, newest first, after `last` or from the newest on.
pub async fn export(
    pool: &Pool,
    user: UserId,
    last: Option<&ExportedHeart>,
    limit: i64,
) -> Result<Vec<ExportedHeart>, Error> {
    let rows = sqlx::query_as!(
        ExportedHeart,
        r#"select h.playlist_id, coalesce(p.name, h.title) as name, p.owner_name as "owner_name?", h.hearted_at, h.note,
                  h.tags
           from user_hearts h left join playlists p on p.user_id = $1 and p.id = h.playlist_id
           where h.user_id = $1 and h.removed_at is null and h.hearted_at <= coalesce($2, 'infinity'::timestamptz)
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
    /// Its note and tags.
    pub annotation: Annotation,
}

/// What became of the hearts from a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// So many were not there yet and were added.
    These(i64),
    /// None was added: with them there would be too many.
    TooMany {
        /// How many the person has.
        there: i64,
        /// How many would have been added.
        new: i64,
    },
}

/// Adds the hearts that do not stand yet, all or none, up to `max` of the person's in all. Hearts that stand stay as they
/// are. A removed one returns with the file's date, and with the file's note and tags where it has any.
///
/// # Errors
/// [`Error::OwnerGone`] if the account no longer exists; then nothing is added.
pub async fn import(pool: &Pool, user: UserId, hearts: &[New], max: i64) -> Result<Added, Error> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    // Two files of one person at once must not both count what is there and then go over the limit together.
    sqlx::query!("select pg_advisory_xact_lock($1)", IMPORT_LOCK ^ user.0).fetch_one(&mut *tx).await?;
    let ids: Vec<_> = hearts.iter().map(|heart| heart.playlist.to_string()).collect();
    let (there, new) = count(&mut tx, user, &ids).await?;
    if new > 0 && there + new > max {
        return Ok(Added::TooMany { there, new });
    }
    insert(&mut tx, user, &ids, hearts).await?;
    tx.commit().await?;
    Ok(Added::These(new))
}

/// Advisory locks of imports are this number xor the person's id.
const IMPORT_LOCK: i64 = 0x4845_4152_494d_0000;

/// Counts the person's hearts, and those of `ids` that are not among them.
async fn count(connection: &mut PgConnection, user: UserId, ids: &[String]) -> Result<(i64, i64), Error> {
    let row = sqlx::query!(
        r#"select (select count(*) from user_hearts where user_id = $1 and removed_at is null) as "there!",
                  (select count(*) from (
                       select unnest($2::text[])
                       except select playlist_id from user_hearts where user_id = $1 and removed_at is null) n) as "new!""#,
        user.0,
        ids
    );
    let row = row.fetch_one(connection).await?;
    Ok((row.there, row.new))
}

async fn insert(connection: &mut PgConnection, user: UserId, ids: &[String], hearts: &[New]) -> Result<(), Error> {
    let text = |column: fn(&Annotation) -> Option<String>| {
        hearts.iter().map(|heart| column(&heart.annotation)).collect::<Vec<_>>()
    };
    // Distinct, because one statement may change a row only once; the first of two lines counts. Ordered by id, so that
    // two statements that meet wait for each other and not in a circle.
    let inserted = sqlx::query!(
        "insert into user_hearts as h (user_id, playlist_id, hearted_at, note, tags, note_folded, tags_folded)
         select $1, l.id, l.hearted_at, l.note, string_to_array(l.tags, ','), l.note_folded,
                string_to_array(l.tags_folded, ',')
         from (select distinct on (id) *
               from unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[])
                    with ordinality as l (id, hearted_at, note, tags, note_folded, tags_folded, line)
               order by id, line) l
         order by l.id
         on conflict (user_id, playlist_id) do update set
             removed_at = null, snapshot_id = null, gone_at = null, hearted_at = excluded.hearted_at,
             note = coalesce(excluded.note, h.note),
             note_folded = case when excluded.note is null then h.note_folded else excluded.note_folded end,
             tags = case when excluded.tags = '{}' then h.tags else excluded.tags end,
             tags_folded = case when excluded.tags = '{}' then h.tags_folded else excluded.tags_folded end
         where h.removed_at is not null",
        user.0,
        ids,
        &hearts.iter().map(|heart| heart.hearted_at).collect::<Vec<_>>(),
        &text(|annotation| annotation.note.clone()) as _,
        &text(|annotation| Some(annotation.tags.join(","))) as _,
        &text(|annotation| annotation.note_folded.clone()) as _,
        &text(|annotation| Some(annotation.tags_folded.join(","))) as _,
    );
    inserted.execute(connection).await?;
    Ok(())
}
