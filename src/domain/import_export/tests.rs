//! Reading of whole files.

use proptest::prelude::*;
use time::macros::datetime;

use super::record::{MAX_CELL_BYTES, MAX_CELLS};
use super::*;
use crate::domain::reference::ReferenceError;

const NOW: OffsetDateTime = datetime!(2026-11-21 14:00 UTC);

#[test]
fn dates_are_instants_or_days_between_2006_and_now() {
    let table = [
        ("", Ok(NOW)),
        ("2026-11-21T14:00:00Z", Ok(NOW)),
        ("2026-11-21T14:00:00.000001Z", Err(LineError::FutureDate)),
        ("2024-05-06T01:02:03.123456+02:00", Ok(datetime!(2024-05-05 23:02:03.123456 UTC))),
        ("2024-05-06T14:02:03+0100", Ok(datetime!(2024-05-06 13:02:03 UTC))),
        ("2024-05-06T14:02:03 +01:00", Ok(datetime!(2024-05-06 13:02:03 UTC))),
        ("2024-05-06 14:02:03.5 -0130", Ok(datetime!(2024-05-06 15:32:03.5 UTC))),
        ("2026-11-21 14:30 +0000", Err(LineError::FutureDate)),
        ("2024-05-06", Ok(datetime!(2024-05-06 0:00 UTC))),
        ("2006-01-01", Ok(datetime!(2006-01-01 0:00 UTC))),
        ("2005-12-31", Err(LineError::EarlyDate)),
        ("1998-02-30", Err(LineError::InvalidDate)),
        ("06.05.2024", Err(LineError::InvalidDate)),
    ];
    for (text, expected) in table {
        assert_eq!(parse_date(text, NOW), expected, "{text}");
    }
}

#[test]
fn a_bom_links_and_missing_or_unknown_columns_are_accepted() {
    let text = "\u{feff} Note ,extra,LINK\r\n'=mine,x,https://open.spotify.com/playlist/3cEYpjA9oz9GiPac4AsH4n?si=1\r\n,,\r\nx,y\r\n";
    let file = parse(text.as_bytes(), NOW, &|| false).unwrap();
    assert_eq!((file.hearts.len(), file.hearts[0].annotation.note()), (1, Some("=mine")));
    let errors = vec![(4, LineError::Reference(ReferenceError::Empty))];
    assert_eq!((file.hearts[0].hearted_at, file.errors), (NOW, errors));
    assert_eq!(parse(b"name,owner\na,b", NOW, &|| false).err(), Some(ImportError::NoPlaylists));
    assert_eq!(parse(b"\xff", NOW, &|| false).err(), Some(ImportError::NotUtf8));
    assert_eq!(parse("\u{feff} \n".as_bytes(), NOW, &|| false).err(), Some(ImportError::Empty));
}

const ID: &str = "3cEYpjA9oz9GiPac4AsH4n";
const OTHER_ID: &str = "1xQPjA0oz9GiPac4AsH4nZ";

/// Ids of the hearts and the numbers of the skipped lines of a file, in which ID and OTHER stand for ids.
fn read_ids(text: &str) -> (Vec<String>, Vec<usize>) {
    let text = text.replace("OTHER", OTHER_ID).replace("ID", ID);
    let file = parse(text.as_bytes(), NOW, &|| false).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    let ids = file.hearts.iter().map(|heart| heart.playlist.to_string().replace(OTHER_ID, "OTHER").replace(ID, "ID"));
    (ids.collect(), file.errors.iter().map(|(number, _)| *number).collect())
}

#[test]
fn tables_of_other_programs_are_read() {
    let link = "https://open.spotify.com/playlist/ID?si=1";
    let table = [
        "id,title,url\n1,Rain,LINK\n2,Sun,https://open.spotify.com/playlist/OTHER\n",
        "url,id\nLINK,1\nspotify:playlist:OTHER,2\n",
        "playlist,url\nRain,LINK\nSun,spotify:playlist:OTHER\n",
        "Titel;Adresse\nRain;LINK\nSun;spotify:playlist:OTHER\n",
        "sep=;\nid;note\nID;a, b\nOTHER;c\n",
        "\"sep=;\"\r\nid;note\r\nID;a, b\r\nOTHER;c\r\n",
        "sep=;;\nid;note\nID;a, b\nOTHER;c\n",
        "sep=; \nid;note\nID;a, b\nOTHER;c\n",
        "\"sep=,\",,\nid,note,tags\nID,a; b,\nOTHER,c,\n",
        "\" Playlist \" , \"Note\"\nID,a\nOTHER,b\n",
        "SEP=|\nname|link\nRain, sun; wind|LINK\n,;|OTHER\n",
        "sep=\t\nid\tnote\nID\ta, b; c\nOTHER\n",
        "\"playlist, link\";\"note, long, short\"\n\"LINK\";\"a, b\"\n\"OTHER\";\"c\"\n",
        "\"name; owner; more\",\"playlist\"\n\"a;b;c\",\"LINK\"\n\"\",\"OTHER\"\n",
        "\n\nid,note\nID,x\nOTHER,y\n",
        " \r\n;;\r\nlink;note\r\nLINK;x\r\nOTHER;y\r\n",
        "id,note\rID,x\rOTHER,y\r",
        "LINK\nhttps://open.spotify.com/playlist/OTHER\n",
        "My playlists\n\nLINK\r\nspotify:playlist:OTHER",
        "ID\nOTHER",
        "- [Rain, wind, sun](LINK)\n- [Sun](https://open.spotify.com/playlist/OTHER)\n",
        "[Rain](LINK)\n[Sun](https://open.spotify.com/playlist/OTHER)\n",
        "Check out this playlist, it is good: LINK\nAnd this: https://open.spotify.com/playlist/OTHER\n",
        "Rain;LINK\nSun;spotify:playlist:OTHER\n",
        "Rain, LINK\nSun https://open.spotify.com/playlist/OTHER\n",
        "Titel;Adresse;Text\nRain;LINK;On Spotify, too\nSun;spotify:playlist:OTHER;\n",
    ];
    for text in table {
        assert_eq!(read_ids(&text.replace("LINK", link)), (vec!["ID".into(), "OTHER".into()], vec![]), "{text:?}");
    }
}

#[test]
fn no_link_of_a_line_or_row_is_lost() {
    let (link, other) = ("https://open.spotify.com/playlist/ID?si=1", "https://open.spotify.com/playlist/OTHER");
    for text in [
        "LINK, LIST\n",
        "LINK,LIST",
        "LINK; LIST;\n",
        "LINK\tLIST\r\n",
        "My playlists\nLINK, LIST\n",
        "Rain,LINK,and,LIST\n",
        "Rain,LINK\nSun,,LIST\n",
        "name,url,uri\nRain,LINK,\nSun,,LIST\n",
        "name,uri,url\nRain,,LINK\nSun,LIST,-\n",
        "name,web,app\nRain,LINK,\nSun,,LIST\n",
        "playlist_id,link\n,LINK\nOTHER,\n",
        "[\"LINK\",\"LIST\"]",
        "[\n  \"LINK\",\n  \"LIST\"\n]\n",
        "[{\"link\":\"LINK\"},{\"playlist_id\":\"OTHER\",\"tags\":[\"a\"]}]",
        "{\"hearts\":[\"LINK\",\"OTHER\"]}",
    ] {
        let text = text.replace("LINK", link).replace("LIST", other);
        assert_eq!(read_ids(&text), (vec!["ID".into(), "OTHER".into()], vec![]), "{text:?}");
    }
    let both = "LINK LIST\nLINK\n".replace("LINK", link).replace("LIST", other);
    assert_eq!(read_ids(&both), (vec!["ID".into()], vec![1]), "what is not read is said");
    let links: Vec<_> = (0..600).map(|number| format!("spotify:playlist:{number:022}")).collect();
    for separator in [",", "; ", "\t"] {
        assert_eq!(read_ids(&links.join(separator)).0.len(), links.len(), "{separator:?}");
    }
    let file = parse(format!("note,link\na,{ID},{},", links[0]).as_bytes(), NOW, &|| false).unwrap();
    let notes: Vec<_> = file.hearts.iter().map(|heart| heart.annotation.note()).collect();
    assert_eq!(notes, [Some("a"), None]);
}

#[test]
fn ids_of_other_programs_are_no_playlists() {
    let row = |id: &str| format!("{},Rain,https://open.spotify.com/playlist/{id}", "a".repeat(22));
    for header in ["id,title,url", "id,note,url", "key,title,address", "uid,link,uri"] {
        let text = format!("{header}\n{}\n{}\n", row("ID"), row("OTHER"));
        assert_eq!(read_ids(&text), (vec!["ID".into(), "OTHER".into()], vec![]), "{header}");
    }
    for header in ["Track name,Spotify - id", "Artist,Track id", "name,id"] {
        let text = format!("{header}\nRain,{ID}\nSun,{OTHER_ID}\n");
        assert_eq!(parse(text.as_bytes(), NOW, &|| false).err(), Some(ImportError::NoPlaylists), "{header}");
    }
    for text in ["id,note\nID,\nOTHER,x", "Playlist,x\nID,\nOTHER,y", "x,playlist_id\nx,ID\n,OTHER"] {
        assert_eq!(read_ids(text), (vec!["ID".into(), "OTHER".into()], vec![]), "{text:?}");
    }
}

#[test]
fn the_playlist_column_is_the_one_with_playlists_among_thousands_of_other_rows() {
    let other = "7,a page,https://example.org/,read later\n".repeat(3000);
    let (ids, errors) =
        read_ids(&format!("id,title,url,tags\n{other}8,Rain,https://open.spotify.com/playlist/ID,rain\n"));
    assert_eq!((ids, errors.len()), (vec!["ID".to_owned()], MAX_LISTED_ERRORS));
    let (ids, errors) =
        read_ids("link,note\nhttps://open.spotify.com/album/ID,see https://open.spotify.com/playlist/OTHER\n");
    assert_eq!((ids, errors), (vec![], vec![2]), "a link in a note is not the playlist");
}

#[test]
fn line_numbers_are_the_files_whatever_its_line_ends() {
    for end in ["\n", "\r\n", "\r"] {
        let text = ["", "", "link;note", "ID;x", "", "no link;", "OTHER;\"two", "lines\"", ";", "nor this;x"].join(end);
        assert_eq!(read_ids(&text), (vec!["ID".to_owned()], vec![6, 7, 10]), "{end:?}");
        let text = ["sep=,", "", "id,note", "ID,x", "none,"].join(end);
        assert_eq!(read_ids(&text), (vec!["ID".to_owned()], vec![5]), "{end:?}");
    }
}

#[test]
fn lists_say_what_each_line_is() {
    let (ids, errors) = read_ids(
        "https://spotify.link/AbC\nhttps://open.spotify.com/album/ID\nspotify:playlist:ID\nhttps://example.org/x\n",
    );
    assert_eq!((ids, errors), (vec!["ID".to_owned()], vec![1, 2, 4]));
    let (ids, errors) = read_ids("htp//open.spotify.com/playlist/OTHER\nspotify:playlist:ID\n");
    assert_eq!((ids, errors), (vec!["ID".to_owned()], vec![1]), "no line is taken for a header unseen");
}

#[test]
fn utf16_is_read_where_a_byte_order_mark_says_so() {
    let text = format!("\u{feff}id\tnote\r\n{ID}\tété 🎧\r\n");
    let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [&le[..], &be, text.as_bytes()] {
        let file = parse(bytes, NOW, &|| false).unwrap();
        assert_eq!(file.hearts[0].annotation.note(), Some("été 🎧"));
    }
    for bytes in [&le[2..], &be[2..], &le[..le.len() - 1], b"id\nM\xfcller"] {
        assert_eq!(parse(bytes, NOW, &|| false).err(), Some(ImportError::NotUtf8), "{bytes:?}");
    }
}

#[test]
fn a_date_may_be_tomorrow_in_utc() {
    let now = datetime!(2026-11-21 12:00 UTC);
    let table = [
        ("2026-11-22", Ok(now)),
        ("2026-11-23", Err(LineError::FutureDate)),
        ("2026-11-22T00:00:00+14:00", Ok(datetime!(2026-11-21 10:00 UTC))),
        ("2026-11-22T00:00:00Z", Err(LineError::FutureDate)),
        ("2026-11-21 23:30:00", Ok(now)),
        ("2026-11-21T09:30", Ok(datetime!(2026-11-21 9:30 UTC))),
        ("2026-11-22T03:00:00", Err(LineError::FutureDate)),
        ("2026-11-21 09:30:00Z", Ok(datetime!(2026-11-21 9:30 UTC))),
    ];
    for (text, expected) in table {
        assert_eq!(parse_date(text, now), expected, "{text}");
    }
    assert_eq!(parse_date("2026-11-22", datetime!(2026-11-21 9:59:59 UTC)), Err(LineError::FutureDate));
}

#[test]
fn dates_at_the_ends_of_the_calendar_are_errors() {
    for text in ["9999-12-31T23:59:59-01:00", "9999-12-31T23:59:59-23:59", "9999-12-31"] {
        assert_eq!(parse_date(text, NOW), Err(LineError::FutureDate), "{text}");
    }
    for text in ["0000-01-01T00:00:00+23:59", "0001-01-01T00:00:00+01:00", "0000-01-01"] {
        assert_eq!(parse_date(text, NOW), Err(LineError::EarlyDate), "{text}");
    }
}

#[test]
fn a_file_with_too_many_cells_is_rejected() {
    let wide = |cells: usize| parse(format!("id,note\n{ID}{}", ",".repeat(cells)).as_bytes(), NOW, &|| false);
    assert_eq!(wide(MAX_CELLS - 1).map(|file| file.hearts.len()).ok(), Some(1));
    assert_eq!(wide(MAX_CELLS).err(), Some(ImportError::TooManyCells));
}

#[test]
fn a_long_cell_is_skipped_before_it_is_parsed() {
    let long = |filler: &str| filler.repeat(50_000);
    for line in [
        format!("{};;", long("/")),
        format!("ID;;{}", long("a,")),
        format!("ID;{};", long("é")),
        format!("ID;\"{}", long("x\n")),
    ] {
        let text = format!("id;note;tags;more\nOTHER;fine;a;{}\n{line}\n", long("x"))
            .replace("OTHER", OTHER_ID)
            .replace("ID", ID);
        let file = parse(text.as_bytes(), NOW, &|| false).unwrap();
        assert_eq!((file.hearts.len(), file.errors), (1, vec![(3, LineError::TooLong)]), "{}", &line[..4]);
    }
    let entry =
        |note: &str, tags: &str| format!(r#"{{"hearts":[{{"link":"{ID}","note":"{note}","tags":["{tags}"]}}]}}"#);
    for text in [entry(&long("x"), ""), entry("", &long("a\",\"")), entry(&"x".repeat(MAX_CELL_BYTES + 1), "")] {
        let file = parse(text.as_bytes(), NOW, &|| false).unwrap();
        assert_eq!((file.hearts.len(), file.errors), (0, vec![(1, LineError::TooLong)]));
    }
    let escaped =
        parse(entry(&"\\ud83c\\udfa7".repeat(280), &"\\ud83c\\udfa7".repeat(30)).as_bytes(), NOW, &|| false).unwrap();
    assert_eq!((escaped.hearts.len(), escaped.errors), (1, vec![]));
}

#[test]
fn reading_stops_when_its_request_has_gone() {
    let table = format!("id,note\n{}", format!("{ID},x\n").repeat(1000));
    let json = format!("{{\"hearts\":[{}{{}}]}}", "{},".repeat(1000));
    for text in [table, json] {
        for limit in [0, 10, 900] {
            let calls = std::cell::Cell::new(0);
            let is_cancelled = || calls.replace(calls.get() + 1) >= limit;
            assert_eq!(parse(text.as_bytes(), NOW, &is_cancelled).err(), Some(ImportError::Cancelled));
            assert!(calls.get() < limit + 10, "{} lines were read after {limit}", calls.get());
        }
    }
}

proptest! {
    #[test]
    fn no_file_panics(text in any::<String>(), bytes in any::<Vec<u8>>(), cells in "([a-c=\"';,\t\r\n ]|spotify:playlist:|sep=|[0-9A-Za-z]{22}|https://open.spotify.com/){0,30}") {
        for bytes in [text.as_bytes(), &bytes, cells.as_bytes(), format!("id,note\n{text}").as_bytes()] {
            let _ = parse(bytes, NOW, &|| false);
        }
    }
}
