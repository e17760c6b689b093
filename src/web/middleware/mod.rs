//! The layers, outermost first: the first layer sees the request first and the response last.

pub(crate) mod canonical_host;
mod canonical_path;
mod error_pages;
pub(crate) mod fetch_metadata;
pub(crate) mod from_fn;
pub(crate) mod metrics;
pub(crate) mod rate_limit;
pub(crate) mod request_body;
pub(crate) mod request_id;
pub(crate) mod request_log;
pub(crate) mod security_headers;
pub(crate) mod session;
mod zone;

use std::sync::Arc;

use axum::error_handling::HandleErrorLayer;
use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use axum::{Extension, Router};
use tower::ServiceBuilder;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};

use self::canonical_host::CanonicalHost;
use self::from_fn::{from_fn, from_fn_with_state};
use self::request_body::{BodyLimits, UnfinishedRequests};
use self::request_id::REQUEST_ID;
use crate::app::App;
use crate::web::extract::SignedIn;
use crate::web::{error, flash};

/// Concurrent requests of one process. Heroku's router sends a dyno about 50 and queues the rest.
pub(crate) const MAX_CONCURRENT_REQUESTS: usize = 200;

pub(crate) fn with_page_layers(app: &Arc<App>, pages: Router) -> Router {
    pages.layer(
        ServiceBuilder::new()
            .layer(from_fn(canonical_path::redirect_to_canonical_path))
            .layer(compression())
            // Before any page is rendered.
            .layer(from_fn_with_state(app.clone(), zone::show_local_times))
            // Renders errors of the layers below, the session layer included.
            .layer(from_fn_with_state(app.clone(), error_pages::render_errors))
            .layer(from_fn_with_state(app.clone(), canonical_host::refuse_forms_on_other_hosts))
            // Rejects cross-site requests before the session is loaded.
            .layer(security_headers::csrf_layer(app))
            .layer(from_fn(fetch_metadata::refuse_embedded))
            // Before the session is loaded.
            .layer(from_fn_with_state(app.clone(), require_mode_check))
            .map_response(error_pages::mark_unsaved_session)
            .map_request(session::accept_former_name(app))
            .map_response(session::remove_cookie_if_ended(app))
            // Lazy: without a cookie there is no query.
            .layer(session::layer(app))
            // Inside the session layer, so that error pages have the user.
            .layer(from_fn_with_state(app.clone(), error_pages::render_errors))
            .layer(from_fn_with_state(app.clone(), flash::middleware))
            .layer(CatchPanicLayer::new()),
    )
}

/// Layers around public pages, which have no session.
pub(crate) fn with_public_page_layers(app: &Arc<App>, pages: Router) -> Router {
    pages.layer(
        ServiceBuilder::new()
            .layer(from_fn(canonical_path::redirect_to_canonical_path))
            .layer(compression())
            .layer(from_fn_with_state(app.clone(), error_pages::render_errors))
            .layer(from_fn_with_state(app.clone(), require_mode_check))
            .layer(CatchPanicLayer::new()),
    )
}

/// Layers around the site and `demo_routes`.
pub(crate) fn with_site_layers(app: &Arc<App>, site: Router, demo_routes: Option<Router>) -> Router {
    // Inside the router, where the matched route pattern is known.
    let site = site.layer(from_fn(metrics::record_request)).layer(Extension(metrics::RequestMetrics::new()));
    site.merge(demo_routes.unwrap_or_default()).layer(
        ServiceBuilder::new()
            .map_request(request_id::sanitize_request_id)
            .layer(SetRequestIdLayer::new(REQUEST_ID.clone(), MakeRequestUuid))
            .layer(from_fn(request_log::log_request))
            .map_request(rate_limit::warn_of_unknown_proxy(app))
            .layer(PropagateRequestIdLayer::new(REQUEST_ID.clone()))
            .map_response(security_headers::add_headers(app))
            // Before any cookie is set: providers redirect to the canonical host, which would not receive it.
            .layer(from_fn_with_state(CanonicalHost::new(app), canonical_host::redirect_to_canonical_host)),
    )
}

/// Answers 503 until the database is known to belong to this mode: a demo must not serve real people's data.
async fn require_mode_check(State(app): State<Arc<App>>, request: Request, next: Next) -> error::Result {
    match app.mode_check.initialized() {
        true => Ok(next.run(request).await),
        false => Err(error::error_for_status(StatusCode::SERVICE_UNAVAILABLE).with_nothing_saved()),
    }
}

pub(crate) async fn require_sign_in(_: SignedIn, request: Request, next: Next) -> Response {
    next.run(request).await
}

/// Buffers the bodies of requests to `routes`.
pub(crate) fn buffer_bodies<S: Clone + Send + Sync + 'static>(
    app: &Arc<App>,
    routes: Router<S>,
    limits: BodyLimits,
) -> Router<S> {
    routes.layer(from_fn_with_state(UnfinishedRequests::new(app, limits), request_body::buffer_body))
}

/// Rejects requests to `routes` while `concurrency` is used up, instead of queueing them.
pub(crate) fn limit_concurrency(
    routes: Router<Arc<App>>,
    concurrency: &GlobalConcurrencyLimitLayer,
) -> Router<Arc<App>> {
    routes.layer(
        ServiceBuilder::new()
            .layer(HandleErrorLayer::new(error::handle_overload))
            .layer(LoadShedLayer::new())
            .layer(concurrency.clone()),
    )
}

/// Compression with gzip at its fastest level, which reduces a page to a seventh of its size. Brotli would save another
/// sixth but take nearly four times as long, more than rendering the page.
fn compression() -> CompressionLayer<impl Predicate> {
    let is_safe = |_, _, _: &HeaderMap, extensions: &Extensions| extensions.get::<Uncompressed>().is_none();
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(DefaultPredicate::new().and(is_safe))
}

/// Marks a response that is not compressed, because it has a secret together with text that others choose: the length of
/// compressed text tells how much of it they have guessed (BREACH, <https://www.breachattack.com>).
#[derive(Clone)]
pub(crate) struct Uncompressed;
