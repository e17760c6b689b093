//! The previous release, which has two tables of hearts, still runs while this one starts and after a rollback. Its
//! statements are in the folder of the same name.

use heartlist::db;
use heartlist::db::pins::PinResult;
use heartlist::ids::{PlaylistId, Secret, UserId};
use sqlx::migrate::{Migration, Migrator};
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{Connection, PgConnection, PgPool, Postgres, Row};
use time::{Duration, OffsetDateTime};

use crate::support::Site;
use crate::support::postgres::create_database;

static ALL: Migrator = sqlx::migrate!();
/// The first migration of this release.
const FIRST_NEW_VERSION: i64 = 20261129090000;
const ID: &str = "3cEYpjA9oz9GiPac4AsH4n";
const OTHER: &str = "37i9dQZF1DXcBWIGoYBM5M";

/// 20 users with 500 hearts and 150 removed ones each. Ten of the removed ones were added again by an import, which
/// kept the removed row.
const INSERT_HEARTS: &str = "
    insert into users (display_name, created_at) select 'user ' || n, now() from generate_series(1, 20) n;
    insert into hearts (user_id, playlist_id, hearted_at, snapshot_id, gone_at, note, tags, note_folded, tags_folded)
    select u.id, lpad(n::text, 22, '0'), timestamptz '2026-01-01' + n * interval '7 hours' + u.id * interval '1 second',
           nullif('s' || n % 7, 's0'), case when n % 11 = 0 then timestamptz '2026-11-01' end,
           case when n % 3 = 0 then 'Note ' || n end, case when n % 5 = 0 then array['Rain', 'é' || n] else '{}' end,
           case when n % 3 = 0 then 'note ' || n end, case when n % 5 = 0 then array['rain', 'e' || n] else '{}' end
    from users u, generate_series(1, 500) n;
    insert into removed_hearts (user_id, playlist_id, hearted_at, snapshot_id, note, tags, removed_at, note_folded, tags_folded)
    select u.id, lpad(n::text, 22, '0'), timestamptz '2025-01-01' + n * interval '7 hours', 's' || n % 7,
           case when n % 2 = 0 then 'Removed ' || n end, case when n % 2 = 0 then array['old'] else '{}' end,
           timestamptz '2026-11-20' + n * interval '1 minute',
           case when n % 2 = 0 then 'removed ' || n end, case when n % 2 = 0 then array['old'] else '{}' end
    from users u, generate_series(491, 640) n;
    insert into heart_counts (playlist_id, hearts) select playlist_id, count(*) from hearts group by playlist_id";

/// Every column that a heart had, as text.
const HEART_COLUMNS: &str =
    "concat_ws('|', user_id, playlist_id, hearted_at, snapshot_id, note, tags, note_folded, tags_folded)";

#[tokio::test]
async fn filled_database_is_migrated_without_loss() {
    let database = create_database().await;
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    let run = async |connection: &mut PgConnection, sql: String| {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(connection).await.unwrap();
    };
    let texts = async |connection: &mut PgConnection, sql: String| -> Vec<String> {
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(connection).await.unwrap()
    };
    run(&mut connection, "drop schema public cascade; create schema public".into()).await;
    let before: Vec<Migration> =
        ALL.iter().filter(|migration| migration.version < FIRST_NEW_VERSION).cloned().collect();
    Migrator::with_migrations(before).run(&mut connection).await.unwrap();
    run(&mut connection, INSERT_HEARTS.into()).await;
    let both = "(user_id, playlist_id) in (select user_id, playlist_id from removed_hearts)";
    let hearts = texts(
        &mut connection,
        format!("select {HEART_COLUMNS} || coalesce(gone_at::text, '') from hearts where not {both} order by 1"),
    )
    .await;
    let removed = format!(
        "select {HEART_COLUMNS} || removed_at from removed_hearts
         where (user_id, playlist_id) not in (select user_id, playlist_id from hearts) order by 1"
    );
    let removed = texts(&mut connection, removed).await;
    assert_eq!((hearts.len(), removed.len()), (9_800, 2_800));

    db::migrate(&db::pool(&Secret::new(database.url()), 2).unwrap()).await.unwrap();

    let live = format!(
        "select {HEART_COLUMNS} || coalesce(gone_at::text, '') from user_hearts
         where removed_at is null and playlist_id < lpad('491', 22, '0') order by 1"
    );
    assert!(texts(&mut connection, live).await == hearts, "hearts that stand are as they were");
    let removed_after =
        format!("select {HEART_COLUMNS} || removed_at from user_hearts where removed_at is not null order by 1");
    assert!(texts(&mut connection, removed_after).await == removed, "removed hearts are as they were");
    // A heart in both tables keeps its own row, and takes the earlier date and the note or tags that it lacks.
    let merged: Vec<(OffsetDateTime, Option<String>, Vec<String>)> = sqlx::query_as(
        "select hearted_at, note, tags from user_hearts
         where user_id = (select min(id) from users) and playlist_id >= lpad('491', 22, '0') and removed_at is null
         order by playlist_id",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert_eq!(merged.len(), 10);
    assert!(merged.iter().all(|(hearted_at, ..)| hearted_at.year() == 2025), "{merged:?}");
    let words: Vec<_> = merged.iter().map(|(_, note, tags)| (note.as_deref(), tags.join(","))).collect();
    // Numbered from 491, as in `INSERT_HEARTS`.
    assert_eq!(words[0], (None, String::new()), "neither row had any");
    assert_eq!(words[1], (Some("Note 492"), "old".into()), "its own note, and the other row's tag");
    assert_eq!(words[3], (Some("Removed 494"), "old".into()), "it had none");
    assert_eq!(words[9], (Some("Removed 500"), "Rain,é500".into()), "its own tags");
}

/// A site whose database is used by both releases.
struct BothReleases {
    site: Site,
    user: UserId,
    now: OffsetDateTime,
}

type Old<'q> = Query<'q, Postgres, PgArguments>;

impl BothReleases {
    async fn open() -> Self {
        let site = Site::open().await;
        site.sign_in("ada").await;
        let user = UserId(site.count("select max(id) from users").await);
        let now: OffsetDateTime = sqlx::query_scalar("select now()").fetch_one(&site.db).await.unwrap();
        Self { site, user, now }
    }

    fn db(&self) -> &PgPool {
        &self.site.db
    }

    /// Binds the first five parameters of the previous release's statement; the user is known.
    fn bind_heart<'q>(&self, sql: &'static str, id: &'q str) -> Old<'q> {
        let (no_session, no_keys) = (None::<Vec<u8>>, Vec::<i64>::new());
        sqlx::query(sql).bind(self.user.0).bind(no_session).bind(no_keys).bind(id).bind(self.now)
    }

    async fn old_add(&self, id: &str) {
        let add = self.bind_heart(include_str!("previous_release/add_heart.sql"), id);
        add.bind(self.now - Duration::minutes(10)).fetch_one(self.db()).await.unwrap();
    }

    async fn old_remove(&self, id: &str) {
        self.bind_heart(include_str!("previous_release/remove_heart.sql"), id).fetch_one(self.db()).await.unwrap();
    }

    async fn new_add(&self, id: &str) {
        let undo = self.now - Duration::minutes(10);
        db::hearts::add(&self.site.pool(1), self.user, &parsed(id), undo, self.now).await.unwrap();
    }

    async fn new_remove(&self, id: &str) {
        db::hearts::remove(&self.site.pool(1), self.user, &parsed(id), self.now).await.unwrap();
    }

    /// Ids of the hearts as the previous release shows them on its page, cards, count and search.
    async fn old_hearts(&self) -> Vec<String> {
        let page = sqlx::query(include_str!("previous_release/newest_hearts.sql"));
        let page = page.bind(self.user.0).bind(0_i64).bind(50_i64).fetch_one(self.db()).await.unwrap();
        let rows: String = page.get("marks!");
        let mut ids: Vec<String> = rows.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
        let count = sqlx::query(include_str!("previous_release/count_hearts.sql")).bind(self.user.0);
        assert_eq!(count.fetch_one(self.db()).await.unwrap().get::<i64, _>(0), ids.len() as i64);
        assert_eq!(page.get::<i64, _>("total!"), ids.len() as i64);
        let cards = sqlx::query(include_str!("previous_release/cards.sql"));
        let cards = cards.bind(self.user.0).bind(vec![ID, OTHER]).fetch_all(self.db()).await.unwrap();
        let hearted = |card: &&sqlx::postgres::PgRow| card.get::<Option<OffsetDateTime>, _>("hearted_at?").is_some();
        assert_eq!(cards.iter().filter(hearted).count(), ids.len());
        let search = sqlx::query(include_str!("previous_release/search_hearts.sql")).bind(self.user.0);
        let search = search.bind(Vec::<String>::new()).bind(Vec::<String>::new()).bind(false);
        let search = search.bind(None::<bool>).bind(None::<bool>).bind(Vec::<String>::new());
        let found = search.bind("usual").bind(0_i64).bind(50_i64).fetch_all(self.db()).await.unwrap();
        assert_eq!(found.len(), ids.len());
        ids.sort();
        ids
    }

    /// The ids that the previous release lists as removed.
    async fn old_removed(&self) -> Vec<String> {
        let removed = sqlx::query(include_str!("previous_release/removed_hearts.sql")).bind(self.user.0);
        let removed = removed.bind(self.now - Duration::days(30)).bind(0_i64).bind(50_i64);
        removed.fetch_all(self.db()).await.unwrap().iter().map(|row| row.get("id")).collect()
    }

    async fn heart(&self, id: &str) -> db::hearts::Heart {
        db::hearts::find(&self.site.pool(1), self.user, &parsed(id)).await.unwrap().unwrap()
    }
}

fn parsed(id: &str) -> PlaylistId {
    PlaylistId::parse(id).unwrap()
}

#[tokio::test]
async fn previous_release_never_shows_removed_heart() {
    let both = BothReleases::open().await;
    both.new_add(ID).await;
    both.new_add(OTHER).await;
    assert_eq!(both.old_hearts().await, [OTHER, ID]);
    both.new_remove(ID).await;
    assert_eq!((both.old_hearts().await, both.old_removed().await), (vec![OTHER.into()], vec![ID.into()]));
    both.old_add(ID).await;
    assert_eq!((both.old_hearts().await, both.old_removed().await), (vec![OTHER.into(), ID.into()], vec![]));
    both.old_remove(OTHER).await;
    assert_eq!((both.old_hearts().await, both.old_removed().await), (vec![ID.into()], vec![OTHER.into()]));
    let library = sqlx::query(include_str!("previous_release/library.sql"));
    library.bind(both.user.0).bind(0_i64).bind(50_i64).fetch_optional(both.db()).await.unwrap();
}

#[tokio::test]
async fn hearts_removed_by_one_release_are_restored_by_the_other() {
    let both = BothReleases::open().await;
    both.new_add(ID).await;
    let describe = sqlx::query(include_str!("previous_release/describe_heart.sql")).bind(both.user.0).bind(ID);
    let describe = describe.bind("Ours").bind(vec!["wet"]).bind("ours").bind(vec!["wet"]);
    assert_eq!(describe.execute(both.db()).await.unwrap().rows_affected(), 1);
    let date = both.heart(ID).await.hearted_at;

    both.new_remove(ID).await;
    let restore = sqlx::query(include_str!("previous_release/restore_heart.sql")).bind(both.user.0).bind(ID);
    let restored = restore.bind(both.now - Duration::days(30)).fetch_one(both.db()).await.unwrap();
    assert!(restored.get::<bool, _>(0));
    let heart = both.heart(ID).await;
    assert_eq!((heart.hearted_at, heart.note.as_deref(), heart.removed_at), (date, Some("Ours"), None));

    both.old_remove(ID).await;
    let since = both.now - Duration::days(30);
    assert!(db::hearts::restore(&both.site.pool(1), both.user, &parsed(ID), since).await.unwrap());
    let heart = both.heart(ID).await;
    assert_eq!((heart.hearted_at, heart.note.as_deref(), heart.tags), (date, Some("Ours"), vec!["wet".to_owned()]));
}

/// The count may lag, which must not keep the previous release from removing a heart.
#[tokio::test]
async fn previous_release_removes_heart_not_yet_counted() {
    let both = BothReleases::open().await;
    sqlx::query("insert into heart_counts (playlist_id, hearts) values ($1, 0)")
        .bind(ID)
        .execute(both.db())
        .await
        .unwrap();
    both.new_add(ID).await;
    both.old_remove(ID).await;
    assert_eq!(both.old_hearts().await, Vec::<String>::new());
}

#[tokio::test]
async fn previous_release_jobs_work_on_new_table() {
    let both = BothReleases::open().await;
    both.new_add(ID).await;
    both.new_remove(ID).await;
    let import = sqlx::query(include_str!("previous_release/import_hearts.sql")).bind(both.user.0);
    let import = import.bind(vec![OTHER]).bind(vec![both.now]).bind(vec![Some("From a file")]).bind(vec!["a,b"]);
    let added = import.bind(vec![Some("from a file")]).bind(vec!["a,b"]).fetch_one(both.db()).await.unwrap();
    assert_eq!(added.get::<i64, _>(0), 1);
    assert_eq!(both.old_hearts().await, [OTHER]);

    let other: i64 =
        sqlx::query_scalar("insert into users (display_name, created_at) values ('Noor', now()) returning id")
            .fetch_one(both.db())
            .await
            .unwrap();
    let merge = sqlx::query(include_str!("previous_release/merge_hearts.sql")).bind(both.user.0).bind(other);
    merge.execute(both.db()).await.unwrap();
    assert_eq!(both.site.count_hearts().await, 2);

    let top = sqlx::query(include_str!("previous_release/make_top.sql"));
    let top = top.bind(both.now - Duration::WEEK).bind(50_i64).bind(both.now - Duration::days(30));
    top.execute(both.db()).await.unwrap();

    let delete = sqlx::query(include_str!("previous_release/delete_removed.sql")).bind(both.now).bind(1000_i64);
    assert_eq!(delete.execute(both.db()).await.unwrap().rows_affected(), 1);
    both.new_remove(OTHER).await;
    let forget =
        sqlx::query(include_str!("previous_release/forget_removed.sql")).bind(both.user.0).bind(None::<String>);
    assert_eq!(forget.execute(both.db()).await.unwrap().rows_affected(), 1);
}

/// A pin that a heart had before its removal may belong to another one by then. The last statement is that of a build
/// which has the new table, but no pins.
#[tokio::test]
async fn pins_never_keep_previous_release_from_bringing_a_heart_back() {
    let both = BothReleases::open().await;
    let pool = both.site.pool(1);
    let ids: Vec<String> = (0..4).map(|n| format!("{n:022}")).collect();
    for id in [ID].into_iter().chain(ids.iter().map(String::as_str)) {
        both.new_add(id).await;
    }
    let pin = async |id| assert_eq!(db::pins::pin(&pool, both.user, &parsed(id)).await.unwrap(), PinResult::Pinned);
    for (is_removed_by_old, statement) in [
        (true, include_str!("previous_release/restore_heart.sql")),
        (false, include_str!("previous_release/restore_heart.sql")),
        (true, "update user_hearts set removed_at = null where user_id = $1 and playlist_id = $2 and removed_at > $3"),
        (false, "update user_hearts set removed_at = null where user_id = $1 and playlist_id = $2 and removed_at > $3"),
    ] {
        for id in &ids {
            db::pins::unpin(&pool, both.user, &parsed(id)).await.unwrap();
        }
        pin(ID).await;
        match is_removed_by_old {
            true => both.old_remove(ID).await,
            false => both.new_remove(ID).await,
        }
        for id in &ids {
            pin(id).await;
        }
        let restore = sqlx::query(statement).bind(both.user.0).bind(ID).bind(both.now - Duration::days(30));
        restore.execute(both.db()).await.unwrap();
        let pinned = "select count(*) from user_hearts where pin is not null and removed_at is null";
        assert_eq!((both.heart(ID).await.removed_at, both.site.count(pinned).await), (None, 4));
    }
}
