//! The page after an account was deleted. It is the same for every signed-out visitor, so that it stays true on reload;
//! a flash message says once what was deleted.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};

use crate::web::extract::MaybeUser;
use crate::web::views::{Layout, render_page};

pub(crate) const PATH: &str = "/account/deleted";

#[derive(Template)]
#[template(path = "account/deleted.html")]
struct DeletedPage {
    layout: Layout,
}

pub(crate) async fn show(maybe_user: MaybeUser, layout: Layout) -> Response {
    match maybe_user.user {
        Some(_) => Redirect::to("/account").into_response(),
        None => render_page(&DeletedPage { layout: layout.with_title("After an account is deleted", "") }),
    }
}
