//! Feeds of shared hearts: Atom (RFC 4287) and JSON Feed 1.1 (<https://www.jsonfeed.org/version/1.1/>).

use askama::Template;
use axum::response::Response;
use serde::Serialize;
use time::OffsetDateTime;

use crate::app::App;
use crate::domain::sharing::SharedPage;
use crate::web::error::AppError;
use crate::web::extract::{Now, State};
use crate::web::pages::sharing::visibility::SharedAddress;
use crate::web::views::layout::absolute_url;
use crate::web::views::playlist_card::PlaylistCard;
use crate::web::views::time::rfc3339;

/// Both formats; fields are named as in JSON Feed.
#[derive(Serialize, Template)]
#[template(path = "sharing/atom.xml")]
struct Feed {
    version: &'static str,
    title: String,
    description: String,
    home_page_url: String,
    feed_url: String,
    authors: [Author; 1],
    items: Vec<Item>,
    /// Not part of JSON Feed, whose id is `feed_url`.
    #[serde(skip)]
    id: String,
    #[serde(skip)]
    updated: String,
}

#[derive(Serialize)]
struct Author {
    name: String,
}

#[derive(Serialize)]
struct Item {
    id: String,
    url: String,
    title: String,
    content_text: String,
    date_published: String,
}

pub(crate) async fn atom(app: State, Now(now): Now, asked: SharedAddress) -> Result<Response, AppError> {
    let feed = feed(&app, &asked, "atom.xml", now).await?;
    Ok(asked.respond("application/atom+xml; charset=utf-8", feed.render().map_err(AppError::internal)?))
}

pub(crate) async fn json(app: State, Now(now): Now, asked: SharedAddress) -> Result<Response, AppError> {
    let feed = feed(&app, &asked, "feed.json", now).await?;
    Ok(asked.respond("application/feed+json", serde_json::to_string(&feed).map_err(AppError::internal)?))
}

async fn feed(app: &App, asked: &SharedAddress, file: &str, now: OffsetDateTime) -> Result<Feed, AppError> {
    let shown = asked.load(app, 1, now).await?;
    let id = tag_uri(app, asked, shown.since);
    let owner = strip_invalid_xml(&shown.owner);
    let newest = shown.hearts.entries.first().and_then(|heart| heart.hearted_at).unwrap_or(shown.since);
    Ok(Feed {
        version: "https://jsonfeed.org/version/1.1",
        title: format!("{owner}’s hearts"),
        description: format!(
            "Playlists hearted by {owner}. Names come from Spotify; Heartlist is not affiliated with Spotify."
        ),
        home_page_url: absolute_url(app, &asked.path),
        feed_url: absolute_url(app, &format!("{}/{file}", asked.path)),
        items: items(shown, &id),
        authors: [Author { name: owner }],
        updated: rfc3339(newest),
        id,
    })
}

fn items(shown: SharedPage, feed: &str) -> Vec<Item> {
    let items = shown.hearts.entries.into_iter().map(|heart| {
        let hearted_at = heart.hearted_at.unwrap_or(shown.since);
        let card = PlaylistCard::from(heart);
        let by = card.owner.filter(|owner| !owner.trim().is_empty());
        Item {
            id: format!("{feed}/{}", card.id),
            url: format!("https://open.spotify.com/playlist/{}", card.id),
            title: strip_invalid_xml(&card.name),
            content_text: by
                .map_or_else(|| "A playlist".into(), |owner| format!("A playlist by {}", strip_invalid_xml(&owner))),
            date_published: rfc3339(hearted_at),
        }
    });
    items.collect()
}

/// Permanent id of a feed (RFC 4151): host, day on which the address was claimed, and address. A later owner of the same
/// address has another id.
fn tag_uri(app: &App, asked: &SharedAddress, since: OffsetDateTime) -> String {
    let host = app.config.base_url.host_str().unwrap_or("localhost");
    format!("tag:{host},{}:{}", since.date(), asked.address.public_id())
}

/// Removes characters that XML cannot hold, not even escaped (XML 1.0, 2.2).
fn strip_invalid_xml(text: &str) -> String {
    let fits = |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().filter(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::strip_invalid_xml;

    #[test]
    fn what_xml_cannot_hold_is_left_out() {
        assert_eq!(strip_invalid_xml("a\u{0}b\u{b}c\u{1f}\u{ffff}é 🎧\n"), "abcé 🎧\n");
    }
}
