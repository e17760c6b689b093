//! Now playing: the track, and the playlist it comes from with its heart.

use askama::Template;
use axum::response::Response;

use crate::domain::now_playing::{self, NowPlaying, Playback, PlaybackContext, PlayingItem};
use crate::web::error::{AppError, spotify_error_message};
use crate::web::extract::current_user::SignedIn;
use crate::web::extract::{Now, State};
use crate::web::views::layout::{Layout, render_page};
use crate::web::views::playlist_card::PlaylistCard;
use crate::web::views::time::TimeView;

#[derive(Template)]
#[template(path = "now_playing/show.html")]
struct NowPlayingPage {
    layout: Layout,
    as_of: TimeView,
    view: View,
    here: &'static str,
}

enum View {
    /// The session has no scope for it.
    Off,
    Connect,
    Reconnect,
    Refused,
    /// Spotify could not be called, with the reason.
    Unreadable(String),
    /// No track or episode to show.
    Message {
        what: &'static str,
        more: &'static str,
        source: Option<&'static str>,
        card: Option<PlaylistCard>,
    },
    /// A track or an episode.
    Piece {
        piece: Box<PlayingItem>,
        link: Option<String>,
        source: Option<&'static str>,
        card: Option<PlaylistCard>,
    },
}

impl View {
    fn is_off(&self) -> bool {
        matches!(self, View::Off)
    }
}

/// Calls Spotify for each view and stores nothing.
pub(crate) async fn show(
    app: State,
    Now(now): Now,
    layout: Layout,
    SignedIn(user): SignedIn,
) -> Result<Response, AppError> {
    let view = to_view(now_playing::load(&app, &user, now).await?);
    let title = match view {
        View::Off => "Now playing – off",
        View::Connect => "Now playing – Spotify not connected",
        View::Reconnect => "Now playing – reconnect needed",
        _ => "Now playing",
    };
    let layout = layout.with_title(title, "now-playing");
    Ok(render_page(&NowPlayingPage { layout, as_of: TimeView::time_of_day(now), view, here: "/now-playing" }))
}

fn to_view(look: NowPlaying) -> View {
    match look {
        NowPlaying::Off => View::Off,
        NowPlaying::NotConnected => View::Connect,
        NowPlaying::Reconnect => View::Reconnect,
        NowPlaying::Forbidden => View::Refused,
        NowPlaying::Unavailable(error) => View::Unreadable(spotify_error_message(&error)),
        NowPlaying::Loaded { playback: playing, context: source, playlist } => {
            let card = playlist.map(|playlist| PlaylistCard::from(*playlist));
            playing_view(playing, source_label(&source), card)
        }
    }
}

fn playing_view(playing: Playback, source: Option<&'static str>, card: Option<PlaylistCard>) -> View {
    let (what, more) = match playing {
        Playback::Item(piece) => {
            let kind = if piece.is_episode { "episode" } else { "track" };
            let link = piece.id.as_ref().map(|id| format!("https://open.spotify.com/{kind}/{id}"));
            return View::Piece { piece, link, source, card };
        }
        Playback::Nothing => {
            ("Nothing is playing", "Start something in Spotify, then refresh. Private sessions are not shown.")
        }
        Playback::Advertisement => ("An advertisement is playing", "Refresh when it is over."),
        Playback::Unknown => ("Something is playing", "Spotify does not say what."),
        Playback::UnnamedEpisode => ("A podcast episode is playing", "Spotify does not say which."),
    };
    View::Message { what, more, source, card }
}

/// Source, to follow "Playing". `None` for a playlist, which is shown as a card.
fn source_label(source: &PlaybackContext) -> Option<&'static str> {
    match source {
        PlaybackContext::Unknown | PlaybackContext::Playlist(_) => None,
        PlaybackContext::Album => Some("from an album"),
        PlaybackContext::Artist => Some("from an artist’s page"),
        PlaybackContext::Show => Some("from a podcast"),
        PlaybackContext::LikedSongs => Some("from Liked Songs"),
    }
}
