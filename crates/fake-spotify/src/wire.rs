//! The JSON of the Web API, field for field as development-mode apps get it in 2026.

use super::library::{Artwork, Counts, Owner, Playlist};
use super::listeners::Listener;
use super::music;
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
            "snapshot_id": music::base62(&format!("snapshot {id} {}", playlist.revision), 32),
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

    /// The same cover in the three usual sizes.
    pub(super) fn sizes(&self, seed: &str) -> Value {
        let image = |size: u32| {
            let url = format!("{}/covers/{seed}?size={size}", self.base);
            json!({"height": size, "url": url, "width": size})
        };
        json!([image(640), image(300), image(60)])
    }
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
