//! The files with which other machines build and start the program: that they agree with it and with each other.

use std::collections::BTreeSet;

use heartlist::config::VARIABLES;
use serde_json::Value;

fn read(path: &str) -> String {
    std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// What stands between `before` and the end of its line or its quote.
fn after(text: &str, before: &str) -> String {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split(['"', '\n']).next().unwrap().to_owned()
}

fn app_json() -> Value {
    serde_json::from_str(&read("app.json")).expect("app.json is JSON")
}

#[test]
fn every_builder_uses_the_same_rust() {
    let channel = after(&read("rust-toolchain.toml"), "channel = \"");
    assert_eq!(channel.split('.').count(), 3, "Heroku's buildpack wants the whole version");
    let (config, docker) = (read("RustConfig"), read("Dockerfile"));
    assert_eq!(after(&config, "\nVERSION="), channel);
    assert_eq!(after(&config, "RUSTUP_TOOLCHAIN="), channel);
    assert!(
        docker.contains(&format!("FROM rust:{channel}-")) && docker.contains(&format!("RUSTUP_TOOLCHAIN={channel} "))
    );
    assert!(channel.starts_with(&after(&read("Cargo.toml"), "rust-version = \"")));
}

#[test]
fn heroku_builds_what_its_processes_start() {
    let flags = after(&read("RustConfig"), "RUST_CARGO_BUILD_FLAGS=\"");
    for needed in ["--release", "--locked", "--bin heartlist"] {
        assert!(flags.contains(needed), "{needed} in {flags}");
    }
    assert!(!flags.contains("--target") && !flags.contains("--profile"), "built where the buildpack does not look");
    assert!(read("RustConfig").contains("export SQLX_OFFLINE=true\n"));
    let processes = read("Procfile");
    let mut names = Vec::new();
    for line in processes.lines() {
        let (name, command) = line.split_once(": ").expect("NAME: COMMAND");
        assert!(command.starts_with("./target/release/heartlist "), "{line}");
        names.push((name, command.rsplit(' ').next().unwrap()));
    }
    assert_eq!(names, [("release", "migrate"), ("web", "serve")]);
}

#[test]
fn nothing_that_a_build_needs_is_left_behind() {
    for file in [".slugignore", ".dockerignore"] {
        for line in read(file).lines() {
            let needed = ["src", "static", "templates", "migrations", "tests", ".sqlx", ".cargo", "build.rs", "Cargo"];
            assert!(!needed.iter().any(|needed| line.trim_start_matches('/').starts_with(needed)), "{file}: {line}");
        }
    }
}

#[test]
fn the_button_asks_for_what_the_program_reads() {
    let app = app_json();
    let known: BTreeSet<&str> = VARIABLES.iter().map(|variable| variable.name).collect();
    for env in [&app["env"], &app["environments"]["review"]["env"]] {
        for (name, about) in env.as_object().unwrap() {
            assert!(known.contains(name.as_str()), "{name} is in app.json, and nobody reads it");
            assert!(!name.contains("SECRET") || about.get("value").is_none(), "{name} has its value in app.json");
        }
    }
    let asked: Vec<_> = app["env"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(asked, ["BASE_URL", "SESSION_SECRET", "SPOTIFY_CLIENT_ID", "SPOTIFY_CLIENT_SECRET"]);
    assert_eq!(app["env"]["SESSION_SECRET"]["generator"], "secret");
    assert_eq!(app["environments"]["review"]["env"]["DEMO"]["value"], "1");
}

#[test]
fn app_json_says_only_what_heroku_understands() {
    let app = app_json();
    let keys = ["name", "description", "keywords", "website", "repository", "logo", "success_url", "buildpacks"];
    let more = ["addons", "env", "formation", "scripts", "environments"];
    for key in app.as_object().unwrap().keys() {
        assert!(keys.contains(&key.as_str()) || more.contains(&key.as_str()), "{key}");
    }
    assert_eq!(app["buildpacks"][0]["url"], "https://github.com/emk/heroku-buildpack-rust");
    for place in [&app, &app["environments"]["review"]] {
        assert_eq!(place["addons"][0]["plan"], "heroku-postgresql:essential-0");
    }
    assert_eq!(app["formation"]["web"]["quantity"], 1);
}

#[test]
fn the_image_runs_as_nobody_in_particular() {
    let docker = read("Dockerfile");
    let (_, last) = docker.rsplit_once("FROM ").unwrap();
    let user = last.lines().find_map(|line| line.strip_prefix("USER ")).expect("a user");
    assert!(user.parse::<u32>().is_ok_and(|user| user > 0), "{user}: a number tells that it is not root");
    assert!(last.contains("--from=build") && !last.contains("cargo"));
}
