//! What a checkout with other line ends would change: migrations and static files are known by their hash, and shells
//! refuse scripts with CR.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

/// Folders that are embedded as a whole, or run by a shell.
const FOLDERS: [&str; 6] = [".ci", "crates/fake-spotify/templates", "migrations", "script", "static", "templates"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files below `folder`.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// The files that `source` embeds by `include_str!`.
fn included_files(source: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(source).unwrap();
    let targets = text.split("include_str!(\"").skip(1).filter_map(|rest| rest.split('"').next());
    targets.map(|target| resolve(&source.parent().unwrap().join(target))).collect()
}

/// The path without `..`.
fn resolve(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut resolved, component| {
        match component {
            Component::ParentDir => drop(resolved.pop()),
            component => resolved.push(component),
        }
        resolved
    })
}

/// Paths of all files that are embedded or run, relative to the root.
fn pinned_files() -> BTreeSet<String> {
    let folders = FOLDERS.iter().flat_map(|folder| files_below(&root().join(folder)));
    let sources = ["src", "crates", "tests"].iter().flat_map(|folder| files_below(&root().join(folder)));
    let sources = sources.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let included =
        sources.filter(|path| !path.ends_with("tests/it/checkout.rs")).flat_map(|path| included_files(&path));
    let files = folders.chain(included);
    files.map(|path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned()).collect()
}

/// Git's attributes `text` and `eol` of `files`, as `PATH: NAME: VALUE`. Asked in an empty repository, since an archive
/// of this one has no `.git`.
fn attributes(files: &BTreeSet<String>) -> BTreeSet<String> {
    let repository = tempfile::tempdir().unwrap();
    fs::copy(root().join(".gitattributes"), repository.path().join(".gitattributes")).unwrap();
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).args(files).current_dir(repository.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(Command::new("git").args(["init", "-q"]).current_dir(repository.path()).status().unwrap().success());
    git(&["check-attr", "text", "eol", "--"]).lines().map(str::to_owned).collect()
}

#[test]
fn every_embedded_file_has_lf_in_every_checkout() {
    let files = pinned_files();
    for known in
        ["migrations/20261121090000_create_users.sql", "static/css/base.css", "static/js/app.js", "script/test"]
    {
        assert!(files.contains(known), "{known}");
    }
    for known in ["crates/local-postgres/src/supervisor.sh", "crates/fake-spotify/src/music/songs.txt", ".env.example"]
    {
        assert!(files.contains(known), "{known}");
    }
    let attributes = attributes(&files);
    for file in &files {
        let is_binary = [".png", ".webp", ".ico", ".woff2"].iter().any(|suffix| file.ends_with(suffix));
        let text = if is_binary { "unset" } else { "set" };
        assert!(attributes.contains(&format!("{file}: text: {text}")), "{file} is not pinned in .gitattributes");
        assert!(is_binary || attributes.contains(&format!("{file}: eol: lf")), "{file}");
        let bytes = fs::read(root().join(file)).unwrap();
        assert!(is_binary || !bytes.contains(&b'\r'), "{file} has CR: check it out again");
    }
}
