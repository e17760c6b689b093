//! Routes of the other providers.

use axum::Router;
use axum::routing::{delete, get, post};

use super::provider::OtherProvider;
use super::{consent, profile, token};
use crate::endpoint::Endpoint;
use crate::fault_injection;
use crate::state::FakeSpotify;

/// The routes of all providers, each below its own path.
pub(crate) fn router(fake: &FakeSpotify) -> Router<FakeSpotify> {
    let with_faults = |endpoint, route| fault_injection::layer(fake, endpoint, route);
    let mut router = Router::new();
    for provider in OtherProvider::ALL {
        let path = |path: &str| format!("/{}{path}", provider.key());
        let paths = provider.paths();
        let authorize = get(move |fake, query| consent::authorize(provider, fake, query));
        let decide = post(move |fake, headers, body| consent::decide(provider, fake, headers, body));
        let exchange = move |fake, request| token::exchange(provider, fake, request);
        let profile = get(move |fake, headers, query| profile::show(provider, fake, headers, query));
        // Facebook documents the code exchange as a GET request.
        let token = if provider == OtherProvider::Facebook { get(exchange).post(exchange) } else { post(exchange) };
        router = router
            .route(&path(paths.authorize), with_faults(Endpoint::OtherConsent, authorize))
            .route(&path("/decision"), with_faults(Endpoint::OtherConsent, decide))
            .route(&path(paths.token), with_faults(Endpoint::OtherToken, token))
            .route(&path(paths.profile), with_faults(Endpoint::OtherProfile, profile));
    }
    for (provider, path) in [
        (OtherProvider::Google, "/google/revoke"),
        (OtherProvider::GitHub, "/github/applications/{client_id}/token"),
        (OtherProvider::X, "/x/2/oauth2/revoke"),
    ] {
        let revoke = move |fake, request| token::revoke(provider, fake, request);
        let route = if provider == OtherProvider::GitHub { delete(revoke) } else { post(revoke) };
        router = router.route(path, with_faults(Endpoint::OtherRevocation, route));
    }
    router.route("/github/user/emails", with_faults(Endpoint::OtherProfile, get(profile::list_github_emails)))
}
