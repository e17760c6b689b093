//! Texts that another version of the program folded by other rules.

use std::time::Duration;

use crate::support::{Site, wait_until};

const HOUR: Duration = Duration::from_secs(3600);

/// Hearts and a library as the previous release wrote them: without any mark, and with a tag of two.
const PREVIOUS_ROWS: &str = "
    insert into user_hearts (user_id, playlist_id, hearted_at, note, note_folded, tags, tags_folded, title, title_folded)
    select id, rpad('Heart', 22, 'x'), now(), 'パパ', 'ハハ', '{雨，夜,राम}', '{\"雨,夜\",रम}', 'ม้า мой', 'มา мои' from users;
    insert into user_hearts (user_id, playlist_id, hearted_at, title, title_folded)
    select id, rpad('Plain', 22, 'x'), now(), 'Plain', 'plain' from users;
    insert into playlists (user_id, id, name, name_folded, owner_name, owner_folded, collaborative, seen_at, position)
    select u.id, rpad('List', 22, 'x'), 'कील', 'कल', 'Їжак', 'іжак', false, now(), 9000 from users u";

/// Hearts whose notes and tags are not folded by today's rules.
const WRONG: &str = "select count(*) from user_hearts where note like 'パパ%' and (note_folded is distinct from note
                     or tags_folded is distinct from '{雨,夜}' or tags is distinct from '{雨,夜}')";

/// A site on which no pass has been made, though its job has run.
async fn open_unfolded_site() -> Site {
    let site = Site::open().await;
    let finished = "select count(*) from text_folding where passes = 1";
    wait_until("the job's pass over no users", async || site.count(finished).await == 1).await;
    sqlx::query("delete from text_folding").execute(&site.db).await.unwrap();
    site
}

#[tokio::test]
async fn texts_folded_by_the_previous_release_are_folded_again() {
    let site = open_unfolded_site().await;
    let ada = site.sign_in("ada").await;
    ada.open("/playlists").await;
    sqlx::raw_sql(PREVIOUS_ROWS).execute(&site.db).await.unwrap();
    assert!(site.refold().await >= 2);
    sqlx::query("delete from text_folding").execute(&site.db).await.unwrap();
    assert_eq!(site.refold().await, 0, "another pass has nothing left");
    for (path, found) in [
        ("/hearts?q=パパ", 1),
        ("/hearts?q=ハハ", 0),
        ("/hearts?q=tag:夜", 1),
        ("/hearts?q=tag:राम", 1),
        ("/hearts?q=tag:रोम", 0),
        ("/hearts?q=ม้า", 1),
        ("/hearts?q=мой", 1),
        ("/hearts?q=мои", 0),
        ("/hearts?q=plain", 1),
        ("/playlists?q=कील", 1),
        ("/playlists?q=काल", 0),
        ("/playlists?q=owner:їжак", 1),
        ("/playlists?q=owner:іжак", 0),
    ] {
        assert_eq!(ada.open(path).await.count("li.card"), found, "{path}");
    }
    assert!(ada.open("/hearts").await.texts(".tags a").contains(&"夜".to_owned()), "a tag that was two");
}

#[tokio::test]
async fn ten_thousand_hearts_are_folded_by_one_of_two_processes_while_the_previous_release_writes() {
    let site = open_unfolded_site().await;
    site.sign_in("ada").await;
    let hearts = "insert into user_hearts (user_id, playlist_id, hearted_at, note, note_folded, tags, tags_folded)
                  select id, lpad(n::text, 22, '0'), now(), 'パパ' || n, 'ハハ' || n, '{雨，夜}', '{\"雨,夜\"}'
                  from users, generate_series(1, 10000) n";
    sqlx::query(hearts).execute(&site.db).await.unwrap();
    let write = "update user_hearts set note = 'パパ' || playlist_id, note_folded = 'ハハ' || playlist_id
                 where right(playlist_id, 1) = '7'";
    let previous_release = async { sqlx::query(write).execute(&site.db).await.unwrap().rows_affected() };
    let (_, _, written) = tokio::join!(site.refold(), site.refold(), previous_release);
    assert_eq!(written, 1000);
    site.advance(7 * HOUR);
    site.refold().await;
    assert_eq!(site.count(WRONG).await, 0);
    assert_eq!(site.count("select count(*) from user_hearts where note like 'パパ0%'").await, 1000, "no note is lost");
}

/// Rows that each pass would change.
const MISFOLDED: &str = "update user_hearts set title_folded = 'x'";

#[tokio::test]
async fn texts_are_folded_twice_for_each_version_and_then_no_more() {
    let site = open_unfolded_site().await;
    site.sign_in("ada").await;
    sqlx::raw_sql(PREVIOUS_ROWS).execute(&site.db).await.unwrap();
    let refold_after = async |wait: Duration| {
        site.advance(wait);
        sqlx::raw_sql(MISFOLDED).execute(&site.db).await.unwrap();
        site.refold().await > 0
    };
    assert!(refold_after(Duration::ZERO).await, "the first pass");
    assert!(!refold_after(5 * HOUR).await, "too early for the second");
    assert!(refold_after(2 * HOUR).await, "the second pass");
    assert!(!refold_after(7 * HOUR).await && !refold_after(1000 * HOUR).await, "nothing after two passes");
    sqlx::query("update text_folding set version = 0").execute(&site.db).await.unwrap();
    assert!(refold_after(Duration::ZERO).await, "other rules");
    sqlx::query("update text_folding set version = 1000, passes = 0").execute(&site.db).await.unwrap();
    assert!(!refold_after(7 * HOUR).await, "a later release's rules stay");
}

#[tokio::test]
async fn pass_is_made_by_one_process_and_taken_over_from_a_dead_one() {
    let site = open_unfolded_site().await;
    for name in ["ada", "mira"] {
        site.sign_in(name).await;
    }
    sqlx::raw_sql(PREVIOUS_ROWS).execute(&site.db).await.unwrap();
    // A process that died after the first user.
    let dead = "insert into text_folding (version, reached, leased_until)
                select 1, min(id), now() + interval '10 minutes' from users";
    sqlx::query(dead).execute(&site.db).await.unwrap();
    assert_eq!(site.refold().await, 0, "leased");
    site.advance(HOUR);
    let (one, other) = tokio::join!(site.refold(), site.refold());
    assert!(one == 0 || other == 0, "{one} and {other}");
    assert_eq!(one + other, 2, "a heart and a playlist of the second user");
}

#[tokio::test]
async fn tags_that_fold_to_the_same_stay() {
    let site = open_unfolded_site().await;
    let ada = site.sign_in("ada").await;
    let hearts = "insert into user_hearts (user_id, playlist_id, hearted_at, tags, tags_folded)
                  select id, rpad('Two', 22, 'x'), now(), '{Été,ete}'::text[], '{été,ete}'::text[] from users union all
                  select id, rpad('Ten', 22, 'x'), now(), '{a,b,c,d,e,f,g,h,i,雨，夜}', '{a}' from users";
    sqlx::query(hearts).execute(&site.db).await.unwrap();
    assert_eq!(site.refold().await, 2);
    let kept = "select count(*) from user_hearts where tags in ('{Été,ete}', '{a,b,c,d,e,f,g,h,i,雨，夜}')";
    assert_eq!(site.count(kept).await, 2);
    assert_eq!(ada.open("/hearts?q=tag:été").await.count("li.card"), 1);
}

#[tokio::test]
async fn tags_that_the_previous_release_folded_with_their_sign_are_found_and_edited() {
    let site = open_unfolded_site().await;
    let ada = site.sign_in("ada").await;
    let heart = "insert into user_hearts (user_id, playlist_id, hearted_at, tags, tags_folded)
                 select id, rpad('Sign', 22, 'x'), now(), '{rain,#Loud}', '{rain,#loud}' from users";
    sqlx::query(heart).execute(&site.db).await.unwrap();
    assert_eq!((site.refold().await, site.refold().await), (1, 0));
    assert_eq!(ada.open("/hearts?q=tag:loud").await.count("li.card"), 1);
    assert_eq!(ada.open("/tags/edit?tag=%23Loud").await.text(".subtitle"), "#Loud, on 1 heart");
}
