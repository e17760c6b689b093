//! Security headers of every answer, and the refusal of cross-site changes.

use std::sync::Arc;

use axum::http::header::{self, HeaderName, HeaderValue};
use axum::response::Response;
use tower_http::csrf::CsrfLayer;

use crate::app::App;

/// Refuses changes that another site's page asks for, by what browsers say of a request's origin.
pub(crate) fn refuse_cross_site(app: &App) -> CsrfLayer {
    let origin = app.config.base_url.origin().ascii_serialization();
    CsrfLayer::new().add_trusted_origin(origin).expect("BASE_URL is an http address, without a path")
}

/// Adds the headers that every answer bears, unless it brings its own.
pub(crate) fn headers(app: &App) -> impl Fn(Response) -> Response + Clone + use<> {
    let fixed = |name: HeaderName, value: &'static str| (name, HeaderValue::from_static(value));
    let policy = HeaderValue::from_str(&content_policy(app)).expect("origins are plain text");
    let mut all = vec![
        (header::CONTENT_SECURITY_POLICY, policy),
        fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // For browsers that do not know frame-ancestors.
        fixed(header::X_FRAME_OPTIONS, "DENY"),
        // Addresses hold playlist ids, which are nobody else's business.
        fixed(header::REFERRER_POLICY, "same-origin"),
        fixed(HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        fixed(HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        fixed(
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
        // Pages are a person's own; static files bring a policy of their own.
        fixed(header::CACHE_CONTROL, "no-store"),
    ];
    if app.config.https() {
        all.push(fixed(header::STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains"));
    }
    // Shared, because every request has its own copy of the layers.
    let all: Arc<[_]> = all.into();
    move |mut response| {
        // Once, in place of growing twice on the way.
        response.headers_mut().reserve(all.len());
        for (name, value) in all.iter() {
            response.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
        response
    }
}

/// Starts at nothing; each permission has its reason.
fn content_policy(app: &App) -> String {
    let accounts = app.config.consent_origins().join(" ");
    let api = app.config.spotify.api_url.origin().ascii_serialization();
    [
        "default-src 'none'".into(),
        // Our two scripts and our stylesheet; nothing inline.
        "script-src 'self'".into(),
        "style-src 'self'".into(),
        // Covers: ours for the blank ones, Spotify's hosts for the others, or those of what stands in for it.
        format!("img-src 'self' https://*.scdn.co https://*.spotifycdn.com {api}"),
        // The heart button's requests.
        "connect-src 'self'".into(),
        // Forms, and the redirect from the sign-in form to a consent page, which browsers hold to the same rule.
        format!("form-action 'self' {accounts}"),
        "base-uri 'none'".into(),
        "frame-ancestors 'none'".into(),
    ]
    .join("; ")
}
