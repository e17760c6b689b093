//! Every statement finds its rows by an index: none scans a table that grows.

use std::collections::HashMap;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor, PgConnection, Row};

use crate::support::Site;
use crate::support::statements::read_statements;

/// Tables that stay small.
const SMALL_TABLES: &[&str] = &[
    "cooldowns", "spotify_calls", "top_lists", "top_playlists", "hidden_playlists", "installation", "text_folding",
    "_sqlx_migrations",
];

/// Statements that may scan, identified by a part of their text.
const ALLOWED_SCANS: &[&str] = &[
    // At a start; stops at the first row.
    "exists (select 1 from users where operator)",
    "exists (select 1 from users where operator and id <> $1)",
    // At a start on a database of an earlier release.
    "as \"has_people!\"",
    "as \"is_made_up!\"",
    "where provider || ':' || subject = any",
    // When an operator says that a database is one of real people.
    "bool_and(provider || ':' || subject = any($1))",
    // At a start without an operator.
    "delete from invites where makes_operator",
    // A few people at a time, in the order of their ids.
    "select id from users where id > $1",
    // Titles, where the operator limits how long they are kept.
    "where h.title is not null and h.title_seen_at <= $1",
    // Pages of operators.
    "update users set operator = false where id = $1",
    "array(select provider from identities where user_id = u.id order by provider)",
    "on s.user_id = u.id order by u.id desc offset",
    // When a banned account is deleted, or its owner may share again.
    "update sharing_bans set group_hash = $2",
    "or group_hash in (select group_hash from sharing_bans",
    // Heart counts and top lists.
    "insert into heart_counts (",
    "delete from heart_counts where hearts <= 0",
    "where hearts >= $1 and (week > 0",
    // Metrics.
    "\"count!\" from users",
    "\"count!\" from sessions where expires_at > $1",
    "coalesce(sum(hearts)",
    // Cleanup.
    "where user_id is null and created_at <= $1",
    "delete from user_hearts where removed_at between",
    "delete from heart_changes where changed_at between",
    "delete from events where at between",
    "delete from news where at between",
    "delete from news n using",
    "delete from news n where not exists",
    "delete from sessions where expires_at between",
    "select max(seen_at) from (select seen_at from playlists",
    "delete from playlists where seen_at between",
    "where p.seen_at between '-infinity' and $1 and h.user_id",
    "delete from sign_ins where started_at < $1",
    "delete from held_slugs where released_at < $1",
    "delete from sharing_bans where banned_at < $1",
    "delete from invites where (used_at is null",
    "delete from invites where makes_operator",
    "delete from libraries where fetched_at < $1",
    // Folding: a range of the primary key.
    "select id from users where id > $1",
    // Shares of an earlier release, every ten minutes.
    "page_feed_id = coalesce(page_feed_id",
    // The planner assumes a few rows here, since the test has no verified addresses.
    "lower(theirs.email)",
];

/// Table and first column of each index.
type Indexes = HashMap<String, (String, String)>;

#[tokio::test]
async fn every_statement_uses_an_index() {
    let site = Site::open().await;
    let mut connection = site.db.acquire().await.unwrap();
    // Generic plans, as the app uses them; sequential scans only where nothing else is possible.
    let grown = "set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off";
    connection.execute(grown).await.unwrap();
    let indexes = read_indexes(&mut connection).await;
    for bad in [
        "select count(*) from user_hearts where removed_at is null",
        "select from user_hearts where removed_at is null and playlist_id = 'x'",
    ] {
        assert!(scans_growing_table(&explain(&mut connection, bad, 0).await, &indexes), "{bad}");
    }
    let statements = read_statements();
    for words in ALLOWED_SCANS {
        let chores = statements.iter().filter(|(query, _)| query.contains(words));
        assert_eq!(chores.count(), 1, "{words:?} are the words of one statement");
    }
    let mut scanning = Vec::new();
    for (query, parameters) in &statements {
        let is_allowed = ALLOWED_SCANS.iter().any(|words| query.contains(words));
        if scans_growing_table(&explain(&mut connection, query, parameters.len()).await, &indexes) && !is_allowed {
            scanning.push(query);
        }
    }
    assert!(scanning.is_empty(), "no key leads to all rows of: {scanning:#?}");
}

/// Statements that may join by comparing rows, identified by a part of their text.
const ALLOWED_COMPARISONS: &[&str] = &[
    // In transactions without nested loops.
    "update heart_changes c set hearted_at",
    "update heart_changes c set new_hearted_at",
    "from heart_changes c\n         where c.user_id = $1 and c.kind = $2 and c.changed_at = $3",
];

/// Most users have one or two rows, one has many, and Postgres plans for the average.
#[tokio::test]
async fn no_statement_compares_all_hearts_of_a_user_with_all_playlists() {
    for playlists in [1, 4] {
        let site = Site::open().await;
        let mut connection = site.db.acquire().await.unwrap();
        let fill = format!(
            "insert into users (display_name, created_at) select 'few', now() from generate_series(1, 3000);
             insert into user_hearts (user_id, playlist_id, hearted_at)
                 select id, lpad(n::text, 22, '0'), now() from users, generate_series(1, {playlists}) n;
             insert into playlists (user_id, id, position, name, collaborative, seen_at)
                 select user_id, playlist_id, 0, 'one', false, now() from user_hearts;
             insert into news (user_id, playlist_id, kind, day, at)
                 select user_id, playlist_id, 'updated', now(), now() from user_hearts;
             insert into heart_changes (user_id, kind, playlist_id, changed_at)
                 select user_id, 'import', playlist_id, now() from user_hearts;
             analyze; set plan_cache_mode = force_generic_plan"
        );
        sqlx::raw_sql(AssertSqlSafe(fill)).execute(&mut *connection).await.unwrap();
        let bad = "select from user_hearts h join playlists p on p.user_id = $1 and p.id = h.playlist_id where h.user_id = $1";
        assert!(compares_playlists(&explain(&mut connection, bad, 1).await), "of {playlists}");
        for (query, parameters) in &read_statements() {
            let is_allowed = ALLOWED_COMPARISONS.iter().any(|words| query.contains(words));
            let plan = explain(&mut connection, query, parameters.len()).await;
            assert!(is_allowed || !compares_playlists(&plan), "{query} {plan:#}");
        }
    }
}

/// True if a step of the plan compares ids of playlists with each other, and does not find them by a key or a hash.
fn compares_playlists(plan: &Value) -> bool {
    let is_comparison = |condition: &str| {
        let sides = condition.split(['(', ')']).filter_map(|part| part.split_once(" = "));
        let is_id = |side: &str| side.ends_with(".playlist_id") || side.ends_with(".id") || side == "playlist_id";
        sides.into_iter().any(|(one, other)| is_id(one) && is_id(other))
    };
    match plan {
        Value::Array(steps) => steps.iter().any(compares_playlists),
        Value::Object(step) => step.iter().any(|(name, value)| match value {
            Value::String(condition) => name.ends_with("Filter") && is_comparison(condition),
            value => compares_playlists(value),
        }),
        _ => false,
    }
}

async fn read_indexes(connection: &mut PgConnection) -> Indexes {
    let rows = "select c.relname::text, t.relname::text, a.attname::text from pg_index i
                join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
                left join pg_attribute a on a.attrelid = t.oid and a.attnum = i.indkey[0]";
    let rows: Vec<(String, String, Option<String>)> = sqlx::query_as(rows).fetch_all(connection).await.unwrap();
    rows.into_iter().map(|(index, table, column)| (index, (table, column.unwrap_or_default()))).collect()
}

/// The server's plan of a statement.
async fn explain(connection: &mut PgConnection, query: &str, parameters: usize) -> Value {
    let run = |text: String| sqlx::raw_sql(AssertSqlSafe(text));
    run(format!("prepare asked as {query}")).execute(&mut *connection).await.unwrap();
    let values = vec!["null"; parameters].join(", ");
    let values = if parameters == 0 { values } else { format!("({values})") };
    let plan = run(format!("explain (format json) execute asked {values}")).fetch_one(&mut *connection).await.unwrap();
    run("deallocate asked".into()).execute(&mut *connection).await.unwrap();
    serde_json::from_str(plan.try_get_unchecked(0).unwrap()).unwrap()
}

/// True if a step of the plan reads a growing table without a value for the first column of an index.
fn scans_growing_table(plan: &Value, indexes: &Indexes) -> bool {
    let text = |name: &str| plan[name].as_str().unwrap_or_default();
    let all = text("Node Type") == "Seq Scan" && is_growing(text("Relation Name"));
    let wide = indexes.get(text("Index Name")).is_some_and(|(table, column)| {
        let condition = text("Index Cond");
        let known =
            ["= ", "IS NULL"].map(|known| format!("({column} {known}")).iter().any(|known| condition.contains(known));
        is_growing(table) && !known
    });
    let mut steps: Box<dyn Iterator<Item = &Value>> = match plan {
        Value::Array(steps) => Box::new(steps.iter()),
        Value::Object(step) => Box::new(step.values()),
        _ => Box::new(std::iter::empty()),
    };
    all || wide || steps.any(|step| scans_growing_table(step, indexes))
}

/// True for every table but the system's and those in `SMALL_TABLES`.
fn is_growing(table: &str) -> bool {
    !table.starts_with("pg_") && !SMALL_TABLES.contains(&table)
}
