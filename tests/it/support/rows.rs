//! Direct access to rows.

use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};

use super::Site;

/// Query for every column that holds a user's id.
pub(crate) const USER_ID_COLUMNS: &str = "select format('%I', cl.relname) || '.' || format('%I', a.attname)
     from pg_constraint c join pg_class cl on cl.oid = c.conrelid join pg_attribute a on a.attrelid = cl.oid and a.attnum = any(c.conkey)
     where c.contype = 'f' and c.confrelid = 'users'::regclass
     union select table_name || '.' || column_name from information_schema.columns
     where table_schema = current_schema() and column_name in ('user_id', 'created_by', 'used_by')";

pub(crate) type HeartRow = (String, String, Option<String>, Option<String>, Vec<String>, Option<Vec<String>>);

/// The hearts of everybody that meet an SQL condition, removed ones too, with all that an undo restores.
pub(crate) async fn read_hearts(site: &Site, condition: &'static str) -> Vec<HeartRow> {
    let query = format!(
        "select playlist_id, hearted_at::text, removed_at::text, note, tags, tags_folded from user_hearts
         where {condition} order by user_id, playlist_id"
    );
    sqlx::query_as(AssertSqlSafe(query)).fetch_all(&site.db).await.unwrap()
}

/// Inserts `hearts` users who have hearted a public playlist.
pub(crate) async fn add_hearts_of_strangers(site: &Site, id: &str, hearts: i64) {
    add_public_playlist(site, id).await;
    let sql = format!(
        "with people as (insert into users (display_name, created_at) select 'S', now() from generate_series(1, {hearts}) returning id)
         insert into user_hearts (user_id, playlist_id, hearted_at) select id, '{id}', now() from people"
    );
    sqlx::query(AssertSqlSafe(sql)).execute(&site.db).await.unwrap();
}

/// Inserts a public playlist into a user's library, since only those are listed.
pub(crate) async fn add_public_playlist(site: &Site, id: &str) {
    let sql = "with member as (insert into users (display_name, created_at) values ('Member', now()) returning id)
               insert into playlists (user_id, id, position, name, collaborative, public, seen_at) select id, $1, 0, 'Public', false, true, now() from member";
    sqlx::query(sql).bind(id).execute(&site.db).await.unwrap();
}

/// Closes all connections to the site's database and refuses new ones, or accepts them again.
pub(crate) async fn set_database_available(site: &Site, available: bool) {
    let options = site.db.connect_options();
    let name = options.get_database().unwrap().to_owned();
    let mut admin: PgConnection = (*options).clone().database("postgres").connect().await.unwrap();
    let allow = AssertSqlSafe(format!("alter database {name} with allow_connections {available}"));
    sqlx::query(allow).execute(&mut admin).await.unwrap();
    let out = "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = $1";
    sqlx::query(out).bind(&name).execute(&mut admin).await.unwrap();
}

/// Two pages of hearts, the newest first. Spotify no longer shows their playlists, so a page does not renew their
/// names.
pub(crate) const SIXTY_HEARTS: &str = "insert into user_hearts (user_id, playlist_id, hearted_at, gone_at) \
    select users.id, rpad('Heart' || n, 22, 'x'), now() - n * interval '1 day', now() from users, generate_series(1, 60) n";

/// The rows with all times of removal the same: an undo removes again what was removed before.
pub(crate) fn without_removal_times(mut rows: Vec<HeartRow>) -> Vec<HeartRow> {
    rows.iter_mut().filter_map(|row| row.2.as_mut()).for_each(String::clear);
    rows
}
