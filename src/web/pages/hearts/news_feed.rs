//! The private feed of a user's news, and its settings.

use askama::Template;
use axum::Form;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect};

use crate::app::App;
use crate::domain::activity::{self, EventKind};
use crate::domain::news;
use crate::domain::playlists::playlist_url;
use crate::ids::Secret;
use crate::web::error::{AppError, Result};
use crate::web::extract::{Device, Now, SignedIn, State};
use crate::web::flash::{self, Flash, ListFlash};
use crate::web::pages::hearts::news::{describe, name};
use crate::web::pages::sharing::SecretLinkForm;
use crate::web::pages::sharing::feeds::{Author, Feed, FeedItem, VERSION, strip_invalid_xml};
use crate::web::pages::sharing::request::{Conditional, Visibility};
use crate::web::views::{Layout, TimeView, absolute_url, render_page, rfc3339};

const SETTINGS_PATH: &str = "/hearts/news/feed";

#[derive(Template)]
#[template(path = "hearts/news_feed.html")]
struct FeedPage {
    layout: Layout,
    feed: Option<FeedView>,
}

struct FeedView {
    since: TimeView,
    /// Label and URL of each format; none if the stored token cannot be decrypted any more.
    urls: Vec<(&'static str, String)>,
}

pub(crate) async fn show(app: State, layout: Layout, SignedIn(user): SignedIn) -> Result {
    let link = news::load_link(&app, &user).await?;
    let feed = link.map(|link| FeedView {
        since: TimeView::date(link.since),
        urls: link.token.map_or_else(Vec::new, |token| {
            let url = |file: &str| absolute_url(&app, &format!("/n/{}/{file}", token.expose()));
            vec![("Atom", url("atom.xml")), ("JSON Feed", url("feed.json"))]
        }),
    });
    Ok(render_page(&FeedPage { layout: layout.with_title("Private feed", "hearts"), feed }))
}

#[derive(Template)]
#[template(path = "hearts/new_feed.html")]
struct NewFeedPage {
    layout: Layout,
}

/// Asks before a new address replaces the one that feed readers have.
pub(crate) async fn confirm(app: State, layout: Layout, SignedIn(user): SignedIn) -> Result {
    match news::load_link(&app, &user).await? {
        Some(_) => Ok(render_page(&NewFeedPage { layout: layout.with_title("Make a new address", "hearts") })),
        None => Ok(Redirect::to(SETTINGS_PATH).into_response()),
    }
}

/// Turns the feed on, gives it a new address if that was confirmed, or turns it off.
pub(crate) async fn update(
    app: State,
    Now(now): Now,
    (SignedIn(user), Device(device)): (SignedIn, Device),
    Form(form): Form<SecretLinkForm>,
) -> Result {
    let (event, flash) = match form.on {
        true if !news::create_link(&app, &user, form.replaces, now).await? => {
            return Ok(flash::redirect(SETTINGS_PATH, Flash::List(ListFlash::FeedKept)));
        }
        true => (EventKind::FeedCreated, ListFlash::FeedOn),
        false => {
            news::revoke_link(&app, &user).await?;
            (EventKind::FeedRevoked, ListFlash::FeedOff)
        }
    };
    activity::record(&app, user.id, event, &device, now).await;
    Ok(flash::redirect(SETTINGS_PATH, Flash::List(flash)))
}

pub(crate) async fn atom(app: State, Path(token): Path<String>, headers: HeaderMap) -> Result {
    let feed = load(&app, &Secret::new(&token), "atom.xml").await?;
    let text = feed.render().map_err(AppError::internal)?;
    Ok(Conditional::new(&headers).respond(Visibility::Secret, "application/atom+xml; charset=utf-8", text))
}

pub(crate) async fn json(app: State, Path(token): Path<String>, headers: HeaderMap) -> Result {
    let feed = load(&app, &Secret::new(&token), "feed.json").await?;
    let text = serde_json::to_string(&feed).map_err(AppError::internal)?;
    Ok(Conditional::new(&headers).respond(Visibility::Secret, "application/feed+json", text))
}

/// Fails with 410 whether an address was turned off or never existed.
async fn load(app: &App, token: &Secret, file: &str) -> Result<Feed> {
    let (feed, items) = news::load_feed(app, token).await?.ok_or_else(feed_not_found)?;
    let updated = items.first().map_or(feed.created_at, |item| item.at);
    let items = items.into_iter().map(|item| {
        let description = describe(&item);
        FeedItem {
            id: format!("{}/{}/{}/{}", feed.feed_id, item.playlist_id, item.kind.key(), item.day),
            url: playlist_url(&item.playlist_id),
            date_published: rfc3339(item.at),
            title: strip_invalid_xml(&format!("{description}: {}", name(item))),
            content_text: strip_invalid_xml(&description),
        }
    });
    Ok(Feed {
        version: VERSION,
        title: "News of your hearts".into(),
        description: "Names come from Spotify; Heartlist is not affiliated with Spotify.".into(),
        home_page_url: absolute_url(app, "/hearts/news"),
        feed_url: absolute_url(app, &format!("/n/{}/{file}", token.expose())),
        authors: [Author { name: "Heartlist".into() }],
        items: items.collect(),
        updated: rfc3339(updated),
        id: feed.feed_id.clone(),
    })
}

fn feed_not_found() -> AppError {
    let text = "There is no feed at this address. Perhaps there never was, or its owner has turned it off.";
    AppError::new(StatusCode::GONE, "No feed here", text)
}
