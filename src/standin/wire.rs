//! The JSON of the Web API, field for field as development-mode apps get it in 2026.

use super::library::{Artwork, Counts, Owner, Playlist};
use super::listeners::Listener;
use super::music::{self, Entry, Song};
use serde_json::{Value, json};

/// How the answers are written: for which base address, in which regime.
pub(super) struct Wire {
    pub(super) base: String,
    pub(super) legacy: bool,
}

/// A stretch of a longer list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) limit: usize,
    pub(super) offset: usize,
}

impl Wire {
    pub(super) fn profile(&self, who: &Listener) -> Value {
        let mut me = self.owner(&who.as_owner());
        me["images"] = json!([]);
        if who.display_name.is_some() {
            let face = format!("{}/covers/{}", self.base, who.face);
            me["images"] = json!([{"url": face, "height": 300, "width": 300}]);
        }
        if let Some(account_id) = &who.account_id {
            me["account_id"] = json!(account_id);
        }
        if self.legacy {
            me["country"] = json!("SE");
            me["product"] = json!("premium");
            me["followers"] = json!({"href": null, "total": 7});
        }
        me
    }

    /// A playlist as lists show it.
    pub(super) fn simplified(&self, playlist: &Playlist) -> Value {
        let id = &playlist.id;
        let mut entry = json!({
            "collaborative": playlist.collaborative,
            "description": playlist.description,
            "external_urls": {"spotify": format!("https://open.spotify.com/playlist/{id}")},
            "href": format!("{}/v1/playlists/{id}", self.base),
            "id": id,
            "images": self.images(playlist),
            "name": playlist.name,
            "owner": self.owner(&playlist.owner),
            "primary_color": playlist.primary_color,
            "public": playlist.public,
            "snapshot_id": music::base62(&format!("snapshot {id}"), 32),
            "type": "playlist",
            "uri": format!("spotify:playlist:{id}"),
        });
        let path = if self.legacy { "tracks" } else { "items" };
        let link = format!("{}/v1/playlists/{id}/{path}", self.base);
        let count = json!({"href": link, "total": playlist.length});
        let counts = if self.legacy { Counts::Both } else { playlist.counts };
        match counts {
            Counts::Items => entry["items"] = count,
            Counts::Tracks => entry["tracks"] = count,
            Counts::Both => (entry["items"], entry["tracks"]) = (count.clone(), count),
            Counts::NullTotal => entry["tracks"] = json!({"href": link, "total": null}),
            Counts::Absent => {}
        }
        if playlist.surprises {
            entry["video_thumbnail"] = json!({"url": null});
            entry["vibe"] = json!({"weather": ["drizzle", 3, null], "loud": false});
        }
        entry
    }

    /// A playlist by itself: with its contents, or as metadata only.
    pub(super) fn full(&self, playlist: &Playlist, contents: bool) -> Value {
        let mut whole = self.simplified(playlist);
        if playlist.artwork == Artwork::Null {
            // Only lists say null; by itself the same playlist has an empty array.
            whole["images"] = json!([]);
        }
        if let Some(fields) = whole.as_object_mut() {
            fields.remove("items");
            fields.remove("tracks");
        }
        if contents {
            let (limit, offset) = (100, 0);
            let items = self.items(playlist, Page { limit, offset });
            if self.legacy {
                whole["tracks"] = items.clone();
            }
            whole["items"] = items;
        }
        if self.legacy {
            whole["followers"] = json!({"href": null, "total": 3});
        }
        whole
    }

    /// One page of what is in a playlist.
    pub(super) fn items(&self, playlist: &Playlist, page: Page) -> Value {
        let end = playlist.length.min(page.offset.saturating_add(page.limit));
        let entries = (page.offset.min(end)..end).map(|at| self.item(playlist, at));
        let path = format!("/v1/playlists/{}/items", playlist.id);
        let length = playlist.length;
        self.paging(&path, page, (length, length), entries.collect())
    }

    /// The paging object; `real` is where the list ends, `told` what it says of its length.
    pub(super) fn paging(&self, path: &str, page: Page, (real, told): (usize, usize), items: Vec<Value>) -> Value {
        let Page { limit, offset } = page;
        let link = |offset: usize| format!("{}{path}?offset={offset}&limit={limit}", self.base);
        let next = offset.saturating_add(limit);
        json!({
            "href": link(offset),
            "items": items,
            "limit": limit,
            "next": (next < real).then(|| link(next)),
            "offset": offset,
            "previous": (offset > 0).then(|| link(offset.saturating_sub(limit))),
            "total": told,
        })
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

    fn item(&self, playlist: &Playlist, at: usize) -> Value {
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

    fn owner(&self, owner: &Owner) -> Value {
        let id = path_segment(&owner.id);
        json!({
            "display_name": owner.display_name,
            "external_urls": {"spotify": format!("https://open.spotify.com/user/{id}")},
            "href": format!("{}/v1/users/{id}", self.base),
            "id": owner.id, "type": "user", "uri": format!("spotify:user:{id}"),
        })
    }

    fn images(&self, playlist: &Playlist) -> Value {
        let cover = |seed: &str| {
            let url = format!("{}/covers/{seed}", self.base);
            json!([{"height": null, "url": url, "width": null}])
        };
        match playlist.artwork {
            Artwork::Null => Value::Null,
            Artwork::Empty => json!([]),
            Artwork::Uploaded => cover(&playlist.id),
            Artwork::Expired => cover(&format!("expired-{}", playlist.id)),
            Artwork::Mosaic => self.sizes(&playlist.id),
        }
    }

    fn sizes(&self, seed: &str) -> Value {
        let image = |size: u32| {
            let url = format!("{}/covers/{seed}?size={size}", self.base);
            json!({"height": size, "url": url, "width": size})
        };
        json!([image(640), image(300), image(60)])
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

/// A user id in a path: people of earlier years have ids with spaces and umlauts in them.
pub(super) fn path_segment(id: &str) -> String {
    let encoded: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
    encoded.replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_ends_where_the_list_does_and_not_where_total_says() {
        let base = "http://a.test".to_owned();
        let wire = Wire { base, legacy: false };
        let page = |offset| Page { limit: 50, offset };
        let last = wire.paging("/x", page(100), (120, 123), Vec::new());
        assert_eq!(last["next"], Value::Null);
        assert_eq!(last["total"], 123);
        assert_eq!(last["previous"], "http://a.test/x?offset=50&limit=50");
        let first = wire.paging("/x", page(0), (51, 51), Vec::new());
        assert_eq!(first["next"], "http://a.test/x?offset=50&limit=50");
        assert_eq!(path_segment("a b/ü"), "a%20b%2F%C3%BC");
    }
}
