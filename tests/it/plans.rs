//! That no request reads through a table that grows: each statement finds its rows by a key.

use std::fs;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor, PgConnection, Row};

use crate::support::Site;

/// Tables with rows for each person or each heart.
const GROWING: [&str; 9] =
    ["users", "identities", "sessions", "hearts", "removed_hearts", "heart_counts", "playlists", "libraries", "events"];

/// What reads through one all the same, by words of its statement.
const CHORES: [&str; 4] = [
    // As far as the first row.
    "not exists (select from users)",
    // Nobody waits for these: the lists of most hearted, the operator's numbers, the sweep.
    "insert into top_playlists",
    "sum(hearts)",
    "delete from libraries where fetched_at < $1",
];

#[tokio::test]
async fn every_statement_finds_its_rows_by_a_key() {
    let site = Site::open().await;
    let mut connection = site.db.acquire().await.unwrap();
    // As the app asks for it. Empty tables are read through all the same, unless that is made dear.
    connection.execute("set plan_cache_mode = force_generic_plan; set enable_seqscan = off").await.unwrap();
    let mut checked = 0;
    let mut without = Vec::new();
    for file in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.sqlx")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let statement: Value = serde_json::from_str(&text).unwrap();
        let query = statement["query"].as_str().unwrap();
        if !["select", "insert", "update", "delete", "with"].iter().any(|verb| query.trim_start().starts_with(verb)) {
            continue;
        }
        let parameters = statement["describe"]["parameters"]["Left"].as_array().map_or(0, Vec::len);
        let plan = plan(&mut connection, query, parameters).await;
        checked += 1;
        if !CHORES.iter().any(|words| query.contains(words)) {
            without.extend(read_through(&plan).map(|table| format!("{table}: {query}")));
        }
    }
    assert!(checked > 100);
    assert!(without.is_empty(), "no key leads to these rows:\n{}", without.join("\n\n"));
}

/// How the server would go about a statement.
async fn plan(connection: &mut PgConnection, query: &str, parameters: usize) -> Value {
    let run = |text: String| sqlx::raw_sql(AssertSqlSafe(text));
    run(format!("prepare asked as {query}")).execute(&mut *connection).await.unwrap();
    let values = vec!["null"; parameters].join(", ");
    let values = if parameters == 0 { values } else { format!("({values})") };
    let plan = run(format!("explain (format json) execute asked {values}")).fetch_one(&mut *connection).await.unwrap();
    run("deallocate asked".into()).execute(&mut *connection).await.unwrap();
    serde_json::from_str(plan.try_get_unchecked(0).unwrap()).unwrap()
}

/// The growing tables that are read without a key, anywhere in a plan.
fn read_through(plan: &Value) -> Box<dyn Iterator<Item = &str> + '_> {
    let inner: Box<dyn Iterator<Item = &Value>> = match plan {
        Value::Array(steps) => Box::new(steps.iter()),
        Value::Object(step) => Box::new(step.values()),
        _ => Box::new(std::iter::empty()),
    };
    let scan = plan["Node Type"].as_str().is_some_and(|kind| kind.ends_with("Scan"));
    let by_key = plan.get("Index Cond").is_some() || plan["Node Type"] == "Bitmap Heap Scan";
    let table = plan["Relation Name"].as_str().filter(|table| scan && !by_key && GROWING.contains(table));
    Box::new(table.into_iter().chain(inner.flat_map(read_through)))
}
