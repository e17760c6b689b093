//! The page after an account was deleted. What it says is in a cookie for a while, because nothing of the account is
//! stored; so a reload shows the same.

use askama::Template;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use time::Duration;
use tower_sessions::cookie::{Cookie, SameSite};

use crate::app::App;
use crate::domain::account::DeletedCounts;
use crate::web::cookies::{self, CookieKind};
use crate::web::extract::State;
use crate::web::extract::current_user::MaybeUser;
use crate::web::views::layout::{Layout, render_page};

pub(crate) const PATH: &str = "/account/deleted";
const COOKIE_TTL: Duration = Duration::minutes(10);

/// Labels of the counts, in the order of the cookie.
const LABELS: [&str; 9] = [
    "Hearts",
    "Hearts with a note or tags",
    "Removed hearts",
    "Playlists from your library",
    "Ways to sign in",
    "Sessions",
    "Activity entries",
    "Invitations",
    "Shared pages and links",
];

#[derive(Template)]
#[template(path = "account/deleted.html")]
struct DeletedPage {
    layout: Layout,
    /// Labels and counts of what was deleted.
    rows: Vec<(&'static str, i64)>,
}

/// Redirects to the page.
pub(crate) fn redirect(app: &App, deleted: DeletedCounts) -> Response {
    let counts = [
        deleted.hearts,
        deleted.notes,
        deleted.removed_hearts,
        deleted.playlists,
        deleted.identities,
        deleted.sessions,
        deleted.events,
        deleted.invites,
        deleted.shares,
    ];
    let cookie =
        Cookie::build((cookies::name(app, CookieKind::Deleted), counts.map(|count| count.to_string()).join(".")))
            .max_age(COOKIE_TTL)
            .path("/account")
            .http_only(true)
            .secure(app.config.is_https())
            .same_site(SameSite::Lax);
    let cookie = HeaderValue::from_str(&cookie.to_string()).expect("numbers are ASCII");
    ([(SET_COOKIE, cookie)], Redirect::to(PATH)).into_response()
}

pub(crate) fn has_cookie(app: &App, headers: &HeaderMap) -> bool {
    read_counts(app, headers).is_some()
}

fn read_counts(app: &App, headers: &HeaderMap) -> Option<Vec<i64>> {
    let counts = cookies::read(headers, &cookies::name(app, CookieKind::Deleted))?;
    counts.split('.').map(|count| count.parse().ok()).collect()
}

/// Redirects everybody else, for whom the page would not be true.
pub(crate) async fn show(app: State, maybe_user: MaybeUser, headers: HeaderMap) -> Response {
    let counts = match (maybe_user.user, read_counts(&app, &headers)) {
        (Some(_), _) => return Redirect::to("/account").into_response(),
        (None, None) => return Redirect::to("/").into_response(),
        (None, Some(counts)) => counts,
    };
    let rows = LABELS.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect();
    render_page(&DeletedPage {
        layout: Layout::without_user(&app, "/").with_title("Your account is deleted", ""),
        rows,
    })
}
