//! The address book: every route on one screen, then every layer, in order, with its reason.

mod about;
mod account;
mod activity;
mod assets;
mod day;
mod device;
mod error;
mod finding;
mod health;
mod hearts;
mod home;
mod identities;
mod layout;
mod leaving;
mod legal;
mod library;
mod limits;
mod metrics;
mod next;
mod notice;
mod now_playing;
mod pager;
mod patience;
mod playlists;
mod registration;
mod security;
mod session;
mod sessions;
mod setup;
mod sharing;
mod sign_in;
mod top;

use std::sync::Arc;

use axum::error_handling::HandleErrorLayer;
use axum::extract::{DefaultBodyLimit, FromRequestParts};
use axum::http::HeaderName;
use axum::http::request::Parts;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, get, post, put};
use axum::{Extension, Router};
use time::OffsetDateTime;
use tower::ServiceBuilder;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};

use self::patience::Patience;
use crate::app::App;

/// What every handler may ask for.
type State = axum::extract::State<Arc<App>>;

/// The longest request body, in bytes: our forms hold a few words.
const LONGEST_BODY: usize = 64 * 1024;
/// How many requests are worked on at once. Heroku's router sends one dyno about 50 and queues the rest.
const AT_ONCE: usize = 200;
/// The header that names a request, in and out.
static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Every page and button, in the order in which visitors meet them.
fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(home::show))
        .route("/login", get(sign_in::page))
        .route("/auth/{provider}", get(sign_in::offer).post(sign_in::start))
        // One for each provider, so that one provider's answer cannot pass for another's.
        .route("/auth/{provider}/callback", get(sign_in::callback))
        .route("/oauth2callback", get(sign_in::callback))
        .route("/github/callback", get(sign_in::callback))
        .route("/logout", get(sign_in::leaving).post(sign_in::leave))
        .route("/playlists", get(library::index))
        .route("/library", post(library::update))
        .route("/playlists/{id}", get(playlists::show))
        .route("/heart/{id}", put(hearts::add).delete(hearts::remove).post(hearts::set))
        .merge(hearts_pages())
        .route("/top", get(top::show).fallback(error::not_found))
        .route("/now-playing", get(now_playing::show))
        .route("/account", get(account::show))
        .route("/account/same", get(identities::same))
        .route("/account/again", get(identities::again))
        .route("/account/ways/{provider}", get(identities::leaving).post(identities::unlink))
        .route("/account/disconnect", get(leaving::disconnecting).post(leaving::disconnect))
        .route("/account/delete", get(leaving::deleting).post(leaving::delete))
        .route("/account/sharing", get(sharing::settings))
        .route("/account/sharing/page", post(sharing::set_page))
        .route("/account/sharing/link", post(sharing::set_link))
        .route("/account/sessions/end", post(sessions::end))
        .route("/account/activity", get(activity::show))
        .route("/invites", get(registration::index).post(registration::make))
        .route("/invites/revoke", post(registration::revoke))
        .route("/invite/{token}", get(registration::invited))
        .route("/about", get(about::show))
        .route("/privacy", get(legal::privacy))
        .route("/terms", get(legal::terms))
        .route("/metrics", get(metrics::show).fallback(error::not_found))
        .route("/setup", get(setup::show).fallback(error::not_found))
        .fallback(error::not_found)
        .method_not_allowed_fallback(error::method_not_allowed)
}

/// The whole site; `beside` is served next to it, without its layers (the demo's stand-in).
pub fn router(app: Arc<App>, beside: Option<Router>) -> Router {
    around(&app, routes().with_state(app.clone()), beside)
}

/// Every layer around `pages`, and what is served next to them.
fn around(app: &Arc<App>, pages: Router, beside: Option<Router>) -> Router {
    // Outermost first: what stands higher sees a request earlier and its answer later.
    let around_pages = ServiceBuilder::new()
        // Pages hold no secret that a guess beside it could measure out.
        .layer(packing())
        // What failed below, sessions included, still becomes a page of ours.
        .layer(from_fn_with_state(app.clone(), error::dress))
        // More at once than can be answered in time: some are told so at once, and none of them waits in vain.
        .layer(HandleErrorLayer::new(error::too_many))
        .layer(LoadShedLayer::new())
        .layer(GlobalConcurrencyLimitLayer::new(AT_ONCE))
        // Before anything is read: a change that another site's page asks for is refused.
        .layer(security::cross_site(app))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .map_response(error::mark_unsaved_session)
        // Lazy: no cookie, no query.
        .layer(session::layer(app))
        // Inside the session, so that an error page knows who is signed in.
        .layer(from_fn_with_state(app.clone(), error::dress))
        .layer(from_fn_with_state(app.clone(), notice::carry))
        // Here a person is known, and no work is done yet.
        .layer(from_fn_with_state(limits::Limits::new(app), limits::hold))
        .layer(from_fn_with_state(Patience::USUAL, patience::hold))
        .layer(CatchPanicLayer::new());

    let around_all = ServiceBuilder::new()
        .map_request(security::sane_request_id)
        .layer(SetRequestIdLayer::new(REQUEST_ID.clone(), MakeRequestUuid))
        .layer(from_fn(health::log))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID.clone()))
        .map_response(security::headers(app))
        // Spotify knows one address of ours; a cookie set on another would not come back.
        .layer(from_fn_with_state(app.clone(), security::one_address));

    let site = Router::new()
        .merge(pages.layer(around_pages))
        .merge(shown_to_all(app))
        .merge(assets::router())
        .route("/healthz", get(health::alive))
        .merge(Router::new().route("/readyz", get(health::ready)).with_state(app.clone()))
        // Around each route, where it is known which one it is.
        .layer(from_fn(metrics::count))
        .layer(Extension(metrics::Traffic::new()));
    site.merge(beside.unwrap_or_default()).layer(around_all)
}

/// The pages of one's hearts, and what is kept with them.
fn hearts_pages() -> Router<Arc<App>> {
    // Each file is in memory while it is read, and may be long on its way.
    let few = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(error::too_many))
        .layer(LoadShedLayer::new())
        .layer(GlobalConcurrencyLimitLayer::new(hearts::import::AT_ONCE));
    // The one form that brings a file.
    let import: MethodRouter<_> = post(hearts::import::take).layer(few);
    let import = import.layer(DefaultBodyLimit::max(hearts::import::LONGEST_REQUEST)).get(hearts::import::page);
    Router::new()
        .route("/hearts", get(hearts::page::show).post(hearts::by_link::give))
        .route("/hearts/{id}/words", post(hearts::words::keep))
        .route("/hearts/removed", get(hearts::removed::index).post(hearts::removed::forget_all))
        .route("/hearts/removed/{id}", post(hearts::removed::decide))
        .route("/hearts/export.csv", get(hearts::export::table))
        .route("/hearts/export.json", get(hearts::export::json))
        .route("/hearts/import", import)
}

/// What people show of their hearts. No session is in reach here: these answers are the same for everybody.
fn shown_to_all(app: &Arc<App>) -> Router {
    let mut pages = Router::new();
    for address in ["/u/{slug}", "/s/{token}"] {
        pages = pages
            .route(address, get(sharing::page::show))
            .route(&format!("{address}/atom.xml"), get(sharing::feeds::atom))
            .route(&format!("{address}/feed.json"), get(sharing::feeds::json));
    }
    let around = ServiceBuilder::new()
        .layer(packing())
        .layer(from_fn_with_state(app.clone(), error::dress))
        .layer(from_fn_with_state(Patience::USUAL, patience::hold))
        .layer(CatchPanicLayer::new());
    pages.method_not_allowed_fallback(error::method_not_allowed).with_state(app.clone()).layer(around)
}

/// Makes pages a seventh of their size, the quickest way: brotli would take another sixth off that, and nearly four
/// times as long, which is more than all the rest of a page takes.
fn packing() -> CompressionLayer {
    CompressionLayer::new().quality(CompressionLevel::Fastest)
}

/// What time it is for this request.
#[derive(Clone)]
struct Now(OffsetDateTime);

impl FromRequestParts<Arc<App>> for Now {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(_: &mut Parts, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        Ok(Now(app.now()))
    }
}
