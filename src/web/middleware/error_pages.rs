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
use crate::rate_limiter::retry_seconds;
use crate::web::error::{AppError, HEARTS_SAFE, Link, LoginButton, error_for_status};
use crate::web::extract::theme::Theme;
use crate::web::extract::{MaybeUser, SafePath};
use crate::web::flash::is_html;
use crate::web::middleware::request_id::REQUEST_ID;
use crate::web::middleware::request_log::redact_path;
use crate::web::views::Layout;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    layout: Layout,
    error: AppError,
    /// Path of the same page, if a retry may help.
    reload_path: Option<SafePath>,
    request_id: String,
}

impl ErrorPage {
    /// True if the cause is logged, so that the request id helps to find it.
    fn is_own_fault(&self) -> bool {
        matches!(self.error.status, StatusCode::INTERNAL_SERVER_ERROR | StatusCode::SERVICE_UNAVAILABLE)
    }

    /// True for the errors that people know by number.
    fn has_known_number(&self) -> bool {
        matches!(self.error.status, StatusCode::INTERNAL_SERVER_ERROR | StatusCode::NOT_FOUND)
    }
}

struct RequestInfo {
    path: String,
    wants_json: bool,
    /// True for GET and HEAD, which save nothing.
    is_safe: bool,
    request_id: String,
    session: Option<Session>,
    theme: Option<Theme>,
}

/// Turns an empty 500 into 503. It comes from the session layer, which could not save the session: all other errors are
/// rendered already.
pub(crate) fn mark_unsaved_session(mut response: Response) -> Response {
    if response.status() == StatusCode::INTERNAL_SERVER_ERROR && !has_body(&response) {
        response.extensions_mut().insert(error_for_status(StatusCode::SERVICE_UNAVAILABLE));
    }
    response
}

/// Renders errors. Applied twice: inside the session layer, and around it for errors of the session layer itself.
pub(crate) async fn render_errors(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let accepts = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let info = RequestInfo {
        path: request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        wants_json: matches!(*request.method(), Method::PUT | Method::DELETE) || accepts.contains("application/json"),
        is_safe: request.method().is_safe(),
        request_id: request.headers().get(&REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned(),
        session: request.extensions().get().cloned(),
        theme: Theme::from_cookie(&app, request.headers()),
    };
    let mut response = next.run(request).await;
    let error = response.extensions_mut().remove::<AppError>();
    match error {
        Some(error) => render(&app, error, info, response).await,
        None if response.status().as_u16() >= 400 && !has_body(&response) => {
            render(&app, error_for_status(response.status()), info, response).await
        }
        None => response,
    }
}

fn has_body(response: &Response) -> bool {
    let is_json = |content_type: &HeaderValue| content_type.as_bytes().starts_with(b"application/json");
    is_html(response.headers()) || response.headers().get(CONTENT_TYPE).is_some_and(is_json)
}

async fn render(app: &App, error: AppError, info: RequestInfo, bare: Response) -> Response {
    if let Some(cause) = &error.cause {
        let path = info.path.split('?').next().map(redact_path);
        tracing::error!(status = error.status.as_u16(), path = path.as_deref(), cause, "a request failed");
    }
    let retry_after = error.retry_after.map(|wait| HeaderValue::from(retry_seconds(wait)));
    let rendered = match error.sign_in_path.as_ref().or(error.redirect_path.as_ref()) {
        Some(path) if !info.wants_json => Redirect::to(path).into_response(),
        _ if info.wants_json => render_json(&error, &info).into_response(),
        _ => render_html(app, error, info).await,
    };
    // Keeps the other headers of the bare response, such as Set-Cookie and Allow.
    let (mut parts, _) = bare.into_parts();
    let (rendered, body) = rendered.into_parts();
    parts.status = rendered.status;
    parts.headers.remove(CONTENT_LENGTH);
    for (name, value) in rendered.headers.iter() {
        parts.headers.insert(name, value.clone());
    }
    if let Some(wait) = retry_after {
        parts.headers.insert(RETRY_AFTER, wait);
    }
    Response::from_parts(parts, body)
}

fn render_json(error: &AppError, info: &RequestInfo) -> impl IntoResponse {
    let mut body_error = json!({ "message": error.message, "request_id": info.request_id });
    if let Some(path) = &error.sign_in_path {
        body_error["sign_in"] = json!(path);
    }
    (error.status, axum::Json(json!({ "error": body_error })))
}

async fn render_html(app: &App, mut error: AppError, info: RequestInfo) -> Response {
    let layout = layout(app, &error, &info).await;
    if let Some(button) = &mut error.login_button
        && let Some(path) = SafePath::parse(&info.path).filter(|_| info.is_safe)
    {
        button.retry.after.next = path.as_str().to_owned();
    }
    let can_reload = info.is_safe && error.is_retryable();
    let reload_path = SafePath::parse(&info.path).filter(|_| can_reload);
    if reload_path.is_some() {
        error.save_note = error.save_note.filter(|note| *note == HEARTS_SAFE);
    }
    match layout.user_name {
        Some(_) => error.recovery_links.push(Link { href: "/playlists", text: "My playlists" }),
        // The home page needs the database, too.
        None if error.is_temporary() => {}
        None => error.recovery_links.push(Link { href: "/", text: "Home" }),
    }
    let status = error.status;
    match (ErrorPage { layout, error, reload_path, request_id: info.request_id }).render() {
        Ok(text) => (status, axum::response::Html(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "the error page could not be rendered");
            let status_code = status.as_u16();
            (status, format!("{status_code}: something went wrong, and the error page could not be shown.\n"))
                .into_response()
        }
    }
}

async fn layout(app: &App, error: &AppError, info: &RequestInfo) -> Layout {
    let mut layout = Layout::without_user(app, &info.path).with_title(error.heading, "");
    // While the database is down, loading the user would only time out again.
    layout.is_user_known = !error.is_temporary();
    layout.theme = info.theme;
    if let Some(session) = info.session.clone().filter(|_| layout.is_user_known) {
        let maybe_user = MaybeUser::load(session).await;
        layout.is_user_known = maybe_user.is_ok();
        layout.user_name = maybe_user.ok().and_then(|maybe_user| maybe_user.user).map(|user| user.name);
    }
    layout
}
