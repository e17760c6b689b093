//! Parser for playlist references: current and old links, URIs and bare ids, alone or in a text.
//!
//! A link is only parsed, never followed: a request to an address that somebody typed would be a server-side request
//! forgery. The forms are those that Spotify's apps and pages have produced since 2012.

use url::Url;

use super::text::is_quote;
use crate::ids::PlaylistId;

/// Hosts of short links, which would have to be followed to find their target.
const SHORT_LINK_HOSTS: [&str; 4] = ["spotify.link", "spotify.app.link", "link.tospotify.com", "spoti.fi"];
/// Maximum length of a text that is parsed. The code of an embedded player has about 400 bytes.
const MAX_BYTES: usize = 2048;
/// Maximum number of links in a text that are parsed.
const MAX_LINKS: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    #[error("Paste a playlist link first. In Spotify, choose Share, then Copy link to playlist.")]
    Empty,
    #[error(
        "This is a short link, and Heartlist doesn’t follow links. Open it in your browser and paste the address it leads to. A playlist link begins with https://open.spotify.com/playlist/."
    )]
    ShortLink,
    #[error("This is a link to {}, not to a playlist. A playlist link begins with https://open.spotify.com/playlist/.", .0.with_article())]
    NotPlaylist(LinkKind),
    #[error(
        "This playlist link is incomplete: the word playlist should be followed by 22 letters and digits. Copy it from Spotify again."
    )]
    MissingId,
    #[error("This is not a Spotify link. A playlist link begins with https://open.spotify.com/playlist/.")]
    OtherSite,
    #[error("There is more than one playlist link here. Put each on a line of its own.")]
    Several,
    #[error(
        "This is not a Spotify playlist link. In Spotify, choose Share, then Copy link to playlist, and paste it here."
    )]
    Unrecognized,
}

impl ReferenceError {
    pub fn is_spotify_link(self) -> bool {
        matches!(self, Self::ShortLink | Self::NotPlaylist(_) | Self::MissingId | Self::Several)
    }

    pub fn short_message(self) -> String {
        match self {
            Self::Empty => "No playlist.".into(),
            Self::ShortLink => "A short link. Paste the address it leads to.".into(),
            Self::NotPlaylist(kind) => format!("A link to {}, not to a playlist.", kind.with_article()),
            Self::MissingId => "An incomplete playlist link.".into(),
            Self::Several => "More than one playlist link.".into(),
            Self::OtherSite | Self::Unrecognized => "Not a Spotify playlist link.".into(),
        }
    }
}

/// What a Spotify link points to, other than a playlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    Album,
    Track,
    Artist,
    User,
    Show,
    Episode,
    LikedSongs,
    Folder,
    OtherPage,
}

impl LinkKind {
    /// Parses the name that links and URIs use.
    fn from_name(name: &str) -> Self {
        match name {
            "album" => LinkKind::Album,
            "track" => LinkKind::Track,
            "artist" => LinkKind::Artist,
            "user" => LinkKind::User,
            "show" => LinkKind::Show,
            "episode" => LinkKind::Episode,
            _ => LinkKind::OtherPage,
        }
    }

    fn with_article(self) -> &'static str {
        match self {
            LinkKind::Album => "an album",
            LinkKind::Track => "a track",
            LinkKind::Artist => "an artist",
            LinkKind::User => "a person",
            LinkKind::Show => "a podcast",
            LinkKind::Episode => "an episode",
            LinkKind::LikedSongs => "Liked Songs",
            LinkKind::Folder => "a folder",
            LinkKind::OtherPage => "another page of Spotify",
        }
    }
}

/// Returns the playlist that `text` refers to. The text may be a reference, a sentence with a link, or the code of an
/// embedded player.
pub fn parse(text: &str) -> Result<PlaylistId, ReferenceError> {
    if text.len() > MAX_BYTES {
        return Err(ReferenceError::Unrecognized);
    }
    let mut first_words = words(text);
    match (first_words.next(), first_words.next()) {
        (None, _) => Err(ReferenceError::Empty),
        (Some(word), None) => PlaylistId::parse(word).or_else(|_| find_link(text)),
        _ => find_link(text),
    }
}

/// True if the text names Spotify or one of its hosts, as each link does. Parsing takes a hundred times longer.
pub fn names_spotify(text: &str) -> bool {
    text.as_bytes().windows(5).any(|part| part.eq_ignore_ascii_case(b"spoti"))
}

/// True if `text` is at most one word, so that a reference has no other text around it.
pub fn is_word(text: &str) -> bool {
    words(text).nth(1).is_none()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_boundary).map(trim_punctuation).filter(|word| !word.is_empty())
}

/// True for a character that is not part of a link. Links copied from chats may end with zero-width characters.
fn is_boundary(c: char) -> bool {
    let is_invisible = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    c.is_whitespace()
        || is_invisible
        || is_quote(c)
        || matches!(c, '\'' | '|' | '<' | '>' | '(' | ')' | '[' | ']' | '«' | '»')
}

fn trim_punctuation(word: &str) -> &str {
    word.trim_matches(['.', ',', ';', ':', '!', '*', '_', '…'])
}

/// Returns the only playlist among the links of a text; without one, the error of its first link. A bare id does not
/// count, because it may be a word.
fn find_link(text: &str) -> Result<PlaylistId, ReferenceError> {
    let mut found = Err(ReferenceError::Unrecognized);
    let mut parsed = 0;
    let may_be_link = |link: &&str| link.contains("://") || names_spotify(link);
    for link in words(text).filter(|word| word.contains([':', '.'])).flat_map(links).filter(may_be_link) {
        let names_playlist = || link.as_bytes().windows(8).any(|part| part.eq_ignore_ascii_case(b"playlist"));
        if found != Err(ReferenceError::Unrecognized) && !names_playlist() {
            continue;
        }
        parsed += 1;
        if parsed > MAX_LINKS {
            return Err(ReferenceError::Several);
        }
        found = match (found, parse_reference(link)) {
            (Ok(one), Ok(other)) if one != other => return Err(ReferenceError::Several),
            (Err(_), Ok(id)) => Ok(id),
            (Err(ReferenceError::Unrecognized), error) => error,
            (found, _) => found,
        };
    }
    found
}

/// Returns the links in a word, each up to the next one; without a scheme in it, the whole word.
fn links(word: &str) -> Vec<&str> {
    let mut starts: Vec<usize> = Vec::new();
    for (position, _) in word.match_indices(['h', 'H', 's', 'S']) {
        // A link in the query or path of another one is part of it.
        let is_nested = |c: char| c.is_ascii_alphanumeric() || "=/?&:#@%".contains(c);
        if starts_with_link(&word[position..]) && (starts.is_empty() || !word[..position].ends_with(is_nested)) {
            starts.push(position);
        }
    }
    if starts.is_empty() {
        return vec![word];
    }
    let ends = starts.iter().skip(1).copied().chain([word.len()]);
    starts.iter().zip(ends).map(|(start, end)| &word[*start..end]).collect()
}

fn starts_with_link(text: &str) -> bool {
    let is_address = |text: &str| strip_scheme(text, "https://").or_else(|| strip_scheme(text, "http://")).is_some();
    // The name of the app may stand before a link: `Spotify:https://…`.
    is_address(text) || strip_scheme(text, "spotify:").is_some_and(|rest| !is_address(rest))
}

fn parse_reference(text: &str) -> Result<PlaylistId, ReferenceError> {
    match strip_scheme(text, "spotify:") {
        Some(uri) => parse_uri(uri),
        None => parse_link(text),
    }
}

fn strip_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// Parses `playlist:ID`, `//playlist/ID`, or `user:NAME:playlist:ID` as used until 2018.
fn parse_uri(uri: &str) -> Result<PlaylistId, ReferenceError> {
    let uri = uri.split(['?', '#']).next().unwrap_or_default();
    parse_segments(&uri.trim_start_matches('/').split([':', '/']).collect::<Vec<_>>())
}

fn parse_link(text: &str) -> Result<PlaylistId, ReferenceError> {
    let without_scheme = strip_scheme(text, "https://").or_else(|| strip_scheme(text, "http://"));
    let url = match without_scheme {
        Some(_) => Url::parse(text),
        None if !names_spotify(text) => return Err(ReferenceError::Unrecognized),
        None => Url::parse(&format!("https://{}", text.trim_start_matches('/'))),
    };
    let url = url.ok().filter(|url| url.host_str().is_some_and(|host| host.contains('.')));
    let url = url.ok_or(ReferenceError::Unrecognized)?;
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    match host.strip_prefix("www.").unwrap_or(host) {
        host if SHORT_LINK_HOSTS.contains(&host) => Err(ReferenceError::ShortLink),
        "api.spotify.com" => parse_api_path(&url),
        host if host == "spotify.com" || host.ends_with(".spotify.com") => parse_url(&url),
        _ if without_scheme.is_some() => Err(ReferenceError::OtherSite),
        _ => Err(ReferenceError::Unrecognized),
    }
}

/// Parses the path of a Web API address, whose nouns are plural.
fn parse_api_path(url: &Url) -> Result<PlaylistId, ReferenceError> {
    match url.path().split('/').skip(2).collect::<Vec<_>>().as_slice() {
        ["playlists", id, ..] | ["users", _, "playlists", id, ..] => parse_segments(&["playlist", id]),
        [kind, ..] => parse_segments(&[kind.trim_end_matches('s')]),
        [] => parse_segments(&[]),
    }
}

/// Parses the path after any language prefix and `embed`. The oldest embeds name the playlist in the query.
fn parse_url(url: &Url) -> Result<PlaylistId, ReferenceError> {
    let is_prefix = |segment: &&str| {
        segment.is_empty() || segment.eq_ignore_ascii_case("embed") || strip_scheme(segment, "intl-").is_some()
    };
    let segments: Vec<_> = url.path().split('/').skip_while(is_prefix).collect();
    let uri = url.query_pairs().find(|(name, _)| name.trim_start_matches("amp;") == "uri").map(|(_, uri)| uri);
    match (parse_segments(&segments), uri.as_deref().and_then(|uri| strip_scheme(uri, "spotify:"))) {
        (Err(ReferenceError::NotPlaylist(LinkKind::OtherPage)), Some(uri)) => parse_uri(uri),
        (result, _) => result,
    }
}

/// Parses a path whose names may be in capitals, as in the codes that people scan. Ids are case-sensitive.
fn parse_segments(segments: &[&str]) -> Result<PlaylistId, ReferenceError> {
    let names: Vec<_> = segments.iter().map(|segment| segment.to_ascii_lowercase()).collect();
    let kind = match names.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        // A trailing slash gives an empty last segment.
        [_, .., ""] => return parse_segments(&segments[..segments.len() - 1]),
        ["playlist", ..] => return parse_id(segments.get(1)),
        ["user", _, "playlist", ..] => return parse_id(segments.get(3)),
        ["s", _] => return Err(ReferenceError::ShortLink),
        ["collection"] | ["collection", "tracks"] | ["user", _, "collection"] => LinkKind::LikedSongs,
        ["folder", ..] | ["user", _, "folder", ..] => LinkKind::Folder,
        [kind, ..] => LinkKind::from_name(kind),
        [] => LinkKind::OtherPage,
    };
    Err(ReferenceError::NotPlaylist(kind))
}

/// Parses the id at the start of a segment. Text may follow it without a space.
fn parse_id(segment: Option<&&str>) -> Result<PlaylistId, ReferenceError> {
    let id = segment.and_then(|segment| segment.split(|c: char| !c.is_ascii_alphanumeric()).next());
    PlaylistId::parse(id.unwrap_or_default()).map_err(|_| ReferenceError::MissingId)
}

#[cfg(test)]
mod tests;
