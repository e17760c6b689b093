//! Middleware that records requests and makes them fail on demand.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{OriginalUri, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::MethodRouter;
use futures_util::{StreamExt as _, stream};
use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::fault::Fault;
use crate::request_log::RecordedRequest;
use crate::state::FakeSpotify;

/// Adds the middleware to the route of an endpoint.
pub(crate) fn layer(
    fake: &FakeSpotify,
    endpoint: Endpoint,
    route: MethodRouter<FakeSpotify>,
) -> MethodRouter<FakeSpotify> {
    route.layer(middleware::from_fn_with_state((fake.clone(), endpoint), record_and_fail))
}

async fn record_and_fail(
    State((fake, endpoint)): State<(FakeSpotify, Endpoint)>,
    OriginalUri(uri): OriginalUri,
    request: Request,
    next: Next,
) -> Response {
    let path_and_query = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let fault = {
        let mut state = fake.state();
        let (method, received_at) = (request.method().clone(), state.now());
        state.request_log.record(RecordedRequest { endpoint, method, path_and_query, received_at });
        state.request_log.take_fault(endpoint, uri.query().unwrap_or(""))
    };
    match fault {
        None => next.run(request).await,
        Some(Fault::Slow(delay)) => {
            tokio::time::sleep(delay).await;
            next.run(request).await
        }
        Some(Fault::Truncated) => first_half(next.run(request).await, false).await,
        Some(Fault::CutOff) => first_half(next.run(request).await, true).await,
        Some(Fault::Rewritten(change)) => rewrite_body(next.run(request).await, change).await,
        Some(Fault::Hang) => std::future::pending().await,
        Some(fault) => fault.into_replacement(),
    }
}

/// A JSON response after `change`.
async fn rewrite_body(response: Response, change: fn(&mut Value)) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let mut json = serde_json::from_slice(&body).unwrap_or_default();
    change(&mut json);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(json.to_string()))
}

/// The first half of a response: a shorter body, or a connection that breaks before the rest.
async fn first_half(response: Response, breaks_connection: bool) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let half = whole.slice(..whole.len() / 2);
    if !breaks_connection {
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::from(half));
    }
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let reset = stream::once(async {
        // The first half must be on its way before the connection breaks.
        tokio::time::sleep(Duration::from_millis(100)).await;
        Err::<Bytes, io::Error>(io::ErrorKind::ConnectionReset.into())
    });
    let body = Body::from_stream(stream::once(async { Ok(half) }).chain(reset));
    Response::from_parts(parts, body)
}
