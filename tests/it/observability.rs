//! Health checks, metrics and the access log.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use rustix::process::Signal;
use serde_json::Value;
use tokio::time::timeout;

use crate::support::Site;
use crate::support::program::start_program;
use crate::support::visitor::Visitor;

/// How long an answer of `/readyz` is given to all probes.
const ANSWER_TTL: Duration = Duration::from_secs(1);

#[tokio::test]
async fn readiness_checks_database_and_migrations() {
    let site = Site::open().await;
    let visitor = site.visitor();
    assert_eq!(visitor.get("/readyz").await.status, 200);
    sqlx::query("delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)")
        .execute(&site.db)
        .await
        .unwrap();
    tokio::time::sleep(ANSWER_TTL).await;
    let page = visitor.get("/readyz").await;
    assert_eq!((page.status, page.html.as_str()), (503, "migrations are missing\n"));
    sqlx::query("drop table _sqlx_migrations").execute(&site.db).await.unwrap();
    tokio::time::sleep(ANSWER_TTL).await;
    assert_eq!(visitor.get("/readyz").await.status, 503);
    assert_eq!(visitor.get("/healthz").await.status, 200);
}

/// Attack: as many probes as somebody can send, some of which are given up.
#[tokio::test]
async fn probes_of_readiness_take_one_connection() {
    let site = Site::open().await;
    let visitor = site.visitor();
    let mut holding = site.db.begin().await.unwrap();
    sqlx::query("lock table _sqlx_migrations").execute(&mut *holding).await.unwrap();
    for _ in 0..3 {
        assert!(timeout(Duration::from_millis(100), visitor.get("/readyz")).await.is_err(), "it waits for the lock");
    }
    let probes = join_all((0..20).map(|_| visitor.get("/readyz")));
    let (pages, ()) = tokio::join!(probes, async {
        site.wait_for_blocked_query().await;
        let waiting =
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        assert_eq!((site.count(waiting).await, visitor.get("/login").await.status), (1, 200));
        holding.rollback().await.unwrap();
    });
    assert!(pages.iter().all(|page| (page.status, page.html.as_str()) == (200, "ready\n")), "all get the answer");
}

#[tokio::test]
async fn metrics_count_requests_by_route_and_stored_rows() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    for id in ["3cEYpjA9oz9GiPac4AsH4n", "0000000000000000000000"] {
        ada.fetch(Method::PUT, &format!("/heart/{id}")).await;
    }
    site.force_top_refresh().await;
    ada.get("/nope/3cEYpjA9oz9GiPac4AsH4n").await;
    ada.request(Method::from_bytes(b"INVENTED").unwrap(), "/hearts", &[], None).await;
    let metrics = site.visitor().get("/metrics").await.html;
    for line in [
        r#"heartlist_requests_total{method="PUT",route="/heart/{id}",status="200"} 2"#,
        r#"heartlist_requests_total{method="GET",route="none",status="404"} 1"#,
        r#"heartlist_requests_total{method="other",route="/hearts""#,
        r#"heartlist_request_seconds_bucket{le="0.25",route="/heart/{id}"}"#,
        r#"heartlist_request_seconds_count{route="/heart/{id}"} 2"#,
        "heartlist_hearts 2",
        "heartlist_sessions 1",
        r#"heartlist_database_connections{state="idle"}"#,
        r#"heartlist_spotify_calls_today{endpoint="#,
        "# EOF",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    assert!(!metrics.contains("3cEYpjA9oz9GiPac4AsH4n"), "addresses are without number");
}

#[tokio::test]
async fn access_log_names_user_and_cannot_be_forged() {
    let site = Site::open().await;
    for format in ["json", "text"] {
        let (mut program, base) = start_program(&site, &[("LOG_FORMAT", format)]).await;
        let ada = Visitor::new(&base);
        ada.sign_in("ada").await;
        ada.open("/hearts").await;
        for probe in ["/healthz", "/readyz"] {
            assert_eq!(ada.get(probe).await.status, 200);
        }
        for path in ["/%0a%7B%22forged%22:true%7D", "/x%0d%0aforged", "/%1b[31mforged"] {
            let hostile = [("x-request-id", "0123456789abcdef forged"), ("user-agent", "forged {}")];
            ada.request(Method::GET, path, &hostile, None).await;
        }
        program.signal(Signal::TERM);
        let (_, log) = program.wait_for_exit().await;
        let lines: Vec<&str> = log.lines().filter(|line| line.contains("answered")).collect();
        assert!(lines.len() >= 7 && !log.contains('\u{1b}') && !log.contains('\r'), "{log}");
        assert!(log.lines().all(|line| !line.trim_start().starts_with("forged")), "{log}");
        assert!(!log.contains("/healthz") && !log.contains("/readyz"), "probes are logged: {log}");
        if format == "json" {
            let events: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect("one event")).collect();
            assert!(events.iter().all(|event| event.get("forged").is_none()));
            let event = events.iter().find(|event| event["path"] == "/hearts").expect("the line of /hearts");
            let ada: i64 = sqlx::query_scalar("select id from users").fetch_one(&site.db).await.unwrap();
            assert_eq!((&event["span"]["user_id"], &event["status"]), (&Value::from(ada), &Value::from(200)));
            assert_eq!(event["span"]["request_id"].as_str().unwrap().len(), 36);
        }
    }
}
