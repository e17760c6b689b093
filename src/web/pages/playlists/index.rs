//! The library: all playlists of the user.

use askama::Template;
use axum::Form;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use time::OffsetDateTime;

use crate::domain::library::{self, Library, LibraryRequest};
use crate::domain::{Error, account};
use crate::web::error::{AppError, describe_spotify_error};
use crate::web::extract::current_user::SignedIn;
use crate::web::extract::list_query::{LIBRARY, ListParams, ListView};
use crate::web::extract::return_to::SafePath;
use crate::web::extract::{Now, State};
use crate::web::flash::{self, Flash};
use crate::web::views::layout::{Layout, render_page};
use crate::web::views::pager::Pager;
use crate::web::views::playlist_card::PlaylistCard;
use crate::web::views::time::TimeView;

#[derive(Template)]
#[template(path = "playlists/index.html")]
struct LibraryPage {
    layout: Layout,
    list: ListView,
    cards: Vec<PlaylistCard>,
    pager: Pager,
    as_of: TimeView,
    /// True while another request fetches the rest.
    is_loading: bool,
    here: String,
    error: Option<String>,
    /// Label of the button that leads to a consent.
    consent_button: Option<&'static str>,
    reconsent_due: Option<ReconsentDue>,
}

/// Day on which Spotify asks for consent again; `None` if that day has passed.
struct ReconsentDue(Option<TimeView>);

impl ReconsentDue {
    fn on(day: OffsetDateTime, now: OffsetDateTime) -> Self {
        Self((day > now).then(|| TimeView::day_and_month(day)))
    }
}

pub(crate) async fn index(
    app: State,
    Now(now): Now,
    layout: Layout,
    SignedIn(user): SignedIn,
    Query(asked): Query<ListParams>,
) -> Result<Response, AppError> {
    let list = ListView::new(&asked, &LIBRARY);
    let library = match library::load(&app, &user, &list.query(), now).await {
        Err(Error::NotConnected) => return Ok(unconnected(layout)),
        library => library?,
    };
    let Library { playlists, total: all, fetched_at: as_of, missing, is_loading: coming, error } = library;
    let pager = match Pager::new(&playlists, list.path()) {
        // A page behind the loaded part may exist.
        Err(_) if missing > 0 => return Ok(Redirect::to(&list.path()).into_response()),
        pager => pager?,
    };
    let list = list.with_counts(all, playlists.total).with_missing(missing);
    let (trouble, door) = error.as_ref().map(describe_spotify_error).unzip();
    let door = door.flatten();
    let (layout, here, as_of) = (
        layout.with_title(title(error.as_ref(), &list), "playlists"),
        pager.current_path(),
        TimeView::recent(as_of, now),
    );
    let asks_soon =
        account::consent_expiring_soon(&user, now).filter(|_| door.is_none()).map(|day| ReconsentDue::on(day, now));
    let cards = playlists.entries.into_iter().map(PlaylistCard::from).collect();
    Ok(render_page(&LibraryPage {
        layout,
        list,
        cards,
        pager,
        as_of,
        is_loading: coming,
        here,
        error: trouble,
        consent_button: door,
        reconsent_due: asks_soon,
    }))
}

fn title(trouble: Option<&Error>, list: &ListView) -> String {
    match trouble {
        Some(Error::Reconnect) => "Playlists – reconnect needed".into(),
        Some(Error::NotConnected) => TITLE_NOT_CONNECTED.into(),
        _ => list.title("Playlists"),
    }
}

const TITLE_NOT_CONNECTED: &str = "Playlists – Spotify not connected";

/// Page for a user without Spotify tokens and without a stored library.
#[derive(Template)]
#[template(path = "playlists/not_connected.html")]
struct UnconnectedPage {
    layout: Layout,
    here: &'static str,
}

fn unconnected(layout: Layout) -> Response {
    render_page(&UnconnectedPage { layout: layout.with_title(TITLE_NOT_CONNECTED, "playlists"), here: "/playlists" })
}

#[derive(Deserialize)]
pub(crate) struct LibraryForm {
    action: Action,
    #[serde(default)]
    from: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Refresh,
    Continue,
}

/// Fetches the library again, or the rest of it, and returns to the list.
pub(crate) async fn update(
    app: State,
    Now(now): Now,
    SignedIn(user): SignedIn,
    Form(form): Form<LibraryForm>,
) -> Result<Response, AppError> {
    let wish = match form.action {
        Action::Refresh => LibraryRequest::Refresh,
        Action::Continue => LibraryRequest::Remainder,
    };
    let from = SafePath::parse_or_playlists(form.from.as_deref());
    let notice = match library::update(&app, &user, wish, now).await {
        Ok(true) => Flash::Updated,
        Ok(false) => Flash::JustUpdated,
        // The list shows these errors itself.
        Err(Error::Reconnect | Error::NotConnected | Error::RateLimited { .. } | Error::SpotifyUnavailable(_)) => {
            return Ok(Redirect::to(from.as_str()).into_response());
        }
        Err(error) if error.is_spotify_failure() => Flash::NotUpdated,
        Err(error) => return Err(error.into()),
    };
    Ok(flash::redirect(from.as_str(), notice))
}
