//! Citus's rules for distributed tables (`src/db/distribution.rs`), checked on plain Postgres.

use heartlist::db::distribution::{DISTRIBUTED, REFERENCE};

use crate::support::Site;

#[tokio::test]
async fn unique_indexes_include_the_distribution_column() {
    let site = Site::open().await;
    let unique = "select i.indrelid::regclass::text, i.indexrelid::regclass::text,
                         array(select attname::text from pg_attribute a where a.attrelid = i.indrelid and a.attnum = any(i.indkey))
                  from pg_index i where i.indisunique and i.indrelid::regclass::text = any($1)";
    let unique: Vec<(String, String, Vec<String>)> =
        sqlx::query_as(unique).bind(DISTRIBUTED).fetch_all(&site.db).await.unwrap();
    assert!(unique.len() >= DISTRIBUTED.len(), "{unique:?}");
    for (table, index, columns) in unique {
        let within = columns.iter().any(|column| column == "user_id");
        assert!(within, "{index} of {table} goes over all shards: {columns:?} without user_id");
    }
}

/// Distributed tables may have foreign keys to the reference table only; the reference table has none.
#[tokio::test]
async fn foreign_keys_point_only_to_the_reference_table() {
    let site = Site::open().await;
    let keys = "select conname::text, conrelid::regclass::text, confrelid::regclass::text, confdeltype::text
                from pg_constraint where contype = 'f'";
    let keys: Vec<(String, String, String, String)> = sqlx::query_as(keys).fetch_all(&site.db).await.unwrap();
    assert!(keys.len() >= 9);
    for (name, from, to, on_delete) in keys {
        assert!(to == REFERENCE, "{name} refers to {to}, which is not on every node");
        assert!(from != REFERENCE, "{name}: the reference table refers to another");
        let distributed = DISTRIBUTED.contains(&from.as_str());
        assert!(!distributed || on_delete == "c", "{name}: rows of a distributed table end with their person");
    }
}

#[tokio::test]
async fn distributed_tables_have_no_triggers_or_identity_columns() {
    let site = Site::open().await;
    let sql = "select count(*) from pg_trigger where tgrelid::regclass::text = any($1) and not tgisinternal";
    let triggers: i64 = sqlx::query_scalar(sql).bind(DISTRIBUTED).fetch_one(&site.db).await.unwrap();
    let sql = "select count(*) from pg_attribute where attrelid::regclass::text = any($1) and attidentity <> ''";
    let identities: i64 = sqlx::query_scalar(sql).bind(DISTRIBUTED).fetch_one(&site.db).await.unwrap();
    assert_eq!((triggers, identities), (0, 0));
}

/// Features that other Postgres-compatible engines lack, or that Citus refuses or runs slowly.
#[test]
fn statements_avoid_features_unsupported_on_citus() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/.sqlx");
    let mut statements = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let checked = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let checked: serde_json::Value = serde_json::from_str(&checked).unwrap();
        let query = checked["query"].as_str().unwrap().to_lowercase();
        statements += 1;
        for unsupported in ["ctid", "xmin", "xmax", "skip locked", "plan_cache_mode", "brin"] {
            assert!(!query.contains(unsupported), "{unsupported} in: {query}");
        }
        let one_shard = [
            "where id = $1 for update",
            "where id_hash = $1 and leased_until = $2 for update",
            "browser_hash = $2 for update",
            "where id_hash = $1 and user_id = $2 for update",
            "where user_id = $1 order by playlist_id for update",
        ];
        let locks = query.contains("for update") || query.contains("for no key update");
        assert!(!locks || one_shard.iter().any(|one| query.contains(one)), "a lock clause over many shards: {query}");
        let writes = |table: &str| {
            ["insert into ", "update ", "delete from "].iter().any(|verb| query.contains(&format!("{verb}{table}")))
        };
        let written = DISTRIBUTED.iter().filter(|table| writes(table)).count();
        assert!(written <= 1, "one statement writes two distributed tables: {query}");
    }
    assert!(statements > 100, "{statements}");
}
