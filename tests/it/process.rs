//! The program as a process: start, settings, shutdown, log.

use std::time::{Duration, Instant};

use fake_spotify::{Endpoint, Fault};
use reqwest::Method;
use rustix::process::Signal;
use tokio::process::Command;

use crate::support::program::{Program, free_port, send_signal, start_program};
use crate::support::sharing::create_secret_link;
use crate::support::visitor::{Visitor, approve};
use crate::support::{Site, wait_until};

/// Signs in as Ada; returns every secret that passed through the browser.
async fn sign_in_and_collect_secrets(visitor: &Visitor) -> Vec<String> {
    let mut secrets = Vec::new();
    let page = visitor.open("/login").await;
    let mut hop = visitor.send_form(page.form("form[action='/auth/spotify']")).await;
    for turn in 0..4 {
        secrets.extend(hop.headers.get_all("set-cookie").iter().filter_map(|cookie| {
            let value = cookie.to_str().unwrap().split(['=', ';']).nth(1).unwrap().to_owned();
            (value.len() >= 20).then_some(value)
        }));
        let target = hop.url.join(hop.header("location")).unwrap();
        secrets.extend(
            target
                .query_pairs()
                .filter(|(name, _)| name == "state" || name == "code")
                .map(|(_, value)| value.into_owned()),
        );
        hop = visitor.get(target.as_str()).await;
        if turn == 0 {
            hop = visitor.send_form(approve(&hop, "ada")).await;
        }
        if hop.status == 200 {
            break;
        }
    }
    assert!(hop.has("li.card"), "{}", hop.html);
    secrets
}

/// The start waits for a lock that the migrations need; SIGTERM ends it.
#[tokio::test]
async fn sigterm_while_waiting_for_migrations_exits_zero() {
    let site = Site::open().await;
    let settings = site.settings();
    let port = free_port();
    let mut held = site.db.begin().await.unwrap();
    sqlx::query("lock table _sqlx_migrations in access exclusive mode").execute(&mut *held).await.unwrap();
    let mut program = Program::start(&[&settings[..], &[("PORT", &port)]].concat());
    site.wait_for_blocked_query().await;
    program.signal(Signal::TERM);
    let (code, log) = program.wait_for_exit().await;
    assert_eq!(code, Some(0), "{log}");
    held.rollback().await.unwrap();
}

#[tokio::test]
async fn demo_starts_without_settings_and_keeps_hearts() {
    let data = tempfile::tempdir().unwrap();
    std::fs::set_permissions(data.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let port = free_port();
    let mut hearted = Vec::new();
    for start in 0..3 {
        let mut program = Program::start_demo(data.path(), &port);
        assert_eq!(program.wait_until_ready().await, format!("http://127.0.0.1:{port}"));
        let visitor = Visitor::new(&format!("http://127.0.0.1:{port}"));
        visitor.sign_in("ada").await;
        if start == 0 {
            hearted = visitor.open("/playlists").await.playlist_ids()[..3].to_vec();
            for id in &hearted {
                assert_eq!(visitor.fetch(Method::PUT, &format!("/heart/{id}")).await.status, 200);
            }
        }
        let mut kept = visitor.open("/hearts").await.playlist_ids();
        kept.sort();
        hearted.sort();
        assert_eq!(kept, hearted);
        assert!(visitor.open("/hearts").await.text("header").contains("Demo"), "l3");
        // The second run is killed and cannot clean up.
        program.signal(if start == 1 { Signal::KILL } else { Signal::TERM });
        assert_eq!(program.wait_for_exit().await.0, if start == 1 { None } else { Some(0) });
    }
}

#[tokio::test]
async fn demo_panel_outage_keeps_the_list() {
    heartlist::cli::install_tls();
    let data = tempfile::tempdir().unwrap();
    std::fs::set_permissions(data.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut program = Program::start_demo(data.path(), &free_port());
    let visitor = Visitor::new(&program.wait_until_ready().await);
    let decision = Some("x".repeat(20_000));
    let refused = visitor.request(Method::POST, "/fake-spotify/authorize/decision", &[], decision).await;
    assert_eq!(refused.status, 413, "the made-up Spotify takes no large forms");
    let panel_path = visitor.open("/").await.attribute("header .demo-banner a[href*=panel]", "href");
    let panel = visitor.open(&panel_path).await;
    let panel = visitor.submit(panel.form("button[name=incomplete-library]").with("incomplete-library", "on")).await;
    let half = visitor.sign_in("mira").await;
    assert!(half.text("main").contains("47 of up to 127 loaded"), "{}", half.text("main"));
    let panel = visitor.submit(panel.form("button[name=outage]").with("outage", "on")).await;
    assert!(panel.has("#outage.is-on") && panel.has("#incomplete-library.is-on"), "{}", panel.html);
    let list = visitor.submit(half.form("button[value=continue]").with("action", "continue")).await;
    assert_eq!((list.status, list.count("li.card")), (200, half.count("li.card")));
    assert!(list.flash().unwrap().contains("This is what Spotify last showed"), "{:?}", list.flash());
    assert!(list.has(".page-header time"), "its age");
    visitor.submit(panel.form("form[action$=reset]")).await;
    let whole = visitor.submit(list.form("button[value=continue]").with("action", "continue")).await;
    assert!(!whole.has("button[value=continue]") && visitor.open("/playlists?page=3").await.has("li.card"));
    program.signal(Signal::TERM);
    assert_eq!(program.wait_for_exit().await.0, Some(0));
}

#[tokio::test]
async fn killed_private_postgres_restarts() {
    let data = tempfile::tempdir().unwrap();
    std::fs::set_permissions(data.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let port = free_port();
    let mut program = Program::start_demo(data.path(), &port);
    let visitor = Visitor::new(&program.wait_until_ready().await);
    let id = visitor.sign_in("ada").await.playlist_ids().remove(0);
    assert_eq!(visitor.fetch(Method::PUT, &format!("/heart/{id}")).await.status, 200);
    let postmaster = std::fs::read_to_string(data.path().join("demo/data/postmaster.pid")).unwrap();
    send_signal(postmaster.lines().next().unwrap().parse().unwrap(), Signal::KILL);
    // Each pooled connection that died with the server may cost one request.
    wait_until("the heart is back", async || visitor.get("/hearts").await.playlist_ids() == [id.clone()]).await;
    program.signal(Signal::TERM);
    assert_eq!(program.wait_for_exit().await.0, Some(0));
}

#[tokio::test]
async fn log_contains_no_secret() {
    let site = Site::open().await;
    let (mut program, address) = start_program(&site, &[("RUST_LOG", "debug")]).await;
    let visitor = Visitor::new(&address);
    let mut secrets = sign_in_and_collect_secrets(&visitor).await;
    site.spotify.inject_fault(Endpoint::Token, Fault::Html502, 1);
    let consent = Visitor::new(&address).start_spotify_sign_in("/login").await;
    visitor.open(consent.url.as_str()).await;
    visitor.open("/auth/spotify/callback?code=a-forged-code-in-an-address&state=a-forged-state-in-an-address").await;
    write_annotations(&visitor).await;
    let link = create_secret_link(&visitor).await;
    for path in [&link, &format!("{link}/atom.xml"), "/s/a-forged-token-in-an-address"] {
        visitor.get(path).await;
    }
    secrets.extend([link["/s/".len()..].to_owned(), "a-forged-token".to_owned()]);
    visitor.open("/logout").await;
    program.signal(Signal::INT);
    let (code, log) = program.wait_for_exit().await;
    assert_eq!(code, Some(0));
    secrets.extend(site.spotify.issued_secrets());
    secrets.extend(
        ["a-forged-code", "a-forged-state", "a-client-secret-for-tests", "a session secret", "nobody-elses-business"]
            .map(String::from),
    );
    assert!(secrets.len() >= 8 && log.contains("answered"), "{} secrets", secrets.len());
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} is in the log:\n{log}");
    }
}

/// Sends a valid and an invalid note, and one in an import.
async fn write_annotations(visitor: &Visitor) {
    visitor.fetch(Method::PUT, "/heart/3cEYpjA9oz9GiPac4AsH4n").await;
    for (note, status) in [("nobody-elses-business".to_owned(), 200), ("nobody-elses-business".repeat(20), 422)] {
        let form =
            visitor.edit_first_heart().await.form(".annotation form").with("note", &note).with("tags", &note[..21]);
        assert_eq!(visitor.submit(form).await.status, status);
    }
    let form = visitor.open("/hearts/import").await.form("form.import-form");
    let page = visitor.upload(form, b"id,note\nnobody-elses-business,nobody-elses-business\n").await;
    assert!(
        page.has(".skipped-list li") && visitor.open("/hearts/export.csv").await.html.contains("nobody-elses-business")
    );
}

#[tokio::test]
async fn sigterm_finishes_running_requests_and_refuses_new_ones() {
    let site = Site::open().await;
    let (mut program, address) = start_program(&site, &[("RUST_LOG", "info")]).await;
    let visitor = Visitor::new(&address);
    visitor.sign_in("ada").await;
    site.spotify.inject_fault(Endpoint::Playlist, Fault::Slow(Duration::from_secs(3)), 1);
    let id = visitor.open("/playlists").await.playlist_ids().remove(0);
    let path = format!("/playlists/{id}");
    let slow = visitor.open(&path);
    let stop = async {
        wait_until("it asks Spotify", async || site.spotify.request_count(Endpoint::Playlist) > 0).await;
        program.signal(Signal::TERM);
        program.signal(Signal::TERM);
        let health = format!("{address}/healthz");
        wait_until("nothing new is taken", async || reqwest::get(&health).await.is_err()).await;
        Instant::now()
    };
    let (page, refused) = tokio::join!(async { (slow.await, Instant::now()) }, stop);
    assert!(page.0.status == 200 && refused < page.1, "while the page was on its way");
    assert_eq!(program.wait_for_exit().await.0, Some(0));
}

#[tokio::test]
async fn invalid_settings_are_reported_together_and_exit_nonzero() {
    let mut program =
        Program::start(&[("PORT", "http"), ("BASE_URL", "http://localhost:8080"), ("SESSION_SECRET", "short")]);
    let (code, output) = program.wait_for_exit().await;
    assert_eq!(code, Some(1));
    for name in ["PORT", "BASE_URL", "SESSION_SECRET"] {
        assert!(output.contains(&format!("- {name} ")), "{output}");
    }
}

#[tokio::test]
async fn environment_overrides_env_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".env"), "PORT=http\nHOST=\"nowhere\"\n# BASE_URL=localhost\n").unwrap();
    let (code, output) = Program::start_in(folder.path(), &[("HOST", "127.0.0.1")]).wait_for_exit().await;
    assert_eq!(code, Some(1));
    assert!(output.contains("- PORT ") && !output.contains("- HOST ") && !output.contains("BASE_URL"), "{output}");

    std::fs::write(folder.path().join(".env"), "SESSION_SECRET=\"a-secret-whose-quote-never-ends\n").unwrap();
    let (code, output) = Program::start_in(folder.path(), &[]).wait_for_exit().await;
    assert_eq!(code, Some(1));
    assert!(output.contains(".env cannot be read") && !output.contains("whose-quote"), "{output}");
}

#[tokio::test]
async fn port_in_use_is_reported() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut program = Program::start(&[("PORT", &port)]);
    let (code, output) = program.wait_for_exit().await;
    assert!(code == Some(1) && output.contains(&port) && output.contains("Set PORT"), "{output}");
}

#[tokio::test]
async fn help_lists_every_setting() {
    let output = Command::new(env!("CARGO_BIN_EXE_heartlist")).arg("--help").output().await.unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for variable in heartlist::config::VARIABLES.iter() {
        assert!(help.contains(variable.name), "{}", variable.name);
    }
}

#[tokio::test]
async fn migrate_command_can_run_twice() {
    let site = Site::open().await;
    for command in ["migrate", "create-tables"] {
        let mut command_line = Command::new(env!("CARGO_BIN_EXE_heartlist"));
        let output = command_line.arg(command).env_clear().envs(site.settings()).output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Heroku ends the hosts of apps in random letters, and tells them to visitors only.
#[tokio::test]
async fn demo_on_heroku_takes_the_host_of_its_first_request() {
    let site = Site::open().await;
    sqlx::raw_sql("delete from installation").execute(&site.db).await.unwrap();
    let port = free_port();
    let mut settings = site.settings();
    settings.retain(|(name, _)| matches!(*name, "DATABASE_URL" | "SESSION_SECRET"));
    settings.extend([("DYNO", "web.1"), ("DEMO", "1"), ("PORT", &port), ("HOST", "127.0.0.1")]);
    let mut program = Program::start(&settings);
    let visitor = Visitor::new(&format!("http://127.0.0.1:{port}"));
    let host = "hearts-pr-7-0123456789ab.herokuapp.com";
    let headers = [("host", host), ("x-forwarded-proto", "https")];
    wait_until("it listens", async || std::net::TcpStream::connect(format!("127.0.0.1:{port}")).is_ok()).await;
    let page = visitor.request(Method::GET, "/login?next=/hearts", &headers, None).await;
    assert_eq!((page.status, page.header("location")), (307, format!("https://{host}/login?next=/hearts").as_str()));
    assert_eq!(program.wait_until_ready().await, format!("https://{host}"));
    let page = visitor.request(Method::GET, "/login?next=/hearts", &headers, None).await;
    assert_eq!(page.status, 200, "{}", page.html);
    program.signal(Signal::TERM);
    assert_eq!(program.wait_for_exit().await.0, Some(0));
}

#[tokio::test]
async fn healthcheck_command_tells_whether_the_server_answers() {
    let site = Site::open().await;
    let (mut program, base) = start_program(&site, &[("HOST", "0.0.0.0")]).await;
    let port = base.rsplit(':').next().unwrap();
    let check = async || {
        let settings = [&site.settings()[..], &[("PORT", port), ("HOST", "0.0.0.0")]].concat();
        Program::start_with(&["healthcheck"], &settings).wait_for_exit().await
    };
    assert_eq!(check().await.0, Some(0));
    program.signal(Signal::TERM);
    program.wait_for_exit().await;
    let (code, output) = check().await;
    assert!(
        code == Some(1) && output.contains(&format!("nothing answers at http://127.0.0.1:{port}/healthz")),
        "{output}"
    );
}

#[tokio::test]
async fn version_begins_with_that_of_the_release() {
    let (code, output) = Program::start_with(&["--version"], &[]).wait_for_exit().await;
    assert!(code == Some(0) && output.starts_with(concat!("heartlist ", env!("CARGO_PKG_VERSION"))), "{output}");
}
