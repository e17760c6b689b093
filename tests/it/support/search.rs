//! A library to search in, and searches.

use fake_spotify::{Playlist, User};
use heartlist::domain::text::fold;
use reqwest::Method;

use super::Site;
use super::page::Page;
use super::visitor::Visitor;

/// Signs in as a user whose playlists differ in everything that can be searched for.
pub(crate) async fn sign_in_wren(site: &Site) -> Visitor {
    let mut wren = User::new("wren");
    let me = wren.to_owner();
    let sofia = User { display_name: Some("Sofía M.".into()), ..User::new("sofia") }.to_owner();
    let made = [
        ("Slow Trains, Soft Seats", &me, Some(true), false, 12),
        ("Mañana será otro ritmo", &sofia, Some(true), false, 40),
        ("Måneskinn på kjøkkenet", &me, Some(false), false, 7),
        ("The Garden Committee", &sofia, Some(false), true, 99),
        ("Trains 100% on time_table", &me, None, true, 3),
        ("", &me, Some(true), false, 1),
    ];
    wren.library = made
        .map(|(name, owner, public, collaborative, length)| {
            let tidy = Playlist::new(&format!("wren {name}"), name, owner);
            Some(Playlist { public, collaborative, length, ..tidy })
        })
        .into();
    site.spotify.add_user(wren);
    site.sign_in("wren").await
}

/// First word of each playlist name on a page.
pub(crate) fn first_words(page: &Page) -> Vec<String> {
    let first = |name: String| name.split_whitespace().next().unwrap_or_default().to_owned();
    page.texts("li.card h2").into_iter().map(first).collect()
}

/// Submits the search form of the page at `path`.
pub(crate) async fn search(visitor: &Visitor, path: &str, text: &str) -> Page {
    let page = visitor.open(path).await;
    let form = page.form("#q").with("q", text);
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
    assert_eq!(form.method, "GET");
    visitor.open(&format!("{}?{query}", form.action.path())).await
}

pub(crate) async fn add_heart(visitor: &Visitor, page: &Page, position: usize) -> String {
    let id = page.playlist_ids().remove(position);
    assert_eq!(visitor.fetch(Method::PUT, &format!("/heart/{id}")).await.status, 200);
    id
}

/// Writes a note and tags as the form does.
pub(crate) async fn write_annotation(site: &Site, id: &str, note: &str, tags: &[&str]) {
    let (tags, folded): (Vec<_>, Vec<_>) = tags.iter().map(|tag| (tag.to_lowercase(), fold(tag))).unzip();
    let row = sqlx::query(
        "update user_hearts set note = $2, note_folded = $3, tags = $4, tags_folded = $5 where playlist_id = $1",
    );
    let row = row.bind(id).bind(note).bind(fold(note)).bind(tags).bind(folded);
    assert_eq!(row.execute(&site.db).await.unwrap().rows_affected(), 1);
}
