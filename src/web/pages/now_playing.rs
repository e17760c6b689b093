//! What plays now, and the heart of the playlist that it plays from.

use askama::Template;
use axum::response::Response;

use crate::domain::now_playing::{self, Look, Piece, Playing, Source};
use crate::web::error::{Fault, reason};
use crate::web::extract::current_user::SignedIn;
use crate::web::extract::{Now, State};
use crate::web::views::layout::{Layout, html};
use crate::web::views::playlist_card::Card;
use crate::web::views::time::Moment;

#[derive(Template)]
#[template(path = "now_playing/show.html")]
struct Show {
    layout: Layout,
    as_of: Moment,
    view: View,
    here: &'static str,
}

/// What the page shows.
enum View {
    /// Nothing yet: it must be switched on first.
    Off,
    /// Nothing: Spotify is not connected.
    Connect,
    /// Nothing: the consent is over.
    Reconnect,
    /// Nothing: Spotify refuses.
    Refused,
    /// Nothing, for this reason.
    Unreadable(String),
    /// A sentence: there is no more to tell.
    Said { what: &'static str, more: &'static str, source: Option<&'static str>, card: Option<Card> },
    /// A track or an episode.
    Piece { piece: Box<Piece>, link: Option<String>, source: Option<&'static str>, card: Option<Card> },
}

impl View {
    fn is_off(&self) -> bool {
        matches!(self, View::Off)
    }
}

/// What plays now, asked for by this view and kept nowhere.
pub(crate) async fn show(
    app: State,
    Now(now): Now,
    layout: Layout,
    SignedIn(caller): SignedIn,
) -> Result<Response, Fault> {
    let view = found(now_playing::look(&app, &caller, now).await?);
    let title = match view {
        View::Off => "Now playing – off",
        View::Connect => "Now playing – Spotify not connected",
        View::Reconnect => "Now playing – reconnect needed",
        _ => "Now playing",
    };
    let layout = layout.titled(title, "now-playing");
    Ok(html(&Show { layout, as_of: Moment::clock(now), view, here: "/now-playing" }))
}

fn found(look: Look) -> View {
    match look {
        Look::Off => View::Off,
        Look::NotConnected => View::Connect,
        Look::Reconnect => View::Reconnect,
        Look::Refused => View::Refused,
        Look::Unreadable(error) => View::Unreadable(reason(&error)),
        Look::Heard { playing, source, playlist } => {
            let card = playlist.map(|playlist| Card::from(*playlist));
            heard(playing, from(&source), card)
        }
    }
}

fn heard(playing: Playing, source: Option<&'static str>, card: Option<Card>) -> View {
    let (what, more) = match playing {
        Playing::Piece(piece) => {
            let kind = if piece.episode { "episode" } else { "track" };
            let link = piece.id.as_ref().map(|id| format!("https://open.spotify.com/{kind}/{id}"));
            return View::Piece { piece, link, source, card };
        }
        Playing::Nothing => {
            ("Nothing is playing", "Start something in Spotify, then refresh. Private sessions are not shown.")
        }
        Playing::Advertisement => ("An advertisement is playing", "Refresh when it is over."),
        Playing::Unknown => ("Something is playing", "Spotify does not say what."),
        Playing::SomeEpisode => ("A podcast episode is playing", "Spotify does not say which."),
    };
    View::Said { what, more, source, card }
}

/// Where it comes from, after "Playing"; a playlist's card says it better.
fn from(source: &Source) -> Option<&'static str> {
    match source {
        Source::Unnamed | Source::Playlist(_) => None,
        Source::Album => Some("from an album"),
        Source::Artist => Some("from an artist’s page"),
        Source::Show => Some("from a podcast"),
        Source::LikedSongs => Some("from Liked Songs"),
    }
}
