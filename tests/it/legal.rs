//! Privacy page, terms, and Spotify's design rules.

use std::fs;
use std::path::Path;

use fake_spotify::User;
use proc_macro2::{TokenStream, TokenTree};

use crate::support::Site;

#[tokio::test]
async fn privacy_page_lists_every_column() {
    let site = Site::open().await;
    let mut columns: Vec<String> = sqlx::query_scalar(
        "select table_name || '.' || column_name from information_schema.columns
         where table_schema = current_schema() and table_name <> '_sqlx_migrations'
               and (table_schema, table_name) in (select schemaname, tablename from pg_tables)",
    )
    .fetch_all(&site.db)
    .await
    .unwrap();
    let page = site.visitor().get("/privacy").await;
    let mut listed = page.texts("main .stored-data code");
    columns.sort();
    listed.sort();
    assert!(columns.len() > 30, "{columns:?}");
    assert_eq!(listed, columns, "templates/legal/stored_data.json has an entry for every column");
    let terms = page.texts("main .stored-data li > span:nth-child(2)");
    assert!(terms.len() > 15 && terms.iter().all(|how_long| how_long.ends_with('.')), "{terms:?}");
}

#[tokio::test]
async fn privacy_page_says_how_long_names_stay_and_who_is_asked_for_them() {
    for (settings, stays, asks) in [
        (&[][..], "the playlists’ names with them", true),
        (&[("TITLE_DAYS", "45"), ("OEMBED", "off")], "45 days", false),
    ] {
        let page = Site::open_with(settings).await.visitor().get("/privacy").await;
        assert!(page.texts("main section:first-of-type li")[2].contains(stays), "{stays}");
        assert_eq!(
            (page.text("main").contains("oEmbed"), page.html.matches("45 days").count()),
            (asks, if asks { 0 } else { 2 })
        );
    }
}

#[tokio::test]
async fn privacy_and_terms_are_public_and_linked_in_footer() {
    let site = Site::open().await;
    for visitor in [site.visitor(), site.sign_in("ada").await] {
        for (path, title) in [("/privacy", "Privacy"), ("/terms", "Terms")] {
            let page = visitor.get(path).await;
            assert_eq!((page.status, page.text("h1").as_str()), (200, title));
            assert_eq!(page.count("footer a[href='/privacy'], footer a[href='/terms']"), 2);
            // As the log is, by `request_log::redact_path`.
            let log = "the address of the page (without playlists’ ids and secret links)";
            assert!(path != "/privacy" || page.text("main").contains(log), "{}", page.text("main"));
        }
    }
    assert_eq!(site.count("select count(*) from sessions").await, 1, "reading them makes no session");
}

#[tokio::test]
async fn sign_in_pages_link_to_privacy_and_terms() {
    let site = Site::open().await;
    for path in ["/", "/login"] {
        let page = site.visitor().get(path).await;
        assert!(page.has("form[action='/auth/spotify']"));
        assert_eq!(page.count("main a[href='/privacy']"), 1, "{path}");
        assert_eq!(page.count("main a[href='/terms']"), 1, "{path}");
    }
}

#[tokio::test]
async fn terms_contain_clauses_required_by_spotify() {
    let site = Site::open().await;
    let terms = site.visitor().get("/terms").await.text("main").to_lowercase();
    for needed in [
        "no warranty", "on spotify’s behalf", "derivative works", "reverse-engineer", "third-party beneficiary",
        "responsible",
    ] {
        assert!(terms.contains(needed), "{needed}");
    }
}

#[tokio::test]
async fn every_playlist_shows_full_title_cover_and_spotify_link() {
    let site = Site::open().await;
    let long = "A title that goes on and on, far beyond the twenty-five letters that must fit at the least";
    let mut user = User::with_library("ada", 3);
    user.library[0].as_mut().unwrap().name = long.into();
    site.spotify.add_user(user);
    let ada = site.sign_in("ada").await;
    let list = ada.open("/playlists").await;
    let ids = list.playlist_ids();
    assert_eq!(ids.len(), 3);
    for id in &ids {
        ada.fetch(reqwest::Method::PUT, &format!("/heart/{id}")).await;
    }
    let mut pages = vec![list, ada.open("/hearts").await];
    pages.push(ada.open(&format!("/playlists/{}", ids[0])).await);
    for page in &pages {
        for id in page.playlist_ids() {
            let link = format!("#p-{id} a[href='https://open.spotify.com/playlist/{id}']");
            assert!(["Open Spotify", "Listen on Spotify"].contains(&page.text(&link).as_str()), "{}", page.url);
            assert_eq!(
                page.count(&format!("#p-{id} .cover > *")),
                page.count(&format!("#p-{id} .cover > img:only-child"))
            );
        }
        assert!(page.texts("h1, h2").contains(&long.to_owned()), "{} shows the whole title", page.url);
        assert!(page.text("footer").contains("Spotify") && page.text("footer").contains("not affiliated"));
        assert!(page.has("footer a[href='https://open.spotify.com/']"));
        assert!(page.has("main .spotify-logo[aria-label=Spotify]"), "the full logo is near the data on {}", page.url);
    }
}

#[test]
fn covers_follow_spotify_design_rules() {
    let css = list_files(Path::new("static/css")).iter().map(|path| read_file(path)).collect::<Vec<_>>().join("\n");
    let rule = |selector: &str| {
        let at = css.find(&format!("\n{selector} {{")).unwrap_or_else(|| panic!("{selector}"));
        css[at..].split('}').next().unwrap().to_owned()
    };
    assert!(rule(".cover img").contains("object-fit: contain"));
    assert!(rule(".cover").contains("border-radius: var(--radius-small)") && css.contains("--radius-small: 4px"));
    assert!(css.contains("  .cover {\n    border-radius: var(--radius-large);") && css.contains("--radius-large: 8px"));
    for forbidden in [".cover::after", ".cover::before", "filter: blur"] {
        assert!(!css.contains(forbidden), "{forbidden}");
    }
    // At least 25 letters of a name must fit: two lines of a column.
    assert!(rule(".name").contains("line-clamp: 2"));
}

/// Spotify's design rules reserve the word "like" for its own feature.
#[test]
fn interface_never_says_like() {
    let mut failures = Vec::new();
    for path in ["templates", "static", "src", "crates"].iter().flat_map(|folder| list_files(Path::new(folder))) {
        let text = match path.rsplit('.').next() {
            Some("html" | "css" | "txt" | "json") => read_file(&path),
            Some("js") if !path.contains("jquery") => read_file(&path),
            Some("rs") if !path.starts_with("src/db/") => string_literals(&read_file(&path)),
            _ => continue,
        };
        // "Liked Songs" is a playlist of Spotify.
        let text = text.replace("Liked Songs", "");
        // Titles of fake songs may contain the word.
        if !path.starts_with("crates/fake-spotify/src/music/") && contains_like(&text) {
            failures.push(path);
        }
    }
    assert!(failures.is_empty(), "{failures:?}");
    assert!(contains_like("You Liked it") && !contains_like("likely, unlike"));
    assert_eq!(
        string_literals(
            r##"// like
        let a = "one"; let b = r#"two"#; 'x'"##
        ),
        "\"one\"\nr#\"two\"#\n"
    );
}

fn contains_like(text: &str) -> bool {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.into_iter().any(|word| ["like", "likes", "liked"].contains(&word.to_lowercase().as_str()))
}

/// String literals of a Rust file, one per line.
fn string_literals(text: &str) -> String {
    fn collect(tokens: TokenStream, found: &mut String) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => collect(group.stream(), found),
                TokenTree::Literal(literal) if literal.to_string().contains('"') => {
                    found.push_str(&literal.to_string());
                    found.push('\n');
                }
                _ => {}
            }
        }
    }
    // Doc comments are attributes with a string, and not part of the interface.
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .fold(String::new(), |code, line| code + line + "\n");
    let mut found = String::new();
    collect(code.parse().expect("Rust"), &mut found);
    found
}

fn list_files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
    let paths = entries.map(|entry| (folder.join(entry.as_ref().unwrap().file_name()), entry.unwrap().path().is_dir()));
    paths
        .flat_map(
            |(path, is_folder)| if is_folder { list_files(&path) } else { vec![path.to_str().unwrap().to_owned()] },
        )
        .collect()
}

fn read_file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}
