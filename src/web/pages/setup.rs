//! The operator's page: what the doctor finds.

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
use crate::domain::doctor::{self, Finding, Seat};
use crate::ids::{Digested, Secret};
use crate::web::error::{AppError, not_found};
use crate::web::extract::State;
use crate::web::views::layout::{Layout, render_page};

#[derive(Template)]
#[template(path = "setup/show.html")]
struct Setup {
    layout: Layout,
    rows: Vec<FindingRow>,
    bad: usize,
    notes: usize,
}

struct FindingRow {
    /// Its state as CSS knows it, and as people read it.
    class: &'static str,
    word: &'static str,
    finding: Finding,
}

impl FindingRow {
    /// A text in pieces, each with whether it is to be typed.
    fn pieces(text: &str) -> impl Iterator<Item = (bool, &str)> {
        text.split('`').enumerate().map(|(at, piece)| (at % 2 == 1, piece))
    }
}

pub(crate) async fn show(Operator(seat): Operator, axum::extract::State(app): State, layout: Layout) -> Response {
    let mut findings = doctor::examine(&app, &seat).await;
    // What needs a hand comes first.
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.state));
    let of = |state| doctor::count(&findings, state);
    let (bad, notes) = (of(doctor::State::Bad), of(doctor::State::Note));
    render_page(&Setup {
        layout: layout.with_title("Setup", ""),
        rows: findings.into_iter().map(FindingRow::from).collect(),
        bad,
        notes,
    })
}

impl From<Finding> for FindingRow {
    fn from(finding: Finding) -> Self {
        let (class, word) = match finding.state {
            doctor::State::Good => ("good", "Good"),
            doctor::State::Note => ("note", "To know"),
            doctor::State::Bad => ("bad", "To fix"),
        };
        Self { class, word, finding }
    }
}

/// Whoever runs this server, and how they look at it; for others there is no such page.
pub(crate) struct Operator(Seat);

impl FromRequestParts<Arc<App>> for Operator {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, AppError> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
        let token = app.config.operator_token.as_ref();
        // Where others are to come, a proxy that adds nothing to a request would make each of them look like us.
        let alone = app.config.base_url.host_str().is_some_and(is_loopback);
        if !(alone && is_local_request(peer, &parts.headers)
            || token.is_some_and(|token| has_operator_token(token, &parts.headers)))
        {
            return Err(not_found().await);
        }
        Ok(Self(Seat::Browser {
            host: text(&parts.headers, HOST.as_str()).map(str::to_owned),
            scheme: text(&parts.headers, "x-forwarded-proto").map(str::to_owned),
        }))
    }
}

/// Whether the browser runs on the computer that serves. A proxy on it would look the same but for what it
/// adds to a request; and a stranger's page whose name was made to lead here still says that name as host.
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

/// Whether the request shows `token`. Digests are compared, in the same time whatever differs, length included.
fn has_operator_token(token: &Secret, headers: &HeaderMap) -> bool {
    let given = text(headers, AUTHORIZATION.as_str()).and_then(|value| value.split_once(' '));
    given.is_some_and(|(scheme, given)| {
        let same = Digested::of(given.trim()).as_bytes().ct_eq(Digested::of(token.expose()).as_bytes());
        scheme.eq_ignore_ascii_case("bearer") && bool::from(same)
    })
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
