//! Starts the keeper of the server, and asks a server whether it is there.

use std::{
    fs,
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::{fs::lchown, net::UnixStream, process::CommandExt},
    path::{Path, PathBuf},
    process::Child,
    thread::sleep,
    time::{Duration, Instant},
};

use super::{
    Error, Settings,
    account::{Account, closed_on_the_way},
    place::{Place, fingerprint, trouble},
    programs::{self, Programs},
};

/// Longest wait for a server to answer; a first start on a slow disk takes some seconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at something that is about to change.
pub(super) const BLINK: Duration = Duration::from_millis(20);

/// The shell script that runs Postgres as its child; it says itself what it is given.
const KEEPER: &str = include_str!("keeper.sh");

/// Starts the keeper, which holds `lock` from now on, and waits until the server answers. Gives the
/// keeper and the first claim.
pub(super) fn start(place: &Place, settings: &Settings, lock: fs::File) -> Result<(Child, fs::File), Error> {
    let data = place.file("data");
    let wanted = fs::read_to_string(data.join("PG_VERSION")).ok();
    let programs = programs::find(settings, wanted.as_deref().map(str::trim), &data)?;
    let bin = reachable(&programs, place)?;
    end_leftover(&data);
    place.make_socket_folder()?;
    let (log, seen) = place.open_log()?;
    let (input, claim) = place.new_claims()?;
    let keeper = place
        .command("/bin/sh")
        .args(["-c", KEEPER, "heartlist-postgres"])
        .arg(&bin)
        .arg(place.socket_folder())
        .arg(if settings.durable { "durable" } else { "fleeting" })
        .envs(programs::environment(&bin))
        .stdin(input)
        .stdout(lock)
        .stderr(log)
        .process_group(0)
        .spawn()
        .map_err(trouble(Path::new("/bin/sh")))?;
    await_answer(place, keeper, seen).map(|keeper| (keeper, claim))
}

fn await_answer(place: &Place, mut keeper: Child, seen: u64) -> Result<Child, Error> {
    let begun = Instant::now();
    loop {
        let last = match ask(&place.socket()) {
            Ok(()) => return Ok(keeper),
            Err(answer) => answer,
        };
        let log = place.file("log");
        if matches!(keeper.try_wait(), Ok(Some(_))) {
            return Err(Error::Failed { tail: tail(&log, seen), log });
        }
        if begun.elapsed() > PATIENCE {
            return Err(Error::TimedOut { log, last });
        }
        sleep(BLINK);
    }
}

/// What the log got since it was `seen` bytes long; its last 20 lines.
fn tail(log: &Path, seen: u64) -> String {
    let mut text = Vec::new();
    let read = fs::File::open(log).and_then(|mut file| {
        file.seek(SeekFrom::Start(seen))?;
        file.read_to_end(&mut text)
    });
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    read.map_or_else(|error| error.to_string(), |_| lines[lines.len().saturating_sub(20)..].join("\n"))
}

/// Asks the server on `socket` whether it lets us into our database, in the words of Postgres's
/// protocol 3.0 (<https://www.postgresql.org/docs/current/protocol-flow.html>). What lies on the disk
/// does not tell: a file can be left over from a server that was killed.
pub(super) fn ask(socket: &Path) -> Result<(), String> {
    converse(socket).map_err(|error| error.to_string())
}

fn converse(socket: &Path) -> io::Result<()> {
    let mut server = UnixStream::connect(socket)?;
    server.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut hello = 196_608_u32.to_be_bytes().to_vec();
    hello.extend(b"user\0heartlist\0database\0heartlist\0\0");
    let length = u32::try_from(hello.len() + 4).unwrap_or(u32::MAX);
    server.write_all(&length.to_be_bytes())?;
    server.write_all(&hello)?;
    loop {
        let mut head = [0; 5];
        server.read_exact(&mut head)?;
        let [kind, length @ ..] = head;
        let mut body = Vec::new();
        let length = u64::from(u32::from_be_bytes(length).saturating_sub(4));
        Read::by_ref(&mut server).take(length).read_to_end(&mut body)?;
        match kind {
            b'Z' => return server.write_all(b"X\0\0\0\x04"),
            b'E' => {
                let fields = body.split(|byte| *byte == 0);
                let message = fields.filter_map(|field| field.strip_prefix(b"M")).next();
                return Err(io::Error::other(String::from_utf8_lossy(message.unwrap_or_default()).into_owned()));
            }
            _ => {}
        }
    }
}

/// Ends a server whose keeper was killed, and forgets one that is no more.
///
/// Only called with the lock in hand, so no keeper lives. Postgres refuses to start when the number
/// in postmaster.pid is some process of the same user, which after a crash can be any process at all:
/// where the system tells, the file counts only when that process really works in this folder.
fn end_leftover(data: &Path) {
    let file = data.join("postmaster.pid");
    let Ok(text) = fs::read_to_string(&file) else {
        return;
    };
    let number = text.lines().next().and_then(|line| line.trim().parse().ok());
    let (Some(pid), true) = (number.and_then(rustix::process::Pid::from_raw), Path::new("/proc/self/cwd").exists())
    else {
        return;
    };
    let works_here = || {
        let folder = fs::read_link(format!("/proc/{}/cwd", pid.as_raw_nonzero()));
        folder.is_ok_and(|folder| folder == data)
    };
    for _ in 0..100 {
        if !works_here() {
            let _ = fs::remove_file(&file);
            return;
        }
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
        sleep(Duration::from_millis(100));
    }
}

/// The folder of the programs, or of a copy where the account cannot get to them: below the home of
/// root, for one, where cargo may have put those that were built in.
fn reachable(programs: &Programs, place: &Place) -> Result<PathBuf, Error> {
    let real = fs::canonicalize(&programs.bin).map_err(trouble(&programs.bin))?;
    match place.account() {
        Some(account) if closed_on_the_way(&real.join("postgres"), account).is_some() => {
            copy(&real, &programs.version, place, account)
        }
        _ => Ok(programs.bin.clone()),
    }
}

fn copy(bin: &Path, version: &str, place: &Place, account: &Account) -> Result<PathBuf, Error> {
    let source = bin.parent().unwrap_or(bin);
    let name = bin.file_name().unwrap_or_default();
    let key = [source.as_os_str().as_encoded_bytes(), version.as_bytes()].concat();
    let target = place.file(&format!("programs-{:016x}", fingerprint(&key)));
    if target.is_dir() {
        return Ok(target.join(name));
    }
    let new = place.file("programs.new");
    let fill = || {
        if new.exists() {
            fs::remove_dir_all(&new)?;
        }
        fs::create_dir(&new)?;
        // What Postgres looks for beside its programs, and not all that may lie there.
        for part in [name, "lib".as_ref(), "lib64".as_ref(), "share".as_ref()] {
            if source.join(part).is_dir() {
                copy_folder(&source.join(part), &new.join(part), account)?;
            }
        }
        lchown(&new, Some(account.uid), Some(account.gid))?;
        fs::rename(&new, &target)
    };
    fill().map_err(trouble(&target))?;
    Ok(target.join(name))
}

fn copy_folder(from: &Path, to: &Path, account: &Account) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let (path, target) = {
            let entry = entry?;
            (entry.path(), to.join(entry.file_name()))
        };
        if path.is_dir() {
            copy_folder(&path, &target, account)?;
        } else {
            fs::copy(&path, &target)?;
            lchown(&target, Some(account.uid), Some(account.gid))?;
        }
    }
    lchown(to, Some(account.uid), Some(account.gid))
}
