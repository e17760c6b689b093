//! All routes, with their rate limits, body limits and timeouts.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Redirect;
use axum::routing::{MethodRouter, any, get, post, put};
use axum::{Extension, Router};
use tower::limit::GlobalConcurrencyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use crate::app::App;
use crate::domain::import_export::Format;
use crate::web::assets;
use crate::web::error::{error_for_status, method_not_allowed, not_found};
use crate::web::middleware::fetch_metadata::{refuse_links, require_document};
use crate::web::middleware::rate_limit::{self, Key, RateLimit, multiply, with_rate_limit, with_rate_limits};
use crate::web::middleware::request_body::{BodyLimits, MAX_ANONYMOUS_BYTES};
use crate::web::middleware::{
    MAX_CONCURRENT_REQUESTS, buffer_bodies, limit_concurrency, require_sign_in, with_page_layers,
    with_public_page_layers, with_site_layers,
};
use crate::web::pages::{
    about, account, displays, health, hearts, home, invites, legal, login, metrics, now_playing, operator, playlists,
    random, setup, sharing, tags, theme, top, well_known,
};

/// Request timeout. Heroku's router gives up after 30 seconds
/// (devcenter.heroku.com/articles/request-timeout).
const REQUEST_TIMEOUT: Duration = Duration::from_secs(25);
/// Bodies of all routes except the import.
const FORM: BodyLimits = BodyLimits {
    max_bytes: 64 * 1024,
    max_total_bytes: 8 * 1024 * 1024,
    max_per_user: 2,
    too_large: || error_for_status(StatusCode::PAYLOAD_TOO_LARGE),
};
/// The file of an import.
const UPLOAD: BodyLimits = BodyLimits {
    max_bytes: hearts::import::MAX_REQUEST_BYTES,
    max_total_bytes: 16 * 1024 * 1024,
    max_per_user: 1,
    too_large: hearts::import::file_too_large,
};
/// Forms of the fake Spotify, whose visitors are unknown.
const DEMO: BodyLimits = BodyLimits { max_bytes: MAX_ANONYMOUS_BYTES, ..FORM };

const MINUTE: Duration = Duration::from_secs(60);
const TEN_MINUTES: Duration = Duration::from_secs(600);

/// The router of the whole site. `demo_routes` (the fake Spotify) get only the outermost layers, and a
/// limit on bodies.
pub fn router(app: Arc<App>, demo_routes: Option<Router>) -> Router {
    let concurrency = GlobalConcurrencyLimitLayer::new(MAX_CONCURRENT_REQUESTS);
    let pages = page_routes(&app, &concurrency).with_state(app.clone());
    let public_pages = limit_concurrency(public_routes(&app), &concurrency).with_state(app.clone());
    let demo_routes = demo_routes.map(|routes| buffer_bodies(&app, routes, DEMO));
    let site = Router::new()
        .merge(with_page_layers(&app, pages))
        .merge(with_public_page_layers(&app, public_pages))
        .merge(assets::router())
        .merge(stateless_routes().with_state(app.clone()));
    with_site_layers(&app, site, demo_routes)
}

/// Routes for programs, without a session.
fn stateless_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready).layer(Extension(health::LastAnswer::default())))
        .route("/.well-known/security.txt", get(well_known::security_txt))
        .route("/.well-known/change-password", get(well_known::change_password))
}

fn page_routes(app: &Arc<App>, concurrency: &GlobalConcurrencyLimitLayer) -> Router<Arc<App>> {
    let transfers = RateLimit::new(app, Key::User, non_zero(30), TEN_MINUTES, "exports and imports");
    // Pages that call Spotify: another site could open a hundred, and use up the user's calls.
    let links = RateLimit::new(app, Key::User, non_zero(5), TEN_MINUTES, "visits from other sites");
    let choices = RateLimit::new(app, Key::User, non_zero(60), MINUTE, "changes of the view");
    let invitations = RateLimit::new(app, Key::User, non_zero(20), TEN_MINUTES, "invitations");
    let limit_links = || from_fn_with_state(Arc::from([links.clone()]), rate_limit::enforce_for_links);
    let pages = Router::new()
        .route("/", get(home::show))
        .merge(login_routes(app))
        .route("/playlists", get(playlists::index::index).head(playlists::index::head))
        .route("/library", post(playlists::index::update))
        .route("/playlists/{id}", get(playlists::show::show).route_layer(limit_links()))
        .route("/playlists/random", get(random::playlist))
        .route("/display/{list}", with_rate_limit(post(displays::update), &choices))
        .merge(heart_routes(app, &transfers))
        .merge(tag_routes(app))
        .route("/top", get(top::show).fallback(not_found))
        .route("/now-playing", get(now_playing::show).route_layer(limit_links()))
        .merge(account_routes(app))
        .merge(redirects())
        .route("/invites", with_rate_limit(post(invites::create), &invitations).get(invites::index))
        .route("/invites/revoke", form(post(invites::destroy), "/invites"))
        .route("/invite/{token}", get(invites::show).post(invites::accept))
        .route("/operator", get(operator::show))
        .route("/operator/people/{id}", form(post(operator::update_person), "/operator"))
        .route("/operator/popular", form(post(operator::update_popular), "/operator"))
        .route("/theme", post(theme::update))
        .route("/about", get(about::show))
        .route("/privacy", get(legal::privacy))
        .route("/terms", get(legal::terms))
        .route("/metrics", get(metrics::show).fallback(not_found))
        .route("/setup", get(setup::show).fallback(not_found))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_TIMEOUT));
    buffer_bodies(app, limit_concurrency(pages, concurrency), FORM).merge(import_routes(app, &transfers))
}

fn login_routes(app: &Arc<App>) -> Router<Arc<App>> {
    let sign_ins = app.config.access.logins_per_address;
    let login_starts = RateLimit::new(app, Key::Address, sign_ins, TEN_MINUTES, "sign-ins from one address");
    let callbacks = RateLimit::new(app, Key::State, non_zero(10), TEN_MINUTES, "answers to one sign-in");
    // A link scanner may send HEAD before the browser's GET, and must not use up the authorization code.
    let callback = || {
        with_rate_limit(get(login::callback).head(async || StatusCode::NO_CONTENT), &callbacks)
            .route_layer(from_fn(require_document))
    };
    Router::new()
        .route("/login", get(login::show))
        .route("/auth/{provider}", with_rate_limit(post(login::create), &login_starts).get(login::show_provider))
        // One redirect URI for each provider, against mix-up attacks (RFC 9700, 4.4.2.2).
        .route("/auth/{provider}/callback", callback())
        // Redirect URIs registered before each provider had its own.
        .route("/oauth2callback", callback())
        .route("/github/callback", callback())
        .route("/logout", get(login::show_logout).post(login::sign_out))
}

fn heart_routes(app: &Arc<App>, transfers: &Arc<RateLimit>) -> Router<Arc<App>> {
    let hearts = app.config.access.hearts_per_minute;
    // By address as well: a client can forge a new cookie for each request, but not a new address.
    let by_address = RateLimit::new(app, Key::Address, multiply(hearts, 10), MINUTE, "hearts from one address");
    let by_user = RateLimit::new(app, Key::User, hearts, MINUTE, "hearts");
    let by_link = RateLimit::new(app, Key::User, non_zero(20), MINUTE, "hearts by link");
    let heart = put(hearts::add).delete(hearts::remove).post(hearts::update);
    let add = || with_rate_limit(post(hearts::add::create).layer(Extension(by_link.clone())), &by_link);
    let export = |format| {
        let file = with_rate_limit(get(hearts::export::show), transfers).route_layer(from_fn(refuse_links));
        file.head(hearts::export::head).layer(Extension(format))
    };
    // Counts the playlists of a selection.
    let by_selection = RateLimit::new(app, Key::User, non_zero(1000), TEN_MINUTES, "changes of hearts");
    let bulk = post(hearts::bulk::update).layer(Extension(by_selection.clone()));
    let change = |route| with_rate_limit(route, &by_selection);
    let feeds = RateLimit::new(app, Key::User, non_zero(20), TEN_MINUTES, "changes of the private feed");
    let edits = RateLimit::new(app, Key::User, non_zero(120), MINUTE, "changes of hearts");
    let edit = |route| with_rate_limit(route, &edits);
    Router::new()
        .route("/hearts/bulk", form(change(bulk), "/hearts"))
        .route("/hearts/import/undo", form(change(post(hearts::import::destroy)), "/hearts/import"))
        .route("/hearts/undo", form(change(post(hearts::bulk::undo)), "/hearts"))
        .route("/heart/{id}", with_rate_limits(heart, [by_address, by_user]))
        .route("/add", add().get(hearts::add::show))
        // The form of pages that an earlier release served.
        .route("/hearts", add().get(hearts::index::index))
        .route("/hearts/{id}/annotation", edit(post(hearts::annotation::update)).get(hearts::annotation::edit))
        .route("/hearts/news", get(hearts::news::index))
        .route(
            "/hearts/news/feed",
            with_rate_limit(post(hearts::news_feed::update), &feeds).get(hearts::news_feed::show),
        )
        .route("/hearts/news/feed/new", get(hearts::news_feed::confirm))
        .route("/hearts/renew", form(edit(post(hearts::renewal::create)), "/hearts"))
        .route("/hearts/{id}/pin", form(edit(post(hearts::pin::update)), "/hearts"))
        .route("/hearts/random", get(random::heart))
        .route("/hearts/removed", edit(post(hearts::removed::destroy_all)).get(hearts::removed::index))
        .route("/hearts/removed/{id}", form(edit(post(hearts::removed::update)), "/hearts/removed"))
        .route("/hearts/import", get(hearts::import::show))
        .route("/hearts/export.csv", export(Format::Csv))
        .route("/hearts/export.json", export(Format::Json))
}

fn tag_routes(app: &Arc<App>) -> Router<Arc<App>> {
    // Each may rewrite thousands of rows.
    let changes = RateLimit::new(app, Key::User, non_zero(30), MINUTE, "changes of tags");
    Router::new()
        .route("/tags", get(tags::index))
        .route("/tags/edit", get(tags::edit))
        .route("/tags/rename", form(with_rate_limit(post(tags::rename), &changes), "/tags"))
        .route("/tags/delete", form(with_rate_limit(post(tags::destroy), &changes), "/tags"))
}

/// The file upload. Signed-out visitors are rejected before the file is read.
fn import_routes(app: &Arc<App>, transfers: &Arc<RateLimit>) -> Router<Arc<App>> {
    let routes = Router::new()
        .route("/hearts/import", post(hearts::import::create))
        .layer(DefaultBodyLimit::max(hearts::import::MAX_REQUEST_BYTES))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_TIMEOUT));
    let concurrency = GlobalConcurrencyLimitLayer::new(hearts::import::MAX_CONCURRENT);
    buffer_bodies(app, limit_concurrency(routes, &concurrency), UPLOAD)
        .route_layer(from_fn_with_state(app.clone(), require_sign_in))
        .route_layer(from_fn_with_state(Arc::from([transfers.clone()]), rate_limit::enforce))
}

fn account_routes(app: &Arc<App>) -> Router<Arc<App>> {
    let changes = RateLimit::new(app, Key::User, non_zero(20), TEN_MINUTES, "changes to the account");
    let change = |route| with_rate_limit(route, &changes);
    let deletions = RateLimit::new(app, Key::User, non_zero(10), TEN_MINUTES, "attempts to delete the account");
    Router::new()
        .route("/account", get(account::show))
        .route("/account/merge", change(post(account::merge::create)).get(account::merge::show))
        .route("/account/merge/confirm", get(account::merge::confirm))
        .route("/account/reauthenticate", get(account::identities::reauthenticate))
        .route(
            "/account/identities/{provider}",
            change(post(account::identities::destroy)).get(account::identities::show),
        )
        .route("/account/disconnect", change(post(account::delete::disconnect)).get(account::delete::show_disconnect))
        .route(
            "/account/delete",
            with_rate_limit(post(account::delete::destroy), &deletions).get(account::delete::show),
        )
        .route("/account/deleted", get(account::deleted::show))
        .route("/account/sharing", get(sharing::show))
        .route("/account/sharing/page", form(change(post(sharing::update_page)), "/account/sharing"))
        .route("/account/sharing/link", change(post(sharing::update_link)).get(sharing::confirm_link))
        .route("/account/sharing/tags", form(change(post(sharing::update_tags)), "/account/sharing"))
        .route("/account/sharing/options", form(change(post(sharing::update_option)), "/account/sharing"))
        .route("/account/sessions/end", form(change(post(account::sessions::destroy)), "/account"))
        .route("/account/saving", form(change(post(account::saving::destroy)), "/account"))
        .route("/account/activity", get(account::activity::index))
}

/// The address of a form, at which its errors are shown. A change of the theme or a new sign-in returns there by GET,
/// which leads to the page with the form.
fn form(route: MethodRouter<Arc<App>>, page: &'static str) -> MethodRouter<Arc<App>> {
    route.get(async move || Redirect::to(page))
}

/// Routes of earlier releases, each with the old and new part of its path.
const REDIRECTS: [(&str, &str, &str); 4] = [
    ("/account/same", "/same", "/merge"),
    ("/account/again", "/again", "/reauthenticate"),
    ("/account/ways/{provider}", "/ways/", "/identities/"),
    ("/hearts/{id}/words", "/words", "/annotation"),
];

fn redirects() -> Router<Arc<App>> {
    REDIRECTS.into_iter().fold(Router::new(), |router, (route, old, new)| {
        let redirect = move |uri: Uri| async move {
            // Only the path of the request target, which may name a foreign host.
            let (start, end) = uri.path().rsplit_once(old).unwrap_or_default();
            let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
            Redirect::permanent(&format!("{start}{new}{end}{query}"))
        };
        router.route(route, any(redirect))
    })
}

/// Pages and feeds of shared hearts. Without a session, because their responses are the same for everybody.
fn public_routes(app: &Arc<App>) -> Router<Arc<App>> {
    let feeds = RateLimit::new(app, Key::Address, non_zero(60), MINUTE, "visits to private feeds from one address");
    let previews = RateLimit::new(app, Key::Address, non_zero(60), MINUTE, "visits to preview images from one address");
    let visits = RateLimit::new(app, Key::Address, non_zero(300), MINUTE, "visits to shared pages from one address");
    let mut pages = Router::new();
    for path in ["/u/{slug}", "/s/{token}", "/u/{slug}/tags/{tag}", "/s/{token}/tags/{tag}"] {
        pages = pages
            .route(path, with_rate_limit(get(sharing::page::show), &visits))
            .route(&format!("{path}/atom.xml"), with_rate_limit(get(sharing::feeds::atom), &visits))
            .route(&format!("{path}/feed.json"), with_rate_limit(get(sharing::feeds::json), &visits))
            .route(&format!("{path}/preview.png"), with_rate_limit(get(sharing::preview_image::show), &previews));
    }
    pages
        .route("/u/{slug}/embed", with_rate_limit(get(sharing::embed::show), &visits))
        .route("/n/{token}/atom.xml", with_rate_limit(get(hearts::news_feed::atom), &feeds))
        .route("/n/{token}/feed.json", with_rate_limit(get(hearts::news_feed::json), &feeds))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_TIMEOUT))
}

const fn non_zero(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).expect("not zero")
}
