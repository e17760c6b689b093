//! Responses as they are sent, without decoding.

use std::convert::Infallible;

use axum::body::Body;
use axum::response::IntoResponse;
use reqwest::Client;
use tower::ServiceExt;

use super::Site;

/// Requests `path` without decoding the response; returns status, headers and body.
pub(crate) async fn get_raw(
    site: &Site,
    path: &str,
    headers: &[(&str, &str)],
) -> (u16, reqwest::header::HeaderMap, Vec<u8>) {
    let client = Client::builder().no_gzip().no_brotli().no_deflate().no_zstd().build().unwrap();
    let request =
        headers.iter().fold(client.get(format!("{}{path}", site.base)), |r, (name, value)| r.header(*name, *value));
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.headers().clone(), response.bytes().await.unwrap().to_vec())
}

/// Gzipped size of `body`, which a debug build sends uncompressed.
pub(crate) async fn gzipped_size(body: Vec<u8>) -> usize {
    let kind = [("content-type", "text/css")];
    let plain =
        tower::service_fn(move |_| std::future::ready(Ok::<_, Infallible>((kind, body.clone()).into_response())));
    let request = axum::http::Request::builder().header("accept-encoding", "gzip").body(Body::empty()).unwrap();
    let response = tower_http::compression::Compression::new(plain).oneshot(request).await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    axum::body::to_bytes(Body::new(response.into_body()), usize::MAX).await.unwrap().len()
}
