//! The rules of the house that a compiler does not hold: which way imports go, which crate has which home,
//! how large things grow. Care alone has not kept these anywhere, so every offender is printed here.

mod source;

use source::{Function, Source, app_sources, list_files, read_file};

/// Which modules a module may import, top to bottom. The shared names (`ids`) and the log (`telemetry`) lie
/// below all and are open to all but what pretends to be outside.
const IMPORTS: [(&str, &[&str]); 11] = [
    ("main", &["cli"]),
    // It wires everything. Of the domain it starts only what runs without a request: the sweep and the doctor.
    ("cli", &["web", "domain", "app", "config", "db", "oauth", "spotify", "vault", "ids", "telemetry"]),
    // Not db: what pages need of a row's type, the domain exports under its own name.
    ("web", &["domain", "app", "ids", "telemetry"]),
    ("domain", &["app", "db", "spotify", "oauth", "vault", "ids", "telemetry"]),
    ("app", &["config", "db", "spotify", "oauth", "vault", "ids", "telemetry"]),
    // A session's record is sealed where it is stored.
    ("db", &["vault", "ids", "telemetry"]),
    ("spotify", &["ids", "telemetry"]),
    ("oauth", &["ids", "telemetry"]),
    ("vault", &["ids", "telemetry"]),
    // The log's format is a setting.
    ("config", &["ids", "telemetry"]),
    ("ids", &["telemetry"]),
];

/// What only some modules may name.
const CRATE_HOMES: &[(&str, &[&str])] = &[
    ("std::env", &["config"]),
    ("dotenvy", &["config"]),
    ("sqlx", &["db"]),
    // Spotify is asked in two ways: for data, and in the sign-in's code flow.
    ("reqwest", &["spotify", "oauth"]),
    ("oauth2", &["oauth"]),
    // The command line hands the router to the listener.
    ("axum", &["web", "cli"]),
    // The app meets it only over HTTP.
    ("fake_spotify", &["cli"]),
    ("hyper", &["cli::serving"]),
    ("hyper_util", &["cli::serving"]),
    ("tokio_io_timeout", &["cli::serving"]),
    ("socket2", &["cli::serving"]),
    ("prometheus_client", &["web::metrics"]),
    ("askama", &["web"]),
    ("memory_serve", &["web"]),
    ("tower_http", &["web"]),
    ("governor", &["web"]),
    // The store behind the sessions is SQL.
    ("tower_sessions", &["web", "db::sessions"]),
    ("clap", &["cli", "main"]),
    ("anyhow", &["cli"]),
    ("tracing_subscriber", &["telemetry"]),
    ("chacha20poly1305", &["vault"]),
    ("hkdf", &["vault"]),
    ("rustls", &["cli"]),
    ("local_postgres", &["cli::database"]),
    // Whether the process runs as root.
    ("rustix", &["cli"]),
];

/// Names of drawers. What has no better name has no home yet.
const CATCH_ALL_NAMES: [&str; 10] =
    ["util", "utils", "helper", "helpers", "common", "misc", "shared", "tools", "extras", "prelude"];

const MAX_FUNCTION_LINES: usize = 60;
const MAX_MEDIAN_FUNCTION_LINES: usize = 10;
const MAX_HANDLER_LINES: usize = 20;
const MAX_FILE_LINES: usize = 400;
const MAX_TEMPLATE_LINES: usize = 60;
const MAX_PARAMETERS: usize = 5;

fn assert_none(rule: &str, offenders: Vec<String>) {
    assert!(offenders.is_empty(), "{rule}:\n  {}", offenders.join("\n  "));
}

fn allowed_imports(module: &str) -> Option<&'static [&'static str]> {
    match module {
        "telemetry" => Some(&[]),
        _ => IMPORTS.iter().find(|(name, _)| *name == module).map(|(_, imports)| *imports),
    }
}

/// What a file imports against the table.
fn find_forbidden_imports(source: &Source) -> Vec<String> {
    let own = source.module[0].as_str();
    let Some(allowed) = allowed_imports(own) else {
        return vec![format!("{}: {own} is not in the table", source.path)];
    };
    let mut found = Vec::new();
    for named in source.paths() {
        let [root, module, ..] = named.segments.as_slice() else { continue };
        let ours = matches!(root.as_str(), "crate" | "heartlist") && allowed_imports(module).is_some();
        if ours && module != own && !allowed.contains(&module.as_str()) {
            found.push(format!("{}:{}: {own} imports {module}", source.path, named.line));
        }
    }
    found
}

/// What a file names that has its home elsewhere.
fn find_misplaced_crates(source: &Source) -> Vec<String> {
    let own = source.module.join("::");
    let mut found = Vec::new();
    for named in source.paths() {
        let path = named.segments.join("::");
        for (name, homes) in CRATE_HOMES.iter().filter(|(name, _)| is_within(&path, name)) {
            if !homes.iter().any(|home| is_within(&own, home)) {
                found.push(format!("{}:{}: {name} belongs to {}", source.path, named.line, homes.join(", ")));
            }
        }
    }
    found
}

fn is_within(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[test]
fn modules_import_only_what_the_table_allows() {
    let sources = app_sources().into_iter().filter(|source| source.path != "src/lib.rs");
    assert_none("imports against the table", sources.flat_map(|source| find_forbidden_imports(&source)).collect());
}

#[test]
fn import_table_has_no_cycle() {
    let place = |module: &str| IMPORTS.iter().position(|(name, _)| *name == module).unwrap_or(IMPORTS.len());
    let upward = |(name, imports): &(&str, &[&str])| {
        let up: Vec<_> = imports.iter().filter(|import| place(import) <= place(name)).collect();
        (!up.is_empty()).then(|| format!("{name} imports {up:?}, which stand above it"))
    };
    assert_none("circles", IMPORTS.iter().filter_map(upward).collect());
}

#[test]
fn external_crates_are_used_only_in_their_module() {
    let program = app_sources();
    assert_none("named outside its home", program.iter().flat_map(find_misplaced_crates).collect());
    let named: Vec<_> = program.iter().flat_map(Source::paths).map(|named| named.segments.join("::")).collect();
    let idle = CRATE_HOMES.iter().filter(|(name, _)| !named.iter().any(|path| is_within(path, name)));
    assert_none("nobody names this any more", idle.map(|(name, _)| (*name).to_owned()).collect());
}

#[test]
fn no_module_is_a_drawer() {
    let names = ["src", "tests", "crates"].into_iter().flat_map(|folder| files(folder, "rs"));
    let drawer = |path: &String| {
        path.trim_end_matches(".rs").split('/').any(|name| CATCH_ALL_NAMES.contains(&name.to_lowercase().as_str()))
    };
    assert_none("a module needs a noun", names.filter(drawer).collect());
}

/// Every function in `sources` that breaks a rule, longest first.
fn find_offenders(sources: &[Source], breaks: impl Fn(&Function) -> Option<usize>) -> Vec<String> {
    let of = |source: &Source| source.functions().into_iter().map(|function| (source.path.clone(), function)).collect();
    let all: Vec<(String, Function)> = sources.iter().flat_map::<Vec<_>, _>(of).collect();
    let mut found: Vec<_> = all.iter().filter_map(|(path, f)| breaks(f).map(|size| (size, path, f))).collect();
    found.sort_by_key(|(size, ..)| std::cmp::Reverse(*size));
    found.iter().map(|(size, path, f)| format!("{path}:{}: {} ({size})", f.line, f.name)).collect()
}

#[test]
fn functions_stay_within_line_and_parameter_limits() {
    let mut all: Vec<_> = files("src", "rs").iter().map(|path| Source::of(path, &read(path))).collect();
    for folder in ["tests", "crates"] {
        all.extend(files(folder, "rs").iter().map(|path| Source::of(path, &read(path))));
    }
    let long = offending(&all, |function| (function.lines > LONGEST_FUNCTION).then_some(function.lines));
    none("functions of more than 60 lines", long);
    let wide = offending(&all, |function| (function.parameters > MOST_PARAMETERS).then_some(function.parameters));
    none("functions of more than five parameters", wide);
}

#[test]
fn median_function_has_at_most_ten_lines() {
    let mut lengths: Vec<_> = app_sources().iter().flat_map(Source::functions).map(|function| function.lines).collect();
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= MAX_MEDIAN_FUNCTION_LINES, "the median of {} functions has {median} lines", lengths.len());
}

#[test]
fn handlers_stay_within_twenty_lines() {
    let web: Vec<_> = app_sources().into_iter().filter(|source| source.module[0] == "web").collect();
    assert!(web.iter().flat_map(Source::functions).filter(|function| function.handler).count() > 10);
    let long = |f: &Function| (f.handler && f.body > MAX_HANDLER_LINES).then_some(f.body);
    assert_none("handlers of more than 20 lines: let the domain decide", find_offenders(&web, long));
}

#[test]
fn files_and_templates_stay_within_line_limits() {
    let longer = |folder, ending, most| {
        let measured = list_files(folder, ending).into_iter().map(|path| (read_file(&path).lines().count(), path));
        measured.filter(move |(lines, _)| *lines > most).map(|(lines, path)| format!("{path}: {lines} lines"))
    };
    let sources = longer("src", "rs", LONGEST_FILE).chain(longer("tests", "rs", LONGEST_FILE)).chain(longer(
        "crates",
        "rs",
        LONGEST_FILE,
    ));
    let seen = longer("static", "js", LONGEST_FILE).chain(longer("static", "css", LONGEST_FILE));
    none("files of more than 400 lines", sources.chain(seen).collect());
    none(
        "templates of more than 60 lines",
        longer("templates", "html", LONGEST_TEMPLATE).chain(longer("crates", "html", LONGEST_TEMPLATE)).collect(),
    );
}

#[test]
fn import_rules_detect_violations() {
    let text = r##"
        // use crate::web;
        use crate::{db, domain::{self, Error as Said}, ids::*};
        const TEXT: &str = r#"crate::cli::run()"#;
        fn inside() -> bool { matches!(super::config::root(), crate::web::layout::Layout { .. }) }
        #[cfg(test)]
        mod tests { use crate::cli; }
    "##;
    let source = Source::parse("src/vault.rs", text);
    let seen: Vec<_> =
        find_forbidden_imports(&source).into_iter().map(|told| told.rsplit(' ').next().unwrap().to_owned()).collect();
    assert_eq!(seen, ["db", "domain", "domain", "config", "web"]);
    let borrowed =
        Source::parse("src/db/users.rs", "use tower_sessions::Session; use std::{env, fs}; fn x(axum: u8) {}");
    assert_eq!(find_misplaced_crates(&borrowed).len(), 2);
}

#[test]
fn function_lengths_and_parameters_are_measured_correctly() {
    let text = "impl X {\n    fn a<F: Fn(u8) -> u8>(&self, map: HashMap<A, B>, (c, d): (C, D),) -> [u8; 2]\n    where F: Y {\n        1;\n        2\n    }\n}\ntrait T { fn b(); }\npub(super) async fn c() { 1 }\npub(super) async fn d(next: Next) {}";
    let functions = Source::parse("src/web/x.rs", text).functions();
    let told: Vec<_> =
        functions.iter().map(|f| (f.name.as_str(), f.line, f.lines, f.body, f.parameters, f.handler)).collect();
    let expected = [("a", 2, 5, 2, 3, false), ("c", 9, 1, 1, 0, true), ("d", 10, 1, 1, 1, false)];
    assert_eq!(told, expected);
}
