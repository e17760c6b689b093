//! Sharing: where people switch it on and off; what others see is in the files beside this one.

pub(crate) mod feeds;
pub(crate) mod page;
mod visibility;

use askama::Template;
use axum::Form;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use time::OffsetDateTime;

use crate::app::App;
use crate::domain::activity::{self, Kind};
use crate::domain::{Caller, sharing};
use crate::web::error::AppError;
use crate::web::extract::current_user::SignedIn;
use crate::web::extract::device::Device;
use crate::web::extract::{Now, State};
use crate::web::flash::{self, Flash};
use crate::web::views::layout::{Layout, absolute_url, render_page};
use crate::web::views::playlist_card::PlaylistCard;
use crate::web::views::sanitize_for_redisplay;
use crate::web::views::time::TimeView;

const HERE: &str = "/account/sharing";

#[derive(Template)]
#[template(path = "sharing/settings.html")]
struct Settings {
    layout: Layout,
    name: String,
    hearts: i64,
    shown: i64,
    /// The first of what is shown.
    first: Vec<PlaylistCard>,
    /// The beginning of every page's address.
    pages: String,
    page: Option<String>,
    slug: Field,
    link: Option<Link>,
}

/// The field for an address.
#[derive(Default)]
struct Field {
    typed: String,
    /// Why the page was not put there.
    refusal: Option<String>,
}

/// The secret link, as its owner sees it.
struct Link {
    /// None: it cannot be shown again.
    address: Option<String>,
    since: TimeView,
}

/// What is switched on, and what others see then.
pub(crate) async fn settings(
    app: State,
    Now(now): Now,
    layout: Layout,
    SignedIn(caller): SignedIn,
) -> Result<Response, AppError> {
    draw(&app, layout, &caller, now, Field::default()).await
}

async fn draw(
    app: &App,
    layout: Layout,
    caller: &Caller,
    now: OffsetDateTime,
    slug: Field,
) -> Result<Response, AppError> {
    let settings = sharing::settings(app, caller, now).await?;
    let title = if slug.refusal.is_some() { "Sharing – not turned on" } else { "Sharing" };
    let token_at = |token: &str| absolute_url(app, &format!("/s/{token}"));
    Ok(render_page(&Settings {
        layout: layout.with_title(title, "account"),
        name: settings.name,
        hearts: settings.hearts,
        shown: settings.shown,
        first: settings.first.into_iter().map(PlaylistCard::from).collect(),
        pages: absolute_url(app, "/u/"),
        page: settings.page.map(|slug| slug.to_string()),
        slug,
        link: settings.link.map(|link| Link {
            address: link.token.map(|token| token_at(token.expose())),
            since: TimeView::day(link.since),
        }),
    }))
}

/// Whether there is to be a public page, and where.
#[derive(Deserialize)]
pub(crate) struct PageForm {
    on: bool,
    #[serde(default)]
    slug: String,
}

/// Switches the public page on, moves it or switches it off. What cannot be its address comes back with the reason.
pub(crate) async fn set_page(
    app: State,
    Now(now): Now,
    layout: Layout,
    (SignedIn(caller), Device(device)): (SignedIn, Device),
    Form(form): Form<PageForm>,
) -> Result<Response, AppError> {
    if !form.on {
        sharing::close_page(&app, &caller, now).await?;
        activity::note(&app, caller.person.id, Kind::PageOff, &device, now).await;
        return Ok(flash::redirect(HERE, Flash::PageOff));
    }
    let Err(refused) = sharing::open_page(&app, &caller, &form.slug, now).await? else {
        activity::note(&app, caller.person.id, Kind::PageOn, &device, now).await;
        return Ok(flash::redirect(HERE, Flash::PageOn));
    };
    let slug = Field { typed: sanitize_for_redisplay(&form.slug), refusal: Some(refused.to_string()) };
    let page = draw(&app, layout, &caller, now, slug).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

/// Whether there is to be a secret link.
#[derive(Deserialize)]
pub(crate) struct LinkForm {
    on: bool,
}

/// Makes a secret link, in place of any earlier one, or switches it off.
pub(crate) async fn set_link(
    app: State,
    Now(now): Now,
    (SignedIn(caller), Device(device)): (SignedIn, Device),
    Form(form): Form<LinkForm>,
) -> Result<Response, AppError> {
    if form.on {
        sharing::open_link(&app, &caller, now).await?;
        activity::note(&app, caller.person.id, Kind::LinkOn, &device, now).await;
        return Ok(flash::redirect(HERE, Flash::LinkOn));
    }
    sharing::close_link(&app, &caller).await?;
    activity::note(&app, caller.person.id, Kind::LinkOff, &device, now).await;
    Ok(flash::redirect(HERE, Flash::LinkOff))
}
