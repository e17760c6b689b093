//! The JSON of the Web API: profiles, playlists and paging, with the fields that development-mode apps get in 2026.

use serde_json::{Value, json};

use crate::paging::{Page, PagingQuirk};
use crate::playlist::{Artwork, CountField, Owner, Playlist};
use crate::seed::base62;
use crate::user::User;

/// Serializer for one base address and one version of the API.
pub(crate) struct WireFormat {
    pub(crate) base: String,
    pub(crate) is_legacy: bool,
    pub(crate) paging_quirk: Option<PagingQuirk>,
}

impl WireFormat {
    pub(crate) fn profile(&self, user: &User) -> Value {
        let mut me = self.owner(&user.to_owner());
        me["images"] = json!([]);
        if user.display_name.is_some() {
            let picture = format!("{}/covers/{}", self.base, user.picture_seed);
            me["images"] = json!([{"url": picture, "height": 300, "width": 300}]);
        }
        if let Some(account_id) = &user.account_id {
            me["account_id"] = json!(account_id);
        }
        if self.is_legacy {
            me["country"] = json!("SE");
            me["product"] = json!("premium");
            me["followers"] = json!({"href": null, "total": 7});
        }
        me
    }

    /// A playlist in a list.
    pub(crate) fn to_simplified(&self, playlist: &Playlist) -> Value {
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
            "snapshot_id": base62(&format!("snapshot {id} {}", playlist.revision), 32),
            "type": "playlist",
            "uri": format!("spotify:playlist:{id}"),
        });
        let path = if self.is_legacy { "tracks" } else { "items" };
        let link = format!("{}/v1/playlists/{id}/{path}", self.base);
        let count = json!({"href": link, "total": playlist.length});
        let counts = if self.is_legacy { CountField::Both } else { playlist.counts };
        match counts {
            CountField::Items => entry["items"] = count,
            CountField::Tracks => entry["tracks"] = count,
            CountField::Both => (entry["items"], entry["tracks"]) = (count.clone(), count),
            CountField::NullTotal => entry["tracks"] = json!({"href": link, "total": null}),
            CountField::Absent => {}
        }
        if playlist.has_unknown_fields {
            entry["video_thumbnail"] = json!({"url": null});
            entry["vibe"] = json!({"weather": ["drizzle", 3, null], "loud": false});
        }
        entry
    }

    /// The paging object. `length` is where the list ends, `total` the length it reports.
    pub(crate) fn paging(&self, path: &str, page: Page, (length, total): (usize, usize), items: Vec<Value>) -> Value {
        let Page { limit, offset } = page;
        let link = |offset: usize| format!("{}{path}?offset={offset}&limit={limit}", self.base);
        let next = offset.saturating_add(limit);
        let mut response = json!({
            "href": link(offset),
            "items": items,
            "limit": limit,
            "next": (next < length).then(|| link(next)),
            "offset": offset,
            "previous": (offset > 0).then(|| link(offset.saturating_sub(limit))),
            "total": total,
        });
        if let Some(quirk) = self.paging_quirk {
            quirk.distort(&mut response, page);
        }
        response
    }

    /// The page that is returned when `page` is requested.
    pub(crate) fn replace_page(&self, page: Page) -> Page {
        self.paging_quirk.map_or(page, |quirk| quirk.replace_page(page))
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
            Artwork::At(url) => json!([{"height": 640, "url": url, "width": 640}]),
        }
    }

    /// A cover in the three usual sizes.
    pub(crate) fn sizes(&self, seed: &str) -> Value {
        let image = |size: u32| {
            let url = format!("{}/covers/{seed}?size={size}", self.base);
            json!({"height": size, "url": url, "width": size})
        };
        json!([image(640), image(300), image(60)])
    }
}

/// A user id as a path segment: ids of early accounts contain spaces and umlauts.
pub(crate) fn path_segment(id: &str) -> String {
    let encoded: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
    encoded.replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_is_null_at_the_end_of_the_list_whatever_total_says() {
        let base = "http://a.test".to_owned();
        let wire = WireFormat { base, is_legacy: false, paging_quirk: None };
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
