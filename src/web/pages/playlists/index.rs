//! The library: all playlists of the user.

use askama::Template;
use axum::Form;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use time::OffsetDateTime;

use crate::domain::library::{self, Library, LibraryRequest, UpdateOutcome};
use crate::domain::{Error, account, tags};
use crate::web::error::{Result, describe_spotify_error};
use crate::web::extract::list_query::{ListParams, ListView};
use crate::web::extract::list_spec::LIBRARY;
use crate::web::extract::{Now, SafePath, SignedIn, State};
use crate::web::flash::{self, Flash};
use crate::web::views::{Layout, Pager, PlaylistCard, TimeView, render_page};

#[derive(Template)]
#[template(path = "playlists/index.html")]
struct LibraryPage {
    layout: Layout,
    list: ListView,
    cards: Vec<PlaylistCard>,
    pager: Pager,
    as_of: TimeView,
    /// Spotify's total, if it lists fewer.
    reported_total: Option<usize>,
    /// True while another request fetches the remaining playlists.
    is_loading: bool,
    current_path: String,
    error: Option<String>,
    /// Label of the button to Spotify's consent page.
    consent_button: Option<&'static str>,
    reconsent_due: Option<ReconsentDue>,
}

/// When Spotify requires a new consent; `None` if the date has passed.
struct ReconsentDue(Option<TimeView>);

impl ReconsentDue {
    fn new(due_at: OffsetDateTime, now: OffsetDateTime) -> Self {
        Self((due_at > now).then(|| TimeView::day_and_month(due_at)))
    }
}

pub(crate) async fn index(
    app: State,
    Now(now): Now,
    layout: Layout,
    SignedIn(user): SignedIn,
    params: ListParams,
) -> Result {
    let list = ListView::new(&params, &LIBRARY, &user.displays);
    let library = match library::load(&app, &user, &list.query(), now).await {
        Err(Error::NotConnected) => return Ok(not_connected_page(layout)),
        library => library?,
    };
    let Library { playlists, total, fetched_at, missing, reported_total, is_loading, error } = library;
    let pager = match Pager::new(&playlists, list.path()) {
        // The page may exist, but is not loaded yet.
        Err(_) if missing > 0 => return Ok(Redirect::to(&list.path()).into_response()),
        pager => pager?,
    };
    let tags = tags::suggest(&app, &user, now).await?;
    let list = list.with_counts(total, playlists.total).with_missing(missing).with_filters(tags);
    let (message, consent_button) = error.as_ref().map(describe_spotify_error).unzip();
    let consent_button = consent_button.flatten();
    let (layout, current_path, as_of) = (
        layout.with_title(title(error.as_ref(), &list), "playlists"),
        pager.current_path(),
        TimeView::recent(fetched_at, now),
    );
    let reconsent_due = account::consent_expiring_soon(&user, now)
        .filter(|_| consent_button.is_none())
        .map(|due_at| ReconsentDue::new(due_at, now));
    let cards =
        playlists.entries.into_iter().map(|playlist| PlaylistCard::for_list(playlist, now).viewed_by(&user)).collect();
    Ok(render_page(&LibraryPage {
        layout,
        list,
        cards,
        pager,
        as_of,
        reported_total,
        is_loading,
        current_path,
        error: message,
        consent_button,
        reconsent_due,
    }))
}

/// Fetches nothing from Spotify.
pub(crate) async fn head(SignedIn(_): SignedIn) -> Html<()> {
    Html(())
}

fn title(error: Option<&Error>, list: &ListView) -> String {
    match error {
        Some(Error::Reconnect) => "Playlists – reconnect needed".into(),
        Some(Error::NotConnected) => TITLE_NOT_CONNECTED.into(),
        _ => list.title("Playlists"),
    }
}

const TITLE_NOT_CONNECTED: &str = "Playlists – Spotify not connected";

/// Page for a user without Spotify tokens and without a stored library.
#[derive(Template)]
#[template(path = "playlists/not_connected.html")]
struct NotConnectedPage {
    layout: Layout,
    current_path: &'static str,
}

fn not_connected_page(layout: Layout) -> Response {
    render_page(&NotConnectedPage {
        layout: layout.with_title(TITLE_NOT_CONNECTED, "playlists"),
        current_path: "/playlists",
    })
}

#[derive(Deserialize)]
pub(crate) struct LibraryForm {
    action: Action,
    from: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Refresh,
    Continue,
}

/// Refreshes the library or fetches its remaining playlists, and redirects to the list.
pub(crate) async fn update(
    app: State,
    Now(now): Now,
    SignedIn(user): SignedIn,
    Form(form): Form<LibraryForm>,
) -> Result {
    let request = match form.action {
        Action::Refresh => LibraryRequest::Refresh,
        Action::Continue => LibraryRequest::Remainder,
    };
    let from = SafePath::parse_or_playlists(form.from.as_deref());
    let message = match library::update(&app, &user, request, now).await {
        Ok(UpdateOutcome::Updated) => Flash::Updated,
        Ok(UpdateOutcome::JustUpdated) => Flash::JustUpdated,
        // The list displays what is missing, and these errors.
        Ok(UpdateOutcome::Unfinished)
        | Err(
            Error::Reconnect
            | Error::NotConnected
            | Error::RateLimited { .. }
            | Error::TooManyCalls { .. }
            | Error::SpotifyUnavailable(_),
        ) => {
            return Ok(Redirect::to(from.as_str()).into_response());
        }
        Err(Error::IncompleteLibrary { listed, total }) => Flash::IncompleteLibrary { listed, total },
        Err(error) if error.is_spotify_failure() => Flash::NotUpdated,
        Err(error) => return Err(error.into()),
    };
    Ok(flash::redirect(from.as_str(), message))
}
