//! Parser for playlist references: current and old links, URIs and bare ids.
//!
//! A link is only parsed, never followed. The forms are those that Spotify's apps and pages have produced since 2012.

use url::Url;

use crate::ids::PlaylistId;

/// Hosts whose paths identify the resource.
const SPOTIFY_HOSTS: [&str; 3] = ["open.spotify.com", "play.spotify.com", "embed.spotify.com"];
/// Hosts of short links, which would have to be followed to find their target.
const SHORT_LINK_HOSTS: [&str; 2] = ["spotify.link", "spotify.app.link"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    #[error("Paste a playlist link first. In Spotify, choose Share, then Copy link to playlist.")]
    Empty,
    #[error(
        "This is a short link, which Heartlist can’t read. Open it in your browser and paste the address you arrive at. A playlist link begins with https://open.spotify.com/playlist/."
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
    #[error(
        "This is not a Spotify playlist link. In Spotify, choose Share, then Copy link to playlist, and paste it here."
    )]
    Unrecognized,
}

impl ReferenceError {
    /// Returns a short message for lists of errors.
    pub fn short_message(self) -> String {
        match self {
            Self::Empty => "No playlist.".into(),
            Self::ShortLink => "A short link, which Heartlist can’t read.".into(),
            Self::NotPlaylist(kind) => format!("A link to {}, not to a playlist.", kind.with_article()),
            Self::MissingId => "An incomplete playlist link.".into(),
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
}

impl LinkKind {
    /// Parses the name that links and URIs use.
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "album" => LinkKind::Album,
            "track" => LinkKind::Track,
            "artist" => LinkKind::Artist,
            "user" => LinkKind::User,
            "show" => LinkKind::Show,
            "episode" => LinkKind::Episode,
            _ => return None,
        })
    }

    fn with_article(self) -> &'static str {
        match self {
            LinkKind::Album => "an album",
            LinkKind::Track => "a track",
            LinkKind::Artist => "an artist",
            LinkKind::User => "a person",
            LinkKind::Show => "a podcast",
            LinkKind::Episode => "an episode",
        }
    }
}

/// Returns the playlist that `text` refers to.
pub fn parse(text: &str) -> Result<PlaylistId, ReferenceError> {
    let text = trim_wrapping(text);
    if text.is_empty() {
        return Err(ReferenceError::Empty);
    }
    if let Ok(id) = PlaylistId::parse(text) {
        return Ok(id);
    }
    if let Some(uri) = strip_scheme(text, "spotify:") {
        return parse_uri(uri);
    }
    parse_link(text)
}

/// Trims whitespace, and the angle brackets that mail programs put around links.
fn trim_wrapping(text: &str) -> &str {
    // Links copied from chats may carry zero-width characters.
    let is_invisible = |c: char| c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    let text = text.trim_matches(is_invisible);
    let inner = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
    inner.map_or(text, |text| text.trim_matches(is_invisible))
}

fn strip_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// Parses `playlist:ID`, or `user:NAME:playlist:ID` as used until 2018.
fn parse_uri(uri: &str) -> Result<PlaylistId, ReferenceError> {
    let uri = uri.split(['?', '#']).next().unwrap_or_default();
    parse_segments(&uri.split(':').collect::<Vec<_>>())
}

fn parse_link(text: &str) -> Result<PlaylistId, ReferenceError> {
    let without_scheme = strip_scheme(text, "https://").or_else(|| strip_scheme(text, "http://"));
    let url = match without_scheme {
        Some(_) => Url::parse(text),
        None => Url::parse(&format!("https://{}", text.trim_start_matches('/'))),
    };
    let url = url.ok().filter(|url| url.host_str().is_some_and(|host| host.contains('.')));
    let url = url.ok_or(ReferenceError::Unrecognized)?;
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    match host.strip_prefix("www.").unwrap_or(host) {
        host if SPOTIFY_HOSTS.contains(&host) => parse_url(&url),
        host if SHORT_LINK_HOSTS.contains(&host) => Err(ReferenceError::ShortLink),
        _ if without_scheme.is_some() => Err(ReferenceError::OtherSite),
        _ => Err(ReferenceError::Unrecognized),
    }
}

/// Parses the path after any language prefix and `embed`. The oldest embeds name the playlist in the query.
fn parse_url(url: &Url) -> Result<PlaylistId, ReferenceError> {
    let is_prefix = |segment: &&str| segment.is_empty() || *segment == "embed" || segment.starts_with("intl-");
    let segments: Vec<_> = url.path().split('/').skip_while(is_prefix).collect();
    let uri = url.query_pairs().find(|(name, _)| name == "uri").map(|(_, uri)| uri);
    match (segments.as_slice(), uri) {
        ([], Some(uri)) => parse_uri(strip_scheme(&uri, "spotify:").ok_or(ReferenceError::Unrecognized)?),
        (segments, _) => parse_segments(segments),
    }
}

fn parse_segments(segments: &[&str]) -> Result<PlaylistId, ReferenceError> {
    match segments {
        // A trailing slash gives an empty last segment.
        [rest @ .., ""] if !rest.is_empty() => parse_segments(rest),
        ["playlist", id] | ["user", _, "playlist", id] => PlaylistId::parse(id).map_err(|_| ReferenceError::MissingId),
        ["playlist", ..] | ["user", _, "playlist", ..] => Err(ReferenceError::MissingId),
        [kind, ..] => Err(LinkKind::from_name(kind).map_or(ReferenceError::Unrecognized, ReferenceError::NotPlaylist)),
        [] => Err(ReferenceError::Unrecognized),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "3cEYpjA9oz9GiPac4AsH4n";

    /// All supported forms, with ID for the id.
    const FORMS: [&str; 27] = [
        "ID",
        "https://open.spotify.com/playlist/ID",
        "https://open.spotify.com/playlist/ID/",
        "https://open.spotify.com/playlist/ID?si=0f9e8d7c6b5a4321",
        "https://open.spotify.com/playlist/ID?si=0f9e&utm_source=copy-link&nd=1#_=_",
        "http://open.spotify.com/playlist/ID",
        "HTTPS://Open.Spotify.com/playlist/ID",
        "https://open.spotify.com/intl-de/playlist/ID?si=1",
        "https://open.spotify.com/intl-pt-BR/playlist/ID",
        "https://open.spotify.com/embed/playlist/ID?utm_source=generator&theme=0",
        "https://open.spotify.com/intl-fr/embed/playlist/ID",
        "https://open.spotify.com/embed?uri=spotify:playlist:ID",
        "https://embed.spotify.com/?uri=spotify:playlist:ID",
        "https://embed.spotify.com/?theme=white&uri=spotify%3Auser%3Aspotify%3Aplaylist%3AID",
        "https://embed.spotify.com/?uri=spotify:user:somebody:playlist:ID&view=list",
        "https://play.spotify.com/playlist/ID",
        "http://play.spotify.com/user/somebody/playlist/ID",
        "https://open.spotify.com/user/some%20body/playlist/ID?si=1",
        "https://open.spotify.com/user/spotify/playlist/ID/",
        "spotify:playlist:ID",
        "SPOTIFY:playlist:ID",
        "spotify:playlist:ID?si=1",
        "spotify:user:somebody:playlist:ID",
        "spotify:user:som%C3%A9:playlist:ID",
        "open.spotify.com/playlist/ID?si=1",
        "//open.spotify.com/playlist/ID",
        "www.open.spotify.com/playlist/ID",
    ];

    #[test]
    fn every_form_names_its_playlist() {
        let id = PlaylistId::parse(ID).unwrap();
        for form in FORMS.map(|form| form.replace("ID", ID)) {
            let wrapped = [
                format!("  {form}\r\n"),
                format!("<{form}>"),
                format!(" < {form} >\t"),
                format!("\u{feff}{form}\u{200b}"),
            ];
            for text in wrapped.iter().chain([&form]) {
                assert_eq!(parse(text), Ok(id.clone()), "{text:?}");
            }
        }
    }

    #[test]
    fn each_kind_of_invalid_text_has_its_error() {
        use ReferenceError::{Empty, MissingId, NotPlaylist, OtherSite, ShortLink, Unrecognized};
        let table = [
            ("", Empty),
            (" \t\u{a0}\n", Empty),
            ("<>", Empty),
            ("https://spotify.link/AbCdEf123", ShortLink),
            ("spotify.link/AbCdEf123", ShortLink),
            ("https://spotify.app.link/AbCdEf", ShortLink),
            ("https://open.spotify.com/album/ID?si=1", NotPlaylist(LinkKind::Album)),
            ("https://open.spotify.com/intl-es/track/ID", NotPlaylist(LinkKind::Track)),
            ("spotify:track:ID", NotPlaylist(LinkKind::Track)),
            ("spotify:artist:ID", NotPlaylist(LinkKind::Artist)),
            ("open.spotify.com/artist/ID", NotPlaylist(LinkKind::Artist)),
            ("https://open.spotify.com/user/somebody", NotPlaylist(LinkKind::User)),
            ("https://open.spotify.com/user/somebody/", NotPlaylist(LinkKind::User)),
            ("spotify:user:somebody", NotPlaylist(LinkKind::User)),
            ("spotify:user:somebody:collection", NotPlaylist(LinkKind::User)),
            ("https://open.spotify.com/show/ID", NotPlaylist(LinkKind::Show)),
            ("https://open.spotify.com/embed/episode/ID", NotPlaylist(LinkKind::Episode)),
            ("https://embed.spotify.com/?uri=spotify:album:ID", NotPlaylist(LinkKind::Album)),
            ("https://open.spotify.com/playlist/", MissingId),
            ("https://open.spotify.com/playlist/3cEYpjA9oz9GiPac4AsH4", MissingId),
            ("https://open.spotify.com/playlist/IDx", MissingId),
            ("https://open.spotify.com/playlist/ID/ID", MissingId),
            ("https://open.spotify.com/playlist/3cEYpjA9oz9GiPac4AsH4%6e", MissingId),
            ("spotify:playlist:", MissingId),
            ("spotify:playlist", MissingId),
            ("https://example.org/playlist/ID", OtherSite),
            ("https://open.spotify.com.evil.example/playlist/ID", OtherSite),
            ("https://open.spotify.com@evil.example/playlist/ID", OtherSite),
            ("https://evil.example/?uri=spotify:playlist:ID", OtherSite),
            ("https://127.0.0.1/playlist/ID", OtherSite),
            ("https://open.spotify.com/", Unrecognized),
            ("https://open.spotify.com/search/rain", Unrecognized),
            ("https://embed.spotify.com/?uri=https://embed.spotify.com/?uri=spotify:playlist:ID", Unrecognized),
            ("spotify:", Unrecognized),
            ("spotify://playlist/ID", Unrecognized),
            ("playlist/ID", Unrecognized),
            ("my favourite songs", Unrecognized),
            ("ftp://open.spotify.com/playlist/ID", Unrecognized),
            ("javascript:alert(1)", Unrecognized),
            ("3cEYpjA9oz9GiPac4AsH4", Unrecognized),
            ("3cEYpjA9oz9GiPac4AsHé", Unrecognized),
        ];
        for (text, error) in table {
            assert_eq!(parse(&text.replace("ID", ID)), Err(error), "{text:?}");
        }
    }

    #[test]
    fn every_error_is_a_sentence_that_says_what_was_expected() {
        use ReferenceError::{Empty, MissingId, NotPlaylist, OtherSite, ShortLink, Unrecognized};
        for error in [Empty, ShortLink, NotPlaylist(LinkKind::Album), MissingId, OtherSite, Unrecognized] {
            let message = error.to_string();
            assert!(message.ends_with('.') && message.contains("playlist"), "{message}");
            assert!(
                error.short_message().ends_with('.') && error.short_message().len() <= 50,
                "{}",
                error.short_message()
            );
        }
        assert!(NotPlaylist(LinkKind::Artist).to_string().starts_with("This is a link to an artist,"));
    }

    proptest! {
        #[test]
        fn no_text_panics_and_only_ids_are_accepted(text in any::<String>()) {
            if let Ok(id) = parse(&text) {
                prop_assert!(id.as_str().len() == 22 && id.as_str().bytes().all(|b| b.is_ascii_alphanumeric()));
            }
        }

        #[test]
        fn no_text_like_a_link_panics_or_yields_another_id(
            text in "[<\\s]{0,2}(https?:|spotify:|HTTP:)?/{0,2}((open|play|embed)\\.spotify\\.com|spotify\\.link|[a-z@:.%\\[\\]]{0,9})([/:?#&=%<>]|playlist|user|embed|intl-x|uri=|spotify:|[A-Za-z0-9]{22}|\\PC){0,9}>?"
        ) {
            if let Ok(id) = parse(&text) {
                prop_assert!(text.contains(id.as_str()), "the text contains the id unchanged");
            }
        }

        #[test]
        fn every_form_of_every_id_is_accepted(
            id in "[0-9A-Za-z]{22}",
            form in proptest::sample::select(&FORMS[..]),
            name in "[a-z0-9][a-z0-9._-]{0,29}",
            around in "[ \t\r\n]{0,3}",
        ) {
            let text = format!("{around}{}{around}", form.replace("somebody", &name).replace("ID", &id));
            prop_assert_eq!(parse(&text), PlaylistId::parse(&id).map_err(|_| ReferenceError::Unrecognized));
        }
    }
}
