//! Users who sign in through the app's pages and the consent page, with their libraries and hearts.

use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};
use sqlx::PgPool;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::fake_spotify::{FakeSpotify, LIBRARY_SIZE};
use crate::support::page::Page;
use crate::support::visitor::{Visitor, approve};

/// Rows of a full page.
pub(crate) const ROWS_PER_PAGE: usize = 50;
/// Start tag of a row.
pub(crate) const CARD_TAG: &str = "<li class=card ";
/// Word of the workload `search`. A third of the notes and some names contain it.
pub(crate) const SEARCH_WORD: &str = "winter";

/// Notes and tags of the hearts, in rotation.
const ANNOTATIONS: [(&str, &str); 3] = [
    ("Found last winter, for long evenings", "evenings, slow"),
    ("For the road to the sea", "road, summer, loud"),
    ("", ""),
];

/// A signed-in user.
#[derive(Clone)]
pub(crate) struct User {
    /// Name on the fake Spotify.
    pub(crate) key: String,
    /// The `Cookie` header of the session.
    pub(crate) cookie: String,
    /// Id in the app.
    pub(crate) id: i64,
    /// Ids of the library's playlists, in order.
    pub(crate) playlists: Vec<String>,
    /// Number of hearts that contain [`SEARCH_WORD`].
    pub(crate) search_matches: usize,
}

/// A user right after the first sign-in.
struct NewUser {
    user: User,
    visitor: Visitor,
    playlist_names: Vec<String>,
}

/// Creates users by signing them in for the first time.
pub(crate) struct UserFactory<'a> {
    pub(crate) base_url: &'a str,
    pub(crate) pool: &'a PgPool,
    pub(crate) spotify: &'a FakeSpotify,
}

impl UserFactory<'_> {
    /// Creates `count` users with the keys `kind-1`, `kind-2` and so on, each with a stored library.
    pub(crate) async fn create(&self, kind: &str, count: usize) -> Result<Vec<User>> {
        let mut users = Vec::new();
        for number in 1..=count {
            users.push(self.create_one(format!("{kind}-{number}")).await?.user);
        }
        Ok(users)
    }

    /// Like [`Self::create`]. Every other playlist is hearted, most with note and tags; every tenth has changed since.
    pub(crate) async fn create_with_hearts(&self, kind: &str, count: usize) -> Result<Vec<User>> {
        let mut users = Vec::new();
        for number in 1..=count {
            let NewUser { mut user, visitor, playlist_names } = self.create_one(format!("{kind}-{number}")).await?;
            self.import_hearts(&visitor, &user).await?;
            self.spotify.change_playlists(&user.key);
            // Makes the next page fetch the library again.
            sqlx::query("delete from libraries where user_id = $1").bind(user.id).execute(self.pool).await?;
            visitor.open("/playlists").await;
            let texts = playlist_names.iter().step_by(2).zip(ANNOTATIONS.iter().cycle());
            let texts = texts.map(|(name, (note, _))| format!("{name}\n{note}").to_lowercase());
            user.search_matches = texts.filter(|text| text.contains(SEARCH_WORD)).count();
            self.check_pages(&visitor, &user).await?;
            users.push(user);
        }
        Ok(users)
    }

    async fn create_one(&self, key: String) -> Result<NewUser> {
        let (playlists, playlist_names) = self.spotify.add_user(&key).into_iter().unzip();
        let visitor = Visitor::new(self.base_url);
        let cookie = sign_in(&visitor, &key).await?;
        let page = visitor.open("/playlists").await;
        ensure!(page.count("li.card") == ROWS_PER_PAGE, "{key} sees {} {}", page.status, page.html);
        let id = sqlx::query_scalar("select max(user_id) from identities").fetch_one(self.pool).await?;
        Ok(NewUser { user: User { key, cookie, id, playlists, search_matches: 0 }, visitor, playlist_names })
    }

    /// Imports hearts of the last days, newest first.
    async fn import_hearts(&self, visitor: &Visitor, user: &User) -> Result<()> {
        let now: OffsetDateTime = sqlx::query_scalar("select now()").fetch_one(self.pool).await?;
        let mut csv = String::from("playlist_id,hearted_at,note,tags\n");
        let hearted = user.playlists.iter().step_by(2).zip(ANNOTATIONS.iter().cycle());
        for (position, (id, (note, tags))) in hearted.enumerate() {
            let hearted_at = (now - Duration::hours(1 + position as i64 * 3)).format(&Rfc3339)?;
            writeln!(csv, "{id},{hearted_at},\"{note}\",\"{tags}\"")?;
        }
        let form = visitor.open("/hearts/import").await.form("form.import-form");
        let response = visitor.upload(form, csv.as_bytes()).await;
        ensure!(response.status < 400, "the import failed: {}", response.html);
        Ok(())
    }

    /// Checks what wrk does not: the ids of rows and hearts, the notes, and the number of changed playlists.
    async fn check_pages(&self, visitor: &Visitor, user: &User) -> Result<()> {
        let hearted_ids = |page: &Page| {
            let ids = page.attributes("li.card:has([aria-pressed=true])", "id");
            ids.into_iter().map(|id| id["p-".len()..].to_owned()).collect::<Vec<_>>()
        };
        let every_other = |ids: &[String]| ids.iter().step_by(2).cloned().collect::<Vec<_>>();
        let first_page = &user.playlists[..ROWS_PER_PAGE];
        let library = visitor.open("/playlists").await;
        ensure!(library.playlist_ids() == first_page, "unexpected rows: {}", library.html);
        ensure!(hearted_ids(&library) == every_other(first_page), "unexpected hearts: {}", library.html);
        let hearts = visitor.open("/hearts").await;
        ensure!(hearted_ids(&hearts) == every_other(&user.playlists), "unexpected hearts: {}", hearts.html);
        for (page, rows) in [(&library, ROWS_PER_PAGE / 2), (&hearts, ROWS_PER_PAGE)] {
            for (note, _) in &ANNOTATIONS[..2] {
                ensure!(page.html.matches(note).count() >= rows / 3, "missing notes: {}", page.html);
            }
        }
        let changed =
            "select count(*) from user_hearts h join playlists p on p.user_id = h.user_id and p.id = h.playlist_id
            where h.user_id = $1 and h.snapshot_id <> p.snapshot_id";
        let changed: i64 = sqlx::query_scalar(changed).bind(user.id).fetch_one(self.pool).await?;
        ensure!(changed == LIBRARY_SIZE as i64 / 10, "{changed} playlists changed");
        Ok(())
    }
}

/// Gives each of `users` a library of 10,000 playlists.
pub(crate) async fn enlarge_libraries(pool: &PgPool, users: &[User]) -> Result<()> {
    let ids: Vec<i64> = users.iter().map(|user| user.id).collect();
    let insert = "insert into playlists (user_id, id, position, name, name_folded, owner_name, owner_folded, cover_url, item_count, public,
                                       collaborative, snapshot_id, seen_at)
        select user_id, 'B' || lpad(n::text, 21, '0'), n, name || n, name_folded || n, owner_name, owner_folded, cover_url, item_count, public,
               collaborative, snapshot_id, seen_at
        from playlists, generate_series($2, 9999) n where user_id = any($1) and position = 0";
    sqlx::query(insert).bind(&ids).bind(LIBRARY_SIZE as i64).execute(pool).await?;
    let update = "update libraries set counted = 10000, reached = 10000 where user_id = any($1)";
    sqlx::query(update).bind(&ids).execute(pool).await?;
    sqlx::query("vacuum analyze playlists").execute(pool).await?;
    Ok(())
}

/// Marks all stored libraries as fresh, so that no page fetches them.
pub(crate) async fn refresh_libraries(pool: &PgPool) -> Result<()> {
    sqlx::query("update libraries set fetched_at = now()").execute(pool).await?;
    Ok(())
}

/// Signs in with three requests to the app and two to the consent page. Returns the session cookie.
pub(crate) async fn sign_in(visitor: &Visitor, key: &str) -> Result<String> {
    let consent = visitor.start_spotify_sign_in("/login").await;
    let back = visitor.send_form(approve(&consent, key)).await;
    let signed_in = visitor.get(back.header("location")).await;
    ensure!(signed_in.status == 303, "{key} is not signed in: {} {}", signed_in.status, signed_in.html);
    let cookies = signed_in.headers.get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
    let mut pairs = cookies.filter_map(|cookie| cookie.split(';').next());
    // Its name is `heartlist-` and the port.
    let is_session = |pair: &&str| !pair.contains("-flash=") && !pair.contains("-login=");
    Ok(pairs.find(is_session).context("no session cookie")?.to_owned())
}
