//! The operator's page with the doctor's findings.

use std::net::SocketAddr;
use std::sync::Arc;

use askama::Template;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::{AUTHORIZATION, FORWARDED, HOST, VIA};
use axum::http::request::Parts;
use axum::http::{HeaderMap, uri::Authority};
use axum::response::Response;
use subtle::ConstantTimeEq;

use crate::app::App;
use crate::domain::doctor::{self, Finding, RequestContext};
use crate::ids::{Secret, TokenHash};
use crate::web::error::{AppError, not_found};
use crate::web::extract::State;
use crate::web::views::layout::{Layout, render_page};

#[derive(Template)]
#[template(path = "setup/show.html")]
struct SetupPage {
    layout: Layout,
    rows: Vec<FindingRow>,
    bad: usize,
    notes: usize,
}

struct FindingRow {
    /// CSS class and label of its state.
    class: &'static str,
    word: &'static str,
    finding: Finding,
}

impl FindingRow {
    /// Splits a text at backticks into code and prose; true for code.
    fn pieces(text: &str) -> impl Iterator<Item = (bool, &str)> {
        text.split('`').enumerate().map(|(at, piece)| (at % 2 == 1, piece))
    }
}

pub(crate) async fn show(Operator(seat): Operator, axum::extract::State(app): State, layout: Layout) -> Response {
    let mut findings = doctor::examine(&app, &seat).await;
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.status));
    let of = |state| doctor::count(&findings, state);
    let (bad, notes) = (of(doctor::Status::Bad), of(doctor::Status::Note));
    render_page(&SetupPage {
        layout: layout.with_title("Setup", ""),
        rows: findings.into_iter().map(FindingRow::from).collect(),
        bad,
        notes,
    })
}

impl From<Finding> for FindingRow {
    fn from(finding: Finding) -> Self {
        let (class, word) = match finding.status {
            doctor::Status::Good => ("is-ok", "Good"),
            doctor::Status::Note => ("is-note", "To know"),
            doctor::Status::Bad => ("is-problem", "To fix"),
        };
        Self { class, word, finding }
    }
}

/// The operator: by token, or locally. Rejects with 404.
pub(crate) struct Operator(RequestContext);

impl FromRequestParts<Arc<App>> for Operator {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, AppError> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
        let token = app.config.operator_token.as_ref();
        // On a public server, behind a proxy that adds no header, every client would look local.
        let alone = app.config.base_url.host_str().is_some_and(is_loopback);
        if !(alone && is_local_request(peer, &parts.headers)
            || token.is_some_and(|token| has_operator_token(token, &parts.headers)))
        {
            return Err(not_found().await);
        }
        Ok(Self(RequestContext::Browser {
            host: text(&parts.headers, HOST.as_str()).map(str::to_owned),
            scheme: text(&parts.headers, "x-forwarded-proto").map(str::to_owned),
        }))
    }
}

/// True if the browser runs on this computer. Forwarding headers reveal a local proxy, and the Host header reveals DNS
/// rebinding by another site.
fn is_local_request(peer: Option<SocketAddr>, headers: &HeaderMap) -> bool {
    let added =
        [FORWARDED.as_str(), VIA.as_str(), "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];
    let host = text(headers, HOST.as_str()).and_then(|host| host.parse::<Authority>().ok());
    peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback())
        && host.is_some_and(|host| is_loopback(host.host()))
        && added.iter().all(|name| !headers.contains_key(*name))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// True if the request bears `token`. Digests are compared in constant time, so that not even the length leaks.
fn has_operator_token(token: &Secret, headers: &HeaderMap) -> bool {
    let given = text(headers, AUTHORIZATION.as_str()).and_then(|value| value.split_once(' '));
    given.is_some_and(|(scheme, given)| {
        let same = TokenHash::new(given.trim()).as_bytes().ct_eq(TokenHash::new(token.expose()).as_bytes());
        scheme.eq_ignore_ascii_case("bearer") && bool::from(same)
    })
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
