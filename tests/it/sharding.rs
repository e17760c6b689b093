//! That the schema can be cut over several nodes as `docs/growth.md` says: the rules of a distributed Postgres, by what our
//! own Postgres knows of keys.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::Site;

const PLAN: &str = include_str!("../../docs/growth.md");

/// Where a table's rows lie.
#[derive(Clone, Debug, PartialEq)]
enum Place {
    /// All of them on every node.
    Everywhere,
    /// By this column, together with those of the table of that name.
    By { column: String, with: String },
}

fn plan() -> BTreeMap<String, Place> {
    let lines = PLAN.lines().filter_map(|line| line.strip_prefix("select create_")?.strip_suffix(");"));
    let places = lines.map(|line| {
        let (how, what) = line.split_once('(').unwrap();
        let said: Vec<&str> = what.split('\'').collect();
        let table = said[1].to_owned();
        let place = match how {
            "reference_table" => Place::Everywhere,
            "distributed_table" => {
                let with = said.get(5).filter(|with| **with != "none").unwrap_or(&said[1]);
                Place::By { column: said[3].into(), with: (*with).into() }
            }
            _ => panic!("{line}"),
        };
        (table, place)
    });
    places.collect()
}

#[tokio::test]
async fn every_table_has_its_place() {
    let site = Site::open().await;
    let tables = "select table_name::text from information_schema.tables where table_schema = 'public' and table_name <> '_sqlx_migrations'";
    let tables: BTreeSet<String> = sqlx::query_scalar(tables).fetch_all(&site.db).await.unwrap().into_iter().collect();
    let planned: BTreeSet<String> = plan().into_keys().collect();
    assert_eq!(tables, planned, "docs/growth.md says where each table lies");
}

#[tokio::test]
async fn what_is_unique_is_so_within_a_shard() {
    let site = Site::open().await;
    let unique = "select i.indrelid::regclass::text, i.indexrelid::regclass::text,
                         array(select attname::text from pg_attribute a where a.attrelid = i.indrelid and a.attnum = any(i.indkey))
                  from pg_index i join pg_class c on c.oid = i.indrelid
                  where i.indisunique and c.relnamespace = 'public'::regnamespace and c.relname <> '_sqlx_migrations'";
    let unique: Vec<(String, String, Vec<String>)> = sqlx::query_as(unique).fetch_all(&site.db).await.unwrap();
    let plan = plan();
    assert!(unique.len() >= plan.len());
    for (table, index, columns) in unique {
        if let Place::By { column, .. } = &plan[&table] {
            assert!(columns.contains(column), "{index} of {table} goes over all shards: {columns:?} without {column}");
        }
    }
}

#[tokio::test]
async fn what_refers_to_a_row_finds_it_on_its_own_node() {
    let site = Site::open().await;
    let keys = "select k.conname::text, k.conrelid::regclass::text, k.confrelid::regclass::text, k.confdeltype::text,
                       array(select attname::text from pg_attribute where attrelid = k.conrelid and attnum = any(k.conkey)),
                       array(select attname::text from pg_attribute where attrelid = k.confrelid and attnum = any(k.confkey))
                from pg_constraint k where k.contype = 'f'";
    type Key = (String, String, String, String, Vec<String>, Vec<String>);
    let keys: Vec<Key> = sqlx::query_as(keys).fetch_all(&site.db).await.unwrap();
    let plan = plan();
    assert!(keys.len() >= 9);
    for (name, from, to, on_delete, here, there) in keys {
        match (&plan[&from], &plan[&to]) {
            (Place::Everywhere, Place::Everywhere) => {}
            (Place::By { column, .. }, Place::Everywhere) => {
                let changes_place = matches!(on_delete.as_str(), "n" | "d") && here.contains(column);
                assert!(!changes_place, "{name} would move a row of {from} when one of {to} goes");
            }
            (Place::By { column, with }, Place::By { column: other, with: others }) => {
                assert!(
                    with == others && here.contains(column) && there.contains(other),
                    "{name}: {from} is not with {to}"
                );
            }
            (Place::Everywhere, Place::By { .. }) => panic!("{name}: {from} is everywhere, and {to} is not"),
        }
    }
}
