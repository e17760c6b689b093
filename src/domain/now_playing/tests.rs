//! The player's answers, and what is made of each.

use super::*;

const ID: &str = "3cEYpjA9oz9GiPac4AsH4n";

fn of(json: &str) -> (Playing, Source) {
    heard(serde_json::from_str::<Option<CurrentlyPlaying>>(json).unwrap().as_ref())
}

fn from(context: &str) -> Source {
    of(&format!(r#"{{"currently_playing_type":"ad","context":{context}}}"#)).1
}

#[test]
fn what_plays_is_told_from_what_does_not() {
    for (json, expected) in [
        ("null", Playing::Nothing),
        ("{}", Playing::Nothing),
        (r#"{"currently_playing_type":"track","item":null,"is_playing":true}"#, Playing::Nothing),
        (r#"{"currently_playing_type":"unknown","item":null,"is_playing":false}"#, Playing::Nothing),
        (r#"{"currently_playing_type":"unknown","item":null,"is_playing":true}"#, Playing::Unknown),
        (r#"{"currently_playing_type":"hologram","item":null}"#, Playing::Unknown),
        (r#"{"currently_playing_type":"episode","item":null,"is_playing":true}"#, Playing::SomeEpisode),
        (r#"{"currently_playing_type":"ad","item":null,"is_playing":true}"#, Playing::Advertisement),
        (r#"{"currently_playing_type":"ad","item":{"name":"Buy"},"is_playing":true}"#, Playing::Advertisement),
        (r#"{"currently_playing_type":7,"item":[],"is_playing":"yes","context":3}"#, Playing::Nothing),
        (r#"{"currently_playing_type":"track","item":"x"}"#, Playing::Nothing),
    ] {
        assert_eq!(of(json).0, expected, "{json}");
    }
}

#[test]
fn a_track_has_artists_and_an_episode_a_show() {
    let track = r#"{"currently_playing_type":"track","is_playing":false,"item":{"type":"track","name":"Drizzle",
        "uri":"spotify:track:4aawyAB9vmqN3uQ7FjRGTy","artists":[{"name":"Ida"},null,{"name":" "},{"name":"Bo"}],
        "album":{"name":"Weather","images":[{"url":"https://a/300","width":300}]}}}"#;
    let expected = Piece {
        episode: false,
        title: "Drizzle".into(),
        by: vec!["Ida".into(), "Bo".into()],
        album: Some("Weather".into()),
        cover: Some("https://a/300".into()),
        id: Some("4aawyAB9vmqN3uQ7FjRGTy".into()),
        paused: true,
    };
    assert_eq!(of(track).0, Playing::Piece(Box::new(expected)));
    let episode = r#"{"currently_playing_type":"episode","is_playing":true,"item":{"type":"episode","name":"One",
        "uri":"spotify:episode:5Xt5DXGzch68nYYamXrNxZ","show":{"name":"Two talk","images":null},
        "images":[{"url":"https://a/e","width":64}]}}"#;
    let expected = Piece {
        episode: true,
        title: "One".into(),
        by: vec!["Two talk".into()],
        cover: Some("https://a/e".into()),
        id: Some("5Xt5DXGzch68nYYamXrNxZ".into()),
        ..Piece::default()
    };
    assert_eq!(of(episode).0, Playing::Piece(Box::new(expected)));
}

#[test]
fn files_of_ones_own_have_no_id() {
    assert_eq!(id_of("spotify:local:Ida:Weather:Drizzle:201"), None);
    assert_eq!(id_of("spotify:track:"), None);
    assert_eq!(id_of("spotify:track:a/../b"), None);
    assert_eq!(id_of("javascript:track:x"), None);
}

#[test]
fn the_source_is_named_where_spotify_names_it() {
    let playlist = || Source::Playlist(PlaylistId::parse(ID).unwrap());
    for (context, expected) in [
        (format!(r#"{{"type":"playlist","uri":"spotify:playlist:{ID}"}}"#), playlist()),
        (format!(r#"{{"type":"playlist","uri":"spotify:user:a:playlist:{ID}"}}"#), playlist()),
        (format!(r#"{{"type":"playlist","uri":null,"href":"https://api.test/v1/playlists/{ID}"}}"#), playlist()),
        (r#"{"type":"playlist","uri":"spotify:playlist:short"}"#.into(), Source::Unnamed),
        (r#"{"type":"album","uri":"spotify:album:x"}"#.into(), Source::Album),
        (r#"{"type":"artist"}"#.into(), Source::Artist),
        (r#"{"type":"show"}"#.into(), Source::Show),
        (r#"{"type":"collection","uri":"spotify:user:a:collection"}"#.into(), Source::LikedSongs),
        (r#"{"type":"jam"}"#.into(), Source::Unnamed),
        ("null".into(), Source::Unnamed),
    ] {
        assert_eq!(from(&context), expected, "{context}");
    }
    assert_eq!(
        of(&format!(r#"{{"item":null,"context":{{"type":"playlist","uri":"spotify:playlist:{ID}"}}}}"#)).1,
        Source::Unnamed
    );
}
