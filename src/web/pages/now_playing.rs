//! Now playing: the current track, and the playlist it is played from.

use askama::Template;

use crate::domain::now_playing::{self, NowPlaying, Playback, PlaybackContext, PlayingItem};
use crate::web::error::{Result, spotify_error_message};
use crate::web::extract::{Now, SignedIn, State};
use crate::web::views::{Layout, PlaylistCard, TimeView, render_page};

#[derive(Template)]
#[template(path = "now_playing/show.html")]
struct NowPlayingPage {
    layout: Layout,
    as_of: TimeView,
    view: View,
    /// Seconds after which the script may ask again.
    renew_after: Option<u64>,
    current_path: &'static str,
}

enum View {
    /// The grant lacks the scope.
    Off,
    Connect,
    Reconnect,
    Forbidden,
    /// The call to Spotify failed, with the message.
    Unavailable(String),
    /// Nothing to show, with the reason.
    Message {
        heading: &'static str,
        text: &'static str,
        source: Option<&'static str>,
        card: Option<PlaylistCard>,
    },
    /// A track or an episode.
    Item {
        item: Box<PlayingItem>,
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

/// Calls Spotify for each request and stores nothing.
pub(crate) async fn show(app: State, Now(now): Now, layout: Layout, SignedIn(user): SignedIn) -> Result {
    let now_playing = now_playing::load(&app, &user, now).await?;
    let renew_after = now_playing.renew_after().map(|wait| wait.as_secs());
    let view = to_view(now_playing);
    let title = match view {
        View::Off => "Now playing – off",
        View::Connect => "Now playing – Spotify not connected",
        View::Reconnect => "Now playing – reconnect needed",
        _ => "Now playing",
    };
    let layout = layout.with_title(title, "now-playing");
    let as_of = TimeView::time_of_day(now);
    Ok(render_page(&NowPlayingPage { layout, as_of, view, renew_after, current_path: "/now-playing" }))
}

fn to_view(now_playing: NowPlaying) -> View {
    match now_playing {
        NowPlaying::Off => View::Off,
        NowPlaying::NotConnected => View::Connect,
        NowPlaying::Reconnect => View::Reconnect,
        NowPlaying::Forbidden => View::Forbidden,
        NowPlaying::Unavailable(error) => View::Unavailable(spotify_error_message(&error)),
        NowPlaying::Loaded { playback, context, playlist } => {
            let card = playlist.map(|playlist| PlaylistCard::from(*playlist));
            playback_view(playback, source_label(&context), card)
        }
    }
}

fn playback_view(playback: Playback, source: Option<&'static str>, card: Option<PlaylistCard>) -> View {
    let (heading, text) = match playback {
        Playback::Item(item) => {
            let kind = if item.is_episode { "episode" } else { "track" };
            let link = item.id.as_ref().map(|id| format!("https://open.spotify.com/{kind}/{id}"));
            return View::Item { item, link, source, card };
        }
        Playback::Nothing => {
            ("Nothing is playing", "Start something in Spotify, then refresh. Private sessions are not shown.")
        }
        Playback::Advertisement => ("An advertisement is playing", "Refresh when it is over."),
        Playback::Unknown => ("Something is playing", "Spotify does not say what."),
        Playback::UnnamedEpisode => ("A podcast episode is playing", "Spotify does not say which."),
    };
    View::Message { heading, text, source, card }
}

/// Label to follow "playing". `None` for a playlist, which is shown as a card.
fn source_label(context: &PlaybackContext) -> Option<&'static str> {
    match context {
        PlaybackContext::Unknown | PlaybackContext::Playlist(_) => None,
        PlaybackContext::Album => Some("from an album"),
        PlaybackContext::Artist => Some("from an artist’s page"),
        PlaybackContext::Show => Some("from a podcast"),
        PlaybackContext::LikedSongs => Some("from Liked Songs"),
    }
}
