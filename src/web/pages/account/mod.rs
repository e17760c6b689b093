//! The account page.

pub(crate) mod activity;
pub(crate) mod delete;
pub(crate) mod identities;
pub(crate) mod sessions;

use askama::Template;
use axum::response::Response;

use crate::domain::{Caller, account, registration, sharing};
use crate::web::error::AppError;
use crate::web::extract::State;
use crate::web::extract::current_user::SignedIn;
use crate::web::views::layout::{Layout, render_page};
use crate::web::views::time::TimeView;

#[derive(Template)]
#[template(path = "account/show.html")]
struct Show {
    layout: Layout,
    name: String,
    since: TimeView,
    ways: identities::Shown,
    hearts: i64,
    asks_again: Option<TimeView>,
    connected: bool,
    lapsed: bool,
    operator: bool,
    shares: sharing::On,
    allowed: Vec<Allowed>,
    sessions: Vec<sessions::Row>,
    events: Vec<activity::Line>,
    /// Whether there are more events than these.
    more: bool,
}

/// Who is signed in, and since when.
pub(crate) async fn show(app: State, layout: Layout, SignedIn(caller): SignedIn) -> Result<Response, AppError> {
    let account = account::of(&app, &caller).await?.ok_or_else(|| AppError::signed_out("/account"))?;
    let (events, more) = activity::latest(&app, &caller).await?;
    Ok(render_page(&Show {
        layout: layout.with_title("Account", "account"),
        operator: registration::is_operator(&app, &caller).await?,
        shares: sharing::on(&app, &caller).await?,
        allowed: allowed(&caller),
        sessions: sessions::of(&app, &caller).await?,
        more,
        events,
        name: account.name,
        since: TimeView::day(account.since),
        ways: identities::shown(&app, &caller).await?,
        hearts: account.hearts,
        connected: account.asks_again.is_some(),
        lapsed: caller.lapsed,
        asks_again: account.asks_again.map(TimeView::day),
    }))
}

/// What Spotify lets us do, by its name for it, in words, with what it is for.
const ALLOWED: [(&str, Allowed); 3] = [
    (
        "playlist-read-private",
        Allowed { may: "See your private playlists", because: "so that they can be listed here with the others." },
    ),
    (
        "playlist-read-collaborative",
        Allowed { may: "See your collaborative playlists", because: "so that they can be listed here too." },
    ),
    (
        "user-read-currently-playing",
        Allowed { may: "See what you listen to", because: "only while you have Now playing open." },
    ),
];

/// Something that Spotify lets us do.
#[derive(Clone, Copy)]
struct Allowed {
    may: &'static str,
    because: &'static str,
}

fn allowed(caller: &Caller) -> Vec<Allowed> {
    let Some(grant) = &caller.grant else { return Vec::new() };
    ALLOWED.iter().filter(|(scope, _)| grant.scopes.contains(*scope)).map(|(_, allowed)| *allowed).collect()
}
