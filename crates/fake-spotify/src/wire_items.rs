//! The JSON of the Web API: the items of playlists.

use serde_json::{Value, json};

use crate::music::{self, Entry, Song};
use crate::paging::Page;
use crate::playlist::{Artwork, Playlist};
use crate::seed::{base62, number_below};
use crate::wire::WireFormat;

impl WireFormat {
    /// A single playlist, with or without its items.
    pub(crate) fn full(&self, playlist: &Playlist, with_items: bool) -> Value {
        let mut whole = self.to_simplified(playlist);
        if playlist.artwork == Artwork::Null {
            // Null appears in lists only; a single playlist has an empty array.
            whole["images"] = json!([]);
        }
        if let Some(fields) = whole.as_object_mut() {
            fields.remove("items");
            fields.remove("tracks");
        }
        if with_items {
            let items = self.items(playlist, Page { limit: 100, offset: 0 });
            if self.is_legacy {
                whole["tracks"] = items.clone();
            }
            whole["items"] = items;
        }
        if self.is_legacy {
            whole["followers"] = json!({"href": null, "total": 3});
        }
        whole
    }

    /// A page of items.
    pub(crate) fn items(&self, playlist: &Playlist, page: Page) -> Value {
        let page = self.replace_page(page);
        let end = playlist.length.min(page.offset.saturating_add(page.limit));
        let entries = (page.offset.min(end)..end).map(|position| self.item(playlist, position));
        let path = format!("/v1/playlists/{}/items", playlist.id);
        let length = playlist.length;
        self.paging(&path, page, (length, length), entries.collect())
    }

    fn item(&self, playlist: &Playlist, position: usize) -> Value {
        let content = music::entry(&playlist.id, position);
        let item = match &content {
            Entry::Track(song) => self.track(song),
            Entry::Local(song) => local(song),
            Entry::Episode(song) => self.episode(song),
            Entry::Unavailable => Value::Null,
        };
        let mut entry = json!({
            "added_at": format!("2025-{:02}-{:02}T18:30:00Z", 1 + position / 28 % 12, 1 + position % 28),
            "added_by": {"id": playlist.owner.id, "type": "user"},
            "is_local": matches!(content, Entry::Local(_)),
            "primary_color": null,
            "video_thumbnail": {"url": null},
        });
        if position % 31 == 30 {
            (entry["added_at"], entry["added_by"]) = (Value::Null, Value::Null);
        }
        if self.is_legacy {
            entry["track"] = item.clone();
        }
        entry["item"] = item;
        entry
    }

    pub(crate) fn track(&self, song: &Song) -> Value {
        let artist = |name: &&str| {
            let id = base62(&format!("artist {name}"), 22);
            json!({
                "external_urls": {"spotify": format!("https://open.spotify.com/artist/{id}")},
                "href": format!("{}/v1/artists/{id}", self.base),
                "id": id, "name": name, "type": "artist", "uri": format!("spotify:artist:{id}"),
            })
        };
        let (id, album) = (&song.id, base62(&format!("album {}", song.album), 22));
        json!({
            "album": {
                "album_type": "album", "id": album, "name": song.album, "type": "album",
                "images": self.sizes(&album), "uri": format!("spotify:album:{album}"),
            },
            "artists": song.artists.iter().map(artist).collect::<Vec<_>>(),
            "duration_ms": song.duration_ms,
            "explicit": song.is_explicit,
            "external_ids": {"isrc": format!("XX{}", number_below(id, 10_000_000))},
            "external_urls": {"spotify": format!("https://open.spotify.com/track/{id}")},
            "href": format!("{}/v1/tracks/{id}", self.base),
            "id": id, "is_local": false, "name": song.name, "type": "track",
            "uri": format!("spotify:track:{id}"),
        })
    }

    pub(crate) fn episode(&self, song: &Song) -> Value {
        let show = base62(&format!("show {}", song.album), 22);
        json!({
            "description": "Two people talk about a song nobody has heard.",
            "duration_ms": song.duration_ms * 9,
            "explicit": song.is_explicit,
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
        "duration_ms": song.duration_ms, "explicit": false, "external_ids": {},
        "external_urls": {}, "href": null, "id": null, "is_local": true, "name": name,
        "type": "track", "uri": format!("spotify:local:::{uri}:{}", song.duration_ms / 1000),
    })
}
