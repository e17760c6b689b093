//! Migrations: names, comments, and safety on a database in use.

use std::collections::BTreeMap;
use std::time::Duration;

use heartlist::db::{self, migrate::LockRetries};
use heartlist::ids::Secret;
use reqwest::Method;
use sqlx::migrate::{Migration, Migrator};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgExecutor};
use time::{Date, Month};

use crate::support::Site;
use crate::support::postgres::{TestDatabase, create_database};

static ALL: Migrator = sqlx::migrate!();

/// Rows inserted after the migration with this version, so that later migrations run on filled tables. A migration that
/// creates a table needs an entry.
const SAMPLE_ROWS: &[(i64, &str)] = &[
    (20261121090000, "insert into users (display_name, created_at) values ('Mira', now()), ('', now())"),
    (
        20261121090100,
        "insert into identities (user_id, provider, subject, created_at, last_used_at)
         select id, 'spotify', 'subject-' || id, created_at, now() from users",
    ),
    (
        20261121090200,
        "insert into sessions (id_hash, user_id, sealed, created_at, expires_at)
         select sha256('mira'), id, 'sealed', now(), now() + interval '30 days' from users limit 1;
         insert into sessions (id_hash, sealed, created_at, expires_at) values (sha256('nobody'), '', now(), now());
         insert into sign_ins (state_hash, browser_hash, provider, sealed, started_at)
         values (sha256('state'), sha256('browser'), 'spotify', 'sealed', now())",
    ),
    (
        20261121090300,
        "insert into hearts (user_id, playlist_id, hearted_at) select id, '3cEYpjA9oz9GiPac4AsH4n', now() from users;
         insert into heart_counts (playlist_id, hearts) values ('3cEYpjA9oz9GiPac4AsH4n', 2), ('37i9dQZF1DXcBWIGoYBM5M', 0)",
    ),
    (
        20261121090400,
        "insert into playlists (user_id, id, position, name, collaborative, seen_at)
         select id, '3cEYpjA9oz9GiPac4AsH4n', 0, '', false, now() from users;
         insert into libraries (user_id, fetched_at) select id, now() from users",
    ),
    (
        20261121090500,
        "insert into cooldowns (bucket, until, quota) values ('all', now(), false);
         insert into spotify_calls (day, endpoint, calls) values (current_date, 'me', 1)",
    ),
    (
        20261121100000,
        "insert into removed_hearts (user_id, playlist_id, hearted_at, removed_at)
         select id, '37i9dQZF1DXcBWIGoYBM5M', now(), now() from users",
    ),
    (
        20261121101600,
        "insert into shares (user_id, slug, slug_since, token_hash, token_sealed, token_since)
         select id, 'user-' || id, now(), sha256(id::text::bytea), 'sealed', now() from users",
    ),
    (
        20261121101601,
        "insert into held_slugs (slug_hash, user_id) select sha256('user'), min(id) from users;
         insert into held_slugs (slug_hash, released_at) values (sha256('nobody'), now())",
    ),
    (
        20261121101500,
        "insert into top_playlists (period, place, playlist_id, week, ever) values ('week', 1, '3cEYpjA9oz9GiPac4AsH4n', 1, 3);
         insert into top_lists (made_at) values (now())",
    ),
    (20261121101401, "insert into events (user_id, at, kind) select id, now(), 'signed-in' from users"),
    (
        20261121101402,
        "insert into invites (token_hash, created_by, created_at, expires_at, used_by, used_at)
         select sha256('invite'), min(id), now(), now(), max(id), now() from users",
    ),
    (
        20261130050000,
        "insert into hidden_playlists (playlist_id, hidden_at) values ('3cEYpjA9oz9GiPac4AsH4n', now());
         insert into installation (demo) values (false) on conflict do nothing",
    ),
    (
        20261201030000,
        "insert into heart_changes (user_id, kind, playlist_id, changed_at, new_hearted_at, new_tags)
         select id, 'import', '3cEYpjA9oz9GiPac4AsH4n', now(), now(), '{}' from users",
    ),
    (
        20261201050000,
        "insert into news (user_id, playlist_id, kind, day, at)
         select id, '3cEYpjA9oz9GiPac4AsH4n', 'updated', now(), now() from users;
         insert into news_feeds (user_id, token_hash, created_at, feed_id) select min(id), sha256('feed'), now(), 'x' from users",
    ),
    (20261130080000, "insert into text_folding (version) values (1)"),
    (20261130110000, "insert into sharing_bans (identity_hash, banned_at) values (sha256('spotify:mira'), now())"),
];

/// A database without tables.
async fn create_empty_database() -> (TestDatabase, db::Pool) {
    let database = create_database().await;
    let pool = db::pool(&Secret::new(database.url()), 4).unwrap();
    run(&pool, "drop schema public cascade; create schema public").await;
    (database, pool)
}

async fn run(rows: impl PgExecutor<'_>, sql: &'static str) {
    sqlx::raw_sql(sql).execute(rows).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
}

/// Row count of each table.
async fn count_rows(pool: &db::Pool) -> BTreeMap<String, i64> {
    let names: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.tables where table_schema = 'public' and table_name <> '_sqlx_migrations'",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let mut counted = BTreeMap::new();
    for name in names {
        let query = AssertSqlSafe(format!("select count(*) from {name}"));
        counted.insert(name, sqlx::query_scalar(query).fetch_one(pool).await.unwrap());
    }
    counted
}

#[test]
fn migration_names_are_dated_unique_and_forward_only() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut versions = Vec::new();
    for name in names.filter(|name| name != "README.md") {
        let (version, rest) = name.split_once('_').unwrap_or_else(|| panic!("{name}: no date"));
        assert!(version.len() == 14 && parse_date(version).is_some(), "{name}: not YYYYMMDDHHMMSS");
        let name_part = rest.strip_suffix(".sql").unwrap_or_default();
        let words = name_part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        assert!(
            !name_part.is_empty() && words,
            "{name}: what it does in small letters, and .sql: there is no way down"
        );
        versions.push(version.to_owned());
    }
    let count = versions.len();
    versions.sort();
    versions.dedup();
    assert_eq!((versions.len(), ALL.iter().count()), (count, count), "two migrations of one second");
}

fn parse_date(version: &str) -> Option<Date> {
    let part = |from: usize, to: usize| version.get(from..to)?.parse::<u8>().ok();
    let clock = part(8, 10)? < 24 && part(10, 12)? < 60 && part(12, 14)? < 60;
    let month = Month::try_from(part(4, 6)?).ok()?;
    Date::from_calendar_date(version.get(..4)?.parse().ok()?, month, part(6, 8)?).ok().filter(|_| clock)
}

#[test]
fn each_migration_starts_with_a_reason() {
    for migration in ALL.iter() {
        let sql = migration.sql.as_str();
        let comment: String = sql.lines().map_while(|line| line.strip_prefix("-- ")).collect();
        assert!(comment.split_whitespace().count() >= 8, "{}: begin with a comment that says why", migration.version);
    }
}

#[tokio::test]
async fn migrating_twice_changes_nothing() {
    let (_database, pool) = create_empty_database().await;
    db::migrate(&pool).await.unwrap();
    let shape = read_schema(&pool).await;
    db::migrate(&pool).await.unwrap();
    assert_eq!(self::read_schema(&pool).await, shape);
    assert!(count_rows(&pool).await.len() >= 8 && count_rows(&pool).await.values().all(|count| *count == 0));
}

/// Every column, index and applied migration.
async fn read_schema(pool: &db::Pool) -> Vec<String> {
    let query = "select concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default) from information_schema.columns where table_schema = 'public'
                 union all select indexdef from pg_indexes where schemaname = 'public'
                 union all select concat_ws(' ', version, installed_on, success) from _sqlx_migrations order by 1";
    sqlx::query_scalar(query).fetch_all(pool).await.unwrap()
}

#[tokio::test]
async fn each_migration_keeps_existing_rows() {
    let (database, pool) = create_empty_database().await;
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    let mut reached: Vec<Migration> = Vec::new();
    for migration in ALL.iter() {
        let before = count_rows(&pool).await;
        reached.push(migration.clone());
        Migrator::with_migrations(reached.clone()).run(&mut connection).await.unwrap();
        let after = count_rows(&pool).await;
        for (table, count) in &before {
            assert_eq!(after.get(table), Some(count), "{table} after {}", migration.version);
        }
        for (_, sql) in SAMPLE_ROWS.iter().filter(|(version, _)| *version == migration.version) {
            run(&pool, sql).await;
        }
    }
    let filled = count_rows(&pool).await;
    assert!(filled.values().all(|count| *count > 0), "a table without rows in this test: {filled:?}");
    db::migrate(&pool).await.unwrap();
    assert_eq!(count_rows(&pool).await, filled);
}

#[tokio::test]
async fn concurrent_migrations_do_not_collide() {
    let (_database, pool) = create_empty_database().await;
    let (first, second, third) = tokio::join!(db::migrate(&pool), db::migrate(&pool), db::migrate(&pool));
    first.and(second).and(third).unwrap();
    let ran: i64 = sqlx::query_scalar("select count(*) from _sqlx_migrations").fetch_one(&pool).await.unwrap();
    assert_eq!(ran as usize, ALL.iter().count());
}

#[tokio::test]
async fn failed_migration_leaves_nothing_behind() {
    let (_database, pool) = create_empty_database().await;
    let first = ALL.iter().next().unwrap().clone();
    run(&pool, "create table identities (not_ours text)").await;
    assert!(db::migrate(&pool).await.is_err());
    let ran: Vec<i64> = sqlx::query_scalar("select version from _sqlx_migrations").fetch_all(&pool).await.unwrap();
    assert_eq!(ran, [first.version]);
    run(&pool, "drop table identities").await;
    db::migrate(&pool).await.unwrap();
}

/// After a rollback the older release runs on the newer schema.
#[tokio::test]
async fn newer_database_schema_is_still_served() {
    let mut site = Site::open().await;
    let pool = site.pool(1);
    run(
        &pool,
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (29990101000000, 'from the future', true, 'unknown', 1);
         alter table users add column from_the_future text;
         create table from_the_future (id bigint)",
    )
    .await;
    db::migrate(&pool).await.unwrap();
    let older = site.start_second_process().await;
    let visitor = site.sign_in("mira").await;
    assert_eq!(visitor.open(&format!("{older}/")).await.status, 200);
    assert_eq!(visitor.open("/playlists").await.status, 200);
    assert_eq!(visitor.open("/hearts").await.status, 200);
}

/// Version of a migration that changes a table; `undo` reverts it.
const UNDONE_VERSION: i64 = 20261121101700;

async fn undo_migration(rows: impl PgExecutor<'_>) {
    run(
        rows,
        "alter table heart_counts drop column private; delete from _sqlx_migrations where version = 20261121101700",
    )
    .await;
}

async fn has_run(rows: impl PgExecutor<'_>) -> bool {
    let ran = "select exists (select from _sqlx_migrations where version = $1),
                      exists (select from information_schema.columns where table_name = 'heart_counts' and column_name = 'private')";
    let (noted, there): (bool, bool) = sqlx::query_as(ran).bind(UNDONE_VERSION).fetch_one(rows).await.unwrap();
    assert_eq!(noted, there, "all of it or nothing");
    noted
}

#[tokio::test]
async fn migration_without_lock_gives_up_with_reason() {
    let database = create_database().await;
    let pool = db::pool(&Secret::new(database.url()), 2).unwrap();
    undo_migration(&pool).await;
    let mut holder = PgConnection::connect(database.url()).await.unwrap();
    let mut held = holder.begin().await.unwrap();
    sqlx::query("select count(*) from heart_counts").execute(&mut *held).await.unwrap();
    let waits = LockRetries { lock_timeout: Duration::from_millis(50), delay: Duration::ZERO, max_attempts: 2 };
    let error = db::migrate_with(&pool, waits).await.unwrap_err().to_string();
    assert!(error.contains("20261121101700 waited 2 times") && error.contains("pg_stat_activity"), "{error}");
    assert!(!has_run(&pool).await);
    held.rollback().await.unwrap();
    // The failed attempt left no lock behind.
    db::migrate_with(&pool, waits).await.unwrap();
    assert!(has_run(&pool).await);
}

/// A long read blocks the migration, whose lock request would block all later requests.
#[tokio::test]
async fn waiting_migration_does_not_block_requests() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    undo_migration(&site.db).await;
    let mut held = site.db.begin().await.unwrap();
    sqlx::query("select count(*) from heart_counts").execute(&mut *held).await.unwrap();
    let visit = async {
        site.wait_for_blocked_query().await;
        for id in ["3cEYpjA9oz9GiPac4AsH4n", "37i9dQZF1DXcBWIGoYBM5M"] {
            assert_eq!(ada.fetch(Method::PUT, &format!("/heart/{id}")).await.status, 200, "nobody fails for it");
        }
        held.rollback().await.unwrap();
    };
    let (migrated, ()) = tokio::join!(async { db::migrate(&site.pool(1)).await }, visit);
    migrated.unwrap();
    assert!(has_run(&site.db).await);
    assert!(LockRetries::DEFAULT.lock_timeout < Duration::from_secs(5), "less than a request waits for a lock");
}
