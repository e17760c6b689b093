//! Build and deployment files agree with the program and with each other.

use std::collections::BTreeSet;

use heartlist::config::{self, ENV_EXAMPLE, VARIABLES, Variable};
use serde_json::Value;

/// Variables that are not set by hand on Heroku: the router chooses the port and uses no loopback address, the add-on
/// sets the database, and a dyno has no private Postgres.
const NOT_ON_HEROKU: [&str; 5] = ["PORT", "HOST", "DATABASE_URL", "HEARTLIST_DATA", "PG_BIN"];
/// Variables that Heroku prompts for when an app is created.
const PROMPTED_ON_HEROKU: [&str; 3] = ["BASE_URL", "SPOTIFY_CLIENT_ID", "SPOTIFY_CLIENT_SECRET"];

fn read_file(path: &str) -> String {
    std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The text after `before`, up to the end of its line or quote.
fn text_after(text: &str, before: &str) -> String {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split(['"', '\n']).next().unwrap().to_owned()
}

fn app_json() -> Value {
    serde_json::from_str(&read_file("app.json")).expect("app.json is JSON")
}

#[test]
fn rust_version_is_the_same_for_all_builders() {
    let channel = text_after(&read_file("rust-toolchain.toml"), "channel = \"");
    assert_eq!(channel.split('.').count(), 3, "Heroku's buildpack wants the whole version");
    let (config, docker) = (read_file("RustConfig"), read_file("Dockerfile"));
    assert_eq!(text_after(&config, "\nVERSION="), channel);
    assert_eq!(text_after(&config, "RUSTUP_TOOLCHAIN="), channel);
    assert!(docker.contains(&format!("RUSTUP_TOOLCHAIN={channel} ")));
    let release = read_file(".github/workflows/release.yml");
    assert_eq!(text_after(&release, "RUSTUP_TOOLCHAIN: "), channel);
    for (text, image) in [
        (&docker, format!("FROM rust:{channel}-slim-trixie")),
        (&release, format!("container: rust:{channel}-slim-bookworm")),
    ] {
        let line = text_after(text, &format!("{image}@sha256:"));
        assert_eq!(line.split(' ').next().map(str::len), Some(64), "{image} is pinned by its digest");
    }
    assert!(channel.starts_with(&text_after(&read_file("Cargo.toml"), "rust-version = \"")));
}

#[test]
fn heroku_build_matches_procfile() {
    let flags = text_after(&read_file("RustConfig"), "RUST_CARGO_BUILD_FLAGS=\"");
    for needed in ["--release", "--locked", "--bin heartlist"] {
        assert!(flags.contains(needed), "{needed} in {flags}");
    }
    assert!(!flags.contains("--target") && !flags.contains("--profile"), "built where the buildpack does not look");
    assert!(read_file("RustConfig").contains("export SQLX_OFFLINE=true\n"));
    let processes = read_file("Procfile");
    let mut names = Vec::new();
    for line in processes.lines() {
        let (name, command) = line.split_once(": ").expect("NAME: COMMAND");
        let command = command.strip_prefix("env GLIBC_TUNABLES=glibc.malloc.tcache_count=64 ").unwrap_or(command);
        assert!(command.starts_with("./target/release/heartlist "), "{line}");
        names.push((name, command.rsplit(' ').next().unwrap()));
    }
    assert_eq!(names, [("release", "migrate"), ("web", "serve")]);
}

#[test]
fn ignore_files_exclude_nothing_the_build_needs() {
    for file in [".slugignore", ".dockerignore"] {
        for line in read_file(file).lines() {
            let needed = [
                "src", "crates", ".env.example", "static", "templates", "migrations", "tests", ".sqlx", ".cargo",
                "build.rs", "Cargo",
            ];
            assert!(!needed.iter().any(|needed| line.trim_start_matches('/').starts_with(needed)), "{file}: {line}");
        }
    }
}

#[test]
fn app_json_describes_every_setting_as_help_does() {
    let app = app_json();
    let known: BTreeSet<&str> = VARIABLES.iter().map(|variable| variable.name).collect();
    let env = app["env"].as_object().unwrap();
    for name in env.keys().chain(app["environments"]["review"]["env"].as_object().unwrap().keys()) {
        assert!(known.contains(name.as_str()), "{name} is in app.json, and nobody reads it");
    }
    let help = config::help();
    assert_eq!(ENV_EXAMPLE.matches("=\n").count(), VARIABLES.len(), "each entry of .env.example is read");
    for Variable { name, default, about } in VARIABLES.iter() {
        assert!(help.contains(about) && help.contains(&format!("Default: {default}\n")), "{name} in --help");
        let Some(entry) = env.get(*name) else {
            assert!(NOT_ON_HEROKU.contains(name), "{name} is not in app.json");
            continue;
        };
        // A default copied into app.json would not follow later changes.
        assert!(entry.get("value").is_none(), "{name} has its value in app.json");
        let is_prompted = entry.get("required") != Some(&Value::Bool(false)) && entry.get("generator").is_none();
        assert_eq!(is_prompted, PROMPTED_ON_HEROKU.contains(name), "{name}");
        let is_required = is_prompted || *name == "SESSION_SECRET";
        let description = if is_required { (*about).to_owned() } else { format!("{about} Default: {default}.") };
        assert_eq!(entry["description"], description, "{name} is described as in .env.example");
    }
    assert_eq!(app["env"]["SESSION_SECRET"]["generator"], "secret");
}

/// Review apps are demos.
#[test]
fn review_apps_require_no_settings() {
    let review = &app_json()["environments"]["review"]["env"];
    assert_eq!((&review["DEMO"]["value"], &review["SESSION_SECRET"]["generator"]), (&"1".into(), &"secret".into()));
    for name in PROMPTED_ON_HEROKU {
        assert_eq!(review[name]["required"], false, "{name}");
    }
}

#[test]
fn operations_page_lists_exactly_the_known_settings() {
    let page = read_file("docs/OPERATIONS.md");
    let table = page.split("## Settings").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("its table");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
    let named: BTreeSet<String> = rows.flat_map(|row| row.split(", ")).map(|name| name.replace('`', "")).collect();
    let known: BTreeSet<String> = VARIABLES.iter().map(|variable| variable.name.to_owned()).collect();
    assert_eq!(named, known);
}

#[test]
fn app_json_has_only_keys_known_to_heroku() {
    let app = app_json();
    let keys = ["name", "description", "keywords", "website", "repository", "logo", "success_url", "buildpacks"];
    let more = ["addons", "env", "formation", "scripts", "environments"];
    for key in app.as_object().unwrap().keys() {
        assert!(keys.contains(&key.as_str()) || more.contains(&key.as_str()), "{key}");
    }
    let buildpack = app["buildpacks"][0]["url"].as_str().unwrap();
    let commit = buildpack.strip_prefix("https://github.com/emk/heroku-buildpack-rust#").expect("a pinned one");
    assert!(commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{commit}");
    assert!(read_file("docs/OPERATIONS.md").contains(&format!("heroku create --buildpack {buildpack}\n")));
    for app_json in [&app, &app["environments"]["review"]] {
        assert_eq!(app_json["addons"][0]["plan"], "heroku-postgresql:essential-0");
    }
    assert_eq!(app["formation"]["web"]["quantity"], 1);
    assert!(app["repository"].as_str().is_some_and(|address| address.starts_with("https://github.com/")));
}

#[test]
fn image_is_pushed_only_for_a_checked_tag() {
    let release = read_file(".github/workflows/release.yml");
    let (program, rest) = release.split_once("\n  image:\n").expect("the job");
    assert!(program.contains("\n  program:\n") && program.contains("GITHUB_REF_NAME#v}"));
    assert!(rest.split("\n  components:\n").next().unwrap().contains("\n    needs: program\n"));
}

#[test]
fn docker_image_runs_as_unprivileged_user() {
    let docker = read_file("Dockerfile");
    let (_, last) = docker.rsplit_once("FROM ").unwrap();
    let user = last.lines().find_map(|line| line.strip_prefix("USER ")).expect("a user");
    assert!(user.parse::<u32>().is_ok_and(|user| user > 0), "{user}: a number tells that it is not root");
    assert!(last.contains("--from=build") && !last.contains("cargo"));
}

/// The image listens on all addresses, where a demo has to be chosen.
#[test]
fn compose_file_is_a_demo_until_told_otherwise() {
    assert!(read_file("Dockerfile").contains("HOST=0.0.0.0"));
    assert!(read_file("compose.yaml").contains("      DEMO: ${DEMO-1}\n"));
}

#[test]
fn dependencies_page_lists_exactly_the_direct_dependencies() {
    let page = read_file("docs/DEPENDENCIES.md");
    let cells = page.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
    let named: BTreeSet<String> = cells.flat_map(|cell| cell.split(", ")).map(|name| name.replace('`', "")).collect();
    let mut used = BTreeSet::new();
    for manifest in ["Cargo.toml", "crates/fake-spotify/Cargo.toml", "crates/local-postgres/Cargo.toml"] {
        let mut is_list = false;
        for line in read_file(manifest).lines() {
            if let Some(section) = line.strip_prefix('[') {
                is_list = section.ends_with("dependencies]");
            } else if let Some((name, _)) = line.split_once(" = ").filter(|_| is_list) {
                used.insert(name.to_owned());
            }
        }
    }
    assert_eq!(named, used);
}

/// The image has only what its program needs.
#[test]
fn docker_image_checks_its_health_by_its_program() {
    let docker = read_file("Dockerfile");
    let (_, last) = docker.rsplit_once("FROM ").unwrap();
    assert!(last.starts_with("scratch\n") && !last.contains("RUN"), "{last}");
    assert!(last.contains("CMD [\"/usr/local/bin/heartlist\", \"healthcheck\"]"));
}

#[test]
fn compose_file_has_no_password() {
    let compose = read_file("compose.yaml");
    assert_eq!(compose.matches("${POSTGRES_PASSWORD:?").count(), 2);
    assert!(compose.contains("POSTGRES_PASSWORD: ${") && compose.contains("postgres://heartlist:${"));
    assert!(compose.contains("ports: [\"127.0.0.1:"), "a demo is not reachable from elsewhere");
}
