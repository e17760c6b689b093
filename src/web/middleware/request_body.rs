//! Buffers the whole body of a request before the request counts towards the concurrency limit.
//!
//! An unfinished request costs a connection and its bytes so far, so that slow uploads do not occupy the concurrency
//! limit (slow-loris protection). One address and one browser can have only a few of them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_sessions::Session;

use crate::app::App;
use crate::domain::session_key;
use crate::ids::TokenHash;
use crate::in_progress::InProgress;
use crate::web::error::{self, AppError, Result};
use crate::web::middleware::rate_limit::address;

/// Bytes beyond the limit are read and dropped up to this many times the limit: browsers show no error page if the
/// connection is closed during an upload.
const MAX_EXCESS_FACTOR: usize = 8;

#[derive(Clone, Copy)]
pub(crate) struct BodyLimits {
    pub(crate) max_bytes: usize,
    /// Limit on all bodies of the route that are in memory at the same time.
    pub(crate) max_total_bytes: usize,
    /// Unfinished requests of one address.
    pub(crate) max_per_address: usize,
    /// Unfinished requests of one browser, whatever its addresses are.
    pub(crate) max_per_session: usize,
    /// Limit on the whole time that a body may take.
    pub(crate) timeout: Duration,
    /// Limit on the pauses in it.
    pub(crate) idle_timeout: Duration,
    pub(crate) too_large: fn() -> AppError,
}

/// The unfinished requests to some routes of this process.
pub(crate) struct UnfinishedRequests {
    limits: BodyLimits,
    by_address: InProgress<IpAddr>,
    by_session: InProgress<TokenHash>,
    bytes: Arc<Semaphore>,
    trusted_proxies: usize,
}

impl UnfinishedRequests {
    pub(crate) fn new(app: &App, limits: BodyLimits) -> Arc<Self> {
        Arc::new(Self {
            by_address: InProgress::new(limits.max_per_address),
            by_session: InProgress::new(limits.max_per_session),
            bytes: Arc::new(Semaphore::new(limits.max_total_bytes)),
            limits,
            trusted_proxies: app.config.access.trusted_proxies,
        })
    }

    /// Buffers the body of a request. Returns the complete request, and the permit of its bytes.
    async fn buffer(&self, request: Request) -> Result<(Request, OwnedSemaphorePermit)> {
        let (parts, body) = request.into_parts();
        let session = parts.extensions.get::<Session>().and_then(Session::id).map(session_key);
        let by_address = self.by_address.try_acquire(address(&parts, self.trusted_proxies));
        let by_session = session.map(|session| self.by_session.try_acquire(session));
        if by_address.is_none() || by_session.is_some_and(|permit| permit.is_none()) {
            return Err(too_many());
        }
        let read = tokio::time::timeout(self.limits.timeout, self.read(body));
        let (bytes, permit) = read.await.unwrap_or_else(|_| Err(stalled()))?;
        Ok((Request::from_parts(parts, Body::from(bytes)), permit))
    }

    async fn read(&self, body: Body) -> Result<(Vec<u8>, OwnedSemaphorePermit)> {
        let limits = self.limits;
        let (mut bytes, mut length) = (Vec::new(), 0);
        let mut permit = self.bytes.clone().try_acquire_many_owned(0).map_err(|_| error::busy())?;
        let mut chunks = body.into_data_stream();
        while let Some(chunk) = tokio::time::timeout(limits.idle_timeout, chunks.next()).await.map_err(|_| stalled())? {
            let chunk = chunk.map_err(|_| stalled())?;
            length += chunk.len();
            if length <= limits.max_bytes {
                let count = u32::try_from(chunk.len()).map_err(AppError::internal)?;
                permit.merge(self.bytes.clone().try_acquire_many_owned(count).map_err(|_| error::busy())?);
                bytes.extend_from_slice(&chunk);
            } else if length > limits.max_bytes * MAX_EXCESS_FACTOR {
                break;
            }
        }
        if length > limits.max_bytes { Err((limits.too_large)()) } else { Ok((bytes, permit)) }
    }
}

/// Buffers the body before the inner layers see the request.
pub(crate) async fn buffer_body(
    State(unfinished): State<Arc<UnfinishedRequests>>,
    request: Request,
    next: Next,
) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    match unfinished.buffer(request).await {
        Ok((request, permit)) => {
            let response = next.run(request).await;
            drop(permit);
            response
        }
        Err(error) => error.into_response(),
    }
}

fn stalled() -> AppError {
    let message = "It stopped on the way. Check your connection and try again.";
    AppError::new(StatusCode::REQUEST_TIMEOUT, "Your request did not arrive", message).with_nothing_saved()
}

fn too_many() -> AppError {
    let message = "Too many unfinished requests at once. Try again in a few seconds.";
    let error = AppError::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests", message);
    error.with_nothing_saved().with_retry_after(error::SHORT_WAIT)
}
