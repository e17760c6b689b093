//! Static files: embedded, compressed when built, named by their contents.

use std::sync::LazyLock;

use axum::Router;
use memory_serve::{CacheControl, MemoryServe};

/// Where pages find their files.
pub(crate) struct Assets {
    pub(crate) css: String,
    pub(crate) print: String,
    pub(crate) scripts: [String; 2],
    pub(crate) favicon: String,
    /// The picture that other sites show with a link, made by `script/pictures`.
    pub(crate) card: String,
}

/// The addresses, each with the hash of what is behind it.
pub(crate) static ASSETS: LazyLock<Assets> = LazyLock::new(|| {
    let manifest = served().manifest();
    let of = |route: &str| manifest.get(route).unwrap_or(route).to_owned();
    let scripts = ["/jquery.slim.min.js", "/app.js"].map(of);
    let (favicon, card) = (of("/favicon.svg"), of("/card.png"));
    Assets { css: of("/app.css"), print: of("/print.css"), scripts, favicon, card }
});

pub(crate) fn router() -> Router {
    served().into_router()
}

fn served() -> MemoryServe {
    let served = memory_serve::load!().index_file(None).enable_hashed_routes(true);
    // While somebody edits them, files are read from disk and must not stick in the browser.
    if cfg!(debug_assertions) { served.cache_control(CacheControl::NoCache) } else { served }
}
