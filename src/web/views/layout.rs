//! The layout of all pages, and rendering.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Response};

use crate::app::App;
use crate::domain::{CurrentUser, playlists};
use crate::ids::PlaylistId;
use crate::web::assets::ASSETS;
use crate::web::cookies::{self, CookieKind};
use crate::web::error::{AppError, Result};
use crate::web::extract::theme::Theme;
use crate::web::extract::{MaybeUser, SafePath};
use crate::web::flash::{self, Flash, RenamedTag};
use crate::web::views::playlist_card::{PlaylistCard, display_name};
use crate::web::views::zone;

/// Fields of `base.html`.
#[derive(Clone)]
pub(crate) struct Layout {
    pub(crate) title: String,
    pub(crate) user_name: Option<String>,
    /// False while the database is down.
    pub(crate) is_user_known: bool,
    /// The current entry of the menu; may be empty.
    pub(crate) section: &'static str,
    pub(crate) is_demo: bool,
    /// False while the popular lists are empty, or if they are off.
    pub(crate) has_top_page: bool,
    /// URL under which the operators can be reached.
    pub(crate) contact: Option<String>,
    pub(crate) flash: Option<FlashView>,
    /// `None` if the system decides.
    pub(crate) theme: Option<Theme>,
    pub(crate) css: &'static str,
    /// In the order of loading.
    pub(crate) scripts: &'static [String],
    pub(crate) favicon: &'static str,
    pub(crate) font: &'static str,
    /// Zone of the times; `None` for UTC.
    pub(crate) zone: Option<String>,
    /// Name of the cookie with the reader's zone.
    pub(crate) zone_cookie: String,
    /// Path and query of this page, or `/playlists` if it cannot be returned to.
    pub(crate) path: String,
}

#[derive(Clone)]
pub(crate) struct FlashView {
    /// True for `role=alert`, false for `role=status`.
    pub(crate) is_alert: bool,
    pub(crate) text: String,
    pub(crate) undo: Option<Undo>,
}

/// The change that the button of a flash message undoes.
#[derive(Clone)]
pub(crate) enum Undo {
    /// The removal of a heart from this playlist.
    Heart(PlaylistId),
    /// The renaming of a tag.
    Tag(RenamedTag),
    /// A change of hearts with this id.
    Change(i64),
}

impl Layout {
    pub(crate) fn without_user(app: &App, path: &str) -> Self {
        Self {
            title: String::new(),
            user_name: None,
            is_user_known: true,
            section: "",
            is_demo: app.config.demo,
            has_top_page: app.has_popular.load(Ordering::Relaxed),
            contact: app.config.access.contact.as_ref().map(ToString::to_string),
            flash: None,
            theme: None,
            css: &ASSETS.css,
            scripts: &ASSETS.scripts,
            favicon: &ASSETS.favicon,
            font: &ASSETS.font,
            zone: zone::name(),
            zone_cookie: cookies::name(app, CookieKind::Zone),
            // A callback's query contains an authorization code, which must not appear in a page.
            path: SafePath::parse_or_playlists(Some(path)).as_str().to_owned(),
        }
    }

    pub(crate) fn with_title(mut self, title: impl Into<String>, section: &'static str) -> Self {
        self.title = title.into();
        self.section = section;
        self
    }

    /// Value, label and state of each button of the theme.
    pub(crate) fn theme_choices(&self) -> [(&'static str, &'static str, bool); 3] {
        [("system", "System", None), ("light", "Light", Some(Theme::Light)), ("dark", "Dark", Some(Theme::Dark))]
            .map(|(key, label, theme)| (key, label, theme == self.theme))
    }
}

impl FromRequestParts<Arc<App>> for Layout {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        let user = MaybeUser::from_request_parts(parts, app).await?.user;
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let flash = match flash::take(app, &parts.headers) {
            Some(flash) => Some(flash_view(app, user.as_ref(), flash).await),
            None => None,
        };
        let theme = Theme::from_cookie(app, &parts.headers);
        Ok(Self { user_name: user.map(|user| user.name), flash, theme, ..Self::without_user(app, path) })
    }
}

/// Renders a flash message. Loads the playlist's name if the message is about one.
async fn flash_view(app: &App, user: Option<&CurrentUser>, flash: Flash) -> FlashView {
    let (is_alert, mut text) = (flash.is_alert(), flash.text(user.map(|user| user.name.as_str())));
    let undo = match flash {
        Flash::Unhearted(id) => Some(Undo::Heart(id)),
        Flash::TagRenamed(tag) => Some(Undo::Tag(tag)),
        Flash::Change(flash) => flash.change().map(Undo::Change),
        _ => None,
    };
    if let (Some(user), Some(Undo::Heart(id))) = (user, &undo)
        && let Ok(playlist) = playlists::find(app, user, id).await
    {
        let name =
            playlist.map_or_else(|| display_name(id.as_str(), None), |playlist| PlaylistCard::from(playlist).name);
        text = format!("{}: {name}.", text.trim_end_matches('.'));
    }
    FlashView { is_alert, text, undo }
}

pub(crate) fn absolute_url(app: &App, path: &str) -> String {
    format!("{}{path}", app.config.base_url.origin().ascii_serialization())
}

pub(crate) fn preview_image_url(app: &App) -> String {
    absolute_url(app, &ASSETS.preview_image)
}

/// Size of a page of fifty hearts, in bytes.
const INITIAL_PAGE_CAPACITY: usize = 64 * 1024;

/// Renders a page. Responds with an internal error if that fails.
pub(crate) fn render_page(page: &impl Template) -> Response {
    render_text(page).map_or_else(|error| AppError::internal(error).into_response(), |text| Html(text).into_response())
}

pub(crate) fn render_text(page: &impl Template) -> askama::Result<String> {
    // A single allocation for most pages.
    let mut text = String::with_capacity(INITIAL_PAGE_CAPACITY);
    page.render_into(&mut text)?;
    Ok(text)
}
