//! A Postgres server for one test alone, which may be stopped, frozen and killed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use heartlist::db;
use heartlist::ids::Secret;
use local_postgres::{LocalPostgres, Options};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// The server; it ends with the test, and its folder goes with it.
pub(crate) struct OwnPostgres {
    // In this order they are dropped.
    running: Option<LocalPostgres>,
    options: Options,
    url: String,
    _folder: TempDir,
}

impl OwnPostgres {
    /// Starts a server that keeps what it acknowledged through its own death, with all tables.
    pub(crate) async fn start() -> Self {
        let mode = fs::Permissions::from_mode(0o711);
        let mut folder = tempfile::Builder::new();
        let folder = folder.prefix("heartlist-own-").permissions(mode).tempdir_in("/var/tmp").unwrap();
        let options = Options {
            dir: folder.path().join("postgres"),
            database: "heartlist".into(),
            bin_dir: std::env::var_os("PG_BIN").map(PathBuf::from),
            search_path: std::env::var_os("PATH"),
            durable: true,
        };
        let mut own = Self { running: None, options, url: String::new(), _folder: folder };
        own.start_again().await;
        let pool = db::pool(&Secret::new(own.url()), 1).unwrap();
        db::migrate(&pool).await.unwrap();
        own
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The folder of its data.
    pub(crate) fn data(&self) -> PathBuf {
        self.options.dir.join("data")
    }

    /// Lets this OS user in as another role. Without an ident map, every role is open to it.
    pub(crate) async fn admit_as(&self, role: &str) {
        let path = self.options.dir.join("ident.conf");
        if let Ok(map) = fs::read_to_string(&path) {
            let more = map.replace(" heartlist", &format!(" {role}"));
            fs::write(&path, format!("{map}{more}")).unwrap();
            let pool = db::pool(&Secret::new(self.url()), 1).unwrap();
            sqlx::raw_sql("select pg_reload_conf()").execute(&pool).await.unwrap();
        }
    }

    /// Ends it in order.
    pub(crate) async fn stop(&mut self) {
        let running = self.running.take();
        tokio::task::spawn_blocking(move || drop(running)).await.unwrap();
    }

    /// Kills all its processes at once, as a machine does that loses its power.
    pub(crate) async fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.stop().await;
    }

    /// Starts it again on the same data; right after a death that can take more than one try.
    pub(crate) async fn start_again(&mut self) {
        let options = self.options.clone();
        let start = move || {
            (0..100).find_map(|_| {
                let started = LocalPostgres::start(&options);
                started.inspect_err(|_| std::thread::sleep(Duration::from_millis(100))).ok()
            })
        };
        let running = tokio::task::spawn_blocking(start).await.unwrap().expect("it starts again");
        self.url = running.url().to_owned();
        self.running = Some(running);
    }

    /// Sends a signal to all its processes, the first one first: it must not see how its workers fare.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid_file = fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        let first = pid_file.lines().next().unwrap();
        let workers = fs::read_to_string(format!("/proc/{first}/task/{first}/children")).expect("Linux");
        for pid in [first].into_iter().chain(workers.split_whitespace()) {
            // A worker may just have ended by itself.
            let _ = kill_process(Pid::from_raw(pid.parse().unwrap()).unwrap(), signal);
        }
    }
}
