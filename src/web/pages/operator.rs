//! The operators' page: people, shared pages and the popular lists.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use serde::Deserialize;
use time::OffsetDateTime;

use crate::app::App;
use crate::domain::operators::{self, HiddenPlaylist, ListedAccount, PersonAction};
use crate::domain::reference;
use crate::domain::text::visible_or;
use crate::domain::top::{self, Period};
use crate::domain::{CurrentUser, DEFAULT_NAME};
use crate::ids::{Provider, UserId};
use crate::web::error::Result;
use crate::web::extract::return_to::with_next;
use crate::web::extract::{MaybeUser, Now, OperatorUser, SafePath, State};
use crate::web::flash::{self, Flash, OperatorFlash};
use crate::web::pages::login::REAUTHENTICATE_PATH;
use crate::web::views::{Layout, PageParam, Pager, PlaylistCard, TimeView, render_page, sanitize_for_redisplay};

const PATH: &str = "/operator";

#[derive(Template)]
#[template(path = "operator/show.html")]
struct OperatorPage {
    layout: Layout,
    total: usize,
    people: Vec<PersonRow>,
    pager: Pager,
    current_path: String,
    /// The refused text of the field for a playlist, and the reason.
    link: String,
    link_error: Option<String>,
    /// The popular playlists, with their ids.
    popular: Vec<(String, String)>,
    hidden: Vec<HiddenRow>,
}

struct PersonRow {
    name: String,
    is_self: bool,
    person: ListedAccount,
    joined: TimeView,
    last_seen: Option<TimeView>,
    providers: String,
}

struct HiddenRow {
    id: String,
    since: TimeView,
}

impl PersonRow {
    fn new(person: ListedAccount, user: &CurrentUser) -> Self {
        Self {
            is_self: person.id == user.id.0,
            name: visible_or(person.display_name.clone(), DEFAULT_NAME),
            joined: TimeView::date(person.created_at),
            last_seen: person.last_seen_at.map(TimeView::date),
            providers: person.providers.iter().map(|key| Provider::label_of(key)).collect::<Vec<_>>().join(", "),
            person,
        }
    }
}

impl From<HiddenPlaylist> for HiddenRow {
    fn from(hidden: HiddenPlaylist) -> Self {
        Self { id: hidden.id, since: TimeView::date(hidden.hidden_at) }
    }
}

pub(crate) async fn show(
    app: State,
    Now(now): Now,
    layout: Layout,
    OperatorUser(user): OperatorUser,
    Query(page): Query<PageParam>,
) -> Result {
    Ok(render_page(&load_page(&app, layout, &user, &page, now).await?))
}

async fn load_page(
    app: &App,
    layout: Layout,
    user: &CurrentUser,
    page: &PageParam,
    now: OffsetDateTime,
) -> Result<OperatorPage> {
    let people = operators::list_people(app, page.number()).await?;
    let popular = top::load(app, Period::Ever, Some(user.id), now).await?;
    let pager = Pager::new(&people, PATH)?;
    let name = |entry: top::RankedPlaylist| {
        let card = PlaylistCard::from(entry.playlist);
        (card.id.to_string(), card.name)
    };
    Ok(OperatorPage {
        layout: layout.with_title("Operator", "account"),
        total: people.total,
        current_path: pager.current_path(),
        pager,
        link: String::new(),
        link_error: None,
        people: people.entries.into_iter().map(|person| PersonRow::new(person, user)).collect(),
        popular: popular.into_iter().map(name).collect(),
        hidden: operators::list_hidden(app).await?.into_iter().map(HiddenRow::from).collect(),
    })
}

/// Returns the page with the form.
fn return_path(from: Option<&str>) -> SafePath {
    SafePath::parse_or_playlists(from.filter(|from| from.split('?').next() == Some(PATH)).or(Some(PATH)))
}

#[derive(Deserialize)]
pub(crate) struct PersonForm {
    action: PersonAction,
    from: Option<String>,
}

pub(crate) async fn update_person(
    app: State,
    Now(now): Now,
    (OperatorUser(user), maybe_user): (OperatorUser, MaybeUser),
    Path(person): Path<i64>,
    Form(form): Form<PersonForm>,
) -> Result {
    let page = return_path(form.from.as_deref());
    // Somebody else may be using a browser that was left open.
    if matches!(form.action, PersonAction::Grant) && !maybe_user.has_reauthenticated_recently(now).await? {
        return Ok(Redirect::to(&with_next(REAUTHENTICATE_PATH, page.as_str())).into_response());
    }
    let person = UserId(person);
    let gives_up_role = person == user.id && matches!(form.action, PersonAction::Revoke);
    let done = match form.action {
        PersonAction::Grant => OperatorFlash::Granted,
        PersonAction::Revoke if gives_up_role => OperatorFlash::GivenUp,
        PersonAction::Revoke => OperatorFlash::Revoked,
        PersonAction::TakeDown => OperatorFlash::TakenDown,
        PersonAction::AllowSharing => OperatorFlash::SharingAllowed,
    };
    let is_done = operators::change_person(&app, &user, person, form.action, now).await?;
    // A user who gave up the role cannot open the page any more.
    let path = if gives_up_role { "/account" } else { page.as_str() };
    match is_done {
        true => Ok(flash::redirect(path, Flash::Operator(done))),
        false => Ok(flash::redirect(page.as_str(), Flash::Operator(OperatorFlash::NotChanged))),
    }
}

#[derive(Deserialize)]
pub(crate) struct PopularForm {
    /// A playlist's link or id.
    link: String,
    hide: bool,
    from: Option<String>,
}

/// Hides a playlist from the popular lists, or shows it again. Renders the page again if that is no link.
pub(crate) async fn update_popular(
    app: State,
    Now(now): Now,
    layout: Layout,
    OperatorUser(user): OperatorUser,
    Form(form): Form<PopularForm>,
) -> Result {
    let page = return_path(form.from.as_deref());
    let playlist = match reference::parse(&form.link) {
        Ok(playlist) => playlist,
        Err(error) => {
            let page = PageParam::from_path(page.as_str());
            let mut page = load_page(&app, layout, &user, &page, now).await?;
            page.layout.title = "Operator – nothing changed".into();
            (page.link, page.link_error) = (sanitize_for_redisplay(&form.link), Some(error.to_string()));
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, render_page(&page)).into_response());
        }
    };
    operators::set_hidden(&app, &user, &playlist, form.hide, now).await?;
    let done = if form.hide { OperatorFlash::Hidden } else { OperatorFlash::Shown };
    Ok(flash::redirect(page.as_str(), Flash::Operator(done)))
}
