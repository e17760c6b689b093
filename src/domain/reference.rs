//! What people paste when they mean a playlist: links of every age, URIs, bare ids.
//!
//! A link is only read, never followed: what must be fetched to be understood is refused in words. The forms
//! are those that Spotify's own apps and pages have handed out since 2012.

use url::Url;

use crate::ids::PlaylistId;

/// The hosts whose paths name what they show.
const HOSTS: [&str; 3] = ["open.spotify.com", "play.spotify.com", "embed.spotify.com"];
/// The hosts of links that say nothing until they are followed.
const SHORTENERS: [&str; 2] = ["spotify.link", "spotify.app.link"];

/// Why a text names no playlist, as a sentence for who pasted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPlaylist {
    /// Nothing was pasted.
    #[error("Paste a playlist link first. In Spotify, choose Share, then Copy link to playlist.")]
    Empty,
    /// A link that must be followed to know what it means.
    #[error(
        "That is a short link, and Heartlist does not follow those. Open it in your browser, then paste the address you arrive at. It begins with https://open.spotify.com/playlist/."
    )]
    ShortLink,
    /// A link of Spotify's, but of something else.
    #[error("That is a link to {}, and hearts here are for playlists. A playlist link begins with https://open.spotify.com/playlist/.", .0.with_article())]
    Other(Kind),
    /// A playlist's link without a playlist's id.
    #[error(
        "That playlist link is incomplete: 22 letters and digits should follow the word playlist. Copy it from Spotify again."
    )]
    NoId,
    /// A link of somebody else's.
    #[error("That is not a Spotify link. A playlist link begins with https://open.spotify.com/playlist/.")]
    Elsewhere,
    /// None of all that.
    #[error(
        "That is not a Spotify playlist link. In Spotify, choose Share, then Copy link to playlist, and paste it here."
    )]
    Unclear,
}

impl NotAPlaylist {
    /// The same in a few words, for a list of many.
    pub fn brief(self) -> String {
        match self {
            Self::Empty => "There is no playlist here.".into(),
            Self::ShortLink => "A short link, which does not say what it leads to.".into(),
            Self::Other(kind) => format!("A link to {}, not to a playlist.", kind.with_article()),
            Self::NoId => "An incomplete playlist link.".into(),
            Self::Elsewhere | Self::Unclear => "Not a Spotify playlist link.".into(),
        }
    }
}

/// What else a link of Spotify's may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An album.
    Album,
    /// A track.
    Track,
    /// An artist.
    Artist,
    /// A person.
    User,
    /// A podcast.
    Show,
    /// An episode of a podcast.
    Episode,
}

impl Kind {
    /// The kind by its name in links and URIs.
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "album" => Kind::Album,
            "track" => Kind::Track,
            "artist" => Kind::Artist,
            "user" => Kind::User,
            "show" => Kind::Show,
            "episode" => Kind::Episode,
            _ => return None,
        })
    }

    fn with_article(self) -> &'static str {
        match self {
            Kind::Album => "an album",
            Kind::Track => "a track",
            Kind::Artist => "an artist",
            Kind::User => "a person",
            Kind::Show => "a podcast",
            Kind::Episode => "an episode",
        }
    }
}

/// The playlist that `text` names.
///
/// # Errors
/// [`NotAPlaylist`], which says in a sentence what was expected.
pub fn playlist(text: &str) -> Result<PlaylistId, NotAPlaylist> {
    let text = bare(text);
    if text.is_empty() {
        return Err(NotAPlaylist::Empty);
    }
    if let Ok(id) = PlaylistId::parse(text) {
        return Ok(id);
    }
    if let Some(uri) = after_scheme(text, "spotify:") {
        return of_uri(uri);
    }
    of_link(text)
}

/// Without the space around it, and the angle brackets that mail programs put around links.
fn bare(text: &str) -> &str {
    // Copied from a chat, a link may bring marks along that nobody sees.
    let unseen = |c: char| c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    let text = text.trim_matches(unseen);
    let inside = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
    inside.map_or(text, |text| text.trim_matches(unseen))
}

fn after_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// `playlist:ID`, or `user:NAME:playlist:ID` as it was until 2018.
fn of_uri(uri: &str) -> Result<PlaylistId, NotAPlaylist> {
    let uri = uri.split(['?', '#']).next().unwrap_or_default();
    of_parts(&uri.split(':').collect::<Vec<_>>())
}

fn of_link(text: &str) -> Result<PlaylistId, NotAPlaylist> {
    let schemed = after_scheme(text, "https://").or_else(|| after_scheme(text, "http://"));
    // Address bars and chats drop the scheme.
    let url = match schemed {
        Some(_) => Url::parse(text),
        None => Url::parse(&format!("https://{}", text.trim_start_matches('/'))),
    };
    let url = url.ok().filter(|url| url.host_str().is_some_and(|host| host.contains('.')));
    let url = url.ok_or(NotAPlaylist::Unclear)?;
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    match host.strip_prefix("www.").unwrap_or(host) {
        host if HOSTS.contains(&host) => of_address(&url),
        host if SHORTENERS.contains(&host) => Err(NotAPlaylist::ShortLink),
        _ if schemed.is_some() => Err(NotAPlaylist::Elsewhere),
        _ => Err(NotAPlaylist::Unclear),
    }
}

/// The path names it, after a language and the word for embedding; in the oldest embeds the query does.
fn of_address(url: &Url) -> Result<PlaylistId, NotAPlaylist> {
    let passed_over = |part: &&str| part.is_empty() || *part == "embed" || part.starts_with("intl-");
    let parts: Vec<_> = url.path().split('/').skip_while(passed_over).collect();
    let uri = url.query_pairs().find(|(name, _)| name == "uri").map(|(_, uri)| uri);
    match (parts.as_slice(), uri) {
        ([], Some(uri)) => of_uri(after_scheme(&uri, "spotify:").ok_or(NotAPlaylist::Unclear)?),
        (parts, _) => of_parts(parts),
    }
}

fn of_parts(parts: &[&str]) -> Result<PlaylistId, NotAPlaylist> {
    match parts {
        // A slash at the end is an empty part.
        [rest @ .., ""] if !rest.is_empty() => of_parts(rest),
        ["playlist", id] | ["user", _, "playlist", id] => PlaylistId::parse(id).map_err(|_| NotAPlaylist::NoId),
        ["playlist", ..] | ["user", _, "playlist", ..] => Err(NotAPlaylist::NoId),
        [kind, ..] => Err(Kind::named(kind).map_or(NotAPlaylist::Unclear, NotAPlaylist::Other)),
        [] => Err(NotAPlaylist::Unclear),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "3cEYpjA9oz9GiPac4AsH4n";

    /// Every form that names a playlist, ID in its place.
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
                assert_eq!(playlist(text), Ok(id.clone()), "{text:?}");
            }
        }
    }

    #[test]
    fn what_is_no_playlist_is_told_apart() {
        use NotAPlaylist::{Elsewhere, Empty, NoId, Other, ShortLink, Unclear};
        let table = [
            ("", Empty),
            (" \t\u{a0}\n", Empty),
            ("<>", Empty),
            ("https://spotify.link/AbCdEf123", ShortLink),
            ("spotify.link/AbCdEf123", ShortLink),
            ("https://spotify.app.link/AbCdEf", ShortLink),
            ("https://open.spotify.com/album/ID?si=1", Other(Kind::Album)),
            ("https://open.spotify.com/intl-es/track/ID", Other(Kind::Track)),
            ("spotify:track:ID", Other(Kind::Track)),
            ("spotify:artist:ID", Other(Kind::Artist)),
            ("open.spotify.com/artist/ID", Other(Kind::Artist)),
            ("https://open.spotify.com/user/somebody", Other(Kind::User)),
            ("https://open.spotify.com/user/somebody/", Other(Kind::User)),
            ("spotify:user:somebody", Other(Kind::User)),
            ("spotify:user:somebody:collection", Other(Kind::User)),
            ("https://open.spotify.com/show/ID", Other(Kind::Show)),
            ("https://open.spotify.com/embed/episode/ID", Other(Kind::Episode)),
            ("https://embed.spotify.com/?uri=spotify:album:ID", Other(Kind::Album)),
            ("https://open.spotify.com/playlist/", NoId),
            ("https://open.spotify.com/playlist/3cEYpjA9oz9GiPac4AsH4", NoId),
            ("https://open.spotify.com/playlist/IDx", NoId),
            ("https://open.spotify.com/playlist/ID/ID", NoId),
            ("https://open.spotify.com/playlist/3cEYpjA9oz9GiPac4AsH4%6e", NoId),
            ("spotify:playlist:", NoId),
            ("spotify:playlist", NoId),
            ("https://example.org/playlist/ID", Elsewhere),
            ("https://open.spotify.com.evil.example/playlist/ID", Elsewhere),
            ("https://open.spotify.com@evil.example/playlist/ID", Elsewhere),
            ("https://evil.example/?uri=spotify:playlist:ID", Elsewhere),
            ("https://127.0.0.1/playlist/ID", Elsewhere),
            ("https://open.spotify.com/", Unclear),
            ("https://open.spotify.com/search/rain", Unclear),
            ("https://embed.spotify.com/?uri=https://embed.spotify.com/?uri=spotify:playlist:ID", Unclear),
            ("spotify:", Unclear),
            ("spotify://playlist/ID", Unclear),
            ("playlist/ID", Unclear),
            ("my favourite songs", Unclear),
            ("ftp://open.spotify.com/playlist/ID", Unclear),
            ("javascript:alert(1)", Unclear),
            ("3cEYpjA9oz9GiPac4AsH4", Unclear),
            ("3cEYpjA9oz9GiPac4AsHé", Unclear),
        ];
        for (text, why) in table {
            assert_eq!(playlist(&text.replace("ID", ID)), Err(why), "{text:?}");
        }
    }

    #[test]
    fn each_refusal_is_a_sentence_that_says_what_was_expected() {
        use NotAPlaylist::{Elsewhere, Empty, NoId, Other, ShortLink, Unclear};
        for refusal in [Empty, ShortLink, Other(Kind::Album), NoId, Elsewhere, Unclear] {
            let told = refusal.to_string();
            assert!(told.ends_with('.') && told.contains("playlist"), "{told}");
            assert!(refusal.brief().ends_with('.') && refusal.brief().len() <= 50, "{}", refusal.brief());
        }
        assert!(Other(Kind::Artist).to_string().starts_with("That is a link to an artist,"));
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_taken_is_an_id(text in any::<String>()) {
            if let Ok(id) = playlist(&text) {
                prop_assert!(id.as_str().len() == 22 && id.as_str().bytes().all(|b| b.is_ascii_alphanumeric()));
            }
        }

        #[test]
        fn nor_does_a_text_that_looks_like_a_link(
            text in "[<\\s]{0,2}(https?:|spotify:|HTTP:)?/{0,2}((open|play|embed)\\.spotify\\.com|spotify\\.link|[a-z@:.%\\[\\]]{0,9})([/:?#&=%<>]|playlist|user|embed|intl-x|uri=|spotify:|[A-Za-z0-9]{22}|\\PC){0,9}>?"
        ) {
            if let Ok(id) = playlist(&text) {
                prop_assert!(text.contains(id.as_str()), "the id stands in the text as it is");
            }
        }

        #[test]
        fn every_form_of_every_id_is_taken(
            id in "[0-9A-Za-z]{22}",
            form in proptest::sample::select(&FORMS[..]),
            name in "[a-z0-9][a-z0-9._-]{0,29}",
            around in "[ \t\r\n]{0,3}",
        ) {
            let text = format!("{around}{}{around}", form.replace("somebody", &name).replace("ID", &id));
            prop_assert_eq!(playlist(&text), PlaylistId::parse(&id).map_err(|_| NotAPlaylist::Unclear));
        }
    }
}
