//! The checked statements of the app.

use std::fs;

use serde_json::Value;

/// Every checked statement of the app, with the types of its parameters.
pub(crate) fn read_statements() -> Vec<(String, Vec<String>)> {
    let files = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.sqlx")).unwrap();
    let statements = files.map(|file| {
        let checked: Value = serde_json::from_str(&fs::read_to_string(file.unwrap().path()).unwrap()).unwrap();
        let parameters = checked["describe"]["parameters"]["Left"].as_array().cloned().unwrap_or_default();
        let types = parameters.iter().map(|kind| kind.as_str().unwrap_or_default().to_owned());
        (checked["query"].as_str().unwrap().to_owned(), types.collect())
    });
    // `set` has no plan.
    statements.filter(|(query, _)| !query.starts_with("set ")).collect()
}
