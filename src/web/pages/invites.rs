//! Who may join: what the landing page says of it, invitations and their links.

use askama::Template;
use axum::Form;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use time::OffsetDateTime;

use crate::app::{App, Registration};
use crate::domain::registration::{self, Invite, NotAdmitted, Standing};
use crate::domain::{Caller, Error};
use crate::ids::Provider;
use crate::web::error::{AppError, of_status};
use crate::web::extract::current_user::SignedIn;
use crate::web::extract::{Now, State};
use crate::web::flash::{self, Flash};
use crate::web::pages::login::others;
use crate::web::views::layout::{Layout, render_page};
use crate::web::views::time::TimeView;

/// Who may join, for the landing page; none: nothing stands in anybody's way.
pub(crate) fn door(app: &App) -> Option<String> {
    let people = &app.config.people;
    let listeners =
        people.listeners.map(|many| format!("Spotify lets {many} listeners use this server, chosen by its owner."));
    let said = match people.registration {
        Registration::Closed => "This server is closed to new people. If you have an account, sign in as usual.",
        Registration::Invite => "New here? You need an invitation. If you have an account, sign in as usual.",
        Registration::Open if app.config.demo => return None,
        Registration::Open => {
            let usual = "Open to listeners on this server’s Spotify list. Until Spotify reviews an app, its owner chooses who is on it.";
            return Some(
                listeners
                    .map_or_else(|| usual.into(), |listeners| format!("Open to everybody on the list. {listeners}")),
            );
        }
    };
    Some(listeners.map_or_else(|| said.into(), |listeners| format!("{said} {listeners}")))
}

/// What somebody new reads who is not let in.
pub(crate) fn refusal(why: NotAdmitted) -> AppError {
    let what = match why {
        NotAdmitted::Closed => {
            "This server is closed to new people at the moment. If you have been here before, sign in the way you did then."
        }
        NotAdmitted::Uninvited => {
            "New people need a valid invitation: a link from whoever runs this server, for one person. If you have been here before, sign in the way you did then."
        }
    };
    AppError::new(StatusCode::FORBIDDEN, "Closed to new people", what).nothing_saved()
}

#[derive(Template)]
#[template(path = "invites/index.html")]
struct Invites {
    layout: Layout,
    invites: Vec<Row>,
    /// The link that was just made.
    link: Option<String>,
    registration: Registration,
}

/// An invitation in the list.
struct Row {
    id: i64,
    made: TimeView,
    until: TimeView,
    used: Option<(String, TimeView)>,
    expired: bool,
}

impl Row {
    fn of(invite: Invite, now: OffsetDateTime) -> Self {
        let by = invite.used_by.unwrap_or_else(|| "somebody who has left".into());
        Self {
            id: invite.id,
            made: TimeView::day(invite.created_at),
            until: TimeView::day(invite.expires_at),
            used: invite.used_at.map(|at| (by, TimeView::day(at))),
            expired: invite.expires_at <= now,
        }
    }
}

/// For everybody but operators there is no such page.
fn hidden(error: Error) -> AppError {
    match error {
        Error::NotFound => of_status(StatusCode::NOT_FOUND),
        error => error.into(),
    }
}

/// The invitations that the operator made.
pub(crate) async fn index(
    app: State,
    Now(now): Now,
    layout: Layout,
    SignedIn(caller): SignedIn,
) -> Result<Response, AppError> {
    listed(&app, layout, &caller, now, None).await
}

async fn listed(
    app: &App,
    layout: Layout,
    caller: &Caller,
    now: OffsetDateTime,
    link: Option<String>,
) -> Result<Response, AppError> {
    let invites = registration::invited(app, caller).await.map_err(hidden)?;
    Ok(render_page(&Invites {
        layout: layout.with_title("Invitations", "account"),
        invites: invites.into_iter().map(|invite| Row::of(invite, now)).collect(),
        link,
        registration: app.config.people.registration,
    }))
}

/// Makes an invitation. Its link is in this answer and in no other: only a digest is kept.
pub(crate) async fn make(
    app: State,
    Now(now): Now,
    layout: Layout,
    SignedIn(caller): SignedIn,
) -> Result<Response, AppError> {
    let token = registration::invite(&app, &caller, now).await.map_err(hidden)?;
    let link = app.config.base_url.join(&format!("/invite/{}", token.expose())).map_err(AppError::internal)?;
    listed(&app, layout, &caller, now, Some(link.into())).await
}

/// Which invitation to take back.
#[derive(Deserialize)]
pub(crate) struct Which {
    invite: i64,
}

/// Takes an invitation back.
pub(crate) async fn revoke(
    app: State,
    SignedIn(caller): SignedIn,
    Form(which): Form<Which>,
) -> Result<Response, AppError> {
    registration::revoke(&app, &caller, which.invite).await.map_err(hidden)?;
    Ok(flash::redirect("/invites", Flash::InviteRevoked))
}

#[derive(Template)]
#[template(path = "invites/show.html")]
struct Invited {
    layout: Layout,
    token: String,
    /// The ways in beside Spotify.
    others: Vec<Provider>,
}

/// The page behind an invitation's link.
pub(crate) async fn invited(
    app: State,
    Now(now): Now,
    layout: Layout,
    Path(token): Path<String>,
) -> Result<Response, AppError> {
    let spent = |status, what: &str| Err(AppError::new(status, "This invitation is not valid", what));
    match registration::standing(&app, &token, now).await? {
        Standing::Good => {
            Ok(render_page(&Invited { layout: layout.with_title("You are invited", ""), token, others: others(&app) }))
        }
        Standing::Used => {
            spent(StatusCode::GONE, "It has already been used, and is for one person only. Ask for another one.")
        }
        Standing::Expired => {
            spent(StatusCode::GONE, "It has expired: invitations are valid for two weeks. Ask for another one.")
        }
        Standing::Unknown => spent(
            StatusCode::NOT_FOUND,
            "There is no such invitation, or it was revoked. Check that you have the whole link.",
        ),
    }
}
