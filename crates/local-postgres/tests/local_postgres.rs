//! The server: started, shared, stopped, and killed at bad moments. The tests need PostgreSQL programs.

use std::{
    fs::{self, Permissions},
    io::{BufRead, BufReader, Read, Write},
    os::unix::{fs::PermissionsExt, fs::lchown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use local_postgres::{Error, LocalPostgres, Options};
use rustix::process::{Pid, Signal, geteuid, kill_process, kill_process_group};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

/// Variable that gives its folder to [`client_process`].
const DIR_VARIABLE: &str = "LOCAL_POSTGRES_TEST_DIR";

#[tokio::test]
async fn new_folder_gets_a_server_whose_rows_survive_a_restart() {
    let parent = new_parent();
    let options = Options { durable: true, ..options(parent.path()) };

    let postgres = LocalPostgres::start(&options).unwrap();
    assert!(postgres.has_started_server());
    query(&postgres, "create table kept as select 'Ōkami' as name").await;
    postgres.stop();
    assert!(!accepts_connections(parent.path()));

    let postgres = LocalPostgres::start(&options).unwrap();
    assert_eq!(query(&postgres, "select name from kept").await, "Ōkami");
    assert_eq!(query(&postgres, "select current_database()::text").await, "app");
    assert_eq!(query(&postgres, "select current_user::text").await, "app");
    assert_eq!(query(&postgres, "show listen_addresses").await, "");
    assert_eq!(query(&postgres, "show server_encoding").await, "UTF8");
    assert_eq!(query(&postgres, "select lower('Ō')").await, "ō");
}

#[tokio::test]
async fn server_runs_until_the_last_claim_is_dropped() {
    let parent = new_parent();
    let first = LocalPostgres::start(&options(parent.path())).unwrap();
    let second = LocalPostgres::start(&options(parent.path())).unwrap();
    assert!(first.has_started_server() && !second.has_started_server());

    first.stop();
    assert_eq!(query(&second, "select 'still here'").await, "still here");
    let third = LocalPostgres::start(&options(parent.path())).unwrap();
    second.stop();
    assert_eq!(query(&third, "select 'still here'").await, "still here");
    third.stop();
    assert!(!accepts_connections(parent.path()));
}

#[tokio::test]
async fn cloned_claim_keeps_the_server() {
    let parent = new_parent();
    let postgres = LocalPostgres::start(&options(parent.path())).unwrap();
    let claim = postgres.try_clone_claim().unwrap();
    postgres.stop();
    assert!(accepts_connections(parent.path()));
    drop(claim);
    assert_stops(parent.path());
}

#[test]
fn processes_that_start_at_once_share_one_server() {
    let parent = new_parent();
    let mut clients: Vec<Client> = (0..3).map(|_| Client::spawn(parent.path())).collect();
    let started = clients.iter_mut().filter_map(Client::wait_until_ready);
    assert_eq!(started.filter(|line| line.contains("has_started_server=true")).count(), 1);
}

#[tokio::test]
async fn killed_process_takes_its_server_along_and_the_next_start_works() {
    let parent = new_parent();
    let mut client = Client::spawn(parent.path());
    client.wait_until_ready().unwrap();
    client.kill();
    assert_stops(parent.path());

    let postgres = LocalPostgres::start(&options(parent.path())).unwrap();
    assert!(postgres.has_started_server());
    assert_eq!(query(&postgres, "select 'fine'").await, "fine");
}

#[tokio::test]
async fn process_killed_during_the_first_start_does_not_prevent_the_next() {
    for delay in [Duration::ZERO, Duration::from_millis(300)] {
        let parent = new_parent();
        let mut client = Client::spawn(parent.path());
        wait_until(|| parent.path().join("postgres/data.new").exists());
        sleep(delay);
        client.kill();

        let postgres = LocalPostgres::start(&options(parent.path())).unwrap();
        assert_eq!(query(&postgres, "select 'fine'").await, "fine");
    }
}

#[test]
fn ctrl_c_for_the_whole_process_group_shuts_the_server_down_in_order() {
    let parent = new_parent();
    let mut client = Client::spawn(parent.path());
    client.wait_until_ready().unwrap();
    kill_process_group(client.pid(), Signal::INT).unwrap();
    assert_stops(parent.path());
    let log = fs::read_to_string(parent.path().join("postgres/log")).unwrap();
    assert!(log.contains("database system is shut down") || log.contains("immediate shutdown"), "{log}");
    assert!(!log.contains("was terminated by signal"), "{log}");
}

#[tokio::test]
async fn server_without_supervisor_is_stopped_by_the_next_start() {
    let parent = new_parent();
    let postgres = LocalPostgres::start(&options(parent.path())).unwrap();
    let pid = server_pid(parent.path());
    let children = |pid: Pid| fs::read_to_string(format!("/proc/{0}/task/{0}/children", pid.as_raw_nonzero()));
    let Ok(supervisor) = parent_of(pid) else { return }; // No /proc on macOS.
    for child in children(supervisor).unwrap().split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)) {
        if child != pid {
            kill_process(child, Signal::KILL).unwrap();
        }
    }
    kill_process(supervisor, Signal::KILL).unwrap();
    drop(postgres);
    assert_eq!(server_pid(parent.path()), pid);

    let postgres = LocalPostgres::start(&options(parent.path())).unwrap();
    assert!(postgres.has_started_server());
    assert_ne!(server_pid(parent.path()), pid);
}

#[test]
fn postmaster_pid_that_names_another_process_is_ignored() {
    let parent = new_parent();
    LocalPostgres::start(&options(parent.path())).unwrap().stop();
    let data = parent.path().join("postgres/data");
    fs::write(data.join("postmaster.pid"), format!("{}\n{}\n1\n5432\n", std::process::id(), data.display())).unwrap();
    if cfg!(target_os = "linux") {
        assert!(LocalPostgres::start(&options(parent.path())).unwrap().has_started_server());
    }
}

#[tokio::test]
async fn long_path_with_special_characters_gets_a_socket_in_tmp() {
    let outer = new_parent();
    let inner = outer.path().join(format!("{}/with spaces & ünïcode 'quotes' 100%", "long".repeat(30)));
    let postgres = LocalPostgres::start(&options(&inner)).unwrap();
    assert_eq!(query(&postgres, "select 'fine'").await, "fine");
    let socket_dir = query(&postgres, "show unix_socket_directories").await;
    assert!(socket_dir.starts_with("/tmp/app-"), "{socket_dir}");
    postgres.stop();
    assert!(!Path::new(&socket_dir).exists());
}

#[test]
fn data_of_another_major_version_is_an_error_that_names_both() {
    let parent = new_parent();
    let data = parent.path().join("postgres/data");
    LocalPostgres::start(&options(parent.path())).unwrap().stop();
    fs::write(data.join("PG_VERSION"), "9\n").unwrap();
    let error = LocalPostgres::start(&options(parent.path())).unwrap_err();
    assert!(matches!(error, Error::WrongVersion { .. }), "{error}");
    assert!(error.to_string().contains("was created by PostgreSQL 9, but only PostgreSQL 1"), "{error}");
}

#[test]
fn chosen_folder_without_programs_is_an_error_that_names_it() {
    let parent = new_parent();
    let bin_dir = Some(PathBuf::from("/nowhere/bin"));
    let error = LocalPostgres::start(&Options { bin_dir, ..options(parent.path()) }).unwrap_err();
    assert!(error.to_string().starts_with("The PostgreSQL programs in /nowhere/bin cannot be used:"), "{error}");
}

#[test]
fn failed_start_quotes_the_end_of_the_log() {
    let parent = new_parent();
    LocalPostgres::start(&options(parent.path())).unwrap().stop();
    fs::remove_file(parent.path().join("postgres/data/global/pg_control")).unwrap();
    let error = LocalPostgres::start(&options(parent.path())).unwrap_err();
    assert!(matches!(&error, Error::StartFailed { tail, .. } if tail.contains("pg_control")), "{error}");
}

#[test]
fn folder_of_another_user_is_refused() {
    let parent = new_parent();
    let theirs = if geteuid().is_root() {
        lchown(parent.path(), Some(4711), None).unwrap();
        parent.path()
    } else {
        Path::new("/var/tmp")
    };
    let error = LocalPostgres::start(&options(theirs)).unwrap_err();
    assert!(matches!(error, Error::WrongOwner { .. }), "{error}");
}

#[tokio::test]
async fn folder_that_was_open_to_others_is_closed() {
    for mode in [0o755, 0o750, 0o777, 0o701] {
        let parent = new_parent();
        let dir = parent.path().join("postgres");
        fs::create_dir(&dir).unwrap();
        fs::set_permissions(&dir, Permissions::from_mode(mode)).unwrap();
        let postgres = LocalPostgres::start(&options(parent.path())).unwrap();
        assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700, "{mode:o}");
        assert_eq!(query(&postgres, "select 'fine'").await, "fine");
    }
}

/// The account `nobody` or `postgres` may run other programs.
#[cfg(target_os = "linux")]
#[test]
fn as_root_the_server_admits_no_other_user_not_even_its_own() {
    use std::os::unix::{fs::MetadataExt, net::UnixStream};

    if !geteuid().is_root() {
        return;
    }
    let parent = new_parent();
    let _postgres = LocalPostgres::start(&options(parent.path())).unwrap();
    let dir = parent.path().join("postgres");
    let owner = fs::metadata(&dir).unwrap().uid();
    let first_answer = |uid: u32| {
        let socket = dir.join(".s.PGSQL.5432");
        let connect = move || {
            let uid = rustix::thread::Uid::from_raw(uid);
            rustix::thread::set_thread_res_uid(uid, uid, uid).unwrap();
            let mut server = UnixStream::connect(socket)?;
            let startup = b"\0\x03\0\0user\0app\0database\0app\0\0";
            server.write_all(&u32::try_from(startup.len() + 4).unwrap().to_be_bytes())?;
            server.write_all(startup)?;
            let mut kind = [0];
            server.read_exact(&mut kind).map(|()| kind[0])
        };
        std::thread::spawn(connect).join().unwrap().ok()
    };
    assert_eq!(first_answer(0), Some(b'R'), "authenticated");
    assert_eq!(first_answer(owner), Some(b'E'));
    assert_eq!(first_answer(4711), None);
}

#[test]
fn as_root_a_closed_folder_is_an_error_with_its_remedy() {
    if !geteuid().is_root() {
        return;
    }
    let parent = new_parent();
    fs::set_permissions(parent.path(), Permissions::from_mode(0o700)).unwrap();
    let error = LocalPostgres::start(&options(&parent.path().join("within"))).unwrap_err();
    assert!(error.to_string().contains(&format!("chmod o+x {}`", parent.path().display())), "{error}");
}

/// Not a test: the program of [`Client`], which runs in a process that can be killed.
#[test]
fn client_process() {
    let Some(parent) = std::env::var_os(DIR_VARIABLE) else {
        return;
    };
    let postgres = LocalPostgres::start(&options(Path::new(&parent))).unwrap();
    println!("\nready, has_started_server={}", postgres.has_started_server());
    sleep(Duration::from_secs(60));
}

struct Client(Child);

impl Client {
    fn spawn(parent: &Path) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "client_process", "--nocapture"])
            .env(DIR_VARIABLE, parent)
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn();
        Self(child.unwrap())
    }

    /// Returns the line that it prints when its server is ready. `None` if it ended before.
    fn wait_until_ready(&mut self) -> Option<String> {
        let output = BufReader::new(self.0.stdout.take()?);
        output.lines().map_while(Result::ok).find(|line| line.starts_with("ready, "))
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Creates a folder that the server's OS user can enter if the tests run as root.
fn new_parent() -> TempDir {
    let mode = Permissions::from_mode(0o711);
    tempfile::Builder::new().prefix("local-postgres-").permissions(mode).tempdir_in("/var/tmp").unwrap()
}

fn options(parent: &Path) -> Options {
    Options {
        dir: parent.join("postgres"),
        database: "app".into(),
        bin_dir: std::env::var_os("PG_BIN").map(PathBuf::from),
        search_path: std::env::var_os("PATH"),
        durable: false,
    }
}

/// Runs one statement and returns the first text of its result.
async fn query(postgres: &LocalPostgres, statement: &'static str) -> String {
    let mut connection = PgConnection::connect(postgres.url()).await.unwrap();
    let text = sqlx::query_scalar(statement).fetch_optional(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    text.unwrap_or_default()
}

fn accepts_connections(parent: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(parent.join("postgres/.s.PGSQL.5432")).is_ok()
}

fn assert_stops(parent: &Path) {
    wait_until(|| !accepts_connections(parent) && !parent.join("postgres/data/postmaster.pid").exists());
}

fn wait_until(mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(60), "waited too long");
        sleep(Duration::from_millis(10));
    }
}

fn server_pid(parent: &Path) -> Pid {
    let text = fs::read_to_string(parent.join("postgres/data/postmaster.pid")).unwrap();
    Pid::from_raw(text.lines().next().unwrap().parse().unwrap()).unwrap()
}

fn parent_of(pid: Pid) -> std::io::Result<Pid> {
    let status = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero()))?;
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap();
    Ok(Pid::from_raw(parent.trim().parse().unwrap()).unwrap())
}
