//! The JSON of what is in a playlist: tracks, episodes, local files and gaps.

use super::library::Playlist;
use super::music::{self, Entry, Song};
use super::wire::Wire;
use serde_json::{Value, json};

impl Wire {
    /// The entry at place `at`.
    pub(super) fn item(&self, playlist: &Playlist, at: usize) -> Value {
        let content = music::entry(&playlist.id, at);
        let what = match &content {
            Entry::Track(song) => self.track(song),
            Entry::Local(song) => local(song),
            Entry::Episode(song) => self.episode(song),
            Entry::Gone => Value::Null,
        };
        let mut entry = json!({
            "added_at": format!("2025-{:02}-{:02}T18:30:00Z", 1 + at / 28 % 12, 1 + at % 28),
            "added_by": {"id": playlist.owner.id, "type": "user"},
            "is_local": matches!(content, Entry::Local(_)),
            "primary_color": null,
            "video_thumbnail": {"url": null},
        });
        if at % 31 == 30 {
            (entry["added_at"], entry["added_by"]) = (Value::Null, Value::Null);
        }
        if self.legacy {
            entry["track"] = what.clone();
        }
        entry["item"] = what;
        entry
    }

    /// A song as the player shows it.
    pub(super) fn track(&self, song: &Song) -> Value {
        let artist = |name: &&str| {
            let id = music::base62(&format!("artist {name}"), 22);
            json!({
                "external_urls": {"spotify": format!("https://open.spotify.com/artist/{id}")},
                "href": format!("{}/v1/artists/{id}", self.base),
                "id": id, "name": name, "type": "artist", "uri": format!("spotify:artist:{id}"),
            })
        };
        let (id, album) = (&song.id, music::base62(&format!("album {}", song.album), 22));
        json!({
            "album": {
                "album_type": "album", "id": album, "name": song.album, "type": "album",
                "images": self.sizes(&album), "uri": format!("spotify:album:{album}"),
            },
            "artists": song.artists.iter().map(artist).collect::<Vec<_>>(),
            "duration_ms": song.milliseconds,
            "explicit": song.explicit,
            "external_ids": {"isrc": format!("XX{}", music::dice(id, 10_000_000))},
            "external_urls": {"spotify": format!("https://open.spotify.com/track/{id}")},
            "href": format!("{}/v1/tracks/{id}", self.base),
            "id": id, "is_local": false, "name": song.name, "type": "track",
            "uri": format!("spotify:track:{id}"),
        })
    }

    /// An episode of a podcast.
    pub(super) fn episode(&self, song: &Song) -> Value {
        let show = music::base62(&format!("show {}", song.album), 22);
        json!({
            "description": "Two people talk about a song nobody has heard.",
            "duration_ms": song.milliseconds * 9,
            "explicit": song.explicit,
            "external_urls": {"spotify": format!("https://open.spotify.com/episode/{}", song.id)},
            "href": format!("{}/v1/episodes/{}", self.base, song.id),
            "id": song.id, "images": self.sizes(&show),
            "name": format!("On “{}”", song.name), "release_date": "2026-03-14",
            "show": {"id": show, "name": format!("{}, the podcast", song.album), "type": "show"},
            "type": "episode", "uri": format!("spotify:episode:{}", song.id),
        })
    }
}

fn local(song: &Song) -> Value {
    let (name, artist) = (song.name, song.artists[0]);
    let uri: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    json!({
        "album": {"album_type": null, "id": null, "images": [], "name": "", "type": "album", "uri": null},
        "artists": [{"external_urls": {}, "href": null, "id": null, "name": artist, "type": "artist", "uri": null}],
        "duration_ms": song.milliseconds, "explicit": false, "external_ids": {},
        "external_urls": {}, "href": null, "id": null, "is_local": true, "name": name,
        "type": "track", "uri": format!("spotify:local:::{uri}:{}", song.milliseconds / 1000),
    })
}
