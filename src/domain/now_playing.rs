//! The currently playing track: fetched only if the user enabled it, once per view, and never stored.

use time::OffsetDateTime;

use super::{CurrentUser, Error, Grant, Playlist, Result, playlists, spotify_calls::Endpoint, text, tokens};
use crate::app::App;
use crate::ids::PlaylistId;
use crate::oauth::providers::NOW_PLAYING_SCOPE;
use crate::spotify::pictures::PictureHosts;
use crate::spotify::wire::{CurrentlyPlaying, Track};

pub enum NowPlaying {
    /// The user has not enabled it.
    Off,
    NotConnected,
    Reconnect,
    /// Enabled, but Spotify denies access.
    Forbidden,
    Unavailable(Error),
    Loaded {
        playback: Playback,
        context: PlaybackContext,
        /// The playlist that it is played from.
        playlist: Option<Box<Playlist>>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Playback {
    /// Nothing, or a private session, which looks the same.
    Nothing,
    Advertisement,
    /// Spotify does not report what it is.
    Unknown,
    /// An episode without details.
    UnnamedEpisode,
    Item(Box<PlayingItem>),
}

/// A track or an episode.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlayingItem {
    pub is_episode: bool,
    pub title: String,
    /// The artists, or the show.
    pub creators: Vec<String>,
    /// `None` for episodes.
    pub album: Option<String>,
    pub cover: Option<String>,
    pub id: Option<String>,
    pub is_paused: bool,
}

/// Where a track is played from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaybackContext {
    Unknown,
    Playlist(PlaylistId),
    Album,
    Artist,
    Show,
    /// The user's Liked Songs, which are not a playlist.
    LikedSongs,
}

/// Returns what the user is playing. Makes at most one call to Spotify, whose errors become a [`NowPlaying`].
pub async fn load(app: &App, user: &CurrentUser, now: OffsetDateTime) -> Result<NowPlaying> {
    match &user.grant {
        None if !user.has_expired_grant => return Ok(NowPlaying::NotConnected),
        None => return Ok(NowPlaying::Reconnect),
        Some(grant) if !is_enabled(grant) => return Ok(NowPlaying::Off),
        Some(_) => {}
    }
    let result = tokens::with_token(app, user, Endpoint::CurrentlyPlaying, now, |token| async move {
        app.spotify.currently_playing(&token).await
    });
    let response = match result.await {
        Ok(response) => response,
        Err(Error::Reconnect) => return Ok(NowPlaying::Reconnect),
        Err(Error::NotAllowed) => return Ok(NowPlaying::Forbidden),
        Err(error) if error.is_spotify_failure() || matches!(error, Error::NotFound) => {
            return Ok(NowPlaying::Unavailable(error));
        }
        Err(error) => return Err(error),
    };
    let (playback, context) = parse_playback(response.as_ref(), &app.spotify.pictures);
    let playlist = match &context {
        PlaybackContext::Playlist(id) => {
            let unknown = || Playlist { id: id.to_string(), ..Playlist::default() };
            Some(Box::new(playlists::find(app, user, id).await?.unwrap_or_else(unknown)))
        }
        _ => None,
    };
    Ok(NowPlaying::Loaded { playback, context, playlist })
}

/// True if the grant includes the scope.
pub fn is_enabled(grant: &Grant) -> bool {
    grant.scopes.contains(NOW_PLAYING_SCOPE)
}

/// Parses the player's response; `None` if it was empty.
fn parse_playback(response: Option<&CurrentlyPlaying>, hosts: &PictureHosts) -> (Playback, PlaybackContext) {
    let Some(response) = response else { return (Playback::Nothing, PlaybackContext::Unknown) };
    let item = response.item.as_ref().filter(|item| item.name.is_some() || item.uri.is_some());
    let playback = match (response.kind.as_deref(), item) {
        (Some("ad"), _) => Playback::Advertisement,
        (kind, Some(item)) => {
            let is_paused = response.is_playing == Some(false);
            Playback::Item(Box::new(PlayingItem { is_paused, ..parse_item(kind, item, hosts) }))
        }
        _ if response.is_playing == Some(false) => Playback::Nothing,
        (Some("episode"), None) => Playback::UnnamedEpisode,
        (None | Some("track"), None) => Playback::Nothing,
        (Some(_), None) => Playback::Unknown,
    };
    match playback {
        Playback::Nothing => (Playback::Nothing, PlaybackContext::Unknown),
        playback => (playback, parse_context(response)),
    }
}

fn parse_item(kind: Option<&str>, item: &Track, hosts: &PictureHosts) -> PlayingItem {
    let visible = |name: &Option<String>| name.clone().filter(|name| text::is_visible(name));
    let is_episode = item.kind.as_deref().or(kind) == Some("episode");
    let artists = item.artists.iter().flatten().flatten().filter_map(|artist| visible(&artist.name));
    let show = item.show.iter().filter_map(|show| visible(&show.name));
    PlayingItem {
        is_episode,
        title: visible(&item.name).unwrap_or_else(|| "Untitled".into()),
        creators: artists.chain(show).collect(),
        album: item.album.as_ref().and_then(|album| visible(&album.name)),
        cover: item.cover(hosts).map(str::to_owned),
        id: item.id().map(str::to_owned),
        is_paused: false,
    }
}

fn parse_context(response: &CurrentlyPlaying) -> PlaybackContext {
    let Some(context) = &response.context else { return PlaybackContext::Unknown };
    // Also matches the old form, spotify:user:NAME:playlist:ID, and API URLs.
    let last_segment = |text: &Option<String>| text.as_deref()?.rsplit([':', '/']).next().map(str::to_owned);
    match context.kind.as_deref() {
        Some("playlist") => {
            let id = |text| last_segment(text).and_then(|id| PlaylistId::parse(&id).ok());
            id(&context.uri).or_else(|| id(&context.href)).map_or(PlaybackContext::Unknown, PlaybackContext::Playlist)
        }
        Some("album") => PlaybackContext::Album,
        Some("artist") => PlaybackContext::Artist,
        Some("show") => PlaybackContext::Show,
        Some("collection") => PlaybackContext::LikedSongs,
        _ => PlaybackContext::Unknown,
    }
}

#[cfg(test)]
mod tests;
