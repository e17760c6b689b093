//! Bundles the stylesheet and the script, lists the static files for memory-serve, and names the version.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

use sha2::{Digest, Sha256};

/// Parts of the stylesheet in `static/css`, in the order in which `app.css` concatenates them.
const STYLESHEETS: [&str; 34] = [
    "fonts", "tokens", "base", "utilities", "layout", "header", "footer", "text-page", "buttons", "menu", "tabs",
    "forms", "callout", "empty-state", "cover", "card", "card-rows", "badge", "heart", "annotation", "tags", "search",
    "select", "pager", "hearts", "playlist", "home", "account", "sharing", "privacy", "setup", "keyboard-help",
    "toast", "print",
];
/// Parts of the script in `static/js`. The first one has what the others use.
const SCRIPTS: [&str; 10] =
    ["app", "keyboard", "annotation", "cards", "display", "hearts", "now-playing", "progress", "share", "times"];

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rerun-if-changed=static");
    println!("cargo:rustc-env=HEARTLIST_VERSION={}", version());
    write_asset_list(Path::new(&env::var_os("OUT_DIR").expect("set by cargo")))
}

/// Returns the version with commit and date of the sources, such as `0.1.0 (1f3c9a2b7d10 2026-11-29)`. The same sources
/// always give the same text.
///
/// `SOURCE_VERSION` is the commit and `SOURCE_DATE` its date where there is no Git: Heroku sets the first, the Dockerfile
/// both. Debug builds ask no Git, because each commit would compile the program anew.
#[expect(clippy::disallowed_methods, reason = "cargo and the platform tell a build script by variables")]
fn version() -> String {
    let version = env::var("CARGO_PKG_VERSION").expect("set by cargo");
    println!("cargo:rerun-if-env-changed=SOURCE_VERSION");
    println!("cargo:rerun-if-env-changed=SOURCE_DATE");
    let given = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let source = match given("SOURCE_VERSION") {
        Some(commit) => Some([commit, given("SOURCE_DATE").unwrap_or_default()].join(" ")),
        None if env::var("PROFILE").is_ok_and(|profile| profile == "release") => ask_git(),
        None => None,
    };
    match source.as_deref().and_then(|source| source.split_at_checked(source.find(' ')?)) {
        Some((commit, date)) => format!("{version} ({}{})", &commit[..commit.len().min(12)], date.trim_end()),
        None => version,
    }
}

/// Returns commit and date of the checkout. `None` without Git.
fn ask_git() -> Option<String> {
    for file in [".git/HEAD", ".git/logs/HEAD"].iter().filter(|file| Path::new(file).exists()) {
        println!("cargo:rerun-if-changed={file}");
    }
    let is_checkout = Path::new(".git").exists();
    let output = is_checkout.then(|| Command::new("git").args(["log", "-1", "--format=%H %cs"]).output().ok())??;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Writes the list that `memory_serve::load!` reads.
///
/// `memory_serve::load_directory` would make cargo watch the folder that [`collect_static_files`] has just written,
/// and so rerun this script on every build.
fn write_asset_list(out_dir: &Path) -> io::Result<()> {
    let folder = collect_static_files(out_dir)?;
    let is_embedded = !cfg!(debug_assertions);
    let files = memory_serve::assets_to_code("static", &folder, out_dir, is_embedded, |_| ());
    fs::write(out_dir.join("memory_serve_assets.rs"), format!("&[(\"default\", {files})]"))
}

/// Copies the files of `static` and concatenates stylesheets and scripts, so that a page needs one request for each.
fn collect_static_files(out_dir: &Path) -> io::Result<PathBuf> {
    let folder = out_dir.join("static");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir(&folder)?;
    for entry in fs::read_dir("static")? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), folder.join(entry.file_name()))?;
        }
    }
    fs::write(folder.join("app.css"), with_hashed_urls(&concatenate("css", &STYLESHEETS)?)?)?;
    fs::write(folder.join("app.js"), concatenate("js", &SCRIPTS)?)?;
    Ok(folder)
}

/// Returns the files of `static/{extension}` in the order of `names`.
fn concatenate(extension: &str, names: &[&str]) -> io::Result<String> {
    let folder = Path::new("static").join(extension);
    assert_eq!(fs::read_dir(&folder)?.count(), names.len(), "build.rs lists each file of {}", folder.display());
    let parts = names.iter().map(|name| fs::read_to_string(folder.join(name).with_extension(extension)));
    Ok(parts.collect::<io::Result<Vec<_>>>()?.join("\n"))
}

/// Replaces each `url("/name.ext")` with the address that memory-serve gives the file: with the first 16 digits of its
/// SHA-256 before the extension.
fn with_hashed_urls(css: &str) -> io::Result<String> {
    let mut parts = css.split("url(\"/");
    let mut hashed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('"').expect("a URL ends with a quote");
        let (stem, extension) = name.rsplit_once('.').expect("a file has an extension");
        let digest = Sha256::digest(fs::read(Path::new("static").join(name))?);
        let hash: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        hashed.push_str(&format!("url(\"/{stem}.{hash}.{extension}\"{rest}"));
    }
    Ok(hashed)
}
