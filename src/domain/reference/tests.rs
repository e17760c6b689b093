//! Forms of references, and the error of each other text.

use proptest::prelude::*;

use super::*;

const ID: &str = "3cEYpjA9oz9GiPac4AsH4n";

/// All supported forms, with ID for the id.
const FORMS: [&str; 32] = [
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
    "spotify://playlist/ID",
    "https://api.spotify.com/v1/playlists/ID",
    "https://api.spotify.com/v1/playlists/ID/items?limit=50",
    "https://api.spotify.com/v1/users/somebody/playlists/ID",
    "https://open.spotify.com/go?uri=spotify:playlist:ID",
];

#[test]
fn every_form_names_its_playlist() {
    let id = PlaylistId::parse(ID).unwrap();
    for form in FORMS.map(|form| form.replace("ID", ID)) {
        let wrapped =
            [format!("  {form}\r\n"), format!("<{form}>"), format!(" < {form} >\t"), format!("\u{feff}{form}\u{200b}")];
        for text in wrapped.iter().chain([&form]) {
            assert_eq!(parse(text), Ok(id.clone()), "{text:?}");
        }
    }
}

#[test]
fn a_link_is_found_in_text() {
    let id = PlaylistId::parse(ID).unwrap();
    for text in [
        "Check out this playlist on Spotify! https://open.spotify.com/playlist/ID?si=0f9e",
        "https://open.spotify.com/playlist/ID Rain, by Ada",
        "Rain\r\nhttps://open.spotify.com/playlist/ID.",
        "My list:https://open.spotify.com/playlist/ID!",
        "[Rain (2019)](https://open.spotify.com/playlist/ID)",
        "“https://open.spotify.com/playlist/ID”",
        "Rain – spotify:playlist:ID, and more",
        "Oír esto: open.spotify.com/intl-es/playlist/ID",
        "https://open.spotify.com/playlist/ID https://open.spotify.com/playlist/ID?si=2",
        "From https://open.spotify.com/album/ID to https://open.spotify.com/playlist/ID",
        r#"<iframe data-testid="embed-iframe" style="border-radius:12px" src="https://open.spotify.com/embed/playlist/ID?utm_source=generator" width="100%" height="352" frameBorder="0" allowfullscreen="" allow="autoplay; clipboard-write" loading="lazy"></iframe>"#,
        "<iframe src='https://embed.spotify.com/?uri=spotify%3Aplaylist%3AID'></iframe>",
        "<iframe src=https://open.spotify.com/embed/playlist/ID width=300>",
        r#"<a href="https://open.spotify.com/playlist/ID">Rain</a>"#,
    ] {
        assert_eq!(parse(&text.replace("ID", ID)), Ok(id.clone()), "{text}");
    }
    for link in ["https://open.spotify.com/playlist/a ", "https://[spotify ", "spotify:playlist:a,"] {
        let links = |count: usize| parse(&link.repeat(count));
        assert_eq!((links(MAX_LINKS), links(MAX_LINKS + 1)), (links(1), Err(ReferenceError::Several)), "{link}");
    }
    let two = "spotify:playlist:ID spotify:playlist:0000000000000000000000".replace("ID", ID);
    assert_eq!(parse(&two), Err(ReferenceError::Several));
}

#[test]
fn a_link_is_found_without_spaces_and_before_any_punctuation() {
    for text in [
        "このリスト聴いて！https://open.spotify.com/playlist/ID?si=x",
        "聴いてhttps://open.spotify.com/playlist/ID",
        "聴いてspotify:playlist:ID。",
        "「雨」https://open.spotify.com/playlist/ID」",
        "Playlist:https://open.spotify.com/playlist/ID",
        "Spotify:https://open.spotify.com/playlist/ID",
        "URL=https://open.spotify.com/playlist/ID",
        "URL=HTTPS://OPEN.SPOTIFY.COM/INTL-DE/PLAYLIST/ID",
        "https://open.spotify.com/playlist/ID。",
        "https://open.spotify.com/playlist/ID，快来",
        "https://open.spotify.com/playlist/ID—nice",
        "https://open.spotify.com/playlist/ID’s",
        "<https://open.spotify.com/playlist/ID|Rain>",
        "https://open.spotify.com/playlist/ID&si=x",
        "https://open.spotify.com/playlist/ID%20",
        "https://open.spotify.com/playlist/ID/tracks",
        "https://open.spotify.com/user/somebody/playlist/ID/followers",
        "https://example.org/,https://open.spotify.com/playlist/ID",
        "https://open.spotify.com/playlist/ID,https://open.spotify.com/playlist/ID",
        "&lt;iframe src=&quot;https://open.spotify.com/embed/playlist/ID?theme=0&quot;&gt;",
        "src=&quot;https://embed.spotify.com/?theme=white&amp;uri=spotify:playlist:ID&quot;&gt;",
        "HTTPS://OPEN.SPOTIFY.COM/PLAYLIST/ID",
        "HTTPS://OPEN.SPOTIFY.COM/USER/SOMEBODY/PLAYLIST/ID",
        "SPOTIFY:PLAYLIST:ID",
        "SPOTIFY:USER:SOMEBODY:PLAYLIST:ID",
    ] {
        assert_eq!(parse(&replace_id(text)), PlaylistId::parse(ID).map_err(|_| ReferenceError::MissingId), "{text}");
    }
    let two = replace_id("spotify:playlist:ID,https://open.spotify.com/playlist/0000000000000000000000");
    assert_eq!(parse(&two), Err(ReferenceError::Several));
}

/// Replaces the word ID, but not the letters in others.
fn replace_id(text: &str) -> String {
    text.replace("/ID", &format!("/{ID}")).replace(":ID", &format!(":{ID}"))
}

#[test]
fn each_spotify_link_that_is_no_playlist_has_its_error() {
    use ReferenceError::{NotPlaylist, ShortLink};
    let table = [
        ("https://spotify.link/AbCdEf123", ShortLink),
        ("spotify.link/AbCdEf123", ShortLink),
        ("https://spotify.app.link/AbCdEf", ShortLink),
        ("https://open.spotify.com/s/AbCdEf", ShortLink),
        ("open.spotify.com/intl-de/s/AbCdEf?si=1", ShortLink),
        ("http://spoti.fi/2AbCdEf", ShortLink),
        ("https://link.tospotify.com/AbCdEf", ShortLink),
        ("Check out this playlist! https://spotify.link/AbCdEf", ShortLink),
        ("https://open.spotify.com/album/ID?si=1", NotPlaylist(LinkKind::Album)),
        ("https://open.spotify.com/intl-es/track/ID", NotPlaylist(LinkKind::Track)),
        ("spotify:track:ID", NotPlaylist(LinkKind::Track)),
        ("spotify:artist:ID", NotPlaylist(LinkKind::Artist)),
        ("open.spotify.com/artist/ID", NotPlaylist(LinkKind::Artist)),
        ("https://open.spotify.com/user/somebody", NotPlaylist(LinkKind::User)),
        ("https://open.spotify.com/user/somebody/", NotPlaylist(LinkKind::User)),
        ("spotify:user:somebody", NotPlaylist(LinkKind::User)),
        ("https://api.spotify.com/v1/albums/ID", NotPlaylist(LinkKind::Album)),
        ("Rain by Ada https://open.spotify.com/track/ID?si=1", NotPlaylist(LinkKind::Track)),
        ("https://open.spotify.com/collection/tracks", NotPlaylist(LinkKind::LikedSongs)),
        ("https://open.spotify.com/intl-de/collection", NotPlaylist(LinkKind::LikedSongs)),
        ("spotify:collection", NotPlaylist(LinkKind::LikedSongs)),
        ("spotify:user:somebody:collection", NotPlaylist(LinkKind::LikedSongs)),
        ("spotify:user:somebody:folder:0123456789abcdef", NotPlaylist(LinkKind::Folder)),
        ("https://open.spotify.com/user/somebody/folder/0123456789abcdef", NotPlaylist(LinkKind::Folder)),
        ("https://open.spotify.com/folder/0123456789abcdef", NotPlaylist(LinkKind::Folder)),
        ("https://open.spotify.com/", NotPlaylist(LinkKind::OtherPage)),
        ("https://open.spotify.com/search/rain", NotPlaylist(LinkKind::OtherPage)),
        ("https://open.spotify.com/collection/albums", NotPlaylist(LinkKind::OtherPage)),
        ("https://open.spotify.com/blend/taste-match/AbCdEf", NotPlaylist(LinkKind::OtherPage)),
        ("https://www.spotify.com/de/account/overview/", NotPlaylist(LinkKind::OtherPage)),
        ("https://api.spotify.com/v1/me/playlists", NotPlaylist(LinkKind::OtherPage)),
        ("spotify:search:rain", NotPlaylist(LinkKind::OtherPage)),
        (
            "https://embed.spotify.com/?uri=https://embed.spotify.com/?uri=spotify:playlist:ID",
            NotPlaylist(LinkKind::OtherPage),
        ),
        ("https://open.spotify.com/show/ID", NotPlaylist(LinkKind::Show)),
        ("https://open.spotify.com/embed/episode/ID", NotPlaylist(LinkKind::Episode)),
        ("https://embed.spotify.com/?uri=spotify:album:ID", NotPlaylist(LinkKind::Album)),
    ];
    for (text, error) in table {
        assert_eq!(parse(&text.replace("ID", ID)), Err(error), "{text:?}");
    }
}

#[test]
fn each_kind_of_invalid_text_has_its_error() {
    use ReferenceError::{Empty, MissingId, OtherSite, Unrecognized};
    let table = [
        ("", Empty),
        (" \t\u{a0}\n", Empty),
        ("<>", Empty),
        ("https://open.spotify.com/playlist/", MissingId),
        ("https://open.spotify.com/playlist/3cEYpjA9oz9GiPac4AsH4", MissingId),
        ("https://open.spotify.com/playlist/IDx", MissingId),
        ("https://open.spotify.com/playlist/3cEYpjA9oz9GiPac4AsH4%6e", MissingId),
        ("spotify:playlist:", MissingId),
        ("spotify:playlist", MissingId),
        ("https://example.org/playlist/ID", OtherSite),
        ("https://open.spotify.com.evil.example/playlist/ID", OtherSite),
        ("https://open.spotify.com@evil.example/playlist/ID", OtherSite),
        ("https://evil.example/?uri=spotify:playlist:ID", OtherSite),
        ("https://127.0.0.1/playlist/ID", OtherSite),
        ("https://notspotify.com/playlist/ID", OtherSite),
        ("My videos: https://example.org/playlist/ID", OtherSite),
        ("https://api.spotify.com/v1/playlists/3cEYpjA9oz9GiPac4", MissingId),
        ("spotify:", Unrecognized),
        ("playlist/ID", Unrecognized),
        ("my favourite songs", Unrecognized),
        ("a list called ID", Unrecognized),
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
    use ReferenceError::{Empty, MissingId, NotPlaylist, OtherSite, Several, ShortLink, Unrecognized};
    for error in [Empty, ShortLink, NotPlaylist(LinkKind::Album), MissingId, OtherSite, Several, Unrecognized] {
        let message = error.to_string();
        assert!(message.ends_with('.') && message.contains("playlist"), "{message}");
        assert!(error.short_message().ends_with('.') && error.short_message().len() <= 50, "{}", error.short_message());
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

#[test]
fn a_long_text_is_rejected_before_it_is_parsed() {
    let link = format!("https://open.spotify.com/playlist/{ID}?x=");
    assert!(parse(&format!("{link}{}", "/".repeat(MAX_BYTES - link.len()))).is_ok());
    assert_eq!(parse(&format!("{link}{}", "/".repeat(MAX_BYTES))), Err(ReferenceError::Unrecognized));
}
