//! Installation mode of a database: demo or real.

use fake_spotify::OtherProvider;
use rustix::process::Signal;

use crate::support::program::{Program, start_program};
use crate::support::visitor::Visitor;
use crate::support::{Site, wait_until};

/// Identities that the made-up people of earlier releases had.
const FORMER: [(&str, &str); 6] = [
    ("spotify", "7bpujetWCO"),
    ("google", "104217793021745559012"),
    ("github", "58323100"),
    ("github", "90210044"),
    ("facebook", "10158000000000001"),
    ("x", "2244994945000000003"),
];
/// Settings of a dyno, where the release phase migrates.
const DYNO: [(&str, &str); 2] = [("DYNO", "web.1"), ("BASE_URL", "https://hearts.example")];

/// Runs the program until it ends. Returns whether it succeeded, and its output.
async fn run(site: &Site, arguments: &[&str], extra: &[(&str, &str)]) -> (bool, String) {
    let (code, output) = Program::start_with(arguments, &[&site.settings()[..], extra].concat()).wait_for_exit().await;
    (code == Some(0), output)
}

/// Leaves one operator with one identity, in a database of which nothing is recorded.
async fn reset(site: &Site, provider: &str, subject: &str) {
    let sql = "with person as (insert into users (display_name, created_at, operator) values ('P', now(), true) returning id),
                    session as (insert into sessions (id_hash, user_id, sealed, created_at, expires_at)
                                select sha256('mira'), id, '', now(), now() + interval '1 day' from person)
               insert into identities (user_id, provider, subject, created_at, last_used_at)
               select id, $1, $2, now(), now() from person";
    sqlx::raw_sql("delete from installation; delete from identities; delete from users")
        .execute(&site.db)
        .await
        .unwrap();
    sqlx::query(sql).bind(provider).bind(subject).execute(&site.db).await.unwrap();
}

#[tokio::test]
async fn demo_of_any_release_is_recognized_by_its_people() {
    let site = Site::open().await;
    let mut made_up: Vec<(&str, String)> = FORMER.map(|(provider, subject)| (provider, subject.to_owned())).into();
    for key in ["ada", "mira", "noor"] {
        made_up.extend(OtherProvider::ALL.map(|provider| (provider.key(), site.spotify.account(provider, key).id)));
    }
    let keys = ["ada", "mira", "noor", "tom"].into_iter();
    made_up.extend(keys.map(|key| ("spotify", site.spotify.user(key).unwrap().account_id.unwrap())));
    for (provider, subject) in made_up {
        reset(&site, provider, &subject).await;
        let (is_done, output) = run(&site, &["migrate"], &[]).await;
        assert!(!is_done && output.contains("filled by the demo"), "{provider}:{subject} {output}");
    }
}

#[tokio::test]
async fn people_of_an_earlier_release_are_real_or_made_up_as_a_command_says() {
    let site = Site::open().await;
    // A GitHub user with the number of somebody made up at X is nobody made up.
    for (provider, subject) in [("github", "77"), ("github", "2244994945000000003"), ("x", "58323100")] {
        reset(&site, provider, subject).await;
        let (is_done, output) = run(&site, &["migrate"], &[]).await;
        assert!(!is_done && output.contains("heartlist mark-database real"), "{provider}:{subject} {output}");
    }
    assert!(run(&site, &["mark-database", "real"], &[]).await.0 && run(&site, &["migrate"], &[]).await.0);
    assert!(run(&site, &["mark-database", "demo"], &[]).await.0 && !run(&site, &["migrate"], &[]).await.0);
    assert!(!run(&site, &["mark-database"], &[]).await.0);

    reset(&site, "github", "77").await;
    let cover = "insert into playlists (user_id, id, position, name, collaborative, seen_at, cover_url)
                 select id, '3cEYpjA9oz9GiPac4AsH4n', 0, '', false, now(), $1 from users";
    sqlx::query(cover).bind("https://i.scdn.co/image/ab67").execute(&site.db).await.unwrap();
    assert!(run(&site, &["migrate"], &[]).await.0, "Spotify's covers are those of real people");
    sqlx::raw_sql("delete from installation; delete from playlists").execute(&site.db).await.unwrap();
    sqlx::query(cover).bind("https://demo.example/standin/covers/1").execute(&site.db).await.unwrap();
    assert!(run(&site, &["migrate"], &[]).await.1.contains("filled by the demo"));
}

#[tokio::test]
async fn database_marked_as_real_knows_no_made_up_operator() {
    let site = Site::open().await;
    let count = async || {
        let sessions = site.count("select count(*) from sessions").await;
        (sessions, site.count("select count(*) from users where operator").await)
    };
    for (subject, left) in [("58323100", (0, 0)), ("77", (1, 1))] {
        reset(&site, "github", subject).await;
        assert_eq!(count().await, (1, 1));
        assert!(run(&site, &["mark-database", "real"], &[]).await.0);
        assert_eq!(count().await, left, "{subject}");
    }
}

/// A real person may have an identity that the demo of an earlier release made up.
#[tokio::test]
async fn real_person_with_an_id_of_an_earlier_demo_keeps_sessions_and_role() {
    let site = Site::open().await;
    let identity = "insert into identities (user_id, provider, subject, created_at, last_used_at)
                    select id, 'google', '77', now(), now() from users";
    let cover = "insert into playlists (user_id, id, position, name, collaborative, seen_at, cover_url)
                 select id, '3cEYpjA9oz9GiPac4AsH4n', 0, '', false, now(), 'https://i.scdn.co/image/ab67' from users";
    for (subject, evidence, left) in
        [("58323100", identity, 1), ("58323100", cover, 1), ("18000000000000000001", cover, 0)]
    {
        reset(&site, "github", subject).await;
        sqlx::raw_sql(evidence).execute(&site.db).await.unwrap();
        let (is_done, output) = run(&site, &["migrate"], &[]).await;
        assert!(!is_done && output.contains("`heartlist mark-database real`"), "{output}");
        assert!(run(&site, &["mark-database", "real"], &[]).await.0);
        assert!(run(&site, &["migrate"], &[]).await.0);
        assert_eq!(site.count("select count(*) from sessions").await, left, "{subject}");
        assert_eq!(site.count("select count(*) from users where operator").await, left, "{subject}");
    }
}

#[tokio::test]
async fn operator_command_is_refused_on_the_database_of_a_demo() {
    let site = Site::open().await;
    site.sign_in("mira").await;
    sqlx::query("update installation set demo = true").execute(&site.db).await.unwrap();
    for arguments in [&["operator"][..], &["operator", "add", "spotify:made-up-mira"]] {
        let (is_done, output) = run(&site, arguments, &[]).await;
        assert!(!is_done && output.contains("filled by the demo"), "{output}");
    }
    assert_eq!(site.count("select count(*) from users where operator").await, 0);
    assert_eq!(site.count("select count(*) from invites").await, 0);
}

/// On Heroku the program does not migrate, and starts while the database is down.
#[tokio::test]
async fn dyno_serves_nothing_before_it_knows_whose_database_it_has() {
    let site = Site::open().await;
    sqlx::query("update installation set demo = true").execute(&site.db).await.unwrap();
    let (is_done, output) = run(&site, &[], &DYNO).await;
    assert!(!is_done && output.contains("filled by the demo") && !output.contains("is ready"), "{output}");
    sqlx::query("alter table installation rename to gone").execute(&site.db).await.unwrap();
    let (is_done, output) = run(&site, &[], &DYNO).await;
    assert!(!is_done && output.contains("heartlist migrate") && !output.contains("is ready"), "{output}");
}

/// The check cannot be made and all else could be read.
#[tokio::test]
async fn pages_and_jobs_wait_until_the_database_is_checked() {
    let site = Site::open().await;
    // What expires from now on is left by the jobs of this process.
    site.freeze_clock();
    let expired =
        "insert into sessions (id_hash, sealed, created_at, expires_at) values (sha256('x'), '', now(), now())";
    sqlx::query(expired).execute(&site.db).await.unwrap();
    for is_demo in [true, false] {
        let mut holding = site.db.begin().await.unwrap();
        sqlx::query("update installation set demo = $1").bind(is_demo).execute(&mut *holding).await.unwrap();
        sqlx::query("lock table installation in access exclusive mode").execute(&mut *holding).await.unwrap();
        let (mut program, base) = start_program(&site, &[]).await;
        let get = async |path: &str| Visitor::new(&base).get(path).await.status;
        for path in ["/", "/top", "/hearts", "/u/somebody", "/readyz"] {
            assert_eq!(get(path).await, 503, "{path}");
        }
        assert_eq!(get("/healthz").await, 200);
        assert_eq!(site.count("select count(*) from sessions where expires_at <= now()").await, 1, "no job runs");
        holding.commit().await.unwrap();
        if is_demo {
            let (code, log) = program.wait_for_exit().await;
            assert!(code != Some(0) && log.contains("filled by the demo"), "{log}");
            continue;
        }
        wait_until("pages are served", async || get("/top").await == 200 && get("/readyz").await == 200).await;
        let expired = async || site.count("select count(*) from sessions where expires_at <= now()").await;
        wait_until("jobs run", async || expired().await == 0).await;
        program.signal(Signal::TERM);
        program.wait_for_exit().await;
    }
}
