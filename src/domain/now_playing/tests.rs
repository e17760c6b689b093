//! Parsing of the player's responses.

use super::*;

const ID: &str = "3cEYpjA9oz9GiPac4AsH4n";

fn parse(json: &str) -> (Playback, PlaybackContext) {
    let hosts = PictureHosts::new(&"https://api.spotify.com/v1".parse().unwrap());
    parse_playback(serde_json::from_str::<Option<CurrentlyPlaying>>(json).unwrap().as_ref(), &hosts)
}

fn context(json: &str) -> PlaybackContext {
    parse(&format!(r#"{{"currently_playing_type":"ad","context":{json}}}"#)).1
}

#[test]
fn playing_and_not_playing_are_distinguished() {
    for (json, expected) in [
        ("null", Playback::Nothing),
        ("{}", Playback::Nothing),
        (r#"{"currently_playing_type":"track","item":null,"is_playing":true}"#, Playback::Nothing),
        (r#"{"currently_playing_type":"unknown","item":null,"is_playing":false}"#, Playback::Nothing),
        (r#"{"currently_playing_type":"unknown","item":null,"is_playing":true}"#, Playback::Unknown),
        (r#"{"currently_playing_type":"hologram","item":null}"#, Playback::Unknown),
        (r#"{"currently_playing_type":"episode","item":null,"is_playing":true}"#, Playback::UnnamedEpisode),
        (r#"{"currently_playing_type":"ad","item":null,"is_playing":true}"#, Playback::Advertisement),
        (r#"{"currently_playing_type":"ad","item":{"name":"Buy"},"is_playing":true}"#, Playback::Advertisement),
        (r#"{"currently_playing_type":7,"item":[],"is_playing":"yes","context":3}"#, Playback::Nothing),
        (r#"{"currently_playing_type":"track","item":"x"}"#, Playback::Nothing),
    ] {
        assert_eq!(parse(json).0, expected, "{json}");
    }
}

#[test]
fn a_track_has_artists_and_an_episode_a_show() {
    let track = r#"{"currently_playing_type":"track","is_playing":false,"item":{"type":"track","name":"Drizzle",
        "uri":"spotify:track:4aawyAB9vmqN3uQ7FjRGTy","artists":[{"name":"Ida"},null,{"name":" "},{"name":"Bo"}],
        "album":{"name":"Weather","images":[{"url":"https://i.scdn.co/300","width":300}]}}}"#;
    let expected = PlayingItem {
        is_episode: false,
        title: "Drizzle".into(),
        creators: vec!["Ida".into(), "Bo".into()],
        album: Some("Weather".into()),
        cover: Some("https://i.scdn.co/300".into()),
        id: Some("4aawyAB9vmqN3uQ7FjRGTy".into()),
        is_paused: true,
    };
    assert_eq!(parse(track).0, Playback::Item(Box::new(expected)));
    let episode = r#"{"currently_playing_type":"episode","is_playing":true,"item":{"type":"episode","name":"One",
        "uri":"spotify:episode:5Xt5DXGzch68nYYamXrNxZ","show":{"name":"Two talk","images":null},
        "images":[{"url":"https://i.scdn.co/e","width":64}]}}"#;
    let expected = PlayingItem {
        is_episode: true,
        title: "One".into(),
        creators: vec!["Two talk".into()],
        cover: Some("https://i.scdn.co/e".into()),
        id: Some("5Xt5DXGzch68nYYamXrNxZ".into()),
        ..PlayingItem::default()
    };
    assert_eq!(parse(episode).0, Playback::Item(Box::new(expected)));
}

#[test]
fn local_files_have_no_id() {
    for uri in ["spotify:local:Ida:Weather:Drizzle:201", "spotify:track:", "spotify:track:a/../b", "javascript:track:x"]
    {
        assert_eq!(Track { uri: Some(uri.into()), ..Track::default() }.id(), None, "{uri}");
    }
}

#[test]
fn the_context_is_parsed_from_its_type_and_uri() {
    let playlist = || PlaybackContext::Playlist(PlaylistId::parse(ID).unwrap());
    for (json, expected) in [
        (format!(r#"{{"type":"playlist","uri":"spotify:playlist:{ID}"}}"#), playlist()),
        (format!(r#"{{"type":"playlist","uri":"spotify:user:a:playlist:{ID}"}}"#), playlist()),
        (format!(r#"{{"type":"playlist","uri":null,"href":"https://api.test/v1/playlists/{ID}"}}"#), playlist()),
        (r#"{"type":"playlist","uri":"spotify:playlist:short"}"#.into(), PlaybackContext::Unknown),
        (r#"{"type":"album","uri":"spotify:album:x"}"#.into(), PlaybackContext::Album),
        (r#"{"type":"artist"}"#.into(), PlaybackContext::Artist),
        (r#"{"type":"show"}"#.into(), PlaybackContext::Show),
        (r#"{"type":"collection","uri":"spotify:user:a:collection"}"#.into(), PlaybackContext::LikedSongs),
        (r#"{"type":"jam"}"#.into(), PlaybackContext::Unknown),
        ("null".into(), PlaybackContext::Unknown),
    ] {
        assert_eq!(context(&json), expected, "{json}");
    }
    assert_eq!(
        parse(&format!(r#"{{"item":null,"context":{{"type":"playlist","uri":"spotify:playlist:{ID}"}}}}"#)).1,
        PlaybackContext::Unknown
    );
}
