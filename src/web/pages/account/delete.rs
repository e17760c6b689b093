//! Leaving: taking Spotify's keys back, and deleting the account.

use askama::Template;
use axum::Form;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use crate::app::App;
use crate::domain::account::{self, Gone};
use crate::domain::identities::{self, Identity};
use crate::domain::registration;
use crate::web::error::AppError;
use crate::web::extract::current_user::{MaybeUser, SignedIn};
use crate::web::extract::device::Device;
use crate::web::extract::{Now, State};
use crate::web::flash::{self, Flash};
use crate::web::pages::login::login_cookie;
use crate::web::views::layout::{Layout, render_page};

#[derive(Template)]
#[template(path = "account/disconnect.html")]
struct Disconnect {
    layout: Layout,
    hearts: i64,
}

/// Asks whether to disconnect Spotify.
pub(crate) async fn disconnecting(
    app: State,
    layout: Layout,
    SignedIn(caller): SignedIn,
) -> Result<Response, AppError> {
    let account = account::of(&app, &caller).await?.ok_or_else(|| AppError::signed_out("/account"))?;
    Ok(render_page(&Disconnect { layout: layout.with_title("Disconnect Spotify", "account"), hearts: account.hearts }))
}

/// Forgets the keys to the Spotify account of who is signed in, in all their sessions.
pub(crate) async fn disconnect(
    app: State,
    Now(now): Now,
    SignedIn(caller): SignedIn,
    Device(device): Device,
) -> Result<Response, AppError> {
    account::disconnect(&app, &caller, &device, now).await?;
    Ok(flash::redirect("/account", Flash::Disconnected))
}

#[derive(Template)]
#[template(path = "account/delete.html")]
struct Delete {
    layout: Layout,
    hearts: i64,
    /// Whether the last sign-in is recent enough.
    fresh: bool,
    ways: Vec<Identity>,
    /// Whether nobody could invite others afterwards.
    operator: bool,
}

/// Says what deleting means, and asks; who signed in a while ago is asked to do that again first.
pub(crate) async fn deleting(
    app: State,
    Now(now): Now,
    layout: Layout,
    visitor: MaybeUser,
    SignedIn(caller): SignedIn,
) -> Result<Response, AppError> {
    let account = account::of(&app, &caller).await?.ok_or_else(|| AppError::signed_out("/account/delete"))?;
    Ok(render_page(&Delete {
        layout: layout.with_title("Delete your account", "account"),
        hearts: account.hearts,
        fresh: visitor.has_signed_in_recently(now).await?,
        ways: identities::of(&app, &caller).await?.linked,
        operator: registration::is_operator(&app, &caller).await?,
    }))
}

/// The box that says that somebody is sure of what cannot be undone.
#[derive(Deserialize)]
pub(crate) struct Sure {
    #[serde(default)]
    sure: Option<String>,
}

impl Sure {
    pub(crate) fn is_ticked(&self) -> bool {
        self.sure.as_deref() == Some("yes")
    }
}

/// Deletes the account of who is signed in, for good.
pub(crate) async fn delete(
    app: State,
    Now(now): Now,
    (visitor, headers): (MaybeUser, HeaderMap),
    SignedIn(caller): SignedIn,
    Form(sure): Form<Sure>,
) -> Result<Response, AppError> {
    if !sure.is_ticked() {
        return Ok(flash::redirect("/account/delete", Flash::NotSure));
    }
    let browser = login_cookie::read(&app, &headers);
    let Some(gone) = account::delete(&app, &caller, browser.as_ref(), visitor.signed_in_at().await?, now).await? else {
        return Ok(flash::redirect("/account/delete", Flash::NotFresh));
    };
    visitor.sign_out().await?;
    Ok(receipt(&app, gone))
}

#[derive(Template)]
#[template(path = "account/deleted.html")]
struct Receipt {
    layout: Layout,
    /// What, and how many of it.
    rows: Vec<(&'static str, i64)>,
}

/// What went. The answer itself and no page of its own: there is nobody left to keep the numbers for.
fn receipt(app: &App, gone: Gone) -> Response {
    let all = [
        ("Hearts", gone.hearts),
        ("Hearts with a note or tags", gone.notes),
        ("Removed hearts", gone.removed_hearts),
        ("Playlists from your library", gone.playlists),
        ("Ways to sign in", gone.identities),
        ("Sessions", gone.sessions),
        ("Activity entries", gone.events),
        ("Invitations", gone.invites),
        ("Shared pages and links", gone.shares),
    ];
    let rows = all.into_iter().filter(|(_, count)| *count > 0).collect();
    render_page(&Receipt { layout: Layout::without_user(app, "/").with_title("Your account is deleted", ""), rows })
}
