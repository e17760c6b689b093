//! Invitations, and who may join.

use askama::Template;
use axum::Form;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use time::OffsetDateTime;

use crate::app::{App, Registration};
use crate::domain::registration::{self, Invite, InviteStatus};
use crate::domain::{CurrentUser, Error};
use crate::ids::Provider;
use crate::web::error::{AppError, of_status};
use crate::web::extract::current_user::SignedIn;
use crate::web::extract::{Now, State};
use crate::web::flash::{self, Flash};
use crate::web::pages::login::other_providers;
use crate::web::views::layout::{Layout, render_page};
use crate::web::views::time::TimeView;

/// Returns who may join, for the landing page; `None` in an open demo.
pub(crate) fn registration_note(app: &App) -> Option<String> {
    let access = &app.config.access;
    let limit = access.spotify_users.map(|users| format!(" Spotify allows {users} listeners, chosen by the operator."));
    let note = match access.registration {
        Registration::Closed => "Nobody new can join at the moment. If you have an account, sign in as usual.",
        Registration::Invite => "New here? You need an invitation. If you have an account, sign in as usual.",
        Registration::Open if app.config.demo => return None,
        Registration::Open if limit.is_some() => "Open to everybody on the operator’s list.",
        Registration::Open => {
            "Open to listeners on the operator’s Spotify list. Until Spotify reviews an app, its operator chooses who is on it."
        }
    };
    Some(format!("{note}{}", limit.unwrap_or_default()))
}

#[derive(Template)]
#[template(path = "invites/index.html")]
struct InvitesPage {
    layout: Layout,
    invites: Vec<InviteRow>,
    /// The link of a new invitation.
    link: Option<String>,
    registration: Registration,
}

struct InviteRow {
    id: i64,
    created: TimeView,
    expires: TimeView,
    /// By whom, and when.
    used: Option<(String, TimeView)>,
    is_expired: bool,
}

impl InviteRow {
    fn new(invite: Invite, now: OffsetDateTime) -> Self {
        let by = invite.used_by.unwrap_or_else(|| "a deleted account".into());
        Self {
            id: invite.id,
            created: TimeView::day(invite.created_at),
            expires: TimeView::day(invite.expires_at),
            used: invite.used_at.map(|at| (by, TimeView::day(at))),
            is_expired: invite.expires_at <= now,
        }
    }
}

/// Users who are not operators get the usual page for a missing page.
fn not_found_or_fault(error: Error) -> AppError {
    match error {
        Error::NotFound => of_status(StatusCode::NOT_FOUND),
        error => error.into(),
    }
}

pub(crate) async fn index(
    app: State,
    Now(now): Now,
    layout: Layout,
    SignedIn(caller): SignedIn,
) -> Result<Response, AppError> {
    render_list(&app, layout, &caller, now, None).await
}

async fn render_list(
    app: &App,
    layout: Layout,
    caller: &CurrentUser,
    now: OffsetDateTime,
    link: Option<String>,
) -> Result<Response, AppError> {
    let invites = registration::list_invites(app, caller).await.map_err(not_found_or_fault)?;
    Ok(render_page(&InvitesPage {
        layout: layout.with_title("Invitations", "account"),
        invites: invites.into_iter().map(|invite| InviteRow::new(invite, now)).collect(),
        link,
        registration: app.config.access.registration,
    }))
}

/// Creates an invitation. Only this response contains its link, because only a hash is stored.
pub(crate) async fn create(
    app: State,
    Now(now): Now,
    layout: Layout,
    SignedIn(caller): SignedIn,
) -> Result<Response, AppError> {
    let token = registration::create_invite(&app, &caller, now).await.map_err(not_found_or_fault)?;
    let link = app.config.base_url.join(&format!("/invite/{}", token.expose())).map_err(AppError::internal)?;
    render_list(&app, layout, &caller, now, Some(link.into())).await
}

#[derive(Deserialize)]
pub(crate) struct RevokeForm {
    invite: i64,
}

pub(crate) async fn destroy(
    app: State,
    SignedIn(caller): SignedIn,
    Form(form): Form<RevokeForm>,
) -> Result<Response, AppError> {
    registration::revoke_invite(&app, &caller, form.invite).await.map_err(not_found_or_fault)?;
    Ok(flash::redirect("/invites", Flash::InviteRevoked))
}

#[derive(Template)]
#[template(path = "invites/show.html")]
struct InvitePage {
    layout: Layout,
    token: String,
    /// The providers beside Spotify.
    others: Vec<Provider>,
}

/// The page behind an invitation's link.
pub(crate) async fn show(
    app: State,
    Now(now): Now,
    layout: Layout,
    Path(token): Path<String>,
) -> Result<Response, AppError> {
    let invalid = |status, what: &str| Err(AppError::new(status, "This invitation is not valid", what));
    match registration::invite_status(&app, &token, now).await? {
        InviteStatus::Valid => Ok(render_page(&InvitePage {
            layout: layout.with_title("You are invited", ""),
            token,
            others: other_providers(&app),
        })),
        InviteStatus::Used => {
            invalid(StatusCode::GONE, "It has already been used, and each one is for one person. Ask for another one.")
        }
        InviteStatus::Expired => {
            invalid(StatusCode::GONE, "It has expired: invitations are valid for two weeks. Ask for another one.")
        }
        InviteStatus::Unknown => invalid(StatusCode::NOT_FOUND, "It was revoked, or the link is incomplete."),
    }
}
