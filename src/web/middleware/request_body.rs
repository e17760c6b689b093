//! Buffers the whole body of a request before the request counts towards the concurrency limit.
//!
//! An unfinished request costs a connection and its bytes so far, so that slow uploads do not occupy the concurrency
//! limit (slow-loris protection). What clients may hold is limited for each of them, so that nobody uses up what others
//! need.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use crate::app::App;
use crate::ids::UserId;
use crate::in_progress::{InProgress, Permit};
use crate::network::ByNetwork;
use crate::web::error::{self, AppError, Result};
use crate::web::extract::{MaybeUser, SignedIn};
use crate::web::middleware::rate_limit::address;

/// Maximum length of a body of a signed-out visitor. Their sum has no limit, because some clients could use that up for
/// all others, and a connection takes more memory than such a body.
pub(crate) const MAX_ANONYMOUS_BYTES: usize = 4096;
/// Slow requests of one address, enough for an office. Networks of IPv6 have more.
const MAX_SLOW_PER_ADDRESS: usize = 16;
/// Bodies that arrive within this time do not count as slow, so that slow ones from the same address do not block them.
const SLOW_AFTER: Duration = Duration::from_secs(2);
/// Minimum upload rate: so many bytes in each period, or the rest of the body.
const MIN_PROGRESS_BYTES: usize = 320 * 1024;
const PROGRESS_PERIOD: Duration = Duration::from_secs(20);
/// Bytes of a refused body are read and dropped up to this many times the limit: browsers show no error page if the
/// connection is closed during an upload.
const MAX_EXCESS_FACTOR: usize = 8;

#[derive(Clone, Copy)]
pub(crate) struct BodyLimits {
    pub(crate) max_bytes: usize,
    /// Limit on all bodies of signed-in users that are in memory at the same time.
    pub(crate) max_total_bytes: usize,
    /// Unfinished requests of one user with more than [`MAX_ANONYMOUS_BYTES`].
    pub(crate) max_per_user: usize,
    pub(crate) too_large: fn() -> AppError,
}

/// The unfinished requests to some routes of this process.
pub(crate) struct UnfinishedRequests {
    app: Arc<App>,
    limits: BodyLimits,
    slow: ByNetwork<InProgress<IpAddr>>,
    by_user: InProgress<UserId>,
    bytes: Arc<Semaphore>,
}

/// The permits of a large body: for the user's request, and for its bytes.
type UserPermits = (Permit<UserId>, OwnedSemaphorePermit);

impl UnfinishedRequests {
    pub(crate) fn new(app: &Arc<App>, limits: BodyLimits) -> Arc<Self> {
        Arc::new(Self {
            slow: ByNetwork::new(|factor| InProgress::new(MAX_SLOW_PER_ADDRESS * factor as usize)),
            by_user: InProgress::new(limits.max_per_user),
            bytes: Arc::new(Semaphore::new(limits.max_total_bytes)),
            limits,
            app: app.clone(),
        })
    }

    /// Buffers the body of a request. Returns the complete request, and the permit for its bytes.
    async fn buffer(&self, request: Request) -> Result<(Request, Option<OwnedSemaphorePermit>)> {
        let (mut parts, body) = request.into_parts();
        let address = address(&parts, self.app.config.access.trusted_proxies);
        let mut is_slow = false;
        let (bytes, permit) = {
            let mut read = pin!(self.read(&mut parts, body));
            match timeout(SLOW_AFTER, read.as_mut()).await {
                Ok(result) => result?,
                Err(_) => {
                    let _permits = self.slow.try_acquire(address).ok_or_else(too_many)?;
                    is_slow = true;
                    read.await?
                }
            }
        };
        if is_slow {
            MaybeUser::reload_if_loaded(&mut parts).await?;
        }
        Ok((Request::from_parts(parts, Body::from(bytes)), permit))
    }

    async fn read(&self, parts: &mut Parts, body: Body) -> Result<(Vec<u8>, Option<OwnedSemaphorePermit>)> {
        let (mut bytes, mut length, mut share, mut refusal) = (Vec::new(), 0, None, None);
        let (mut deadline, mut due) = (Instant::now() + PROGRESS_PERIOD, MIN_PROGRESS_BYTES);
        let mut chunks = body.into_data_stream();
        while let Some(chunk) = timeout_at(deadline, chunks.next()).await.map_err(|_| upload_timeout())? {
            let chunk = chunk.map_err(|_| upload_timeout())?;
            length += chunk.len();
            if length >= due {
                (deadline, due) = (Instant::now() + PROGRESS_PERIOD, length + MIN_PROGRESS_BYTES);
            }
            if refusal.is_none() {
                refusal = self.admit(parts, &mut share, length).await.err();
            }
            if refusal.is_none() {
                bytes.extend_from_slice(&chunk);
            } else {
                (bytes, share) = (Vec::new(), None);
                if length > self.limits.max_bytes * MAX_EXCESS_FACTOR {
                    break;
                }
            }
        }
        refusal.map_or(Ok((bytes, share.map(|(_, permit)| permit))), Err)
    }

    /// Takes the permits that a body of `length` bytes needs.
    async fn admit(&self, parts: &mut Parts, share: &mut Option<UserPermits>, length: usize) -> Result<()> {
        if length > self.limits.max_bytes {
            return Err((self.limits.too_large)());
        }
        if length <= MAX_ANONYMOUS_BYTES {
            return Ok(());
        }
        let held = share.as_ref().map_or(0, |(_, permit)| permit.num_permits());
        let more = u32::try_from(length - held).map_err(AppError::internal)?;
        let acquire = || self.bytes.clone().try_acquire_many_owned(more).map_err(|_| error::busy());
        match share {
            Some((_, permit)) => permit.merge(acquire()?),
            None => {
                let SignedIn(user) = SignedIn::from_request_parts(parts, &self.app).await?;
                *share = Some((self.by_user.try_acquire(user.id).ok_or_else(too_many)?, acquire()?));
            }
        }
        Ok(())
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

fn upload_timeout() -> AppError {
    let message = "It stopped on the way. Check your connection and try again.";
    AppError::new(StatusCode::REQUEST_TIMEOUT, "Your request did not arrive", message).with_nothing_saved()
}

fn too_many() -> AppError {
    let message = "Too many unfinished requests at once. Try again in a few seconds.";
    let error = AppError::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests", message);
    error.with_nothing_saved().with_retry_after(error::SHORT_WAIT)
}
