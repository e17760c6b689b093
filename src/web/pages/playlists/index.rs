//! The library: all playlists of who is signed in.

use askama::Template;
use axum::Form;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use time::OffsetDateTime;

use crate::domain::library::{self, Library, Wish};
use crate::domain::{Error, account};
use crate::web::error::{Fault, trouble};
use crate::web::extract::current_user::SignedIn;
use crate::web::extract::list_query::{Asked, Finding, LIBRARY};
use crate::web::extract::return_to::SafePath;
use crate::web::extract::{Now, State};
use crate::web::flash::{self, Notice};
use crate::web::views::layout::{Layout, html};
use crate::web::views::pager::Pager;
use crate::web::views::playlist_card::Card;
use crate::web::views::time::Moment;

#[derive(Template)]
#[template(path = "playlists/index.html")]
struct Index {
    layout: Layout,
    finding: Finding,
    cards: Vec<Card>,
    pager: Pager,
    as_of: Moment,
    /// Whether Spotify is still being asked for what is missing.
    coming: bool,
    here: String,
    trouble: Option<String>,
    /// The button that helps, if one does.
    door: Option<&'static str>,
    /// When Spotify asks for consent again, if that is soon.
    asks_soon: Option<AsksSoon>,
}

/// The day when Spotify asks for consent again; none: any day now.
struct AsksSoon(Option<Moment>);

impl AsksSoon {
    fn on(day: OffsetDateTime, now: OffsetDateTime) -> Self {
        Self((day > now).then(|| Moment::coming_day(day)))
    }
}

/// All playlists of who is signed in, with their hearts.
pub(crate) async fn index(
    app: State,
    Now(now): Now,
    layout: Layout,
    SignedIn(caller): SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    let finding = Finding::of(&asked, &LIBRARY);
    let library = match library::of(&app, &caller, &finding.wanted(), now).await {
        Err(Error::NotConnected) => return Ok(unconnected(layout)),
        library => library?,
    };
    let Library { playlists, all, as_of, missing, coming, trouble: error } = library;
    let pager = match Pager::of(&playlists, finding.address()) {
        // What lies behind the part that has come may exist all the same.
        Err(_) if missing > 0 => return Ok(Redirect::to(&finding.address()).into_response()),
        pager => pager?,
    };
    let finding = finding.counted(all, playlists.total).lacking(missing);
    let (trouble, door) = error.as_ref().map(trouble).unzip();
    let door = door.flatten();
    let (layout, here, as_of) =
        (layout.titled(title(error.as_ref(), &finding), "playlists"), pager.here(), Moment::recent(as_of, now));
    let asks_soon = account::asks_soon(&caller, now).filter(|_| door.is_none()).map(|day| AsksSoon::on(day, now));
    let cards = playlists.entries.into_iter().map(Card::from).collect();
    Ok(html(&Index { layout, finding, cards, pager, as_of, coming, here, trouble, door, asks_soon }))
}

fn title(trouble: Option<&Error>, finding: &Finding) -> String {
    match trouble {
        Some(Error::Reconnect) => "Playlists – reconnect needed".into(),
        Some(Error::NotConnected) => UNCONNECTED.into(),
        _ => finding.title("Playlists"),
    }
}

const UNCONNECTED: &str = "Playlists – Spotify not connected";

/// For who has no Spotify connected, and of whose library nothing is kept: what works all the same.
#[derive(Template)]
#[template(path = "playlists/unconnected.html")]
struct Unconnected {
    layout: Layout,
    here: &'static str,
}

fn unconnected(layout: Layout) -> Response {
    html(&Unconnected { layout: layout.titled(UNCONNECTED, "playlists"), here: "/playlists" })
}

/// What the buttons above and below the list ask for.
#[derive(Deserialize)]
pub(crate) struct Update {
    want: Want,
    #[serde(default)]
    from: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Want {
    Anew,
    Rest,
}

/// Asks Spotify for the library anew, or for the rest of it, and returns to the list.
pub(crate) async fn update(
    app: State,
    Now(now): Now,
    SignedIn(caller): SignedIn,
    Form(form): Form<Update>,
) -> Result<Response, Fault> {
    let wish = match form.want {
        Want::Anew => Wish::Anew,
        Want::Rest => Wish::Rest,
    };
    let from = SafePath::or_playlists(form.from.as_deref());
    let notice = match library::update(&app, &caller, wish, now).await {
        Ok(true) => Notice::Updated,
        Ok(false) => Notice::JustUpdated,
        // The list says so itself: until when, or with the button that helps.
        Err(Error::Reconnect | Error::NotConnected | Error::SlowDown { .. } | Error::SpotifyAway(_)) => {
            return Ok(Redirect::to(from.as_str()).into_response());
        }
        Err(error) if error.spotify_is_away() => Notice::NotUpdated,
        Err(error) => return Err(error.into()),
    };
    Ok(flash::redirect(from.as_str(), notice))
}
