//! Security headers, and CSRF protection.

use std::sync::Arc;

use axum::http::header::{self, HeaderName, HeaderValue};
use axum::response::Response;
use tower_http::csrf::CsrfLayer;

use super::canonical_host::PlainHttp;
use crate::app::App;

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Rejects cross-site requests other than GET and HEAD, by `Sec-Fetch-Site` and `Origin`.
pub(crate) fn csrf_layer(app: &App) -> CsrfLayer {
    let origin = app.config.base_url.origin().ascii_serialization();
    CsrfLayer::new().add_trusted_origin(origin).expect("BASE_URL is an http address, without a path")
}

/// Extension of the responses that other sites may show in a frame.
#[derive(Clone, Copy)]
pub(crate) struct Embeddable;

/// Adds the headers that the response does not set itself.
pub(crate) fn add_headers(app: &App) -> impl Fn(Response) -> Response + Clone + use<> {
    let fixed = |name: HeaderName, value: &'static str| (name, HeaderValue::from_static(value));
    let to_value = |policy: String| HeaderValue::from_str(&policy).expect("origins are plain text");
    let (policy, embed_policy) = (to_value(content_security_policy(app)), to_value(embed_policy(app)));
    let mut all = vec![
        (header::CONTENT_SECURITY_POLICY, policy),
        fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // For browsers without frame-ancestors.
        fixed(header::X_FRAME_OPTIONS, "DENY"),
        // Paths contain playlist ids, which other sites must not see.
        fixed(header::REFERRER_POLICY, "same-origin"),
        fixed(HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        fixed(CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
        fixed(
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
        // Default for private pages; static files and public pages set their own.
        fixed(header::CACHE_CONTROL, "no-store"),
    ];
    if app.config.is_https() {
        all.push(fixed(header::STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains"));
    }
    // Shared, because each request clones the layers.
    let all: Arc<[_]> = all.into();
    move |mut response| {
        // One allocation instead of two.
        response.headers_mut().reserve(all.len());
        let is_embeddable = response.extensions().get::<Embeddable>().is_some();
        if is_embeddable {
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_SECURITY_POLICY, embed_policy.clone());
            headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
        }
        // Strict-Transport-Security is not sent over plain http (RFC 6797 section 7.2).
        let is_plain_http = response.extensions().get::<PlainHttp>().is_some();
        let is_left_out = |name: &HeaderName| {
            is_embeddable && name == header::X_FRAME_OPTIONS
                || is_plain_http && name == header::STRICT_TRANSPORT_SECURITY
        };
        for (name, value) in all.iter().filter(|(name, _)| !is_left_out(name)) {
            response.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
        response
    }
}

fn content_security_policy(app: &App) -> String {
    let providers = app.config.consent_origins().join(" ");
    let pictures = app.spotify.pictures.csp_sources().join(" ");
    [
        "default-src 'none'".into(),
        // No inline scripts or styles.
        "script-src 'self'".into(),
        "style-src 'self'".into(),
        "font-src 'self'".into(),
        // Covers, and the masks of the stylesheet.
        format!("img-src 'self' {pictures}"),
        "manifest-src 'self'".into(),
        // Requests of the heart buttons.
        "connect-src 'self'".into(),
        // Browsers also apply this to the redirect from the sign-in form to the consent page.
        format!("form-action 'self' {providers}"),
        "base-uri 'none'".into(),
        "frame-ancestors 'none'".into(),
    ]
    .join("; ")
}

/// The policy of [`Embeddable`] responses: text and covers, without scripts and forms.
fn embed_policy(app: &App) -> String {
    let origin = app.config.base_url.origin().ascii_serialization();
    let pictures = app.spotify.pictures.csp_sources().join(" ");
    // By its address, because in a sandboxed frame some browsers match `'self'` against an opaque origin.
    format!(
        "default-src 'none'; style-src {origin}; img-src {pictures}; base-uri 'none'; form-action 'none'; frame-ancestors *"
    )
}
