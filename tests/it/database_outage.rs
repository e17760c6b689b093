//! The database hangs, fails over, is locked or read-only while the app runs.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Method;
use sqlx::Connection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use url::Url;

use crate::support::program::{Program, free_port};
use crate::support::visitor::Visitor;
use crate::support::{HEART, Site, wait_for_reconnect, wait_until};

/// A socket proxy in front of Postgres that can stop forwarding, like a frozen server.
struct Proxy {
    folder: tempfile::TempDir,
    /// True if new connections forward nothing.
    frozen: Arc<Mutex<Arc<AtomicBool>>>,
}

impl Proxy {
    fn start(real: PathBuf) -> Self {
        let folder = tempfile::tempdir_in("/var/tmp").unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
        let frozen = Arc::new(Mutex::new(Arc::new(AtomicBool::new(false))));
        let gates = frozen.clone();
        tokio::spawn(async move {
            while let Ok((ours, _)) = listener.accept().await {
                let (real, gate) = (real.clone(), gates.lock().unwrap().clone());
                tokio::spawn(async move {
                    let Ok(theirs) = UnixStream::connect(&real).await else { return };
                    let ((a, b), (c, d)) = (ours.into_split(), theirs.into_split());
                    tokio::join!(forward(a, d, gate.clone()), forward(c, b, gate));
                });
            }
        });
        Self { folder, frozen }
    }

    fn freeze(&self, frozen: bool) {
        self.frozen.lock().unwrap().store(frozen, Ordering::SeqCst);
    }

    /// Freezes existing connections and lets new ones work, as after a failover.
    fn fail_over(&self) {
        self.freeze(true);
        *self.frozen.lock().unwrap() = Arc::new(AtomicBool::new(false));
    }

    fn url(&self, real: &str) -> String {
        let mut url = Url::parse(real).unwrap();
        url.set_query(Some(&format!("host={}&sslmode=disable", self.folder.path().display())));
        url.into()
    }
}

async fn forward(mut from: impl AsyncReadExt + Unpin, mut to: impl AsyncWriteExt + Unpin, frozen: Arc<AtomicBool>) {
    let mut bytes = [0; 8192];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        while frozen.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}

fn socket_path(url: &str) -> Option<PathBuf> {
    let url = Url::parse(url).unwrap();
    let folder = url.query_pairs().find(|(name, _)| name == "host")?.1.into_owned();
    Some(Path::new(&folder).join(".s.PGSQL.5432"))
}

#[tokio::test]
async fn hanging_database_gives_503_and_recovers() {
    let site = Site::open().await;
    let settings = site.settings();
    let real = settings.iter().find(|(name, _)| *name == "DATABASE_URL").unwrap().1;
    // The server of TEST_DATABASE_URL may have no socket to put a proxy in front of.
    let Some(socket) = socket_path(real) else { return };
    let proxy = Proxy::start(socket);
    let (port, url) = (free_port(), proxy.url(real));
    let base = format!("http://127.0.0.1:{port}");
    let own = [("PORT", port.as_str()), ("BASE_URL", &base), ("DATABASE_URL", &url)];
    let mut program = Program::start(&settings.iter().copied().chain(own).collect::<Vec<_>>());
    program.wait_until_ready().await;
    let ada = Visitor::new(&base);
    let id = ada.sign_in("ada").await.playlist_ids().remove(0);

    proxy.freeze(true);
    let heart = format!("/heart/{id}");
    // Well under the request timeout of 25 seconds; measured at about four.
    let bound = Duration::from_secs(12);
    for path in ["/playlists", "/hearts", "/account"] {
        let page = tokio::time::timeout(bound, ada.get(path)).await.expect("an answer soon");
        assert_eq!((page.status, page.header("retry-after")), (503, "5"), "{path}");
        assert_eq!(page.text("h1"), "Back in a moment");
        assert!(page.has(&format!("main a.button[href='{path}']")) && !page.has("main a[href='/']"), "{path} again");
        assert!(!page.text("main").contains("Nothing was saved"), "a page that was only to be read");
        assert!(!page.has("nav a[href^='/login']"), "nobody knows that they are signed out");
    }
    let response = tokio::time::timeout(bound, ada.fetch(Method::PUT, &heart)).await.expect("an answer soon");
    assert_eq!(response.status, 503);
    let page = tokio::time::timeout(bound, ada.post(&heart, "hearted=true")).await.expect("an answer soon");
    assert!(page.status == 503 && page.text("main").contains("Nothing was saved"), "its session was not loaded");
    assert_eq!(ada.get("/healthz").await.status, 200);

    proxy.freeze(false);
    assert_eq!(ada.fetch(Method::PUT, &heart).await.status, 200);
    assert_eq!(ada.open("/hearts").await.count("li.card"), 1);

    // All connections are in use at the moment of the failover.
    let presses = futures_util::future::join_all((0..30).map(|_| ada.fetch(Method::DELETE, &heart)));
    let failing = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        proxy.fail_over();
    };
    let (presses, ()) = tokio::join!(tokio::time::timeout(bound, presses), failing);
    assert!(presses.expect("answers soon").iter().all(|response| [200, 429, 503].contains(&response.status)));
    wait_until("well again", async || ada.get("/hearts").await.status == 200).await;
}

#[tokio::test]
async fn locked_table_gives_503_and_saves_nothing() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let mut holding = site.db.begin().await.unwrap();
    sqlx::query("lock table user_hearts in access exclusive mode").execute(&mut *holding).await.unwrap();
    let response = ada.fetch(Method::PUT, HEART).await;
    assert_eq!((response.status, response.header("retry-after")), (503, "5"));
    let page = ada.post(HEART, "hearted=true").await;
    assert!(page.status == 503 && page.text("main").contains("check whether it was saved"), "nobody knows");
    assert_eq!(ada.get("/logout").await.status, 200, "what is not held goes on");
    holding.rollback().await.unwrap();
    assert_eq!(site.count_hearts().await, 0);
    assert_eq!(ada.fetch(Method::PUT, HEART).await.status, 200);
    assert_eq!(site.count_hearts().await, 1);
}

#[tokio::test]
async fn read_only_database_shows_hearts_and_refuses_writes() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    ada.fetch(Method::PUT, HEART).await;
    let set = async |on: &str| {
        let name: String = sqlx::query_scalar("select current_database()").fetch_one(&site.db).await.unwrap();
        let sql = format!("alter database {name} set default_transaction_read_only = {on}");
        // A separate connection, since the setting applies to new ones and to this one too.
        let mut admin = sqlx::PgConnection::connect_with(&site.db.connect_options()).await.unwrap();
        sqlx::raw_sql("set default_transaction_read_only = off").execute(&mut admin).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
        let out = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
        sqlx::raw_sql(out).execute(&mut admin).await.unwrap();
    };
    set("on").await;
    wait_for_reconnect(&ada).await;
    assert_eq!(ada.get("/hearts").await.count("li.card"), 1);
    assert_eq!(ada.fetch(Method::DELETE, HEART).await.status, 503);
    set("off").await;
    wait_for_reconnect(&ada).await;
    assert_eq!(ada.fetch(Method::DELETE, HEART).await.status, 200);
}

/// A heart that was confirmed is stored, although the server keeps closing all connections.
#[tokio::test]
async fn acknowledged_heart_survives_connection_loss() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let mut admin = site.db.acquire().await.unwrap().detach();
    let done = AtomicBool::new(false);
    let killing = async {
        let out = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
        while !done.load(Ordering::SeqCst) {
            sqlx::raw_sql(out).execute(&mut admin).await.unwrap();
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    };
    let pressing = async {
        let mut acknowledged = Vec::new();
        for n in 0..150 {
            let id = format!("{n:022}");
            if ada.fetch(Method::PUT, &format!("/heart/{id}")).await.status == 200 {
                acknowledged.push(id);
            }
        }
        done.store(true, Ordering::SeqCst);
        acknowledged
    };
    let ((), acknowledged) = tokio::join!(killing, pressing);
    assert!(!acknowledged.is_empty());
    wait_for_reconnect(&ada).await;
    let kept: Vec<String> = sqlx::query_scalar("select playlist_id from user_hearts where removed_at is null")
        .fetch_all(&mut admin)
        .await
        .unwrap();
    assert!(acknowledged.iter().all(|id| kept.contains(id)), "lost after it was acknowledged");
}

#[tokio::test]
async fn deadlock_and_serialization_failure_give_503() {
    for crossing in ["40P01", "40001"] {
        let site = Site::open().await;
        let ada = site.sign_in("ada").await;
        ada.fetch(Method::PUT, HEART).await;
        let cross = format!(
            "create function cross_another() returns trigger language plpgsql as $$ begin raise sqlstate '{crossing}'; end $$;
             create trigger cross_another before update on user_hearts for each row execute function cross_another()"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(cross)).execute(&site.db).await.unwrap();
        let response = ada.fetch(Method::DELETE, HEART).await;
        assert_eq!((response.status, response.header("retry-after")), (503, "5"), "{crossing}");
        assert_eq!(site.count_hearts().await, 1);
    }
}
