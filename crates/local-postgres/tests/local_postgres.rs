//! The private Postgres: started, joined, stopped, and killed at bad moments.
//!
//! These need Postgres programs on the machine, also when TEST_DATABASE_URL is set.

use std::{
    fs::{self, Permissions},
    io::{BufRead, BufReader},
    os::unix::{fs::PermissionsExt, fs::lchown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use local_postgres::{Error, LocalPostgres, Settings};
use rustix::process::{Pid, Signal, geteuid, kill_process, kill_process_group};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

/// Names the folder to [`an_app_in_its_own_process`].
const FOLDER: &str = "HEARTLIST_TEST_APP_FOLDER";

#[tokio::test]
async fn a_fresh_folder_gets_a_server_and_keeps_its_rows_through_a_restart() {
    let folder = folder();
    let settings = Settings { durable: true, ..settings(folder.path()) };

    let postgres = LocalPostgres::start(&settings).unwrap();
    assert!(postgres.started_here());
    ask(&postgres, "create table kept as select 'Ōkami' as name").await;
    postgres.stop();
    assert!(!answers(folder.path()));

    let postgres = LocalPostgres::start(&settings).unwrap();
    assert_eq!(ask(&postgres, "select name from kept").await, "Ōkami");
    assert_eq!(ask(&postgres, "select current_database()::text").await, "heartlist");
    assert_eq!(ask(&postgres, "show listen_addresses").await, "");
    assert_eq!(ask(&postgres, "show server_encoding").await, "UTF8");
    assert_eq!(ask(&postgres, "select lower('Ō')").await, "ō");
}

#[tokio::test]
async fn a_second_process_joins_and_the_server_stays_until_the_last_one_leaves() {
    let folder = folder();
    let first = LocalPostgres::start(&settings(folder.path())).unwrap();
    let second = LocalPostgres::start(&settings(folder.path())).unwrap();
    assert!(first.started_here() && !second.started_here());

    first.stop();
    assert_eq!(ask(&second, "select 'still here'").await, "still here");
    let third = LocalPostgres::start(&settings(folder.path())).unwrap();
    second.stop();
    assert_eq!(ask(&third, "select 'still here'").await, "still here");
    third.stop();
    assert!(!answers(folder.path()));
}

#[tokio::test]
async fn a_claim_that_was_handed_on_keeps_the_server() {
    let folder = folder();
    let postgres = LocalPostgres::start(&settings(folder.path())).unwrap();
    let claim = postgres.another_claim().unwrap();
    postgres.stop();
    assert!(answers(folder.path()));
    drop(claim);
    assert_gone_soon(folder.path());
}

#[test]
fn processes_that_start_at_once_share_one_server() {
    let folder = folder();
    let mut apps: Vec<App> = (0..3).map(|_| App::spawn(folder.path())).collect();
    let starters = apps.iter_mut().filter_map(App::await_start).filter(|line| line.contains("started_here=true"));
    assert_eq!(starters.count(), 1);
}

#[tokio::test]
async fn a_killed_app_takes_its_server_along_and_leaves_nothing_in_the_way() {
    let folder = folder();
    let mut app = App::spawn(folder.path());
    app.await_start().unwrap();
    app.signal(Signal::KILL);
    assert_gone_soon(folder.path());

    let postgres = LocalPostgres::start(&settings(folder.path())).unwrap();
    assert!(postgres.started_here());
    assert_eq!(ask(&postgres, "select 'fine'").await, "fine");
}

#[tokio::test]
async fn an_app_killed_in_its_first_start_leaves_nothing_in_the_way() {
    for moment in [Duration::ZERO, Duration::from_millis(300)] {
        let folder = folder();
        let mut app = App::spawn(folder.path());
        wait_until(|| folder.path().join("postgres/data.new").exists());
        sleep(moment);
        app.signal(Signal::KILL);

        let postgres = LocalPostgres::start(&settings(folder.path())).unwrap();
        assert_eq!(ask(&postgres, "select 'fine'").await, "fine");
    }
}

#[test]
fn ctrl_c_goes_to_all_processes_of_the_terminal_and_still_ends_in_order() {
    let folder = folder();
    let mut app = App::spawn(folder.path());
    app.await_start().unwrap();
    kill_process_group(app.pid(), Signal::INT).unwrap();
    assert_gone_soon(folder.path());
    let log = fs::read_to_string(folder.path().join("postgres/log")).unwrap();
    assert!(log.contains("database system is shut down") || log.contains("immediate shutdown"), "{log}");
    assert!(!log.contains("was terminated by signal"), "{log}");
}

#[tokio::test]
async fn a_server_whose_keeper_was_killed_is_ended_by_the_next_start() {
    let folder = folder();
    let postgres = LocalPostgres::start(&settings(folder.path())).unwrap();
    let pid = postmaster(folder.path());
    let children = |pid: Pid| fs::read_to_string(format!("/proc/{0}/task/{0}/children", pid.as_raw_nonzero()));
    let Ok(keeper) = parent_of(pid) else { return }; // Only where /proc tells.
    for process in children(keeper).unwrap().split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)) {
        if process != pid {
            kill_process(process, Signal::KILL).unwrap();
        }
    }
    kill_process(keeper, Signal::KILL).unwrap();
    drop(postgres);
    assert_eq!(postmaster(folder.path()), pid);

    let postgres = LocalPostgres::start(&settings(folder.path())).unwrap();
    assert!(postgres.started_here());
    assert_ne!(postmaster(folder.path()), pid);
}

#[test]
fn a_number_left_in_postmaster_pid_that_is_another_process_now_does_not_matter() {
    let folder = folder();
    LocalPostgres::start(&settings(folder.path())).unwrap().stop();
    let data = folder.path().join("postgres/data");
    fs::write(data.join("postmaster.pid"), format!("{}\n{}\n1\n5432\n", std::process::id(), data.display())).unwrap();
    if cfg!(target_os = "linux") {
        assert!(LocalPostgres::start(&settings(folder.path())).unwrap().started_here());
    }
}

#[tokio::test]
async fn a_folder_with_a_long_and_odd_path_will_do() {
    let outer = folder();
    let inner = outer.path().join(format!("{}/with spaces & ünïcode 'quotes' 100%", "long".repeat(30)));
    let postgres = LocalPostgres::start(&settings(&inner)).unwrap();
    assert_eq!(ask(&postgres, "select 'fine'").await, "fine");
    let socket_folder = ask(&postgres, "show unix_socket_directories").await;
    assert!(socket_folder.starts_with("/tmp/heartlist-"), "{socket_folder}");
    postgres.stop();
    assert!(!Path::new(&socket_folder).exists());
}

#[test]
fn data_of_another_major_version_is_left_alone_and_named() {
    let folder = folder();
    let data = folder.path().join("postgres/data");
    LocalPostgres::start(&settings(folder.path())).unwrap().stop();
    fs::write(data.join("PG_VERSION"), "9\n").unwrap();
    let error = LocalPostgres::start(&settings(folder.path())).unwrap_err();
    assert!(matches!(error, Error::WrongVersion { .. }), "{error}");
    assert!(error.to_string().contains("made by Postgres 9, and only Postgres 1"), "{error}");
}

#[test]
fn a_chosen_folder_without_programs_is_named() {
    let folder = folder();
    let pg_bin = Some(PathBuf::from("/nowhere/bin"));
    let error = LocalPostgres::start(&Settings { pg_bin, ..settings(folder.path()) }).unwrap_err();
    assert!(error.to_string().starts_with("PG_BIN names /nowhere/bin, but"), "{error}");
}

#[test]
fn a_broken_cluster_is_reported_with_the_end_of_the_log() {
    let folder = folder();
    LocalPostgres::start(&settings(folder.path())).unwrap().stop();
    fs::remove_file(folder.path().join("postgres/data/global/pg_control")).unwrap();
    let error = LocalPostgres::start(&settings(folder.path())).unwrap_err();
    assert!(matches!(&error, Error::Failed { tail, .. } if tail.contains("pg_control")), "{error}");
}

#[test]
fn a_folder_of_somebody_else_is_refused() {
    let folder = folder();
    let theirs = if geteuid().is_root() {
        lchown(folder.path(), Some(4711), None).unwrap();
        folder.path()
    } else {
        Path::new("/var/tmp")
    };
    let error = LocalPostgres::start(&settings(theirs)).unwrap_err();
    assert!(matches!(error, Error::Foreign { .. }), "{error}");
}

#[test]
fn as_root_a_closed_folder_is_named_with_its_remedy() {
    if !geteuid().is_root() {
        return;
    }
    let folder = folder();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    let error = LocalPostgres::start(&settings(&folder.path().join("within"))).unwrap_err();
    assert!(error.to_string().contains(&format!("chmod o+x {}`", folder.path().display())), "{error}");
}

/// Not a test: what [`App`] runs, in a process that can be killed.
#[test]
fn an_app_in_its_own_process() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let postgres = LocalPostgres::start(&settings(Path::new(&folder))).unwrap();
    println!("\nup, started_here={}", postgres.started_here());
    sleep(Duration::from_secs(60));
}

struct App(Child);

impl App {
    fn spawn(folder: &Path) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "an_app_in_its_own_process", "--nocapture"])
            .env(FOLDER, folder)
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn();
        Self(child.unwrap())
    }

    /// The line it prints when its server is up; none when it ended before.
    fn await_start(&mut self) -> Option<String> {
        let output = BufReader::new(self.0.stdout.take()?);
        output.lines().map_while(Result::ok).find(|line| line.starts_with("up, "))
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    fn signal(&mut self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder that the account Postgres runs as can pass through when the tests run as root.
fn folder() -> TempDir {
    let mode = Permissions::from_mode(0o711);
    tempfile::Builder::new().prefix("heartlist-local-").permissions(mode).tempdir_in("/var/tmp").unwrap()
}

fn settings(folder: &Path) -> Settings {
    Settings { folder: folder.to_owned(), pg_bin: None, path: std::env::var_os("PATH"), durable: false }
}

/// Runs one statement and gives the first text it returns.
async fn ask(postgres: &LocalPostgres, statement: &'static str) -> String {
    let mut connection = PgConnection::connect(postgres.url()).await.unwrap();
    let text = sqlx::query_scalar(statement).fetch_optional(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    text.unwrap_or_default()
}

fn answers(folder: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(folder.join("postgres/.s.PGSQL.5432")).is_ok()
}

fn assert_gone_soon(folder: &Path) {
    wait_until(|| !answers(folder) && !folder.join("postgres/data/postmaster.pid").exists());
}

fn wait_until(mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(60), "waited too long");
        sleep(Duration::from_millis(10));
    }
}

fn postmaster(folder: &Path) -> Pid {
    let text = fs::read_to_string(folder.join("postgres/data/postmaster.pid")).unwrap();
    Pid::from_raw(text.lines().next().unwrap().parse().unwrap()).unwrap()
}

fn parent_of(pid: Pid) -> std::io::Result<Pid> {
    let status = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero()))?;
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap();
    Ok(Pid::from_raw(parent.trim().parse().unwrap()).unwrap())
}
