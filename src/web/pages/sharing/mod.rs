//! Sharing settings; the shared pages are in the modules.

pub(crate) mod embed;
pub(crate) mod feeds;
mod lettering;
pub(crate) mod page;
pub(crate) mod preview_image;
pub(crate) mod request;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use serde::Deserialize;
use time::OffsetDateTime;

use crate::app::App;
use crate::domain::CurrentUser;
use crate::domain::activity::{self, EventKind};
use crate::domain::sharing::{self, PageError, SharedTagError};
use crate::domain::tags;
use crate::web::error::Result;
use crate::web::extract::{Device, Now, SignedIn, State};
use crate::web::flash::sharing::SharingFlash;
use crate::web::flash::{self, Flash};
use crate::web::middleware::Uncompressed;
use crate::web::pages::sharing::request::tag_path;
use crate::web::views::{Layout, PlaylistCard, TimeView, absolute_url, render_page, sanitize_for_redisplay};

const SETTINGS_PATH: &str = "/account/sharing";

#[derive(Template)]
#[template(path = "sharing/settings.html")]
struct SettingsPage {
    layout: Layout,
    is_taken_down: bool,
    name: String,
    heart_count: i64,
    visible_count: i64,
    /// The first of the shared hearts.
    preview: Vec<PlaylistCard>,
    page_url_prefix: String,
    page: Option<String>,
    slug: Field,
    link: Option<SecretLinkView>,
    shared_tags: Vec<SharedTag>,
    new_tag: Field,
    /// Tags that the field for another one completes.
    suggestions: Vec<String>,
    shows_notes: bool,
    /// HTML for other sites, if they may show the card.
    embed_code: Option<String>,
}

/// A form field: empty, with a suggestion, or with what was refused and the error.
#[derive(Default)]
struct Field {
    value: String,
    error: Option<String>,
}

impl Field {
    fn with_error(value: &str, error: impl ToString) -> Self {
        Self { value: sanitize_for_redisplay(value), error: Some(error.to_string()) }
    }
}

struct SharedTag {
    name: String,
    /// Of the public page, and of the secret link.
    urls: Vec<(&'static str, String)>,
}

struct SecretLinkView {
    /// `None` if the stored token cannot be decrypted any more.
    url: Option<String>,
    since: TimeView,
}

pub(crate) async fn show(app: State, Now(now): Now, layout: Layout, SignedIn(user): SignedIn) -> Result {
    Ok((&load_settings_page(&app, layout, &user, now).await?).into_response())
}

async fn load_settings_page(
    app: &App,
    layout: Layout,
    user: &CurrentUser,
    now: OffsetDateTime,
) -> Result<SettingsPage> {
    let settings = sharing::load_settings(app, user, now).await?;
    let page_root = settings.page.as_ref().map(|slug| format!("/u/{slug}"));
    let link_root = settings.link.as_ref().and_then(|link| Some(format!("/s/{}", link.token.as_ref()?.expose())));
    let roots = [("public page", &page_root), ("secret link", &link_root)];
    let roots: Vec<_> = roots.into_iter().filter_map(|(label, root)| Some((label, root.as_ref()?))).collect();
    let shared_tag = |name: String| SharedTag {
        urls: roots.iter().map(|(label, root)| (*label, absolute_url(app, &tag_path(root, &name)))).collect(),
        name,
    };
    let embed_code = page_root.as_ref().filter(|_| settings.embeddable);
    Ok(SettingsPage {
        layout: layout.with_title("Sharing", "account"),
        embed_code: embed_code.map(|root| embed::embed_code(&absolute_url(app, root), &settings.name)),
        is_taken_down: settings.is_taken_down,
        name: settings.name,
        heart_count: settings.heart_count,
        visible_count: settings.visible_count,
        preview: settings.first_page.into_iter().map(PlaylistCard::from).collect(),
        page_url_prefix: absolute_url(app, "/u/"),
        page: settings.page.map(|slug| slug.to_string()),
        slug: Field { value: settings.suggested_page.map(|slug| slug.to_string()).unwrap_or_default(), error: None },
        shared_tags: settings.shared_tags.into_iter().map(shared_tag).collect(),
        new_tag: Field::default(),
        suggestions: tags::suggest(app, user, now).await?,
        shows_notes: settings.shows_notes,
        link: settings.link.map(|link| SecretLinkView {
            url: link_root.map(|root| absolute_url(app, &root)),
            since: TimeView::date(link.since),
        }),
    })
}

/// Redirects to the section of the settings that was changed.
fn redirect_to(section: &str, flash: SharingFlash) -> Response {
    flash::redirect(&format!("{SETTINGS_PATH}#{section}"), Flash::Sharing(flash))
}

fn refuse(page: &SettingsPage) -> Result {
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

/// The page has the secret link together with names of other people's playlists.
impl IntoResponse for &SettingsPage {
    fn into_response(self) -> Response {
        (Extension(Uncompressed), render_page(self)).into_response()
    }
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
        return Ok(redirect_to("page", SharingFlash::PageOff));
    }
    let before = sharing::load_status(&app, &user).await?.page;
    let error = match sharing::enable_page(&app, &user, &form.slug, now).await {
        Ok(slug) => {
            activity::record(&app, user.id, EventKind::PageEnabled, &device, now).await;
            let is_moved = before.is_some_and(|before| before != slug);
            return Ok(redirect_to("page", if is_moved { SharingFlash::PageMoved } else { SharingFlash::PageOn }));
        }
        Err(PageError::Failed(error)) => return Err(error.into()),
        Err(error) => error,
    };
    let mut page = load_settings_page(&app, layout, &user, now).await?;
    page.layout.title =
        if before.is_some() { "Sharing – address not changed" } else { "Sharing – not turned on" }.into();
    page.slug = Field::with_error(&form.slug, error);
    refuse(&page)
}

#[derive(Deserialize)]
pub(crate) struct SecretLinkForm {
    pub(crate) on: bool,
    #[serde(default)]
    pub(crate) replaces: bool,
}

#[derive(Template)]
#[template(path = "sharing/new_link.html")]
struct NewLinkPage {
    layout: Layout,
}

/// Asks before a new link replaces the one that others have.
pub(crate) async fn confirm_link(app: State, layout: Layout, SignedIn(user): SignedIn) -> Result {
    match sharing::load_status(&app, &user).await?.has_link {
        true => Ok(render_page(&NewLinkPage { layout: layout.with_title("Make a new link", "account") })),
        false => Ok(Redirect::to(SETTINGS_PATH).into_response()),
    }
}

/// Creates a secret link, which replaces an earlier one if that was confirmed, or turns it off.
pub(crate) async fn update_link(
    app: State,
    Now(now): Now,
    (SignedIn(user), Device(device)): (SignedIn, Device),
    Form(form): Form<SecretLinkForm>,
) -> Result {
    if form.on {
        match sharing::create_link(&app, &user, form.replaces, now).await {
            Ok(true) => {}
            Ok(false) => return Ok(redirect_to("link", SharingFlash::LinkKept)),
            Err(PageError::Failed(error)) => return Err(error.into()),
            Err(_) => return Ok(flash::redirect(SETTINGS_PATH, Flash::SharingTakenDown)),
        }
        activity::record(&app, user.id, EventKind::LinkCreated, &device, now).await;
        return Ok(redirect_to("link", SharingFlash::LinkOn));
    }
    sharing::revoke_link(&app, &user).await?;
    activity::record(&app, user.id, EventKind::LinkRevoked, &device, now).await;
    Ok(redirect_to("link", SharingFlash::LinkOff))
}

#[derive(Deserialize)]
pub(crate) struct TagForm {
    on: bool,
    #[serde(default)]
    tag: String,
}

/// Gives a tag a page of its own, or takes it away.
pub(crate) async fn update_tags(
    app: State,
    Now(now): Now,
    layout: Layout,
    (SignedIn(user), Device(device)): (SignedIn, Device),
    Form(form): Form<TagForm>,
) -> Result {
    let change = match form.on {
        true => sharing::share_tag(&app, &user, &form.tag).await.map(SharingFlash::TagShared),
        false => {
            sharing::unshare_tag(&app, &user, &form.tag).await.map(|()| SharingFlash::TagUnshared).map_err(Into::into)
        }
    };
    match change {
        Ok(flash) => {
            activity::record(&app, user.id, EventKind::SharingChanged, &device, now).await;
            let is_shared = sharing::load_status(&app, &user).await?.is_shared();
            let flash = match flash {
                SharingFlash::TagShared(tag) if !is_shared => SharingFlash::TagChosen(tag),
                flash => flash,
            };
            Ok(redirect_to("tags", flash))
        }
        Err(SharedTagError::Failed(error)) => Err(error.into()),
        Err(error) => {
            let mut page = load_settings_page(&app, layout, &user, now).await?;
            page.layout.title = "Sharing – tag not shared".into();
            page.new_tag = Field::with_error(&form.tag, error);
            refuse(&page)
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SharingOption {
    Notes,
    Embed,
}

#[derive(Deserialize)]
pub(crate) struct OptionForm {
    option: SharingOption,
    on: bool,
}

pub(crate) async fn update_option(
    app: State,
    Now(now): Now,
    (SignedIn(user), Device(device)): (SignedIn, Device),
    Form(form): Form<OptionForm>,
) -> Result {
    let (shows_notes, embeddable) = match form.option {
        SharingOption::Notes => (Some(form.on), None),
        SharingOption::Embed => (None, Some(form.on)),
    };
    sharing::set_options(&app, &user, shows_notes, embeddable).await?;
    activity::record(&app, user.id, EventKind::SharingChanged, &device, now).await;
    let is_shared = sharing::load_status(&app, &user).await?.is_shared();
    let response = match (form.option, form.on) {
        (SharingOption::Notes, true) if !is_shared => redirect_to("notes", SharingFlash::NotesChosen),
        (SharingOption::Notes, true) => redirect_to("notes", SharingFlash::NotesShown),
        (SharingOption::Notes, false) => redirect_to("notes", SharingFlash::NotesHidden),
        (SharingOption::Embed, true) => redirect_to("embed", SharingFlash::EmbedOn),
        (SharingOption::Embed, false) => redirect_to("embed", SharingFlash::EmbedOff),
    };
    Ok(response)
}
