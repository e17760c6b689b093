//! The panel: a page on which a visitor of the demo lets this Spotify misbehave and watches what
//! the app asks meanwhile. Whoever reaches the demo may press its buttons: all share one world.

use super::World;
use super::controls::{self, Control, Leap};
use super::faults::{Endpoint, Seen};
use super::form::Params;
use super::pages::{from_elsewhere, page, refused};
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use url::Url;

/// How many requests the page shows.
const SHOWN: usize = 30;

#[derive(Template)]
#[template(path = "panel.html")]
struct Panel<'a> {
    prefix: &'a str,
    /// Where the app is.
    app: Option<String>,
    troubles: Vec<Shown>,
    switches: Vec<Shown>,
    leaps: &'static [Leap],
    astray: bool,
    now: String,
    counts: Vec<(&'static str, usize)>,
    asked: Vec<Line>,
}

/// A control as it stands.
struct Shown {
    control: &'static Control,
    on: bool,
}

/// A request as the page shows it.
struct Line {
    at: String,
    door: &'static str,
    what: String,
}

/// `GET /panel`: all that can be set, and what was asked lately.
pub(super) async fn show(State(world): State<World>) -> Response {
    let stand = |all: &'static [Control]| {
        all.iter().map(|control| Shown { control, on: control.is_on(&world) }).collect::<Vec<_>>()
    };
    let panel = Panel {
        prefix: world.settings().prefix(),
        app: world.settings().redirect_uris.first().and_then(|back| origin(back)),
        troubles: stand(&controls::TROUBLES),
        switches: stand(&controls::SWITCHES),
        leaps: &controls::LEAPS,
        astray: astray(&world),
        now: told(world.now(), DAY),
        counts: counts(&world),
        asked: asked(&world),
    };
    page(StatusCode::OK, &panel, "")
}

/// `POST /panel/set`: turns one control on or off.
pub(super) async fn set(State(world): State<World>, headers: HeaderMap, body: String) -> Response {
    change(&world, &headers, || {
        let params = Params::read(&body).ok()?;
        let (control, to) = controls::all().find_map(|control| Some((control, params.get(control.name)?)))?;
        let on = match to {
            "on" => true,
            "off" => false,
            _ => return None,
        };
        control.set(&world, on);
        Some(control.name)
    })
}

/// `POST /panel/clock`: lets time pass.
pub(super) async fn clock(State(world): State<World>, headers: HeaderMap, body: String) -> Response {
    change(&world, &headers, || {
        let params = Params::read(&body).ok()?;
        let leap = controls::LEAPS.iter().find(|leap| params.get("pass") == Some(leap.name))?;
        world.advance(leap.by);
        Some("clock")
    })
}

/// `POST /panel/mend`: all as it was in the beginning, but for the time.
pub(super) async fn mend(State(world): State<World>, headers: HeaderMap) -> Response {
    change(&world, &headers, || {
        world.mend();
        controls::all().for_each(|control| control.set(&world, false));
        Some("top")
    })
}

/// Whether anything is not as usual.
pub(super) fn astray(world: &World) -> bool {
    controls::all().any(|control| control.is_on(world))
}

/// Does what a form of this page asks for and returns to the place that `act` names, if there is
/// such a thing to do.
fn change(world: &World, headers: &HeaderMap, act: impl FnOnce() -> Option<&'static str>) -> Response {
    if let Some(refusal) = from_elsewhere(world, headers) {
        return refusal;
    }
    match act() {
        Some(place) => {
            let panel = format!("{}/panel#{place}", world.settings().prefix());
            (StatusCode::SEE_OTHER, [(header::LOCATION, panel)]).into_response()
        }
        None => refused(world, "The panel has no such button."),
    }
}

/// The doors in the order a sign-in meets them, by what goes through.
const DOORS: [(Endpoint, &str); 13] = [
    (Endpoint::Authorize, "Consent page"),
    (Endpoint::Decision, "Consent given"),
    (Endpoint::Token, "Tokens"),
    (Endpoint::Me, "Who somebody is"),
    (Endpoint::MyPlaylists, "Somebody’s playlists"),
    (Endpoint::Playlist, "One playlist"),
    (Endpoint::Items, "A playlist’s items"),
    (Endpoint::CurrentlyPlaying, "What is playing"),
    (Endpoint::Removed, "Taken away in 2026"),
    (Endpoint::Cover, "Covers"),
    (Endpoint::OtherConsent, "Other sign-ins: consent"),
    (Endpoint::OtherToken, "Other sign-ins: tokens"),
    (Endpoint::OtherProfile, "Other sign-ins: who somebody is"),
];

fn counts(world: &World) -> Vec<(&'static str, usize)> {
    let counted = DOORS.iter().map(|(door, name)| (*name, world.count(*door)));
    counted.filter(|(_, count)| *count > 0).collect()
}

/// The last requests, newest first, without the many for covers.
fn asked(world: &World) -> Vec<Line> {
    let state = world.state();
    let seen = state.journal.seen().rev().filter(|seen| seen.endpoint != Endpoint::Cover);
    seen.take(SHOWN).map(line).collect()
}

fn line(seen: &Seen) -> Line {
    let door = DOORS.iter().find(|(door, _)| *door == seen.endpoint).map_or("", |(_, name)| name);
    // What goes to and fro with a sign-in is nobody else's business, and this page is everybody's.
    let private = seen.endpoint.is_elsewhere()
        || matches!(seen.endpoint, Endpoint::Authorize | Endpoint::Decision | Endpoint::Token);
    let path = seen.path_and_query.split('?').next().unwrap_or_default();
    let path: String = if private { path } else { &seen.path_and_query }.chars().take(120).collect();
    Line { at: told(seen.at, CLOCK), door, what: format!("{} {path}", seen.method) }
}

const CLOCK: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]:[second]");
const DAY: &[BorrowedFormatItem<'_>] =
    format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC");

fn told(at: OffsetDateTime, format: &[BorrowedFormatItem<'_>]) -> String {
    at.format(&format).unwrap_or_default()
}

/// Where the app is: the site it wants people sent back to.
fn origin(redirect_uri: &str) -> Option<String> {
    let url = Url::parse(redirect_uri).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
}
