//! People who signed in, each through the app's pages and the consent page.

use anyhow::{Context, Result, ensure};
use sqlx::PgPool;

use crate::page::Page;
use crate::standin::Standin;
use crate::visitor::{Visitor, approve};

/// How many playlists each has: two pages of them.
pub(crate) const LIBRARY: usize = 100;
/// How many rows a full page has.
pub(crate) const ROWS: usize = 50;

/// Somebody who signed in.
#[derive(Clone)]
pub(crate) struct Listener {
    /// The header that says so.
    pub(crate) cookie: String,
    /// Their id with the app.
    pub(crate) id: i64,
}

/// Signs in `count` people called `kind 1`, `kind 2`…; those who read heart every other playlist of theirs.
pub(crate) async fn sign_in_all(
    (base, pool): (&str, &PgPool),
    standin: &Standin,
    kind: &str,
    count: usize,
) -> Result<Vec<Listener>> {
    let mut all = Vec::new();
    for number in 1..=count {
        let key = format!("{kind}-{number}");
        let playlists = standin.add(&key, LIBRARY);
        let visitor = Visitor::new(base);
        let cookie = sign_in(&visitor, &key).await?;
        // Warms the library.
        let page = visitor.open("/playlists").await;
        ensure!(page.count("li.card") == ROWS, "{key} sees {} {}", page.status, page.html);
        if kind == "reader" {
            for id in playlists.iter().step_by(2) {
                let answer = visitor.fetch(reqwest::Method::PUT, &format!("/heart/{id}")).await;
                ensure!(answer.status == 200, "{key} may not heart {id}: {}", answer.html);
            }
            look(&visitor, &playlists).await?;
        }
        let id = sqlx::query_scalar("select max(user_id) from identities").fetch_one(pool).await?;
        all.push(Listener { cookie, id });
    }
    Ok(all)
}

/// Gives each of `people` as large a library as anybody has.
pub(crate) async fn enlarge(pool: &PgPool, people: &[Listener]) -> Result<()> {
    let ids: Vec<i64> = people.iter().map(|person| person.id).collect();
    let more = "insert into playlists (user_id, id, position, name, name_folded, owner_name, owner_folded, cover_url, item_count, public,
                                       collaborative, snapshot_id, seen_at)
        select user_id, 'B' || lpad(n::text, 21, '0'), n, name || n, name_folded || n, owner_name, owner_folded, cover_url, item_count, public,
               collaborative, snapshot_id, seen_at
        from playlists, generate_series($2, 9999) n where user_id = any($1) and position = 0";
    sqlx::query(more).bind(&ids).bind(LIBRARY as i64).execute(pool).await?;
    // Fresh for the whole run: Spotify knows only the first hundred.
    let counted = "update libraries set counted = 10000, reached = 10000, fetched_at = now() + interval '1 hour' where user_id = any($1)";
    sqlx::query(counted).bind(&ids).execute(pool).await?;
    sqlx::query("vacuum analyze playlists").execute(pool).await?;
    Ok(())
}

/// Goes through the whole sign-in and gives the session's cookie.
pub(crate) async fn sign_in(visitor: &Visitor, key: &str) -> Result<String> {
    let consent = visitor.to_consent("/login").await;
    let back = visitor.send(approve(&consent, key)).await;
    let signed_in = visitor.look(back.header("location")).await;
    ensure!(signed_in.status == 303, "{key} is not signed in: {} {}", signed_in.status, signed_in.html);
    let cookies = signed_in.headers.get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
    let mut pairs = cookies.filter_map(|cookie| cookie.split(';').next());
    Ok(pairs.find(|pair| pair.starts_with("heartlist=")).context("a session's cookie")?.to_owned())
}

/// Looks at both pages as closely as no load tool can: these rows, these hearts.
async fn look(visitor: &Visitor, playlists: &[String]) -> Result<()> {
    let hearted = |page: &Page| {
        let pressed = page.attributes("li.card:has([aria-pressed=true])", "id");
        pressed.into_iter().map(|id| id["p-".len()..].to_owned()).collect::<Vec<_>>()
    };
    let every_other = |ids: &[String]| ids.iter().step_by(2).cloned().collect::<Vec<_>>();
    let library = visitor.open("/playlists").await;
    ensure!(library.playlist_ids() == playlists[..ROWS], "other rows: {}", library.html);
    ensure!(hearted(&library) == every_other(&playlists[..ROWS]), "other hearts: {}", library.html);
    let mut kept = hearted(&visitor.open("/hearts").await);
    kept.reverse();
    ensure!(kept == every_other(playlists), "other hearts are kept: {kept:?}");
    Ok(())
}
