//! Adding hearts by link: from the lists' form, and from a phone's share sheet or a bookmarklet, which open `/add`.

use std::collections::HashSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::Query;
use axum::http::header::RETRY_AFTER;
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse;
use axum::{Extension, Form};
use serde::Deserialize;
use time::OffsetDateTime;

use crate::app::App;
use crate::domain::hearts::{self, AddedByLink};
use crate::domain::reference::{self, ReferenceError};
use crate::domain::search::Order;
use crate::domain::{CurrentUser, Error, Playlist, playlists, sharing, top};
use crate::ids::PlaylistId;
use crate::rate_limiter::retry_seconds;
use crate::web::error::{AppError, Result};
use crate::web::extract::list_query::{ListParams, ListView};
use crate::web::extract::list_spec::HEARTS;
use crate::web::extract::return_to::{list_anchor, playlist_path};
use crate::web::extract::{BackLink, MaybeUser, Now, State};
use crate::web::flash::{self, Flash};
use crate::web::middleware::rate_limit::RateLimit;
use crate::web::views::pager::with_param;
use crate::web::views::{Layout, PlaylistCard, absolute_url, render_page, sanitize_for_redisplay};

/// Maximum number of links of a form. Each may cost a call to Spotify.
const MAX_LINKS: usize = 20;
/// Maximum length of a line that an error quotes. A link with its parameters is about 70 characters long.
const MAX_QUOTED_CHARS: usize = 80;

#[derive(Template)]
#[template(path = "hearts/add.html")]
struct AddPage {
    layout: Layout,
    back: BackLink,
    /// One a line.
    links: String,
    /// The playlist of a single link, if its name is known.
    card: Option<PlaylistCard>,
    /// Number of hearts that other lines of the form added.
    added: usize,
    /// One for the form, or one for each line of `links`.
    errors: Vec<LinkError>,
    /// Absolute URL of this page.
    url: String,
}

struct LinkError {
    /// The line, if there are several.
    line: String,
    reason: String,
}

impl LinkError {
    fn for_form(reason: impl ToString) -> Vec<Self> {
        vec![Self { line: String::new(), reason: reason.to_string() }]
    }

    fn new(line: &str, reason: &LineError) -> Self {
        let is_cut = line.chars().nth(MAX_QUOTED_CHARS).is_some();
        let line: String = sanitize_for_redisplay(line.trim()).chars().take(MAX_QUOTED_CHARS).collect();
        Self { line: if is_cut { line + "…" } else { line }, reason: reason.to_string() }
    }
}

impl AddPage {
    fn new(app: &App, layout: Layout) -> Self {
        Self {
            layout: layout.with_title("Add by link", "hearts"),
            back: BackLink::from_param(Some("/hearts")),
            links: String::new(),
            card: None,
            added: 0,
            errors: Vec::new(),
            url: absolute_url(app, "/add"),
        }
    }
}

/// A link that was shared with the app. Share sheets put it into `url` or, on Android, into `text`
/// (w3c.github.io/web-share-target).
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct SharedLink {
    link: String,
    url: String,
    text: String,
    title: String,
    /// Reference of the shared page with the link.
    share: Option<String>,
}

impl SharedLink {
    /// Returns the field that names Spotify, or else the first one that is not empty.
    fn into_text(self) -> String {
        let fields = [self.link, self.url, self.text, self.title].into_iter().filter(|text| !text.trim().is_empty());
        let fields: Vec<_> = fields.collect();
        let link = fields.iter().find(|text| reference::names_spotify(text)).or(fields.first());
        link.map(|text| sanitize_for_redisplay(text)).unwrap_or_default()
    }
}

/// The form, with a shared link. Changes nothing and does not call Spotify.
pub(crate) async fn show(
    app: State,
    Now(now): Now,
    layout: Layout,
    (maybe_user, uri): (MaybeUser, Uri),
    Query(shared): Query<SharedLink>,
) -> Result {
    let path = uri.path_and_query().map_or("/add", |path| path.as_str());
    let user = maybe_user.user.ok_or_else(|| AppError::sign_in_required(path))?;
    let share = shared.share.clone();
    let mut page = AddPage { links: shared.into_text(), ..AddPage::new(&app, layout) };
    match reference::parse(&page.links) {
        Ok(id) => {
            page.links = playlists::playlist_url(&id);
            page.card = preview(&app, &user, &id, share.as_deref(), now).await?;
        }
        Err(error) if !page.links.is_empty() => page.errors = LinkError::for_form(error),
        Err(_) => {}
    }
    Ok(render_page(&page))
}

/// Returns the playlist as the user knows it, as the shared page with the link shows it, or as the popular list names
/// it.
async fn preview(
    app: &App,
    user: &CurrentUser,
    id: &PlaylistId,
    share: Option<&str>,
    now: OffsetDateTime,
) -> Result<Option<PlaylistCard>> {
    if let Some(playlist) = playlists::find(app, user, id).await? {
        return Ok(Some(playlist.into()));
    }
    if let Some(share) = share
        && let Some(playlist) = sharing::find_playlist(app, share, id, now).await?
    {
        return Ok(Some(playlist.into()));
    }
    let name = top::public_name(app, id).await?;
    Ok(name.map(|name| Playlist { id: id.to_string(), name: Some(name), ..Playlist::default() }.into()))
}

#[derive(Deserialize)]
pub(crate) struct AddForm {
    /// One link a line.
    #[serde(default)]
    link: String,
    from: Option<String>,
}

/// Adds hearts for the playlists of links. Renders the form again with the lines that are invalid.
pub(crate) async fn create(
    app: State,
    Now(now): Now,
    layout: Layout,
    maybe_user: MaybeUser,
    (Extension(limit), Form(form)): (Extension<Arc<RateLimit>>, Form<AddForm>),
) -> Result {
    let user = maybe_user.user.ok_or_else(|| match reference::parse(&form.link) {
        Ok(id) => AppError::sign_in_required("/hearts").with_heart(&id),
        Err(_) => AppError::sign_in_required_for_form("/hearts"),
    })?;
    let mut page = AddPage {
        back: BackLink::from_param(Some(form.from.as_deref().unwrap_or("/hearts"))),
        links: join_lines(form.link.lines()),
        ..AddPage::new(&app, layout)
    };
    page.layout.title = "Add by link – not hearted".into();
    let refuse = |page: AddPage| Ok((StatusCode::UNPROCESSABLE_ENTITY, render_page(&page)).into_response());
    let lines = split_lines(&form.link);
    if lines.len() > MAX_LINKS {
        let reason = format!("Add up to {MAX_LINKS} links at a time. For more, import them as a text file.");
        page.errors = LinkError::for_form(reason);
        return refuse(page);
    }
    // The form has been counted as one.
    if let Err(wait) = limit.count_more(user.id, lines.len() as u32 - 1) {
        let error = limit.error(wait);
        page.errors = LinkError::for_form(&error.message);
        let retry_after = error.retry_after.map(|wait| [(RETRY_AFTER, retry_seconds(wait).to_string())]);
        return Ok((error.status, retry_after, render_page(&page)).into_response());
    }
    let (mut added, mut refused) = (Vec::new(), Vec::new());
    for (line, outcome) in add_lines(&app, &user, lines, now).await {
        match outcome {
            Ok(outcome) => added.push(outcome),
            Err(error) => refused.push((line, error)),
        }
    }
    if refused.is_empty() {
        let path = path_to_added(&user, &added, reference::parse(&form.link).ok());
        return Ok(flash::redirect(&path, Flash::added_by_link(&added)));
    }
    let is_failure = |(_, error): &(&str, LineError)| matches!(error, LineError::Failed(_));
    if let Some(failed) = refused.iter().position(is_failure).filter(|_| added.is_empty())
        && let (_, LineError::Failed(error)) = refused.swap_remove(failed)
    {
        return Err(error.into());
    }
    page.added = count_new(&added);
    page.links = join_lines(refused.iter().map(|(line, _)| *line));
    page.errors = refused.iter().map(|(line, error)| LinkError::new(line, error)).collect();
    refuse(page)
}

/// Path of a page that shows the hearts of a form, of which `single` is the only one. New hearts are on the first page
/// by date, after the pinned ones; an older one may be on any, so its playlist's page is shown.
fn path_to_added(user: &CurrentUser, added: &[AddedByLink], single: Option<PlaylistId>) -> String {
    let newest_first = ListParams::from_path(&format!("/hearts?sort={}", Order::Usual.key()));
    let path = ListView::new(&newest_first, &HEARTS, &user.displays).path();
    match (added, single) {
        ([AddedByLink::Added], Some(id)) => list_anchor(Some(&path), id),
        // Opens the form for a title.
        ([AddedByLink::AddedWithoutName], Some(id)) => list_anchor(Some(&with_param(&path, "edit", id.as_str())), id),
        ([AddedByLink::Returned | AddedByLink::AlreadyHearted], Some(id)) => playlist_path(id.as_str(), "/hearts"),
        _ => path,
    }
}

fn join_lines<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.map(sanitize_for_redisplay).collect::<Vec<_>>().join("\n")
}

fn count_new(added: &[AddedByLink]) -> usize {
    added.iter().filter(|added| **added != AddedByLink::AlreadyHearted).count()
}

/// Returns the lines that are not blank, or the whole text if at most one of them is a link: it may be a message that
/// was shared along with it.
fn split_lines(text: &str) -> Vec<&str> {
    let is_link = |line: &&&str| reference::names_spotify(line) || reference::parse(line).is_ok();
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let is_one = lines.is_empty() || lines.iter().filter(is_link).count() == 1 && reference::parse(text).is_ok();
    if is_one { vec![text] } else { lines }
}

#[derive(Debug, thiserror::Error)]
enum LineError {
    #[error("{0}")]
    Invalid(ReferenceError),
    #[error(
        "Spotify does not show this playlist, so it was not hearted. It may be deleted, private, or one of Spotify’s own. Check that the link opens in Spotify."
    )]
    NotFound,
    #[error("This heart could not be saved. Try again in a moment.")]
    Failed(Error),
}

/// Returns for each line what became of it, or why it was refused; for a repeated playlist only once.
async fn add_lines<'a>(
    app: &App,
    user: &CurrentUser,
    lines: Vec<&'a str>,
    now: OffsetDateTime,
) -> Vec<(&'a str, Result<AddedByLink, LineError>)> {
    let mut seen = HashSet::new();
    let parsed = lines.into_iter().map(|line| (line, reference::parse(line)));
    let parsed: Vec<_> = parsed.filter(|(_, id)| id.is_err() || seen.insert(id.clone().ok())).collect();
    let ids: Vec<_> = parsed.iter().filter_map(|(_, id)| id.clone().ok()).collect();
    let mut added = hearts::add_by_links(app, user, ids, now).await.into_iter();
    let outcomes = parsed.into_iter().map(|(line, id)| {
        let outcome = id.map_err(LineError::Invalid).and_then(|_| {
            added.next().expect("one for each id").map_err(|error| match error {
                Error::NotFound => LineError::NotFound,
                error => LineError::Failed(error),
            })
        });
        (line, outcome)
    });
    outcomes.collect()
}

impl Flash {
    fn added_by_link(added: &[AddedByLink]) -> Self {
        let new = count_new(added);
        match added {
            [AddedByLink::Added] => Flash::Hearted,
            [AddedByLink::Returned] => Flash::HeartedAgain,
            [AddedByLink::AddedWithoutName] => Flash::HeartedWithoutName,
            [AddedByLink::AlreadyHearted] => Flash::AlreadyHearted,
            _ => Flash::HeartedByLinks { new, existing: added.len() - new },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::split_lines;

    #[test]
    fn a_message_around_one_link_is_one_line() {
        let id = "3cEYpjA9oz9GiPac4AsH4n";
        let link = format!("https://open.spotify.com/playlist/{id}?si=1");
        for text in [String::new(), " \n".into(), id.into(), link.clone(), format!("Look!\n\n{link}\nNice, no?")] {
            assert_eq!(split_lines(&text), [&text]);
        }
        let album = format!("https://open.spotify.com/album/{id}");
        for (first, second) in [(&*link, id), (id, &album), (&album, &link), (id, "spotify:nothing"), ("one", "two")] {
            assert_eq!(split_lines(&format!("{first}\r\n \n{second}\n")), [first, second]);
        }
    }
}
