//! The doctor: its findings, who may see them, and that they hold no secret.

use fake_spotify::{Endpoint, Fault};
use tokio::process::Command;

use crate::support::Site;
use crate::support::page::Page;

const OPERATOR_TOKEN: &str = "an-operator-token-of-chance-7Qx2Lm9Zt";
const UNREACHABLE_URL: &str = "http://127.0.0.1:1";

/// State and text of the finding that starts with `about`.
fn find_finding(page: &Page, about: &str) -> (String, String) {
    let all = page.texts("li.finding");
    let at = all.iter().position(|text| text.starts_with(about));
    let at = at.unwrap_or_else(|| panic!("nothing about {about}: {all:#?}"));
    let class = page.attributes("li.finding", "class").remove(at);
    (class.trim_start_matches("finding ").to_owned(), all[at].clone())
}

/// Runs `heartlist doctor` and returns its exit code and output.
async fn run_doctor(settings: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heartlist"));
    command.arg("doctor").env_clear().envs(settings.iter().copied()).current_dir(std::env::temp_dir());
    let output = command.output().await.unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

fn assert_no_secrets(output: &str) {
    for secret in ["a-client-secret-for-tests", "a session secret that", OPERATOR_TOKEN, "Authorization: Basic"] {
        assert!(!output.contains(secret), "{secret} in {output}");
    }
}

#[tokio::test]
async fn doctor_shows_redirect_uri_and_no_secret() {
    let site = Site::open_with(&[("OPERATOR_TOKEN", OPERATOR_TOKEN)]).await;
    let page = site.visitor().get("/setup").await;
    assert_eq!((page.status, page.text("h1").as_str(), page.has("header nav")), (200, "Setup", true));
    assert!(page.text(".subtitle").starts_with("Nothing to fix, 6 things to know"), "{:#?}", page.texts("li.finding"));
    assert!(page.texts("code.copy-value").contains(&format!("{}/auth/spotify/callback", site.base)));
    for about in
        ["Address", "Session secret", "Operator token", "Database", "Tables", "Id and secret", "Clock", "Web API"]
    {
        assert_eq!(find_finding(&page, about).0, "is-ok", "{about}");
    }
    assert!(find_finding(&page, "Who may sign in").1.contains("five people"));
    assert_no_secrets(&page.html);
}

#[tokio::test]
async fn operator_pages_open_on_localhost() {
    let site = Site::open().await;
    let host = site.base.replace("http://127.0.0.1", "localhost");
    for path in ["/setup", "/metrics"] {
        let page = site.visitor().request(reqwest::Method::GET, path, &[("host", &host)], None).await;
        assert_eq!(page.status, 200, "{path}");
    }
}

#[tokio::test]
async fn setup_page_says_that_a_proxy_is_not_trusted() {
    let operator = format!("Bearer {OPERATOR_TOKEN}");
    for (proxies, header, expected) in [
        ("0", ("x-forwarded-for", "203.0.113.7"), "is-problem"),
        ("0", ("forwarded", "for=203.0.113.7"), "is-problem"),
        ("0", ("accept-language", "en"), "is-ok"),
        ("1", ("x-forwarded-for", "203.0.113.7"), "is-ok"),
    ] {
        let site = Site::open_with(&[("OPERATOR_TOKEN", OPERATOR_TOKEN), ("TRUSTED_PROXY", proxies)]).await;
        let headers = [("authorization", operator.as_str()), header];
        let page = site.visitor().request(reqwest::Method::GET, "/setup", &headers, None).await;
        assert_eq!(find_finding(&page, "Proxy").0, expected, "{proxies} {header:?}");
    }
}

#[tokio::test]
async fn setup_page_is_404_for_strangers() {
    let site = Site::open_with(&[("OPERATOR_TOKEN", OPERATOR_TOKEN)]).await;
    let missing = site.visitor().get("/no-such-page").await;
    let wrong = format!("Bearer {OPERATOR_TOKEN}x");
    let host = site.base.trim_start_matches("http://");
    let strange = [
        vec![("x-forwarded-for", "203.0.113.7")],
        vec![("forwarded", "for=203.0.113.7")],
        vec![("x-real-ip", "203.0.113.7")],
        vec![("host", "rebound.example")],
        vec![("host", "localhost.example")],
        vec![("host", host), ("x-forwarded-for", "127.0.0.1"), ("authorization", wrong.as_str())],
        vec![("x-forwarded-for", "127.0.0.1"), ("authorization", "Bearer ")],
        vec![("x-forwarded-for", "127.0.0.1"), ("authorization", OPERATOR_TOKEN)],
    ];
    for headers in strange {
        let page = site.visitor().request(reqwest::Method::GET, "/setup", &headers, None).await;
        assert_eq!((page.status, page.text("h1")), (404, missing.text("h1")), "{headers:?}");
        assert!(!page.html.contains("Postgres") && page.has("header nav"));
    }
    assert_eq!(site.spotify.request_count(Endpoint::Token), 0, "and Spotify is not asked for them");
    let post = site.visitor().request(reqwest::Method::POST, "/setup", &[], Some(String::new())).await;
    assert_eq!(post.status, 404);
}

#[tokio::test]
async fn operator_token_opens_setup_page_remotely() {
    let site = Site::open_with(&[("OPERATOR_TOKEN", OPERATOR_TOKEN), ("BASE_URL", "https://hearts.example")]).await;
    let bearer = format!("Bearer {OPERATOR_TOKEN}");
    let look = async |host: &'static str| {
        let headers = [
            ("host", host),
            ("x-forwarded-for", "203.0.113.7"),
            ("x-forwarded-proto", "https"),
            ("authorization", &bearer),
        ];
        site.visitor().request(reqwest::Method::GET, "/setup", &headers, None).await
    };
    let right = look("hearts.example").await;
    assert_eq!((right.status, find_finding(&right, "Address").0.as_str()), (200, "is-ok"));
    let (state, text) = find_finding(&look("other.example").await, "Address");
    assert_eq!(state, "is-problem");
    assert!(text.contains("https://hearts.example") && text.contains("https://other.example"), "{text}");
    assert_no_secrets(&right.html);
}

/// Behind a local proxy that adds no header, every visitor seems to come from loopback.
#[tokio::test]
async fn loopback_requests_need_token_on_public_server() {
    let site = Site::open_with(&[("OPERATOR_TOKEN", OPERATOR_TOKEN), ("BASE_URL", "https://hearts.example")]).await;
    let bearer = format!("Bearer {OPERATOR_TOKEN}");
    for path in ["/setup", "/metrics"] {
        assert_eq!(site.visitor().get(path).await.status, 404, "{path}");
        let shown = [("authorization", bearer.as_str())];
        let page = site.visitor().request(reqwest::Method::GET, path, &shown, None).await;
        assert_eq!(page.status, 200, "{path}");
    }
}

#[tokio::test]
async fn doctor_distinguishes_wrong_secret_from_spotify_outage() {
    let wrong = Site::open_with(&[("SPOTIFY_CLIENT_SECRET", "not-the-one-that-spotify-knows")]).await;
    let page = wrong.visitor().get("/setup").await;
    let (state, text) = find_finding(&page, "Id and secret");
    assert!(state == "is-problem" && text.contains("rejects") && text.contains("invalid_client"), "{text}");
    assert!(page.text(".subtitle").starts_with("1 problem to fix"));
    assert!(!page.html.contains("not-the-one"));

    let failing = Site::open().await;
    failing.spotify.inject_fault(Endpoint::Token, Fault::Html502, 1);
    let (state, text) = find_finding(&failing.visitor().get("/setup").await, "Id and secret");
    assert!(
        state == "is-problem" && text.contains("having trouble (status 502)") && !text.contains("rejects"),
        "{text}"
    );

    let unreachable = Site::open_with(&[("SPOTIFY_ACCOUNTS_URL", UNREACHABLE_URL)]).await;
    let (state, text) = find_finding(&unreachable.visitor().get("/setup").await, "Id and secret");
    assert!(
        state == "is-problem" && text.contains("cannot be reached") && text.contains("refused (os error"),
        "{text}"
    );
}

#[tokio::test]
async fn doctor_names_lapsed_premium() {
    let site = Site::open().await;
    site.spotify.update_switches(|switches| switches.owner_has_premium = false);
    let (state, text) = find_finding(&site.visitor().get("/setup").await, "Web API");
    assert!(state == "is-problem" && text.contains("has no Premium") && text.contains("Renew"), "{text}");
}

#[tokio::test]
async fn doctor_shows_cooldowns_call_counts_and_clock_skew() {
    let site = Site::open().await;
    let rows = "insert into cooldowns values ('all', now() + interval '9 hours', true)";
    sqlx::query(rows).execute(&site.db).await.unwrap();
    let rows = "insert into spotify_calls select (now() + interval '90 seconds') at time zone 'utc', e, n from (values ('playlist', 3), ('my_playlists', 12)) v (e, n)";
    sqlx::query(rows).execute(&site.db).await.unwrap();
    site.advance(std::time::Duration::from_secs(90));
    let page = site.visitor().get("/setup").await;
    let (state, text) = find_finding(&page, "Waiting times");
    assert!(
        state == "is-note" && text.contains("all requests wait until") && text.contains("quota is used up"),
        "{text}"
    );
    assert!(find_finding(&page, "Requests today").1.contains("15 since midnight UTC: my_playlists 12, playlist 3"));
    let (state, text) = find_finding(&page, "Clock");
    assert!(state == "is-note" && (text.contains("90 seconds ahead") || text.contains("91 seconds ahead")), "{text}");
    assert_eq!(site.spotify.request_count(Endpoint::Playlist), 0, "while it asks us to wait, the doctor waits too");
}

#[tokio::test]
async fn doctor_counts_pending_and_unknown_migrations() {
    let site = Site::open().await;
    sqlx::query("insert into _sqlx_migrations (version, description, success, checksum, execution_time) values (30000101000000, 'later', true, '', 0)")
        .execute(&site.db).await.unwrap();
    let (state, text) = find_finding(&site.visitor().get("/setup").await, "Tables");
    assert!(state == "is-note" && text.contains("1 migration ran that this program does not know"), "{text}");
    sqlx::query("delete from _sqlx_migrations where version > 20261121090300").execute(&site.db).await.unwrap();
    let (state, text) = find_finding(&site.visitor().get("/setup").await, "Tables");
    assert!(state == "is-note" && text.contains("still to run; 4 ran"), "{text}");
    sqlx::query("update _sqlx_migrations set checksum = 'x'").execute(&site.db).await.unwrap();
    let (state, text) = find_finding(&site.visitor().get("/setup").await, "Tables");
    assert!(state == "is-problem" && text.contains("a different text"), "{text}");
    sqlx::query("drop table _sqlx_migrations").execute(&site.db).await.unwrap();
    assert!(find_finding(&site.visitor().get("/setup").await, "Tables").1.contains("; 0 ran"));
}

#[tokio::test]
async fn doctor_command_exits_zero_when_healthy() {
    let site = Site::open_with(&[("OPERATOR_TOKEN", OPERATOR_TOKEN)]).await;
    let (code, output) = run_doctor(&site.settings()).await;
    assert_eq!(code, Some(0), "{output}");
    for text in [
        "/auth/spotify/callback", "Postgres", "Up to date", "Spotify accepts", "The same time",
        "Nothing to fix; 6 things",
    ] {
        assert!(output.contains(text), "{text} in {output}");
    }
    assert_no_secrets(&output);
}

#[tokio::test]
async fn doctor_command_exits_nonzero_on_problems() {
    let site = Site::open().await;
    let mut settings = site.settings();
    settings.push(("SESSION_SECRET", "0123456789012345678901234567890123456789"));
    settings.push(("SPOTIFY_CLIENT_SECRET", "not-the-one-that-spotify-knows"));
    let (code, output) = run_doctor(&settings).await;
    assert!(
        code == Some(1) && output.contains("2 problems to fix") && output.contains("BAD   Session secret"),
        "{output}"
    );
    assert!(
        output.contains("rejects SPOTIFY_CLIENT_ID") && !output.contains("01234567") && !output.contains("not-the-one"),
        "{output}"
    );

    settings.push(("DATABASE_URL", "postgres://somebody:hidden-word@127.0.0.1:1/nowhere"));
    let (code, output) = run_doctor(&settings).await;
    assert!(code == Some(1) && output.contains("BAD   Database: It cannot be used"), "{output}");
    assert!(output.contains("Connection refused") && !output.contains("hidden-word"), "{output}");

    let (code, output) = run_doctor(&[("PORT", "none")]).await;
    assert!(code == Some(1) && output.contains("- PORT "), "{output}");
}

#[cfg(feature = "local")]
#[tokio::test]
async fn doctor_without_settings_checks_demo() {
    let data = tempfile::tempdir().unwrap();
    std::fs::set_permissions(data.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let (path, pg_bin) = (variable("PATH"), variable("PG_BIN"));
    let mut settings = vec![("HEARTLIST_DATA", data.path().to_str().unwrap())];
    settings.extend(path.as_deref().map(|path| ("PATH", path)));
    settings.extend(pg_bin.as_deref().map(|folder| ("PG_BIN", folder)));
    let (code, output) = run_doctor(&settings).await;
    assert_eq!(code, Some(0), "{output}");
    for text in [
        "The music is made up",
        "http://127.0.0.1:8080/auth/spotify/callback",
        "still to run",
        "Not checked: the made-up Spotify",
    ] {
        assert!(output.contains(text), "{text} in {output}");
    }
    assert!(!output.contains("cannot be reached"));
    let kept = std::fs::read_to_string(data.path().join("session-secret")).unwrap();
    assert!(!output.contains(&kept));
}

#[expect(clippy::disallowed_methods, reason = "a test says which of its own variables the program may see")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[tokio::test]
async fn sign_in_with_rejected_client_secret_points_to_doctor() {
    let site = Site::open_with(&[("SPOTIFY_CLIENT_SECRET", "not-the-one-that-spotify-knows")]).await;
    let page = site.visitor().sign_in("ada").await;
    assert_eq!((page.status, page.text("h1").as_str()), (503, "Heartlist is not set up correctly"));
    let text = page.text("main");
    assert!(text.contains("rejects its client id or secret") && text.contains("heartlist doctor"), "{text}");
    assert!(text.contains("Nothing was saved") && !page.html.contains("invalid_client"));
    assert!(!text.contains("Try again"), "it would be refused again: {text}");
}

#[tokio::test]
async fn metrics_show_spotify_calls_and_cooldowns_to_operator_only() {
    let site = Site::open().await;
    // Avoid midnight UTC, where the daily count starts again.
    let late = site.count("select extract(hour from now() at time zone 'UTC')::bigint / 23").await;
    site.advance(std::time::Duration::from_secs(3600 * late as u64));
    let ada = site.sign_in("ada").await;
    site.advance(std::time::Duration::from_secs(11 * 60));
    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::RateLimited { retry_after: 60 }, 1);
    ada.open("/playlists").await;
    let page = site.visitor().get("/metrics").await;
    assert!(page.header("content-type").starts_with("application/openmetrics-text"));
    assert!(page.html.contains("heartlist_spotify_calls_today{endpoint=\"my_playlists\"} 2"), "{}", page.html);
    assert!(page.html.contains("heartlist_spotify_cooldown_seconds{bucket=\"all\",quota=\"false\"} "), "{}", page.html);
    let afar = site.visitor().request(reqwest::Method::GET, "/metrics", &[("x-forwarded-for", "1.2.3.4")], None).await;
    assert_eq!(afar.status, 404);
}
