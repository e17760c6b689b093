//! Rules that the compiler does not hold: the order of imports, no circles between files, one home for each crate,
//! short files.

mod source;

use std::collections::BTreeMap;

use source::{Source, files, read, sources};

/// Modules that each module of `src` may import, besides [`SHARED`].
const IMPORTS: [(&str, &[&str]); 20] = [
    ("main", &["cli"]),
    ("cli", &["background_jobs", "server", "web", "domain", "app", "config", "db", "oauth", "spotify", "vault"]),
    ("background_jobs", &["domain", "app", "db"]),
    ("server", &["connections"]),
    ("connections", &[]),
    // Not db: domain re-exports the row types that pages need.
    ("web", &["domain", "app"]),
    ("domain", &["app", "db", "spotify", "oauth", "vault"]),
    ("app", &["config", "db", "spotify", "oauth", "vault"]),
    // Sessions are sealed where they are stored.
    ("db", &["vault"]),
    ("spotify", &[]),
    ("oauth", &[]),
    ("vault", &[]),
    // The format of the log is a setting.
    ("config", &[]),
    ("count", &[]),
    ("ids", &[]),
    ("expiring_cache", &[]),
    ("in_progress", &[]),
    ("network", &[]),
    ("rate_limiter", &[]),
    ("telemetry", &[]),
];

/// Modules that all others may import.
const SHARED: [&str; 7] = ["count", "expiring_cache", "ids", "in_progress", "network", "rate_limiter", "telemetry"];

/// The same inside `web`. Nothing imports a page but the router and other pages.
const WEB_IMPORTS: [(&str, &[&str]); 9] = [
    ("router", &["pages", "middleware", "views", "extract", "error", "flash", "cookies", "assets"]),
    ("pages", &["middleware", "views", "extract", "error", "flash", "cookies", "assets"]),
    ("middleware", &["views", "extract", "error", "flash", "cookies", "assets"]),
    ("views", &["extract", "error", "flash", "cookies", "assets"]),
    ("extract", &["views", "error", "flash", "cookies"]),
    // Times in messages, and the address of the sign-in page.
    ("error", &["views", "extract", "flash"]),
    ("flash", &["cookies"]),
    ("cookies", &[]),
    ("assets", &[]),
];

/// Modules that may name a crate.
const HOMES: &[(&str, &[&str])] = &[
    ("std::env", &["config"]),
    ("dotenvy", &["config"]),
    ("sqlx", &["db"]),
    ("reqwest", &["spotify", "oauth"]),
    ("oauth2", &["oauth"]),
    ("axum", &["web", "cli", "server"]),
    ("hyper", &["server", "cli::learned_address"]),
    ("hyper_util", &["server", "cli::learned_address"]),
    ("tokio_io_timeout", &["server"]),
    ("socket2", &["server"]),
    ("rustix", &["cli", "server", "config::dotenv"]),
    (
        "percent_encoding",
        &["web::middleware::canonical_path", "web::middleware::request_log", "web::pages::sharing::request"],
    ),
    ("prometheus_client", &["web::middleware::metrics", "web::pages::metrics"]),
    ("png", &["web::pages::sharing::preview_image"]),
    ("zeno", &["web::pages::sharing::preview_image"]),
    ("jiff", &["web::views::zone"]),
    ("askama", &["web"]),
    ("memory_serve", &["web::assets"]),
    ("tower_http", &["web::router", "web::middleware"]),
    ("hashlink", &["rate_limiter", "expiring_cache"]),
    ("headers", &["web::pages::sharing::request", "oauth::client_auth"]),
    ("csv", &["domain::import_export"]),
    ("encoding_rs", &["domain::import_export"]),
    ("tower_sessions", &["web", "db::sessions"]),
    ("clap", &["cli", "main"]),
    ("anyhow", &["cli", "server"]),
    ("tracing_subscriber", &["telemetry"]),
    ("chacha20poly1305", &["vault"]),
    ("hkdf", &["vault"]),
    ("rustls", &["cli"]),
    ("local_postgres", &["cli"]),
    ("fake_spotify", &["cli"]),
];

/// Crates of the workspace, whose files obey the same rules.
const CRATES: [&str; 3] = ["src", "crates/fake-spotify/src", "crates/local-postgres/src"];

/// Module names that say nothing.
const VAGUE_NAMES: [&str; 10] =
    ["util", "utils", "helper", "helpers", "common", "misc", "shared", "tools", "extras", "prelude"];

const MAX_FILE_LINES: usize = 400;
const MAX_TEMPLATE_LINES: usize = 60;

fn assert_none(rule: &str, offenders: Vec<String>) {
    assert!(offenders.is_empty(), "{rule}:\n  {}", offenders.join("\n  "));
}

/// Imports of `source` below the module `base` that the table does not allow.
fn forbidden_imports(source: &Source, base: &[&str], table: &[(&str, &[&str])]) -> Vec<String> {
    let allowed = |module: &str| table.iter().find(|(name, _)| *name == module).map(|(_, imports)| *imports);
    let Some(own) = source.module.get(base.len()) else { return Vec::new() };
    let Some(imports) = allowed(own) else { return vec![format!("{}: {own} is not in the table", source.path)] };
    let mut found = Vec::new();
    for path in source.paths.iter().chain(source.reexports.iter().map(|(_, path)| path)) {
        let Some((root, path)) = path.split_first() else { continue };
        let below = matches!(root.as_str(), "crate" | "heartlist") && path.iter().zip(base).all(|(a, b)| a == b);
        let Some(module) = path.get(base.len()).filter(|_| below) else { continue };
        if module != own
            && allowed(module).is_some()
            && !imports.contains(&module.as_str())
            && !SHARED.contains(&module.as_str())
        {
            found.push(format!("{}: {own} imports {module}", source.path));
        }
    }
    found
}

/// Names in `source` of crates whose home is elsewhere.
fn foreign_crates(source: &Source) -> Vec<String> {
    let own = source.module.join("::");
    let mut found = Vec::new();
    for path in source.paths.iter().map(|path| path.join("::")) {
        for (name, homes) in HOMES.iter().filter(|(name, _)| is_within(&path, name)) {
            if !homes.iter().any(|home| is_within(&own, home)) {
                found.push(format!("{}: {name} belongs to {}", source.path, homes.join(", ")));
            }
        }
    }
    found
}

fn is_within(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The file that defines what `path` names: re-exports are followed.
fn defining_file(path: &[String], modules: &BTreeMap<&[String], &Source>) -> Option<String> {
    let (root, path) = path.split_first()?;
    if root != "crate" {
        return None;
    }
    let length = (1..=path.len()).rev().find(|length| modules.contains_key(&path[..*length]))?;
    let source = modules[&path[..length]];
    let name = path.get(length);
    match source.reexports.iter().find(|(reexported, _)| Some(reexported) == name) {
        Some((_, target)) => defining_file(target, modules),
        None => Some(source.path.clone()),
    }
}

/// Circles between files, each as a list of its files.
fn circles(sources: &[Source]) -> Vec<String> {
    let modules: BTreeMap<_, _> = sources.iter().map(|source| (source.module.as_slice(), source)).collect();
    let mut imports: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources {
        let files = source.paths.iter().filter_map(|path| defining_file(path, &modules));
        imports.insert(source.path.clone(), files.filter(|file| *file != source.path).collect());
    }
    let reached = |from: &String| {
        let (mut open, mut seen) = (imports[from].clone(), Vec::new());
        while let Some(file) = open.pop() {
            if !seen.contains(&file) {
                open.extend(imports[&file].iter().cloned());
                seen.push(file);
            }
        }
        seen
    };
    let reached: BTreeMap<_, _> = imports.keys().map(|file| (file.clone(), reached(file))).collect();
    let circle = |file: &String| {
        let files = reached[file].iter().filter(|other| reached[*other].contains(file));
        let mut files: Vec<_> = files.cloned().collect();
        files.sort();
        files
    };
    let mut found: Vec<_> = imports.keys().map(circle).filter(|files| !files.is_empty()).collect();
    found.dedup();
    found.iter().map(|files| files.join(", ")).collect()
}

#[test]
fn imports_go_one_way() {
    let sources: Vec<_> = sources("src").into_iter().filter(|source| source.path != "src/lib.rs").collect();
    let all = sources.iter().flat_map(|source| forbidden_imports(source, &[], &IMPORTS));
    let web = sources.iter().filter(|source| source.module[0] == "web");
    let web = web.flat_map(|source| forbidden_imports(source, &["web"], &WEB_IMPORTS));
    assert_none("imports against the tables", all.chain(web).collect());
}

#[test]
fn import_order_has_no_circle() {
    let position = |module: &str| IMPORTS.iter().position(|(name, _)| *name == module).unwrap_or(IMPORTS.len());
    let upward = |(name, imports): &(&str, &[&str])| {
        let up: Vec<_> = imports.iter().filter(|import| position(import) <= position(name)).collect();
        (!up.is_empty()).then(|| format!("{name} imports {up:?}, which stand above it"))
    };
    assert_none("circles", IMPORTS.iter().filter_map(upward).collect());
}

#[test]
fn files_import_each_other_in_no_circle() {
    for folder in CRATES {
        assert_none(&format!("circles in {folder}"), circles(&sources(folder)));
    }
}

#[test]
fn tests_share_helpers_by_support_alone() {
    let imports = |source: &Source| {
        let own = source.module[0].clone();
        let foreign =
            move |path: &&Vec<String>| path.len() > 2 && path[0] == "crate" && path[1] != own && path[1] != "support";
        let found = source.paths.iter().filter(foreign).map(|path| format!("{}: {}", source.path, path.join("::")));
        found.collect::<Vec<_>>()
    };
    assert_none("imports of another test file", sources("tests/it").iter().flat_map(imports).collect());
}

#[test]
fn crates_are_named_in_one_place() {
    let sources = sources("src");
    assert_none("named outside its home", sources.iter().flat_map(foreign_crates).collect());
    let named: Vec<_> = sources.iter().flat_map(|source| &source.paths).map(|path| path.join("::")).collect();
    let unused = HOMES.iter().filter(|(name, _)| !named.iter().any(|path| is_within(path, name)));
    assert_none("named nowhere", unused.map(|(name, _)| (*name).to_owned()).collect());
}

#[test]
fn modules_have_telling_names() {
    let names = ["src", "tests", "crates"].into_iter().flat_map(|folder| files(folder, "rs"));
    let is_vague = |path: &String| {
        path.trim_end_matches(".rs").split('/').any(|name| VAGUE_NAMES.contains(&name.to_lowercase().as_str()))
    };
    assert_none("a module needs a noun", names.filter(is_vague).collect());
}

#[test]
fn files_and_templates_are_short() {
    let longer = |folders: &[&str], extension: &str, max: usize| {
        let paths = folders.iter().flat_map(|folder| files(folder, extension));
        let counted = paths.map(|path| (read(&path).lines().count(), path));
        let long = counted.filter(|(lines, _)| *lines > max).map(|(lines, path)| format!("{path}: {lines} lines"));
        long.collect::<Vec<_>>()
    };
    assert_none("files of more than 400 lines", longer(&["src", "tests", "crates", "benches"], "rs", MAX_FILE_LINES));
    assert_none("scripts of more than 400 lines", longer(&["static"], "js", MAX_FILE_LINES));
    assert_none("stylesheets of more than 400 lines", longer(&["static"], "css", MAX_FILE_LINES));
    assert_none("templates of more than 60 lines", longer(&["templates", "crates"], "html", MAX_TEMPLATE_LINES));
}

#[test]
fn rules_see_what_they_forbid() {
    let text = r##"
        // use crate::web;
        use crate::{db, domain::{self, Error as DomainError}, ids::*};
        const TEXT: &str = r#"crate::cli::run()"#;
        fn inside() -> bool { matches!(super::config::root(), crate::web::layout::Layout { .. }) }
        #[cfg(test)]
        mod tests { use crate::cli; }
    "##;
    let source = Source::parse("src", "src/vault.rs", text);
    let seen: Vec<_> = forbidden_imports(&source, &[], &IMPORTS);
    let seen: Vec<_> = seen.iter().map(|found| found.rsplit(' ').next().unwrap()).collect();
    assert_eq!(seen, ["db", "domain", "domain", "config", "web"]);
    let page = Source::parse("src", "src/web/views/layout.rs", "use crate::web::pages::home; use super::time;");
    assert_eq!(forbidden_imports(&page, &["web"], &WEB_IMPORTS), ["src/web/views/layout.rs: views imports pages"]);
    let text = "use tower_sessions::Session; use std::{env, fs}; fn x(axum: u8) {}";
    assert_eq!(foreign_crates(&Source::parse("src", "src/db/users.rs", text)).len(), 2);
}

#[test]
fn circle_of_files_is_found_through_reexports() {
    let parse = |path: &str, text: &str| Source::parse("src", path, text);
    let sources = [
        parse("src/a/mod.rs", "mod b; mod c; pub use self::b::B;"),
        parse("src/a/b.rs", "use super::c::C; pub struct B(C);"),
        parse("src/a/c.rs", "pub fn f(b: crate::a::B) {}"),
        parse("src/d.rs", "use crate::a::B;"),
    ];
    assert_eq!(circles(&sources), ["src/a/b.rs, src/a/c.rs"]);
    assert!(circles(&sources[..2]).is_empty());
}
