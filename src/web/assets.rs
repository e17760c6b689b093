//! Static files: embedded and compressed at build time, with a hash in their names.

use std::sync::LazyLock;

use axum::Router;
use memory_serve::{CacheControl, MemoryServe};

/// Addresses of static files, for templates.
pub(crate) struct Assets {
    pub(crate) css: String,
    pub(crate) scripts: [String; 2],
    pub(crate) favicon: String,
    /// Link preview image (`og:image`), made by `script/pictures`.
    pub(crate) card: String,
}

pub(crate) static ASSETS: LazyLock<Assets> = LazyLock::new(|| {
    let manifest = served().manifest();
    let of = |route: &str| manifest.get(route).unwrap_or(route).to_owned();
    let scripts = ["/jquery.slim.min.js", "/app.js"].map(of);
    let (favicon, card) = (of("/favicon.svg"), of("/card.png"));
    Assets { css: of("/app.css"), scripts, favicon, card }
});

pub(crate) fn router() -> Router {
    served().into_router()
}

fn served() -> MemoryServe {
    let served = memory_serve::load!().index_file(None).enable_hashed_routes(true);
    // Debug builds serve what is being edited, which browsers must not cache.
    if cfg!(debug_assertions) { served.cache_control(CacheControl::NoCache) } else { served }
}
