//! Renders every [`AppError`] as a page in the layout, or as JSON for the script.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;
use tower_sessions::Session;

use crate::app::App;
use crate::ids::Provider;
use crate::web::error::{AppError, Link, NOTHING_SAVED, of_status};
use crate::web::extract::current_user::MaybeUser;
use crate::web::extract::return_to::SafePath;
use crate::web::flash::is_html;
use crate::web::middleware::request_id::REQUEST_ID;
use crate::web::middleware::request_log::redact_path;
use crate::web::views::layout::Layout;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    layout: Layout,
    status: u16,
    heading: &'static str,
    message: String,
    saved: Option<&'static str>,
    recovery_links: Vec<Link>,
    retry_path: Option<String>,
    /// Path of the same page, if trying again may help.
    reload_path: Option<SafePath>,
    retry_provider: Provider,
    connects: bool,
    request_id: String,
}

/// What an error page needs of its request.
struct RequestInfo {
    path: String,
    wants_json: bool,
    /// True for GET and HEAD, which save nothing.
    is_safe: bool,
    request_id: String,
    session: Option<Session>,
}

/// Turns the session layer's own failure, an empty 500, into 503: the session could not be saved. Every other error is
/// rendered by then.
pub(crate) fn mark_unsaved_session(mut response: Response) -> Response {
    if response.status() == StatusCode::INTERNAL_SERVER_ERROR && !has_body(&response) {
        response.extensions_mut().insert(of_status(StatusCode::SERVICE_UNAVAILABLE));
    }
    response
}

/// Renders errors. Twice among the layers: inside the session, and around it for what fails there.
pub(crate) async fn render_errors(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let accepts = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let asked = RequestInfo {
        path: request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        wants_json: matches!(*request.method(), Method::PUT | Method::DELETE) || accepts.contains("application/json"),
        is_safe: request.method().is_safe(),
        request_id: request.headers().get(&REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned(),
        session: request.extensions().get().cloned(),
    };
    let mut response = next.run(request).await;
    let error = response.extensions_mut().remove::<AppError>();
    match error {
        Some(error) => render(&app, error, asked, response).await,
        None if response.status().as_u16() >= 400 && !has_body(&response) => {
            render(&app, of_status(response.status()), asked, response).await
        }
        None => response,
    }
}

fn has_body(response: &Response) -> bool {
    let json = |kind: &HeaderValue| kind.as_bytes().starts_with(b"application/json");
    is_html(response.headers()) || response.headers().get(CONTENT_TYPE).is_some_and(json)
}

async fn render(app: &App, error: AppError, asked: RequestInfo, bare: Response) -> Response {
    if let Some(cause) = &error.cause {
        let path = asked.path.split('?').next().map(redact_path);
        tracing::error!(status = error.status.as_u16(), path, cause, "a request failed");
    }
    let retry_after = error.retry_after.map(|wait| HeaderValue::from(wait.as_secs()));
    let drawn = match &error.sign_in_path {
        Some(address) if !asked.wants_json => Redirect::to(address).into_response(),
        _ if asked.wants_json => as_json(&error, &asked).into_response(),
        _ => as_page(app, error, asked).await,
    };
    // Headers of the bare response (cookies, Allow) stay.
    let (mut parts, _) = bare.into_parts();
    let (drawn, body) = drawn.into_parts();
    parts.status = drawn.status;
    parts.headers.remove(CONTENT_LENGTH);
    for (name, value) in drawn.headers.iter() {
        parts.headers.insert(name, value.clone());
    }
    if let Some(wait) = retry_after {
        parts.headers.insert(RETRY_AFTER, wait);
    }
    Response::from_parts(parts, body)
}

fn as_json(error: &AppError, asked: &RequestInfo) -> impl IntoResponse {
    let mut told = json!({ "message": error.message, "request_id": asked.request_id });
    if let Some(address) = &error.sign_in_path {
        told["sign_in"] = json!(address);
    }
    (error.status, axum::Json(json!({ "error": told })))
}

async fn as_page(app: &App, error: AppError, asked: RequestInfo) -> Response {
    let layout = layout(app, &error, &asked).await;
    let (passes, again) = (error.is_temporary(), asked.is_safe && error.is_retryable());
    let AppError {
        status,
        heading,
        message: what,
        mut saved,
        recovery_links: mut way_out,
        retry_path: retry,
        retry_provider: door,
        connects,
        ..
    } = error;
    let again = SafePath::parse(&asked.path).filter(|_| again);
    if again.is_some() {
        saved = saved.filter(|saved| *saved != NOTHING_SAVED);
    }
    match layout.user_name {
        Some(_) => way_out.push(Link { href: "/playlists", text: "My playlists" }),
        // The home page needs the database, too.
        None if passes => {}
        None => way_out.push(Link { href: "/", text: "Home" }),
    }
    let page = ErrorPage {
        layout,
        status: status.as_u16(),
        heading,
        message: what,
        saved,
        recovery_links: way_out,
        retry_path: retry,
        reload_path: again,
        retry_provider: door,
        connects,
        request_id: asked.request_id,
    };
    match page.render() {
        Ok(text) => (status, axum::response::Html(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "the error page does not render");
            (status, plain_text(status.as_u16())).into_response()
        }
    }
}

async fn layout(app: &App, error: &AppError, asked: &RequestInfo) -> Layout {
    let mut layout = Layout::without_user(app, &asked.path).with_title(error.heading, "");
    // The database is down: loading the user would only wait a second time.
    layout.is_user_known = !error.is_temporary();
    if let Some(session) = asked.session.clone().filter(|_| layout.is_user_known) {
        let visitor = MaybeUser::load(session).await;
        layout.is_user_known = visitor.is_ok();
        layout.user_name = visitor.ok().and_then(|visitor| visitor.user).map(|user| user.name);
    }
    layout
}

fn plain_text(status: u16) -> String {
    format!("{status}: something broke, and so did the page that should say so.\n")
}
