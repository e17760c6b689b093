//! The URL of a demo on Heroku. Its host ends in random letters that Heroku chooses at deployment, and a dyno without
//! metadata enabled learns it only from requests.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{HOST, LOCATION};
use axum::http::{Request, Response, StatusCode, uri::Authority};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after a failed accept.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// Waits for a request, redirects it to https on its own host, and returns that URL. Heroku's router passes on only
/// requests for the app's own hosts.
pub(super) async fn learn_base_url(listener: &TcpListener) -> String {
    let (sender, mut urls) = mpsc::unbounded_channel();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(url) = urls.recv() => return url,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let sender = sender.clone();
                    connections.spawn(async move {
                        if let Some(url) = redirect_one_request(stream).await {
                            let _ = sender.send(url);
                        }
                    });
                }
                // For example when no file descriptors are left.
                Err(_) => sleep(ACCEPT_RETRY_DELAY).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Returns the URL to which the request was redirected. `None` if it named no host.
async fn redirect_one_request(stream: TcpStream) -> Option<String> {
    let learned = Arc::new(OnceLock::new());
    let service = service_fn(|request| {
        let learned = learned.clone();
        async move { Ok::<_, Infallible>(redirect(&request, &learned)) }
    });
    let connection = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service);
    let _ = timeout(REQUEST_TIMEOUT, connection).await;
    learned.get().cloned()
}

fn redirect<B>(request: &Request<B>, learned: &OnceLock<String>) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    let Some(host) = host.filter(|host| host.host().contains('.')) else {
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return response;
    };
    let url = learned.get_or_init(|| format!("https://{}", host.host()));
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    match format!("{url}{path}").parse() {
        Ok(location) => {
            *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
            response.headers_mut().insert(LOCATION, location);
        }
        Err(_) => *response.status_mut() = StatusCode::BAD_REQUEST,
    }
    response
}
