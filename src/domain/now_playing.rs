//! What somebody plays now: asked for only when it is switched on, once for each look, and kept nowhere.

use time::OffsetDateTime;

use super::{Caller, Error, Grant, Playlist, Result, asking::Endpoint, playlists, tokens};
use crate::app::App;
use crate::db;
use crate::ids::PlaylistId;
use crate::oauth::providers::NOW_PLAYING;
use crate::spotify::wire::{CurrentlyPlaying, Playable};

/// What a look finds.
pub enum Look {
    /// The person has not switched it on.
    Off,
    /// Spotify is not connected.
    NotConnected,
    /// The consent is over.
    Reconnect,
    /// It is switched on, and Spotify refuses all the same.
    Refused,
    /// Spotify could not be asked, for this reason.
    Unreadable(Error),
    /// This.
    Heard {
        /// What plays.
        playing: Playing,
        /// From what.
        source: Source,
        /// The playlist it plays from.
        playlist: Option<Box<Playlist>>,
    },
}

/// What plays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Playing {
    /// Nothing, or nothing that is told: a private session looks the same.
    Nothing,
    /// An advertisement.
    Advertisement,
    /// Something of a kind that Spotify does not name.
    Unknown,
    /// A podcast's episode of which no more is told.
    SomeEpisode,
    /// A track or an episode.
    Piece(Box<Piece>),
}

/// A track or an episode.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// Whether it is an episode.
    pub episode: bool,
    /// Its title, perhaps empty.
    pub title: String,
    /// Who plays, or the show; in Spotify's order.
    pub by: Vec<String>,
    /// The album, for a track.
    pub album: Option<String>,
    /// Where its picture is.
    pub cover: Option<String>,
    /// Its id at Spotify.
    pub id: Option<String>,
    /// Whether it rests.
    pub paused: bool,
}

/// From what it plays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nothing that Spotify names.
    Unnamed,
    /// A playlist.
    Playlist(PlaylistId),
    /// An album.
    Album,
    /// An artist's page.
    Artist,
    /// A podcast.
    Show,
    /// The person's Liked Songs, which are no playlist.
    LikedSongs,
}

/// What the caller plays now. At most one call for it, and no other.
///
/// # Errors
/// When the database fails, or something of ours; Spotify's troubles are a [`Look`].
pub async fn look(app: &App, caller: &Caller, now: OffsetDateTime) -> Result<Look> {
    match &caller.grant {
        None if !caller.lapsed => return Ok(Look::NotConnected),
        None => return Ok(Look::Reconnect),
        Some(grant) if !switched_on(grant) => return Ok(Look::Off),
        Some(_) => {}
    }
    let asked = tokens::with_token(app, caller, Endpoint::CurrentlyPlaying, now, |token| async move {
        app.spotify.currently_playing(&token).await
    });
    let answer = match asked.await {
        Ok(answer) => answer,
        Err(Error::Reconnect) => return Ok(Look::Reconnect),
        Err(Error::NotAllowed) => return Ok(Look::Refused),
        Err(error) if error.spotify_is_away() || matches!(error, Error::NotFound) => {
            return Ok(Look::Unreadable(error));
        }
        Err(error) => return Err(error),
    };
    let (playing, source) = heard(answer.as_ref());
    let playlist = match &source {
        Source::Playlist(id) => Some(Box::new(card(app, caller, id).await?)),
        _ => None,
    };
    Ok(Look::Heard { playing, source, playlist })
}

/// Whether a consent covers it.
pub fn switched_on(grant: &Grant) -> bool {
    grant.scopes.contains(NOW_PLAYING)
}

/// What we know of a playlist without asking Spotify.
async fn card(app: &App, caller: &Caller, id: &PlaylistId) -> Result<Playlist> {
    if let Some(known) = db::playlists::find(&app.db, caller.person.id, id).await? {
        return Ok(known);
    }
    let heart = db::hearts::find(&app.db, caller.person.id, id).await?;
    let heart = heart.filter(|heart| heart.removed_at.is_none());
    Ok(playlists::bookmark(id, heart.unwrap_or_default()))
}

/// Reads the player's answer; none: it had none to give.
fn heard(answer: Option<&CurrentlyPlaying>) -> (Playing, Source) {
    let Some(answer) = answer else { return (Playing::Nothing, Source::Unnamed) };
    let told = answer.item.as_ref().filter(|item| item.name.is_some() || item.uri.is_some());
    let playing = match (answer.kind.as_deref(), told) {
        (Some("ad"), _) => Playing::Advertisement,
        (kind, Some(item)) => Playing::Piece(Box::new(piece(kind, item, answer.is_playing == Some(false)))),
        _ if answer.is_playing == Some(false) => Playing::Nothing,
        (Some("episode"), None) => Playing::SomeEpisode,
        (None | Some("track"), None) => Playing::Nothing,
        (Some(_), None) => Playing::Unknown,
    };
    match playing {
        Playing::Nothing => (Playing::Nothing, Source::Unnamed),
        playing => (playing, source(answer)),
    }
}

fn piece(kind: Option<&str>, item: &Playable, paused: bool) -> Piece {
    let filled = |name: &Option<String>| name.clone().filter(|name| !name.trim().is_empty());
    let episode = item.kind.as_deref().or(kind) == Some("episode");
    let artists = item.artists.iter().flatten().flatten().filter_map(|artist| filled(&artist.name));
    let show = item.show.iter().filter_map(|show| filled(&show.name));
    Piece {
        episode,
        title: item.name.clone().unwrap_or_default(),
        by: artists.chain(show).collect(),
        album: item.album.as_ref().and_then(|album| filled(&album.name)),
        cover: item.cover().map(str::to_owned),
        id: item.uri.as_deref().and_then(id_of),
        paused,
    }
}

/// The id in a URI such as `spotify:track:ID`.
fn id_of(uri: &str) -> Option<String> {
    let mut parts = uri.split(':');
    let known = parts.next() == Some("spotify") && matches!(parts.next(), Some("track" | "episode"));
    let id = parts.next().filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric()))?;
    (known && parts.next().is_none()).then(|| id.to_owned())
}

fn source(answer: &CurrentlyPlaying) -> Source {
    let Some(context) = &answer.context else { return Source::Unnamed };
    // Also the older form, spotify:user:NAME:playlist:ID, and the API's address.
    let last = |text: &Option<String>| text.as_deref()?.rsplit([':', '/']).next().map(str::to_owned);
    match context.kind.as_deref() {
        Some("playlist") => {
            let id = |text| last(text).and_then(|id| PlaylistId::parse(&id).ok());
            id(&context.uri).or_else(|| id(&context.href)).map_or(Source::Unnamed, Source::Playlist)
        }
        Some("album") => Source::Album,
        Some("artist") => Source::Artist,
        Some("show") => Source::Show,
        Some("collection") => Source::LikedSongs,
        _ => Source::Unnamed,
    }
}

#[cfg(test)]
mod tests;
