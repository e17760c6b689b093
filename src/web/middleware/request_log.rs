//! The access log: one line for each request.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

use crate::ids::UserId;
use crate::web::middleware::request_id::REQUEST_ID;

/// Who asked, for the line of their request: found out where the session is read, further in.
#[derive(Clone, Default)]
pub(crate) struct Who(Arc<OnceLock<UserId>>);

impl Who {
    /// Notes who asks.
    pub(crate) fn is(&self, user: UserId) {
        let _ = self.0.set(user);
    }
}

/// Logs a request when it is answered: its path and never its query, where codes and states travel,
/// nor the token of a secret link.
pub(crate) async fn log(mut request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = loggable(request.uri().path()).to_owned();
    let id = request.headers().get(&REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
    let who = Who::default();
    request.extensions_mut().insert(who.clone());
    let start = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let ms = start.elapsed().as_millis() as u64;
    // Plain texts: the log's writer quotes and escapes them, so that no path can forge a line.
    let (method, path, request_id, user) =
        (method.as_str(), path.as_str(), id.as_str(), who.0.get().map(|user| user.0));
    match path {
        "/healthz" | "/readyz" => tracing::debug!(method, path, status, ms, request_id, "answered"),
        _ => tracing::info!(method, path, status, ms, request_id, user, "answered"),
    }
    response
}

/// A path as the log may hold it: what opens something by being known is left out.
pub(crate) fn loggable(path: &str) -> &str {
    // Who reads the log must hold neither an invitation nor anybody's secret link.
    ["/invite/", "/s/"].into_iter().find(|secret| path.starts_with(secret)).unwrap_or(path)
}
