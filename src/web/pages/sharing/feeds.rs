//! Feeds of shared hearts: Atom (RFC 4287) and JSON Feed 1.1 (<https://www.jsonfeed.org/version/1.1/>).

use askama::Template;
use serde::Serialize;
use time::OffsetDateTime;

use crate::app::App;
use crate::domain::playlists::playlist_url;
use crate::domain::sharing::SharedPage;
use crate::web::error::{AppError, Result};
use crate::web::extract::{Now, State};
use crate::web::pages::sharing::request::SharedPageRequest;
use crate::web::views::{PlaylistCard, absolute_url, rfc3339};

/// Version of JSON Feed.
pub(crate) const VERSION: &str = "https://jsonfeed.org/version/1.1";

/// A feed in either format. Fields are named as in JSON Feed.
#[derive(Serialize, Template)]
#[template(path = "sharing/atom.xml")]
pub(crate) struct Feed {
    pub(crate) version: &'static str,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) home_page_url: String,
    pub(crate) feed_url: String,
    pub(crate) authors: [Author; 1],
    pub(crate) items: Vec<FeedItem>,
    /// Atom only; the id of a JSON Feed is its `feed_url`.
    #[serde(skip)]
    pub(crate) id: String,
    #[serde(skip)]
    pub(crate) updated: String,
}

#[derive(Serialize)]
pub(crate) struct Author {
    pub(crate) name: String,
}

#[derive(Serialize)]
pub(crate) struct FeedItem {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) title: String,
    pub(crate) content_text: String,
    pub(crate) date_published: String,
}

pub(crate) async fn atom(app: State, Now(now): Now, request: SharedPageRequest) -> Result {
    let feed = feed(&app, &request, "atom.xml", now).await?;
    Ok(request.respond("application/atom+xml; charset=utf-8", feed.render().map_err(AppError::internal)?))
}

pub(crate) async fn json(app: State, Now(now): Now, request: SharedPageRequest) -> Result {
    let feed = feed(&app, &request, "feed.json", now).await?;
    Ok(request.respond("application/feed+json", serde_json::to_string(&feed).map_err(AppError::internal)?))
}

async fn feed(app: &App, request: &SharedPageRequest, file: &str, now: OffsetDateTime) -> Result<Feed> {
    let page = request.load(app, (1, false), now).await?;
    // The feed of a tag is another one, with entries of its own.
    let id = format!("{}{}", page.feed_id, &request.path[request.root.len()..]);
    let owner = strip_invalid_xml(&page.owner);
    let updated = page.hearts.entries.first().and_then(|heart| heart.hearted_at).unwrap_or(page.since);
    Ok(Feed {
        version: VERSION,
        title: match &page.tag {
            Some(tag) => format!("{owner}’s hearts: {}", strip_invalid_xml(tag)),
            None => format!("{owner}’s hearts"),
        },
        description: format!(
            "Playlists hearted by {owner}. Names come from Spotify; Heartlist is not affiliated with Spotify."
        ),
        home_page_url: absolute_url(app, &request.path),
        feed_url: absolute_url(app, &format!("{}/{file}", request.path)),
        items: items(page, &id),
        authors: [Author { name: owner }],
        updated: rfc3339(updated),
        id,
    })
}

fn items(page: SharedPage, feed: &str) -> Vec<FeedItem> {
    let items = page.hearts.entries.into_iter().map(|heart| {
        let hearted_at = heart.hearted_at.unwrap_or(page.since);
        let card = PlaylistCard::from(heart);
        let owner = card.owner.map(|owner| format!(" by {}", strip_invalid_xml(&owner))).unwrap_or_default();
        let note = card.note.map(|note| format!(": {}", strip_invalid_xml(&note))).unwrap_or_default();
        FeedItem {
            id: format!("{feed}/{}", card.id),
            url: playlist_url(&card.id),
            title: strip_invalid_xml(&card.name),
            content_text: format!("A playlist{owner}{note}"),
            date_published: rfc3339(hearted_at),
        }
    });
    items.collect()
}

/// Removes characters that are invalid in XML even when escaped (XML 1.0, 2.2).
pub(crate) fn strip_invalid_xml(text: &str) -> String {
    let is_valid =
        |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().filter(is_valid).collect()
}

#[cfg(test)]
mod tests {
    use super::strip_invalid_xml;

    #[test]
    fn characters_invalid_in_xml_are_removed() {
        assert_eq!(strip_invalid_xml("a\u{0}b\u{b}c\u{1f}\u{ffff}é 🎧\n"), "abcé 🎧\n");
    }
}
