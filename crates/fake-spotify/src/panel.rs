//! The control panel: visitors of a demo turn faults on and see which requests the app sends. All visitors share one
//! server and may use its panel.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use url::Url;

use crate::controls::{self, Control, TimeJump};
use crate::endpoint::Endpoint;
use crate::html::{error_page, reject_cross_site, render};
use crate::params::Params;
use crate::request_log::RecordedRequest;
use crate::state::FakeSpotify;

/// Length of the list of requests.
const MAX_REQUESTS: usize = 30;
/// Length of a displayed path, in characters.
const MAX_PATH_CHARS: usize = 120;

#[derive(Template)]
#[template(path = "panel.html")]
struct Panel<'a> {
    mount_path: &'a str,
    app_name: &'a str,
    app_url: Option<String>,
    scenarios: Vec<ControlView>,
    switches: Vec<ControlView>,
    time_jumps: &'static [TimeJump],
    has_overrides: bool,
    now: String,
    counts: Vec<(&'static str, usize)>,
    requests: Vec<RequestView>,
}

struct ControlView {
    control: &'static Control,
    is_on: bool,
}

struct RequestView {
    time: String,
    endpoint: &'static str,
    method_and_path: String,
}

/// `GET /panel`.
pub(crate) async fn show(State(fake): State<FakeSpotify>) -> Response {
    let view = |controls: &'static [Control]| {
        controls.iter().map(|control| ControlView { control, is_on: control.is_on(&fake) }).collect::<Vec<_>>()
    };
    let panel = Panel {
        mount_path: fake.settings().mount_path(),
        app_name: &fake.settings().app_name,
        app_url: fake.settings().redirect_uris.first().and_then(|uri| origin(uri)),
        scenarios: view(&controls::SCENARIOS),
        switches: view(&controls::SWITCHES),
        time_jumps: &controls::TIME_JUMPS,
        has_overrides: controls::has_overrides(&fake),
        now: format(fake.now(), DATE_AND_TIME),
        counts: request_counts(&fake),
        requests: latest_requests(&fake),
    };
    render(StatusCode::OK, &panel, "")
}

/// `POST /panel/controls`: turns one control on or off.
pub(crate) async fn set_control(State(fake): State<FakeSpotify>, headers: HeaderMap, body: String) -> Response {
    change(&fake, &headers, || {
        let params = Params::parse(&body).ok()?;
        let (control, value) = controls::all().find_map(|control| Some((control, params.get(control.name)?)))?;
        let on = match value {
            "on" => true,
            "off" => false,
            _ => return None,
        };
        control.set(&fake, on);
        Some(control.name)
    })
}

/// `POST /panel/clock`: advances the clock.
pub(crate) async fn advance_clock(State(fake): State<FakeSpotify>, headers: HeaderMap, body: String) -> Response {
    change(&fake, &headers, || {
        let params = Params::parse(&body).ok()?;
        let jump = controls::TIME_JUMPS.iter().find(|jump| params.get("advance") == Some(jump.name))?;
        fake.advance(jump.duration);
        Some("clock")
    })
}

/// `POST /panel/reset`: everything as after the start, except for the clock.
pub(crate) async fn reset(State(fake): State<FakeSpotify>, headers: HeaderMap) -> Response {
    change(&fake, &headers, || {
        fake.reset();
        controls::all().for_each(|control| control.set(&fake, false));
        Some("top")
    })
}

/// Applies a change and redirects to the element with the id that `apply` returns; `None` means that the form is
/// invalid.
fn change(fake: &FakeSpotify, headers: &HeaderMap, apply: impl FnOnce() -> Option<&'static str>) -> Response {
    if let Some(rejection) = reject_cross_site(fake, headers) {
        return rejection;
    }
    match apply() {
        Some(id) => {
            let panel = format!("{}/panel#{id}", fake.settings().mount_path());
            (StatusCode::SEE_OTHER, [(header::LOCATION, panel)]).into_response()
        }
        None => error_page(fake, "There is no such control."),
    }
}

/// Names of the endpoints, in the order in which a sign-in uses them.
const ENDPOINT_NAMES: [(Endpoint, &str); 15] = [
    (Endpoint::Authorize, "Consent page"),
    (Endpoint::Decision, "Consent given"),
    (Endpoint::Token, "Tokens"),
    (Endpoint::Me, "Profile"),
    (Endpoint::MyPlaylists, "List of playlists"),
    (Endpoint::Playlist, "Single playlist"),
    (Endpoint::Items, "Items of a playlist"),
    (Endpoint::CurrentlyPlaying, "Now playing"),
    (Endpoint::SaveToLibrary, "Saving in the library"),
    (Endpoint::Removed, "Removed in 2026"),
    (Endpoint::Cover, "Covers"),
    (Endpoint::OEmbed, "Names without a token"),
    (Endpoint::OtherConsent, "Other providers: consent"),
    (Endpoint::OtherToken, "Other providers: tokens"),
    (Endpoint::OtherProfile, "Other providers: profile"),
];

fn request_counts(fake: &FakeSpotify) -> Vec<(&'static str, usize)> {
    let counts = ENDPOINT_NAMES.iter().map(|(endpoint, name)| (*name, fake.request_count(*endpoint)));
    counts.filter(|(_, count)| *count > 0).collect()
}

/// The latest requests, newest first. Covers are left out, because browsers request so many.
fn latest_requests(fake: &FakeSpotify) -> Vec<RequestView> {
    let state = fake.state();
    let recorded = state.request_log.iter().rev().filter(|request| request.endpoint != Endpoint::Cover);
    recorded.take(MAX_REQUESTS).map(request_view).collect()
}

fn request_view(request: &RecordedRequest) -> RequestView {
    let endpoint =
        ENDPOINT_NAMES.iter().find(|(endpoint, _)| *endpoint == request.endpoint).map_or("", |(_, name)| name);
    // Everybody can open the panel, so the query strings of sign-ins, which have secrets in them, are left out.
    let is_private = request.endpoint.is_other_provider()
        || matches!(request.endpoint, Endpoint::Authorize | Endpoint::Decision | Endpoint::Token);
    let path = request.path_and_query.split('?').next().unwrap_or_default();
    let path = if is_private { path } else { &request.path_and_query };
    let path: String = path.chars().take(MAX_PATH_CHARS).collect();
    let method_and_path = format!("{} {path}", request.method);
    RequestView { time: format(request.received_at, TIME), endpoint, method_and_path }
}

const TIME: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]:[second]");
const DATE_AND_TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC");

fn format(time: OffsetDateTime, description: &[BorrowedFormatItem<'_>]) -> String {
    time.format(&description).unwrap_or_default()
}

/// The origin of the app's redirect address; `None` if its scheme is that of a native app.
fn origin(redirect_uri: &str) -> Option<String> {
    let url = Url::parse(redirect_uri).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
}
