//! What all pages share.

use std::sync::Arc;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Response};

use crate::app::App;
use crate::domain::{Caller, playlists};
use crate::ids::PlaylistId;
use crate::web::assets::ASSETS;
use crate::web::error::AppError;
use crate::web::extract::current_user::MaybeUser;
use crate::web::extract::return_to::SafePath;
use crate::web::flash;
use crate::web::views::playlist_card::{PlaylistCard, display_name};

/// The frame around every page.
#[derive(Clone)]
pub(crate) struct Layout {
    pub(crate) title: String,
    /// The name of who is signed in.
    pub(crate) user_name: Option<String>,
    /// Whether that is known: not while the records are away.
    pub(crate) is_user_known: bool,
    /// The entry of the menu that is this page.
    pub(crate) section: &'static str,
    pub(crate) is_demo: bool,
    /// Whether there is a page of most hearted playlists.
    pub(crate) has_top_page: bool,
    pub(crate) flash: Option<FlashView>,
    pub(crate) css: &'static str,
    pub(crate) print_css: &'static str,
    /// The library first, then what builds on it.
    pub(crate) scripts: &'static [String],
    pub(crate) favicon: &'static str,
    /// Path and query of this page, or of the playlists where a visitor cannot be sent back to it.
    pub(crate) path: String,
}

/// A sentence that is shown once.
#[derive(Clone)]
pub(crate) struct FlashView {
    /// Whether it interrupts.
    pub(crate) is_alert: bool,
    pub(crate) text: String,
    /// The playlist whose heart can be had back.
    pub(crate) undo: Option<PlaylistId>,
}

impl Layout {
    /// The frame for a page that knows nobody.
    pub(crate) fn without_user(app: &App, path: &str) -> Self {
        Self {
            title: String::new(),
            user_name: None,
            is_user_known: true,
            section: "",
            is_demo: app.config.demo,
            has_top_page: app.config.top_page,
            flash: None,
            css: &ASSETS.css,
            print_css: &ASSETS.print,
            scripts: &ASSETS.scripts,
            favicon: &ASSETS.favicon,
            // What comes back from a provider carries a code, which must not be written into a page.
            path: SafePath::parse_or_playlists(Some(path)).as_str().to_owned(),
        }
    }

    /// Names the page and its entry in the menu.
    pub(crate) fn with_title(mut self, title: impl Into<String>, section: &'static str) -> Self {
        self.title = title.into();
        self.section = section;
        self
    }
}

impl FromRequestParts<Arc<App>> for Layout {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, AppError> {
        let caller = MaybeUser::from_request_parts(parts, app).await?.user;
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let notice = match flash::take(&parts.headers) {
            Some(said) => Some(flash_view(app, caller.as_ref(), said).await),
            None => None,
        };
        Ok(Self { user_name: caller.map(|caller| caller.person.name), flash: notice, ..Self::without_user(app, path) })
    }
}

/// A notice in words. What a playlist is called is asked only where the notice is about one.
async fn flash_view(app: &App, caller: Option<&Caller>, said: flash::FlashMessage) -> FlashView {
    let mut text = said.flash.text(caller.map(|caller| caller.person.name.as_str()));
    let undo = said.playlist.filter(|_| said.flash == flash::Flash::Unhearted);
    if let (Some(caller), Some(id)) = (caller, &undo)
        && let Ok(known) = playlists::known(app, caller, id).await
    {
        let name = known.map_or_else(|| display_name(id.as_str(), None), |known| PlaylistCard::from(known).name);
        text = format!("{}: {name}.", text.trim_end_matches('.'));
    }
    FlashView { is_alert: said.flash.is_alert(), text, undo }
}

/// A path of ours as others need it.
pub(crate) fn absolute_url(app: &App, path: &str) -> String {
    format!("{}{path}", app.config.base_url.origin().ascii_serialization())
}

/// Where other sites find the picture that they show with a link to a page of ours.
pub(crate) fn preview_image_url(app: &App) -> String {
    absolute_url(app, &ASSETS.card)
}

/// How long a page of fifty playlists is, in bytes.
const INITIAL_PAGE_CAPACITY: usize = 56 * 1024;

/// Fills a page.
pub(crate) fn render_page(page: &impl Template) -> Response {
    render_text(page).map_or_else(|error| AppError::internal(error).into_response(), |text| Html(text).into_response())
}

/// The text of a page.
pub(crate) fn render_text(page: &impl Template) -> askama::Result<String> {
    // Room for most pages at once, in place of copying each half of them over and over.
    let mut text = String::with_capacity(INITIAL_PAGE_CAPACITY);
    page.render_into(&mut text)?;
    Ok(text)
}
