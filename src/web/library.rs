//! The library: all playlists of who is signed in.

use askama::Template;
use axum::Form;
use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;
use time::OffsetDateTime;

use super::error::{Fault, trouble};
use super::finding::{Asked, Finding, LIBRARY};
use super::layout::{Card, Layout, Moment, html};
use super::next::SafePath;
use super::notice::{self, Notice};
use super::pager::Pager;
use super::session::SignedIn;
use super::{Now, State};
use crate::domain::library::{self, Library, Wish};
use crate::domain::{Error, account};

#[derive(Template)]
#[template(path = "playlists/index.html")]
struct Index {
    layout: Layout,
    finding: Finding,
    cards: Vec<Card>,
    pager: Pager,
    as_of: Moment,
    here: String,
    /// How many entries of how many were read, when Spotify failed half-way.
    part: Option<(usize, usize)>,
    trouble: Option<String>,
    reconnect: bool,
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
pub(super) async fn index(
    app: State,
    Now(now): Now,
    layout: Layout,
    SignedIn(caller): SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    let finding = Finding::of(&asked, &LIBRARY);
    let Library { playlists, all, as_of, part, trouble: error } =
        library::of(&app, &caller, &finding.wanted(), now).await?;
    let pager = Pager::of(&playlists, finding.address())?;
    let finding = finding.counted(all, playlists.total);
    let (trouble, reconnect) = error.as_ref().map(trouble).unzip();
    let reconnect = reconnect == Some(true);
    let title = if reconnect { "Playlists – reconnect needed".into() } else { finding.title("Playlists") };
    let (layout, here, as_of) = (layout.titled(title, "playlists"), pager.here(), Moment::recent(as_of, now));
    let asks_soon = account::asks_soon(&caller, now).filter(|_| !reconnect).map(|day| AsksSoon::on(day, now));
    let cards = playlists.entries.into_iter().map(Card::from).collect();
    Ok(html(&Index { layout, finding, cards, pager, as_of, here, part, trouble, reconnect, asks_soon }))
}

/// What the buttons above and below the list ask for.
#[derive(Deserialize)]
pub(super) struct Update {
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
pub(super) async fn update(
    app: State,
    Now(now): Now,
    SignedIn(caller): SignedIn,
    Form(form): Form<Update>,
) -> Result<Response, Fault> {
    let wish = match form.want {
        Want::Anew => Wish::Anew,
        Want::Rest => Wish::Rest,
    };
    let notice = match library::update(&app, &caller, wish, now).await {
        Ok(true) => Notice::Updated,
        Ok(false) => Notice::JustUpdated,
        // This one has a page of its own, with the button that helps.
        Err(Error::Reconnect) => return Err(Error::Reconnect.into()),
        Err(error) if error.spotify_is_away() => Notice::NotUpdated,
        Err(error) => return Err(error.into()),
    };
    Ok(notice::redirect(SafePath::or_playlists(form.from.as_deref()).as_str(), notice))
}
