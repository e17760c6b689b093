//! People who sign in through the app's pages and the consent page, and what they store.

use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};
use sqlx::PgPool;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::fake_spotify::{FakeSpotify, LIBRARY};
use crate::page::Page;
use crate::visitor::{Visitor, approve};

/// Rows of a full page.
pub(crate) const ROWS: usize = 50;
/// Beginning of a row.
pub(crate) const CARD: &str = "<li class=\"card\"";
/// The word that the search looks for. It is in a third of the notes and in some names.
pub(crate) const SEARCH_WORD: &str = "winter";

/// Notes and tags of three hearts in turn.
const ANNOTATIONS: [(&str, &str); 3] = [
    ("Found last winter, for long evenings", "evenings, slow"),
    ("For the road to the sea", "road, summer, loud"),
    ("", ""),
];

/// A person who signed in.
#[derive(Clone)]
pub(crate) struct Person {
    /// Name on the consent page.
    pub(crate) key: String,
    /// Cookie header of the session.
    pub(crate) cookie: String,
    /// Id in the app.
    pub(crate) id: i64,
    /// Ids of the library's playlists, in order.
    pub(crate) playlists: Vec<String>,
    /// How many of their hearts the search finds.
    pub(crate) found: usize,
}

/// A person right after the first sign-in.
struct NewPerson {
    person: Person,
    visitor: Visitor,
    /// Names of the library's playlists.
    names: Vec<String>,
}

/// Where people sign in.
pub(crate) struct Site<'a> {
    pub(crate) base: &'a str,
    pub(crate) pool: &'a PgPool,
    pub(crate) spotify: &'a FakeSpotify,
}

impl Site<'_> {
    /// Signs in `count` people called `kind-1`, `kind-2` and so on, each with a stored library.
    pub(crate) async fn sign_in_all(&self, kind: &str, count: usize) -> Result<Vec<Person>> {
        let mut people = Vec::new();
        for number in 1..=count {
            people.push(self.sign_in_one(format!("{kind}-{number}")).await?.person);
        }
        Ok(people)
    }

    /// The same for people who heart every other playlist of theirs, most with note and tags, and of whose playlists
    /// every tenth changed since.
    pub(crate) async fn sign_in_all_with_hearts(&self, kind: &str, count: usize) -> Result<Vec<Person>> {
        let mut people = Vec::new();
        for number in 1..=count {
            let NewPerson { mut person, visitor, names } = self.sign_in_one(format!("{kind}-{number}")).await?;
            self.import_hearts(&visitor, &person).await?;
            self.spotify.change_playlists(&person.key);
            // The next page fetches the library again. Until then the playlists' rows keep their old versions.
            sqlx::query("delete from libraries where user_id = $1").bind(person.id).execute(self.pool).await?;
            visitor.open("/playlists").await;
            let texts = names.iter().step_by(2).zip(ANNOTATIONS.iter().cycle());
            let texts = texts.map(|(name, (note, _))| format!("{name}\n{note}").to_lowercase());
            person.found = texts.filter(|text| text.contains(SEARCH_WORD)).count();
            self.check_pages(&visitor, &person).await?;
            people.push(person);
        }
        Ok(people)
    }

    async fn sign_in_one(&self, key: String) -> Result<NewPerson> {
        let (playlists, names) = self.spotify.add_person(&key).into_iter().unzip();
        let visitor = Visitor::new(self.base);
        let cookie = sign_in(&visitor, &key).await?;
        let page = visitor.open("/playlists").await;
        ensure!(page.count("li.card") == ROWS, "{key} sees {} {}", page.status, page.html);
        let id = sqlx::query_scalar("select max(user_id) from identities").fetch_one(self.pool).await?;
        Ok(NewPerson { person: Person { key, cookie, id, playlists, found: 0 }, visitor, names })
    }

    /// Imports hearts of the last days, the first of them the newest.
    async fn import_hearts(&self, visitor: &Visitor, person: &Person) -> Result<()> {
        let now: OffsetDateTime = sqlx::query_scalar("select now()").fetch_one(self.pool).await?;
        let mut file = String::from("playlist_id,hearted_at,note,tags\n");
        let hearted = person.playlists.iter().step_by(2).zip(ANNOTATIONS.iter().cycle());
        for (position, (id, (note, tags))) in hearted.enumerate() {
            let hearted_at = (now - Duration::hours(1 + position as i64 * 3)).format(&Rfc3339)?;
            writeln!(file, "{id},{hearted_at},\"{note}\",\"{tags}\"")?;
        }
        let form = visitor.open("/hearts/import").await.form("form.import-form");
        let answer = visitor.upload(form, file.as_bytes()).await;
        ensure!(answer.status < 400, "the import failed: {}", answer.html);
        Ok(())
    }

    /// Checks the pages more closely than wrk can: these rows, hearts, notes and changed marks.
    async fn check_pages(&self, visitor: &Visitor, person: &Person) -> Result<()> {
        let pressed = |page: &Page| {
            let pressed = page.attributes("li.card:has([aria-pressed=true])", "id");
            pressed.into_iter().map(|id| id["p-".len()..].to_owned()).collect::<Vec<_>>()
        };
        let every_other = |ids: &[String]| ids.iter().step_by(2).cloned().collect::<Vec<_>>();
        let library = visitor.open("/playlists").await;
        ensure!(library.playlist_ids() == person.playlists[..ROWS], "other rows: {}", library.html);
        ensure!(pressed(&library) == every_other(&person.playlists[..ROWS]), "other hearts: {}", library.html);
        let hearts = visitor.open("/hearts").await;
        ensure!(pressed(&hearts) == every_other(&person.playlists), "other hearts: {}", hearts.html);
        for (page, rows) in [(&library, ROWS / 2), (&hearts, ROWS)] {
            for (note, _) in &ANNOTATIONS[..2] {
                ensure!(page.html.matches(note).count() >= rows / 3, "notes are missing: {}", page.html);
            }
        }
        let changed =
            "select count(*) from user_hearts h join playlists p on p.user_id = h.user_id and p.id = h.playlist_id
            where h.user_id = $1 and h.snapshot_id <> p.snapshot_id";
        let changed: i64 = sqlx::query_scalar(changed).bind(person.id).fetch_one(self.pool).await?;
        ensure!(changed == LIBRARY as i64 / 10, "{changed} playlists changed");
        Ok(())
    }
}

/// Gives each of `people` as large a library as anybody has.
pub(crate) async fn enlarge(pool: &PgPool, people: &[Person]) -> Result<()> {
    let ids: Vec<i64> = people.iter().map(|person| person.id).collect();
    let more = "insert into playlists (user_id, id, position, name, name_folded, owner_name, owner_folded, cover_url, item_count, public,
                                       collaborative, snapshot_id, seen_at)
        select user_id, 'B' || lpad(n::text, 21, '0'), n, name || n, name_folded || n, owner_name, owner_folded, cover_url, item_count, public,
               collaborative, snapshot_id, seen_at
        from playlists, generate_series($2, 9999) n where user_id = any($1) and position = 0";
    sqlx::query(more).bind(&ids).bind(LIBRARY as i64).execute(pool).await?;
    let counted = "update libraries set counted = 10000, reached = 10000 where user_id = any($1)";
    sqlx::query(counted).bind(&ids).execute(pool).await?;
    sqlx::query("vacuum analyze playlists").execute(pool).await?;
    Ok(())
}

/// Makes all stored libraries fresh, so that no page asks the fake Spotify.
pub(crate) async fn refresh_libraries(pool: &PgPool) -> Result<()> {
    sqlx::query("update libraries set fetched_at = now()").execute(pool).await?;
    Ok(())
}

/// Signs in, in three requests to the app and two to the consent page. Returns the session's cookie.
pub(crate) async fn sign_in(visitor: &Visitor, key: &str) -> Result<String> {
    let consent = visitor.start_spotify_sign_in("/login").await;
    let back = visitor.send_form(approve(&consent, key)).await;
    let signed_in = visitor.get(back.header("location")).await;
    ensure!(signed_in.status == 303, "{key} is not signed in: {} {}", signed_in.status, signed_in.html);
    let cookies = signed_in.headers.get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
    let mut pairs = cookies.filter_map(|cookie| cookie.split(';').next());
    Ok(pairs.find(|pair| pair.starts_with("heartlist=")).context("a session's cookie")?.to_owned())
}
