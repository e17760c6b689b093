//! The layers, outermost first: a higher one sees the request earlier and the response later.

mod canonical_host;
mod error_pages;
pub(crate) mod metrics;
pub(crate) mod rate_limit;
pub(crate) mod request_id;
pub(crate) mod request_log;
mod security_headers;
mod session;

use std::sync::Arc;

use axum::error_handling::HandleErrorLayer;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::MethodRouter;
use axum::{Extension, Router};
use tower::ServiceBuilder;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};

use self::request_id::REQUEST_ID;
use crate::app::App;
use crate::web::{error, flash};

/// Concurrent requests of one process. Heroku's router sends one dyno about 50 and queues the rest.
const MAX_CONCURRENT_REQUESTS: usize = 200;

/// Layers around the pages of the app.
pub(crate) fn around_pages(app: &Arc<App>, pages: Router) -> Router {
    pages.layer(
        ServiceBuilder::new()
            // Safe from BREACH: pages hold no secret beside text that an attacker chooses.
            .layer(compression())
            // What fails below, sessions included, still becomes an error page.
            .layer(from_fn_with_state(app.clone(), error_pages::render_errors))
            // Refuses requests beyond the limit at once instead of letting them wait.
            .layer(HandleErrorLayer::new(error::overloaded))
            .layer(LoadShedLayer::new())
            .layer(GlobalConcurrencyLimitLayer::new(MAX_CONCURRENT_REQUESTS))
            // Refuses cross-site changes before anything is read.
            .layer(security_headers::refuse_cross_site(app))
            .map_response(error_pages::mark_unsaved_session)
            // Lazy: without a cookie there is no query.
            .layer(session::layer(app))
            // Inside the session, so that an error page knows who is signed in.
            .layer(from_fn_with_state(app.clone(), error_pages::render_errors))
            .layer(from_fn_with_state(app.clone(), flash::middleware))
            .layer(CatchPanicLayer::new()),
    )
}

/// Layers around pages that are the same for everybody.
pub(crate) fn around_public_pages(app: &Arc<App>, pages: Router) -> Router {
    pages.layer(
        ServiceBuilder::new()
            .layer(compression())
            .layer(from_fn_with_state(app.clone(), error_pages::render_errors))
            .layer(CatchPanicLayer::new()),
    )
}

/// Layers around everything, and `demo_routes` beside the site.
pub(crate) fn around_site(app: &Arc<App>, site: Router, demo_routes: Option<Router>) -> Router {
    // Around each route, because only there its pattern is known.
    let site = site.layer(from_fn(metrics::count)).layer(Extension(metrics::Traffic::new()));
    site.merge(demo_routes.unwrap_or_default()).layer(
        ServiceBuilder::new()
            .map_request(request_id::sanitize_request_id)
            .layer(SetRequestIdLayer::new(REQUEST_ID.clone(), MakeRequestUuid))
            .layer(from_fn(request_log::log_request))
            .layer(PropagateRequestIdLayer::new(REQUEST_ID.clone()))
            .map_response(security_headers::headers(app))
            // Before any cookie is set: one on another host would not come back from a provider.
            .layer(from_fn_with_state(app.clone(), canonical_host::redirect_to_canonical_host)),
    )
}

/// Refuses requests to `routes` beyond `max` at once.
pub(crate) fn limit_concurrency(routes: MethodRouter<Arc<App>>, max: usize) -> MethodRouter<Arc<App>> {
    routes.layer(
        ServiceBuilder::new()
            .layer(HandleErrorLayer::new(error::overloaded))
            .layer(LoadShedLayer::new())
            .layer(GlobalConcurrencyLimitLayer::new(max)),
    )
}

/// Compresses answers with gzip at its fastest: a page becomes a seventh of its size. Brotli would take off another sixth
/// and nearly four times as long, which is more than the rest of a page takes.
fn compression() -> CompressionLayer {
    CompressionLayer::new().quality(CompressionLevel::Fastest)
}
