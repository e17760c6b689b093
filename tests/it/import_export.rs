//! Export and import of hearts.

use fake_spotify::{Endpoint, Fault};
use serde_json::json;
use time::OffsetDateTime;

use crate::support::Site;
use crate::support::page::Page;
use crate::support::visitor::Visitor;

const ID: &str = "3cEYpjA9oz9GiPac4AsH4n";

/// Ada with one heart whose note and tags a spreadsheet would take for formulas.
async fn sign_in_with_annotated_heart(site: &Site) -> (Visitor, String) {
    let ada = site.sign_in("ada").await;
    let page = ada.open("/playlists").await;
    let id = page.playlist_ids().remove(0);
    ada.submit(page.form(&format!("form[action='/heart/{id}']"))).await;
    let form = ada.edit_first_heart().await.form(".annotation form");
    ada.submit(form.with("note", "=1+1, \"so\" 'é'").with("tags", "-late night, été")).await;
    (ada, id)
}

async fn import(visitor: &Visitor, file: impl AsRef<[u8]>) -> Page {
    let form = visitor.open("/hearts/import").await.form("form.import-form");
    visitor.upload(form, file.as_ref()).await
}

type HeartRow = (String, OffsetDateTime, Option<String>, Vec<String>);

async fn read_hearts(site: &Site) -> Vec<HeartRow> {
    let query =
        "select playlist_id, hearted_at, note, tags from user_hearts where removed_at is null order by playlist_id";
    sqlx::query_as(query).fetch_all(&site.db).await.unwrap()
}

#[tokio::test]
async fn csv_export_has_header_utf8_iso_dates_and_no_formulas() {
    let site = Site::open().await;
    let (ada, id) = sign_in_with_annotated_heart(&site).await;
    site.spotify.inject_fault(Endpoint::Token, Fault::Hang, 9);
    let links = ada.open("/hearts").await.attributes(".import-export a", "href");
    assert!(links.contains(&"/hearts/export.csv".into()) && links.contains(&"/hearts/export.json".into()));
    let file = ada.open("/hearts/export.csv").await;
    assert_eq!((file.status, file.header("content-type")), (200, "text/csv; charset=utf-8"));
    assert_eq!(file.header("cache-control"), "no-store");
    let disposition = file.header("content-disposition");
    assert!(disposition.starts_with("attachment; filename=\"heartlist-hearts-20") && disposition.ends_with(".csv\""));
    let text = file.html.trim_start_matches('\u{feff}');
    let lines: Vec<_> = text.split_terminator("\r\n").collect();
    assert_eq!((lines.len(), lines[0]), (2, "playlist_id,link,name,owner,hearted_at,note,tags,own_title,pin"));
    let beginning = format!("\"{id}\",\"https://open.spotify.com/playlist/{id}\",\"");
    assert!(lines[1].starts_with(&beginning), "{}", lines[1]);
    assert!(lines[1].ends_with("Z\",\"'=1+1, \"\"so\"\" 'é'\",\"'-late night, été\",\"\",\"\""), "{}", lines[1]);
}

#[tokio::test]
async fn json_export_names_its_format_and_lists_every_heart() {
    let site = Site::open().await;
    let (ada, id) = sign_in_with_annotated_heart(&site).await;
    let name = ada.open("/hearts").await.text(".card h2");
    let file = ada.open("/hearts/export.json").await;
    assert_eq!((file.status, file.header("content-type")), (200, "application/json"));
    let export = file.json();
    assert_eq!((&export["format"], &export["version"]), (&json!("heartlist-hearts"), &json!(1)));
    assert!(export["exported_at"].as_str().unwrap().ends_with('Z'));
    let heart = &export["hearts"][0];
    assert_eq!((&heart["playlist_id"], &heart["name"]), (&json!(id), &json!(name)));
    assert_eq!((&heart["note"], &heart["tags"]), (&json!("=1+1, \"so\" 'é'"), &json!(["-late night", "été"])));
    let mira = site.sign_in("mira").await;
    assert_eq!(mira.open("/hearts/export.json").await.json()["hearts"], json!([]));
}

#[tokio::test]
async fn export_and_import_need_sign_in() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_annotated_heart(&site).await;
    let form = ada.open("/hearts/import").await.form("form.import-form");
    let visitor = site.visitor();
    for (path, next) in [
        ("/hearts/export.csv", "%2Faccount"),
        ("/hearts/export.json", "%2Faccount"),
        ("/hearts/import", "%2Fhearts%2Fimport"),
    ] {
        visitor.get(path).await.assert_redirect(&format!("/login?next={next}"));
    }
    let page = visitor.upload(form, format!("id\n{ID}").as_bytes()).await;
    assert_eq!((page.status, site.count_hearts().await), (303, 1));
}

#[tokio::test]
async fn exported_hearts_import_unchanged_and_twice_is_no_change() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_annotated_heart(&site).await;
    let more = "insert into user_hearts (user_id, playlist_id, hearted_at, note, tags)
                select user_id, lpad(n::text, 22, '0'), '2019-05-06 07:08:09.123456Z'::timestamptz + n * interval '1 hour 1 microsecond',
                       (array['''+' || n, 'x;=cmd|'' /C calc''!A0;y', null, 'a, ''-' || n])[n % 4 + 1], case when n % 2 = 0 then '{a b,c}' else '{}'::text[] end
                from user_hearts, generate_series(1, 2500) n";
    sqlx::raw_sql(more).execute(&site.db).await.unwrap();
    let before = read_hearts(&site).await;
    for path in ["/hearts/export.csv", "/hearts/export.json"] {
        let file = ada.open(path).await.html;
        sqlx::raw_sql("delete from user_hearts").execute(&site.db).await.unwrap();
        assert_eq!(import(&ada, &file).await.import_report(), [2501, 0, 0], "{path}");
        assert_eq!((read_hearts(&site).await == before, site.count_hearts().await), (true, 2501));
        let page = import(&ada, &file).await;
        assert_eq!(
            (page.import_report(), page.text("#imported").as_str()),
            ([0, 2501, 0], "Nothing imported"),
            "{path}"
        );
        assert_eq!((read_hearts(&site).await == before, site.count_hearts().await), (true, 2501));
    }
}

#[tokio::test]
async fn csv_export_has_no_formula_after_any_separator() {
    let site = Site::open().await;
    let (ada, id) = sign_in_with_annotated_heart(&site).await;
    let note = "x;=cmd|' /C calc'!A0;y";
    ada.submit(ada.edit_first_heart().await.form(".annotation form").with("note", note).with("tags", "rain, -x, @y"))
        .await;
    let file = ada.open("/hearts/export.csv").await.html;
    assert!(file.contains(",\"x;'=cmd|' /C calc'!A0;y \",\"rain, '-x, '@y \",\"\",\"\"\r\n"), "{file}");
    for part in file.split([',', ';', '\t', '\r', '\n']) {
        assert!(!part.trim_start_matches([' ', '"']).starts_with(['=', '+', '-', '@']), "{part}");
    }
    sqlx::raw_sql("delete from user_hearts").execute(&site.db).await.unwrap();
    assert_eq!(import(&ada, &file).await.import_report(), [1, 0, 0]);
    let [(imported, _, imported_note, tags)] = &read_hearts(&site).await[..] else { panic!() };
    assert_eq!((imported, imported_note.as_deref(), tags.join("|").as_str()), (&id, Some(note), "rain|-x|@y"));
}

#[tokio::test]
async fn files_of_other_programs_import() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let link = |n: u32| format!("https://open.spotify.com/playlist/{n:022}?si=1");
    let list = format!("{}\n{}\n", link(1), link(2));
    let utf16 = format!("\u{feff}name\turl\tnote\r\nRain\t{}\tété; été\r\n", link(3));
    let table = [
        list.into_bytes(),
        utf16.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        format!("id,title,url\r1,Rain,{}\r2,Sun,{}\r", link(4), link(5)).into_bytes(),
        format!("sep=;\r\n\r\nplaylist;url\r\nRain;{}\r\n", link(6)).into_bytes(),
        format!("\"playlist, link\";\"note, short\"\n\"{}\";\"a, b\"\n", link(7)).into_bytes(),
        format!("Check out this playlist: {}\n", link(8)).into_bytes(),
    ];
    for (file, added) in table.iter().zip([2, 1, 2, 1, 1, 1]) {
        assert_eq!(import(&ada, file).await.import_report(), [added, 0, 0], "{}", String::from_utf8_lossy(file));
    }
    let page = import(&ada, "url\r\rhttps://spotify.link/AbC\rhttps://open.spotify.com/album/x\r").await;
    assert_eq!((page.import_report(), page.text("#imported").as_str()), ([0, 0, 2], "Nothing imported"));
    let errors = page.texts(".skipped-list li");
    assert!(
        errors[0].starts_with("Line 3: A short link.") && errors[1].starts_with("Line 4: A link to an album"),
        "{errors:?}"
    );
}

#[tokio::test]
async fn import_restores_hearts_after_account_deletion() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_annotated_heart(&site).await;
    site.advance(std::time::Duration::from_secs(60));
    ada.fetch(reqwest::Method::PUT, &format!("/heart/{ID}")).await;
    let (before, file) = (read_hearts(&site).await, ada.open("/hearts/export.json").await.html);
    let form = ada.open("/account/delete").await.form("form[action='/account/delete']").with("confirm", "yes");
    assert_eq!((ada.submit(form).await.status, site.count_hearts().await), (200, 0));
    site.advance(std::time::Duration::from_secs(3600));
    let again = site.sign_in("ada").await;
    assert_eq!(import(&again, &file).await.import_report(), [2, 0, 0]);
    assert_eq!((read_hearts(&site).await == before, site.count_hearts().await), (true, 2));
}

#[tokio::test]
async fn import_reports_skipped_lines_with_numbers_and_reasons() {
    let site = Site::open().await;
    let (ada, id) = sign_in_with_annotated_heart(&site).await;
    let before = read_hearts(&site).await;
    let long = "x".repeat(281);
    let file = format!(
        "link;hearted_at;tags;note\r\nhttps://open.spotify.com/playlist/{ID}?si=1;2024-05-06;a, B;fine\r\n{id};2019-01-01;;other\r\n\r\n\
         https://open.spotify.com/album/{ID};;;\r\n{ID};3000-01-01;;\r\n{ID};2005-12-31T23:59:59Z;;\r\n{ID};yesterday;;\r\n{ID};;;{long}\r\n"
    );
    let page = import(&ada, file).await;
    assert_eq!(page.import_report(), [1, 1, 5]);
    let errors = page.texts(".skipped-list li");
    let expected = [
        "Line 5: A link to an album, not to a playlist.",
        "Line 6: The date is in the future",
        "Line 7: The date is before 2006",
        "Line 8: The date cannot be read",
        "Line 9: A note can have up to 280 characters",
    ];
    assert!(
        errors.len() == 5 && errors.iter().zip(expected).all(|(error, start)| error.starts_with(start)),
        "{errors:?}"
    );
    let after = read_hearts(&site).await;
    assert!(after.len() == 2 && before.iter().all(|row| after.contains(row)), "what was there stays as it is");
    let new = after.iter().find(|row| row.0 == ID).unwrap();
    assert_eq!((new.1.date().to_string().as_str(), new.2.as_deref(), new.3.len()), ("2024-05-06", Some("fine"), 2));
    let page = import(&ada, format!("id\n{}", "no id\n".repeat(120))).await;
    assert_eq!((page.import_report(), page.count(".skipped-list li")), ([0, 0, 120], 50));
    assert_eq!(page.text("#imported"), "Nothing imported");
    assert!(page.text(".callout").contains("And 70 more."));
    let page = import(&ada, format!("{{\"hearts\":[7,{{\"playlist_id\":\"{ID}\"}}]}}")).await;
    assert_eq!((page.import_report(), page.text(".skipped-list li").starts_with("Heart 1: ")), ([0, 1, 1], true));
}

#[tokio::test]
async fn unreadable_import_file_changes_nothing_and_says_why() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_annotated_heart(&site).await;
    let cut = format!("{{\"hearts\":[{{\"playlist_id\":\"{ID}\"}},");
    let table: [(&[u8], &str); 5] = [
        (b"", "No file was chosen"),
        (b"name,owner\na,b\n", "neither a table with a column of playlist links"),
        (b"id\nM\xfcller", "not UTF-8"),
        (cut.as_bytes(), "ends early or is damaged at line 1"),
        (br#"{"version":9,"hearts":[]}"#, "is version 9"),
    ];
    for (file, why) in table {
        let page = import(&ada, file).await;
        let error = page.text("#file-error");
        assert!(page.status == 422 && error.contains(why) && error.ends_with("Nothing was imported."), "{error}");
        assert!(page.has("form.import-form input[aria-invalid]"));
    }
    assert_eq!(site.count_hearts().await, 1);
}

#[tokio::test]
async fn import_file_is_limited_to_five_megabytes() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_annotated_heart(&site).await;
    let mut file = format!("id,note,extra\n{ID},,").into_bytes();
    file.resize(5 * 1024 * 1024, b'x');
    assert_eq!(import(&ada, &file).await.import_report(), [1, 0, 0]);
    for length in [file.len() + 1, 7 * file.len()] {
        file.resize(length, b'x');
        let page = import(&ada, &file).await;
        assert_eq!((page.status, page.text("h1").as_str()), (413, "This file is too large"));
        assert!(page.text("main").contains("up to 5 MB") && page.text("main").contains("Nothing was saved"));
    }
    let form = ada.edit_first_heart().await.form(".annotation form").with("note", &"x".repeat(70_000));
    assert_eq!(ada.send_form(form).await.status, 413, "other forms stay small");
}

#[tokio::test]
async fn import_file_is_limited_to_fifty_thousand_hearts() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_annotated_heart(&site).await;
    assert!(ada.open("/hearts/import").await.text("form.import-form label").ends_with("up to 5 MB and 50,000 hearts"));
    let table = format!("id\n{}", "x\n".repeat(50_000));
    let page = import(&ada, &table).await;
    assert_eq!((page.import_report(), page.count(".skipped-list li")), ([0, 0, 50_000], 50));
    assert!(page.text(".callout").contains("And 49,950 more."));
    let list = format!("{{\"hearts\":[{}0", "0,".repeat(2_500_000));
    for file in [table + "x", list + "]}"] {
        let page = import(&ada, file).await;
        let error = "This file has more than 50,000 hearts. Split it into parts. Nothing was imported.";
        assert_eq!((page.status, page.text("#file-error").as_str()), (422, error));
    }
}

#[tokio::test]
async fn imports_are_limited_to_100_000_hearts_per_user() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_annotated_heart(&site).await;
    let more =
        "insert into user_hearts (user_id, playlist_id, hearted_at) select user_id, lpad(n::text, 22, '0'), hearted_at
                from user_hearts, generate_series(1, 99997) n";
    sqlx::raw_sql(more).execute(&site.db).await.unwrap();
    // Four lines: one existing heart and one repeated line, so two hearts are new.
    let file = |ids: [u32; 4]| format!("id\n{:022}\n{:022}\n{:022}\n{:022}\n", ids[0], ids[1], ids[2], ids[3]);
    assert_eq!(import(&ada, file([1, 200_000, 200_001, 200_001])).await.import_report(), [2, 2, 0]);
    let page = import(&ada, file([1, 200_001, 200_002, 200_002])).await;
    let error = "You can import until you have 100,000 hearts. You have 100,000, and this file would add 1. Nothing was imported.";
    assert_eq!((page.status, page.text("#file-error").as_str()), (422, error));
    assert_eq!(site.count_hearts().await, 100_000);
    assert_eq!(
        import(&ada, file([1, 2, 200_000, 200_001])).await.import_report(),
        [0, 4, 0],
        "what is there is no more"
    );
}

#[tokio::test]
async fn ten_thousand_hearts_import_and_100_000_export() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_annotated_heart(&site).await;
    let file: String = (0..10_000).map(|n| format!("{n:022},2020-01-01,a note,\"one, two\"\n")).collect();
    assert_eq!(import(&ada, format!("id,hearted_at,note,tags\n{file}")).await.import_report(), [10_000, 0, 0]);
    assert_eq!(site.count_hearts().await, 10_001);
    let more =
        "insert into user_hearts (user_id, playlist_id, hearted_at) select user_id, lpad(n::text, 22, '0'), hearted_at
                from user_hearts, generate_series(10000, 99998) n where playlist_id = lpad('1', 22, '0')";
    sqlx::raw_sql(more).execute(&site.db).await.unwrap();
    let file = ada.open("/hearts/export.json").await.html;
    assert_eq!((file.matches("\n{\"playlist_id\"").count(), file.ends_with("}\n]}\n")), (100_000, true));
}

#[tokio::test]
async fn hearts_and_account_pages_link_to_import() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    for path in ["/hearts", "/account"] {
        assert!(ada.open(path).await.has("a[href='/hearts/import']"), "{path}");
    }
}

#[tokio::test]
async fn one_person_imports_one_file_at_a_time() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let file = "id\n3cEYpjA9oz9GiPac4AsH4n\n";
    let mut lock = site.db.begin().await.unwrap();
    sqlx::query("lock table user_hearts").execute(&mut *lock).await.unwrap();
    let second = async {
        site.wait_for_blocked_query().await;
        let refused = import(&ada, file).await;
        lock.rollback().await.unwrap();
        refused
    };
    let (first, second) = tokio::join!(import(&ada, file), second);
    assert_eq!((first.status, second.status), (200, 429), "{}", second.html);
    assert!(second.text("main").contains("another file of yours"), "{}", second.html);
    assert_eq!(import(&ada, file).await.status, 200);
}
