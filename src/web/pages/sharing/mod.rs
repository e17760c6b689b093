//! Sharing settings; the shared pages are in the modules.

pub(crate) mod feeds;
pub(crate) mod page;
mod request;

use askama::Template;
use axum::Form;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;
use time::OffsetDateTime;

use crate::app::App;
use crate::domain::CurrentUser;
use crate::domain::activity::{self, EventKind};
use crate::domain::sharing::{self, PageError};
use crate::web::error::Result;
use crate::web::extract::{Device, Now, SignedIn, State};
use crate::web::flash::{self, Flash};
use crate::web::views::{Layout, PlaylistCard, TimeView, absolute_url, render_page, sanitize_for_redisplay};

const SETTINGS_PATH: &str = "/account/sharing";

#[derive(Template)]
#[template(path = "sharing/settings.html")]
struct SettingsPage {
    layout: Layout,
    name: String,
    heart_count: i64,
    visible_count: i64,
    /// The first of the shared hearts.
    preview: Vec<PlaylistCard>,
    page_url_prefix: String,
    page: Option<String>,
    slug: SlugField,
    link: Option<SecretLink>,
}

#[derive(Default)]
struct SlugField {
    value: String,
    error: Option<String>,
}

struct SecretLink {
    /// `None` if the stored token cannot be decrypted any more.
    url: Option<String>,
    since: TimeView,
}

pub(crate) async fn show(app: State, Now(now): Now, layout: Layout, SignedIn(user): SignedIn) -> Result {
    settings_page(&app, layout, &user, now, SlugField::default()).await
}

async fn settings_page(app: &App, layout: Layout, user: &CurrentUser, now: OffsetDateTime, slug: SlugField) -> Result {
    let settings = sharing::load_settings(app, user, now).await?;
    let title = if slug.error.is_some() { "Sharing – not turned on" } else { "Sharing" };
    let link_url = |token: &str| absolute_url(app, &format!("/s/{token}"));
    Ok(render_page(&SettingsPage {
        layout: layout.with_title(title, "account"),
        name: settings.name,
        heart_count: settings.heart_count,
        visible_count: settings.visible_count,
        preview: settings.first_page.into_iter().map(PlaylistCard::from).collect(),
        page_url_prefix: absolute_url(app, "/u/"),
        page: settings.page.map(|slug| slug.to_string()),
        slug,
        link: settings.link.map(|link| SecretLink {
            url: link.token.map(|token| link_url(token.expose())),
            since: TimeView::date(link.since),
        }),
    }))
}

#[derive(Deserialize)]
pub(crate) struct PageForm {
    on: bool,
    #[serde(default)]
    slug: String,
}

/// Turns the public page on, changes its address or turns it off. Renders the form again if the address is invalid.
pub(crate) async fn update_page(
    app: State,
    Now(now): Now,
    layout: Layout,
    (SignedIn(user), Device(device)): (SignedIn, Device),
    Form(form): Form<PageForm>,
) -> Result {
    if !form.on {
        sharing::disable_page(&app, &user, now).await?;
        activity::record(&app, user.id, EventKind::PageDisabled, &device, now).await;
        return Ok(flash::redirect(SETTINGS_PATH, Flash::PageOff));
    }
    let error = match sharing::enable_page(&app, &user, &form.slug, now).await {
        Ok(()) => {
            activity::record(&app, user.id, EventKind::PageEnabled, &device, now).await;
            return Ok(flash::redirect(SETTINGS_PATH, Flash::PageOn));
        }
        Err(PageError::Failed(error)) => return Err(error.into()),
        Err(error) => error,
    };
    let slug = SlugField { value: sanitize_for_redisplay(&form.slug), error: Some(error.to_string()) };
    let page = settings_page(&app, layout, &user, now, slug).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

#[derive(Deserialize)]
pub(crate) struct SecretLinkForm {
    on: bool,
}

/// Creates a secret link, which replaces an earlier one, or turns it off.
pub(crate) async fn update_link(
    app: State,
    Now(now): Now,
    (SignedIn(user), Device(device)): (SignedIn, Device),
    Form(form): Form<SecretLinkForm>,
) -> Result {
    if form.on {
        match sharing::create_link(&app, &user, now).await {
            Ok(()) => {}
            Err(PageError::Failed(error)) => return Err(error.into()),
            Err(_) => return Ok(flash::redirect(SETTINGS_PATH, Flash::SharingTakenDown)),
        }
        activity::record(&app, user.id, EventKind::LinkCreated, &device, now).await;
        return Ok(flash::redirect(SETTINGS_PATH, Flash::LinkOn));
    }
    sharing::revoke_link(&app, &user).await?;
    activity::record(&app, user.id, EventKind::LinkRevoked, &device, now).await;
    Ok(flash::redirect(SETTINGS_PATH, Flash::LinkOff))
}
