//! Deletion of expired rows.

use std::time::Duration;

use crate::support::Site;

#[tokio::test]
async fn failing_cleanup_step_does_not_stop_the_others() {
    let site = Site::open().await;
    site.sign_in("ada").await;
    site.advance(Duration::from_secs(400 * 24 * 3600));
    // The first step and one in the middle fail.
    sqlx::raw_sql("alter table sessions rename to a; alter table events rename to b").execute(&site.db).await.unwrap();
    let error = site.try_cleanup().await.unwrap_err();
    assert!(error.contains("sessions: ") && error.contains("; events: ") && !error.contains("playlists: "), "{error}");
    for table in ["select count(*) from sign_ins", "select count(*) from playlists", "select count(*) from libraries"] {
        assert_eq!(site.count(table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn stale_playlists_are_deleted_in_batches_and_hearts_keep_titles() {
    let site = Site::open().await;
    site.sign_in("ada").await;
    let rows = "insert into playlists (user_id, id, name, collaborative, seen_at)
                select id, lpad(n::text, 22, '0'), 'Old ' || n, false, now() - interval '31 days' - n % 100 * interval '1 hour'
                from users, generate_series(1, 2500) n;
                insert into user_hearts (user_id, playlist_id, hearted_at, title)
                select id, lpad(n::text, 22, '0'), now(), case when n > 10 then 'Own' end from users, generate_series(1, 20) n";
    sqlx::raw_sql(rows).execute(&site.db).await.unwrap();
    let young = site.count("select count(*) from playlists where seen_at > now() - interval '30 days'").await;
    site.run_cleanup().await;
    assert!(young > 0 && site.count("select count(*) from playlists").await == young, "young ones stay");
    let named = "select count(*) from user_hearts where title = 'Old ' || ltrim(playlist_id, '0')";
    assert_eq!(site.count(named).await, 10);
    assert_eq!(site.count("select count(*) from user_hearts where title = 'Own'").await, 10);
}
