//! A database for each test, on one server that lives as long as the test run.
//!
//! Nothing is set up by hand: the first test of a run starts a private Postgres (see
//! `crates/local-postgres`) in a folder named by the run's process, which is `cargo` or `cargo-nextest`, so
//! that all test binaries and all processes of nextest share it. The migrations run once, into a
//! template; a test gets a copy of that. Databases stay until the run ends, since dropping one costs
//! as much as making it; then a watcher removes server and folder, however the run ended.
//!
//! With TEST_DATABASE_URL that server is used instead, by a role that may create databases; there a
//! test's database is dropped with its `TestDatabase`, and the template stays for the next run. If the
//! server is the coordinator of a Citus cluster, the tables are distributed (`citus.rs`).

use std::sync::{
    OnceLock,
    atomic::{AtomicU32, Ordering},
};

use sqlx::{AssertSqlSafe, Connection, PgConnection, migrate::Migrator};
use url::Url;

use super::citus::Cluster;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Advisory lock of the process that creates the template.
const TEMPLATE_LOCK: i64 = 0x6865_6172_7473;

/// A migrated database that belongs to one test.
#[derive(Debug)]
pub(crate) struct TestDatabase {
    url: Url,
    /// True if the database is not dropped after the test, because its server ends with the run.
    stays: bool,
    /// The cluster that holds it, if any.
    cluster: Option<Cluster>,
}

impl TestDatabase {
    /// An existing, migrated database.
    pub(crate) fn from_url(url: &str) -> Self {
        Self { url: url.parse().expect("an address"), stays: true, cluster: None }
    }

    /// The database's address.
    pub(crate) fn url(&self) -> &str {
        self.url.as_str()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if self.stays {
            return;
        }
        let (name, cluster) = (name_in(&self.url).to_owned(), self.cluster.take());
        // A thread, since a test's runtime may not be blocked, nor used while it ends.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                match cluster {
                    Some(cluster) => cluster.drop_database(&name).await,
                    None => run(&mut admin().await, format!("drop database if exists {name} with (force)")).await,
                }
            });
        });
        if dropped.join().is_err() {
            eprintln!("{} stays on the server of TEST_DATABASE_URL", name_in(&self.url));
        }
    }
}

/// Makes a new database for one test.
///
/// # Panics
/// When there is no server to be had; the message says why.
pub(crate) async fn create_database() -> TestDatabase {
    static TEMPLATE: tokio::sync::OnceCell<String> = tokio::sync::OnceCell::const_new();
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let name = format!("heartlist_test_{}_{number}", std::process::id());
    if let Some(cluster) = find_cluster().await {
        return TestDatabase { url: cluster.create(&name).await, stays: false, cluster: Some(cluster) };
    }
    let template = TEMPLATE.get_or_init(ensure_template).await;
    let mut admin = admin().await;
    run(&mut admin, format!("drop database if exists {name}")).await;
    // Since Postgres 15; two to five times as fast.
    let strategy = if supports_strategies(&mut admin).await { "strategy file_copy" } else { "" };
    run(&mut admin, format!("create database {name} template {template} {strategy}")).await;
    TestDatabase { url: address_of(&name), stays: server().is_private, cluster: None }
}

/// The cluster on which the tests run, if TEST_DATABASE_URL names its coordinator.
pub(crate) async fn find_cluster() -> Option<Cluster> {
    static CLUSTER: tokio::sync::OnceCell<Option<Cluster>> = tokio::sync::OnceCell::const_new();
    // Starting the server blocks, which must not hold up a runtime.
    let server = tokio::task::spawn_blocking(server).await.expect("a Postgres server for the tests");
    let find = || async move { if server.is_private { None } else { Cluster::find(&server.url).await } };
    CLUSTER.get_or_init(find).await.clone()
}

/// Creates the template if it is missing; returns its name.
async fn ensure_template() -> String {
    let name = template_name();
    let mut admin = admin().await;
    // Held until this connection is closed.
    run(&mut admin, format!("select pg_advisory_lock({TEMPLATE_LOCK})")).await;
    let ready = "select exists (select from pg_database where datname = $1 and datistemplate)";
    let ready: bool = sqlx::query_scalar(ready).bind(&name).fetch_one(&mut admin).await.expect("pg_database");
    if !ready {
        run(&mut admin, format!("drop database if exists {name}")).await;
        run(&mut admin, format!("create database {name}")).await;
        let mut new = connect(&address_of(&name)).await;
        MIGRATIONS.run(&mut new).await.expect("the migrations run on an empty database");
        new.close().await.expect("a closed connection");
        // A template nobody can connect to can be copied at any time.
        run(&mut admin, format!("alter database {name} is_template true allow_connections false")).await;
    }
    let _ = admin.close().await;
    name
}

/// Template name that changes with the text of any migration (FNV-1a over the checksums).
fn template_name() -> String {
    let bytes = MIGRATIONS.iter().flat_map(|migration| migration.checksum.iter());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    format!("heartlist_template_{hash:016x}")
}

async fn supports_strategies(connection: &mut PgConnection) -> bool {
    let version = "select current_setting('server_version_num')::int4 >= 150000";
    sqlx::query_scalar(version).fetch_one(connection).await.expect("the server's version")
}

async fn admin() -> PgConnection {
    connect(&server().url).await
}

async fn connect(url: &Url) -> PgConnection {
    PgConnection::connect(url.as_str()).await.expect("a connection to the tests' Postgres")
}

async fn run(connection: &mut PgConnection, statement: String) {
    let done = sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(connection).await;
    done.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

fn address_of(database: &str) -> Url {
    let mut url = server().url.clone();
    url.set_path(database);
    url
}

fn name_in(url: &Url) -> &str {
    url.path().trim_start_matches('/')
}

struct Server {
    /// Address of the database from which others are created.
    url: Url,
    is_private: bool,
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| match std::env::var_os("TEST_DATABASE_URL") {
        Some(url) => {
            let url = url.to_str().and_then(|url| url.parse().ok());
            Server { url: url.expect("TEST_DATABASE_URL is an address"), is_private: false }
        }
        None => Server { url: private::start(), is_private: true },
    })
}

#[cfg(not(feature = "local"))]
mod private {
    pub(super) fn start() -> url::Url {
        panic!("built without the feature `local`: name a server by TEST_DATABASE_URL")
    }
}

#[cfg(feature = "local")]
mod private {
    use std::{
        fs,
        os::unix::process::{CommandExt, parent_id},
        path::{Path, PathBuf},
        process::{Command, Stdio},
        sync::OnceLock,
    };

    use local_postgres::{LocalPostgres, Options};
    use rustix::process::{Pid, test_kill_process};
    use url::Url;

    /// Not /tmp, which may be in memory: a run needs some hundred megabytes.
    const PARENT_FOLDER: &str = "/var/tmp";
    const FOLDER_PREFIX: &str = "heartlist-test-";

    /// Holds a claim on the server (its input, if any) until process $1 has ended, then removes folder $2. A zombie
    /// counts as ended, because not every init reaps.
    const WATCHER: &str = r#"
        trap '' HUP INT TERM
        alive() {
            kill -0 "$1" 2>/dev/null || return 1
            [ ! -r "/proc/$1/status" ] || ! grep -q '^State:.Z' "/proc/$1/status"
        }
        while alive "$1"; do sleep 0.2; done
        exec 0<&-
        tries=0
        until rm -rf "$2" || [ "$tries" -ge 300 ]; do tries=$((tries + 1)); sleep 0.1; done 2>/dev/null
    "#;

    /// Starts or joins the server of this run; returns the address of its first database.
    pub(super) fn start() -> Url {
        // A static is never dropped, so this process keeps its claim until it ends.
        static POSTGRES: OnceLock<LocalPostgres> = OnceLock::new();
        let run = run_process();
        let folder = Path::new(PARENT_FOLDER).join(format!("{FOLDER_PREFIX}{run}"));
        let options = Options {
            dir: folder.join("postgres"),
            database: "heartlist".into(),
            bin_dir: std::env::var_os("PG_BIN").map(PathBuf::from),
            search_path: std::env::var_os("PATH"),
            durable: false,
        };
        // Before the start, during which this process may be killed.
        if !folder.exists() {
            spawn_watcher(run, &folder, Stdio::null());
        }
        let postgres = LocalPostgres::start(&options).unwrap_or_else(|error| panic!("{error}"));
        if postgres.has_started_server() {
            let claim = postgres.try_clone_claim().expect("a second claim");
            spawn_watcher(run, &folder, claim.into());
            remove_stale_folders();
        }
        let postgres = POSTGRES.get_or_init(|| postgres);
        postgres.url().parse().expect("the launcher gives an address")
    }

    #[expect(clippy::zombie_processes, reason = "it outlives this process")]
    fn spawn_watcher(run: u32, folder: &Path, claim: Stdio) {
        Command::new("/bin/sh")
            .args(["-c", WATCHER, "heartlist-test-watcher", &run.to_string()])
            .arg(folder)
            .stdin(claim)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/")
            .process_group(0)
            .spawn()
            .expect("a shell");
    }

    /// The process that ends with the test run: cargo, or this process if the binary was started by hand.
    fn run_process() -> u32 {
        let parent = parent_id();
        let name = fs::read_to_string(format!("/proc/{parent}/comm")).unwrap_or_else(|_| {
            let ps = Command::new("ps").args(["-o", "comm=", "-p", &parent.to_string()]).output();
            ps.map_or_else(|_| String::new(), |output| String::from_utf8_lossy(&output.stdout).into_owned())
        });
        let file_name = name.trim().rsplit('/').next().unwrap_or_default();
        if file_name.starts_with("cargo") { parent } else { std::process::id() }
    }

    /// Removes folders of runs whose watcher was killed too, as by a power cut.
    fn remove_stale_folders() {
        for entry in fs::read_dir(PARENT_FOLDER).into_iter().flatten().flatten() {
            let name = entry.file_name().into_string().unwrap_or_default();
            let run = name.strip_prefix(FOLDER_PREFIX).and_then(|run| run.parse().ok());
            let Some(run) = run.and_then(Pid::from_raw) else {
                continue;
            };
            if test_kill_process(run) == Err(rustix::io::Errno::SRCH) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}
