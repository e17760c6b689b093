//! Bundles the stylesheet and the script, and lists the static files for memory-serve.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Parts of the stylesheet in `static/css`, in the order in which `app.css` concatenates them.
const STYLESHEETS: [&str; 31] = [
    "tokens", "base", "utilities", "layout", "header", "footer", "text-page", "buttons", "tabs", "forms", "callout",
    "empty-state", "cover", "card", "badge", "heart", "annotation", "tags", "search", "select", "pager", "hearts",
    "playlist", "home", "account", "sharing", "privacy", "setup", "keyboard-help", "toast", "print",
];
/// Parts of the script in `static/js`. The first one has what the others use.
const SCRIPTS: [&str; 7] = ["app", "annotation", "cards", "display", "hearts", "share", "times"];

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rerun-if-changed=static");
    write_asset_list(Path::new(&env::var_os("OUT_DIR").expect("set by cargo")))
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
    fs::write(folder.join("app.css"), concatenate("css", &STYLESHEETS)?)?;
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
