//! The operator's page with the doctor's findings.

use std::sync::Arc;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, FORWARDED, HOST, VIA};
use axum::http::request::Parts;
use axum::response::Response;
use subtle::ConstantTimeEq;
use url::Url;

use crate::app::{App, is_loopback};
use crate::domain::doctor::{self, Finding, RequestContext};
use crate::domain::operators;
use crate::ids::{Secret, TokenHash};
use crate::web::error::{AppError, Result, not_found};
use crate::web::extract::{MaybeUser, State};
use crate::web::middleware::canonical_host::is_loopback_peer;
use crate::web::middleware::rate_limit::is_forwarded;
use crate::web::views::{Layout, render_page};

#[derive(Template)]
#[template(path = "setup/show.html")]
struct SetupPage {
    layout: Layout,
    rows: Vec<FindingRow>,
    problem_count: usize,
    note_count: usize,
}

struct FindingRow {
    class: &'static str,
    label: &'static str,
    finding: Finding,
}

impl FindingRow {
    /// Splits a text at backticks into prose and code; true for code.
    fn pieces(text: &str) -> impl Iterator<Item = (bool, &str)> {
        text.split('`').enumerate().map(|(index, piece)| (index % 2 == 1, piece))
    }
}

pub(crate) async fn show(
    OperatorRequest(context): OperatorRequest,
    axum::extract::State(app): State,
    layout: Layout,
) -> Response {
    let mut findings = doctor::examine(&app, &context).await;
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.status));
    let count = |status| doctor::count(&findings, status);
    let (problem_count, note_count) = (count(doctor::Status::Bad), count(doctor::Status::Note));
    render_page(&SetupPage {
        layout: layout.with_title("Setup", ""),
        rows: findings.into_iter().map(FindingRow::from).collect(),
        problem_count,
        note_count,
    })
}

impl From<Finding> for FindingRow {
    fn from(finding: Finding) -> Self {
        let (class, label) = match finding.status {
            doctor::Status::Good => ("is-ok", "Good"),
            doctor::Status::Note => ("is-note", "To know"),
            doctor::Status::Bad => ("is-problem", "To fix"),
        };
        Self { class, label, finding }
    }
}

/// A request by an operator: signed in as one, with the operator token, or from this computer. Rejects with 404.
pub(crate) struct OperatorRequest(RequestContext);

impl FromRequestParts<Arc<App>> for OperatorRequest {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        let token = app.config.operator_token.as_ref();
        // On a public server behind a proxy that adds no headers, every client would look local.
        let is_local_server = is_loopback(&app.config.base_url);
        if !(is_local_server && is_local_request(parts)
            || token.is_some_and(|token| has_operator_token(token, &parts.headers))
            || is_signed_in_operator(parts, app).await?)
        {
            return Err(not_found().await);
        }
        Ok(Self(RequestContext::Browser {
            is_forwarded: is_forwarded(&parts.headers),
            host: header_text(&parts.headers, HOST.as_str()).map(str::to_owned),
            scheme: header_text(&parts.headers, "x-forwarded-proto").map(str::to_owned),
        }))
    }
}

async fn is_signed_in_operator(parts: &mut Parts, app: &Arc<App>) -> Result<bool> {
    match MaybeUser::from_request_parts(parts, app).await?.user {
        Some(user) => Ok(operators::is_operator(app, user.id).await?),
        None => Ok(false),
    }
}

/// True if the client runs on this computer. Forwarding headers indicate a local proxy; a foreign Host header, DNS
/// rebinding.
fn is_local_request(Parts { headers, extensions, .. }: &Parts) -> bool {
    let forwarding =
        [FORWARDED.as_str(), VIA.as_str(), "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];
    let host = header_text(headers, HOST.as_str()).and_then(|host| Url::parse(&format!("http://{host}")).ok());
    is_loopback_peer(extensions)
        && host.is_some_and(|host| is_loopback(&host))
        && forwarding.iter().all(|name| !headers.contains_key(*name))
}

/// True if the request has the operator token. Compares hashes in constant time, so that not even the length leaks.
fn has_operator_token(token: &Secret, headers: &HeaderMap) -> bool {
    let credentials = header_text(headers, AUTHORIZATION.as_str()).and_then(|value| value.split_once(' '));
    credentials.is_some_and(|(scheme, value)| {
        let is_equal = TokenHash::new(value.trim()).as_bytes().ct_eq(TokenHash::new(token.expose()).as_bytes());
        scheme.eq_ignore_ascii_case("bearer") && bool::from(is_equal)
    })
}

fn header_text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
