//! The folder the private Postgres lives in, and who may use it.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt, lchown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rustix::fs::{FlockOperation, OFlags, flock};

use super::{
    Error,
    account::{Account, accounts, expect_open_way},
};

/// The longest path of a socket that all systems take, in bytes (macOS: 104 with the closing zero).
const LONGEST_SOCKET: usize = 103;
const SOCKET: &str = ".s.PGSQL.5432";

/// The folder `postgres` within the app's: cluster, socket, lock, claims and log.
#[derive(Debug)]
pub(super) struct Place {
    dir: PathBuf,
    /// Only as root.
    account: Option<Account>,
}

impl Place {
    /// Makes the folder where it does not exist yet, and makes sure that it is nobody else's.
    pub(super) fn prepare(folder: &Path) -> Result<Self, Error> {
        let user = rustix::process::geteuid();
        let accounts = if user.is_root() { accounts()? } else { Vec::new() };
        if !folder.exists() {
            let mode = if user.is_root() { 0o711 } else { 0o700 };
            make_folder(folder, mode).map_err(trouble(folder))?;
        }
        let folder = fs::canonicalize(folder).map_err(trouble(folder))?;
        expect_owner(&folder, &[user.as_raw()])?;
        let dir = folder.join("postgres");
        let account = own_folder(&dir, &accounts)?;
        if let Some(account) = &account {
            expect_open_way(&dir, account)?;
        }
        Ok(Self { dir, account })
    }

    /// The path of something in the folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(super) fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    /// Where the socket lies: in the folder, or in a short one when the path would be too long.
    pub(super) fn socket_folder(&self) -> PathBuf {
        if self.dir.as_os_str().len() + 1 + SOCKET.len() <= LONGEST_SOCKET {
            return self.dir.clone();
        }
        PathBuf::from(format!("/tmp/heartlist-{:016x}", fingerprint(self.dir.as_os_str().as_encoded_bytes())))
    }

    /// The socket itself.
    pub(super) fn socket(&self) -> PathBuf {
        self.socket_folder().join(SOCKET)
    }

    /// Makes the short folder where there is need of it. It lies where everybody can write, so
    /// whoever holds its name already must be who Postgres runs as.
    pub(super) fn make_socket_folder(&self) -> Result<(), Error> {
        let folder = self.socket_folder();
        if folder != self.dir {
            own_folder(&folder, self.account.as_slice())?;
        }
        Ok(())
    }

    /// A program that runs in the folder as who owns it, with nothing of the app's environment.
    pub(super) fn command(&self, program: &str) -> Command {
        use std::os::unix::process::CommandExt as _;
        let mut command = Command::new(program);
        command.env_clear().env("PATH", "/usr/bin:/bin").current_dir(&self.dir);
        if let Some(account) = &self.account {
            command.uid(account.uid).gid(account.gid);
        }
        command
    }

    /// The lock, unless another process is starting, running or stopping the server.
    pub(super) fn try_lock(&self) -> Result<Option<File>, Error> {
        let path = self.file("lock");
        let lock = open(&path, OpenOptions::new().write(true).create(true)).map_err(trouble(&path))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(lock)),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(trouble(&path)(error.into())),
        }
    }

    /// Joins those who use the running server, when there is one that is not about to stop.
    pub(super) fn join(&self) -> Option<File> {
        let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
        // Without a reader, that is without a keeper, this does not open.
        let claim = OpenOptions::new().write(true).custom_flags(nonblocking | no_follow()).open(self.file("claims"));
        claim.ok().filter(|file| file.metadata().is_ok_and(|metadata| metadata.file_type().is_fifo()))
    }

    /// Makes new claims: the end for the keeper, and the first claim. Only for who holds the lock.
    pub(super) fn new_claims(&self) -> Result<(File, File), Error> {
        let path = self.file("claims");
        let make = || {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            // rustix has no mkfifo on macOS.
            let made = self.command("mkfifo").args(["-m", "600", "claims"]).stdin(Stdio::null()).output()?;
            if !made.status.success() {
                return Err(io::Error::other(String::from_utf8_lossy(&made.stderr).trim().to_owned()));
            }
            // Opening one end waits for the other, unless somebody already holds both.
            let _both = open(&path, OpenOptions::new().read(true).write(true))?;
            let keeper = open(&path, OpenOptions::new().read(true))?;
            let claim = open(&path, OpenOptions::new().write(true))?;
            Ok((keeper, claim))
        };
        make().map_err(trouble(&path))
    }

    /// The log, opened for adding, and how long it was; one that grew too long is put aside first.
    pub(super) fn open_log(&self) -> Result<(File, u64), Error> {
        let path = self.file("log");
        let length = fs::symlink_metadata(&path).map_or(0, |metadata| metadata.len());
        if length > 1_000_000 {
            fs::rename(&path, self.file("log.old")).map_err(trouble(&path))?;
        }
        let log = open(&path, OpenOptions::new().append(true).create(true)).map_err(trouble(&path))?;
        let length = log.metadata().map_err(trouble(&path))?.len();
        Ok((log, length))
    }
}

/// Turns an input or output error at `path` into ours.
pub(super) fn trouble(path: &Path) -> impl FnOnce(io::Error) -> Error + '_ {
    |source| Error::Folder { path: path.to_owned(), source }
}

fn no_follow() -> i32 {
    OFlags::NOFOLLOW.bits().cast_signed()
}

/// Opens a file of the folder. As root it may have been put there by the account, so no links.
fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    options.mode(0o600).custom_flags(no_follow()).open(path)
}

/// Makes a folder, and those above it that are missing, with just this mode, whatever the umask.
fn make_folder(folder: &Path, mode: u32) -> io::Result<()> {
    if let Some(parent) = folder.parent().filter(|parent| !parent.exists()) {
        make_folder(parent, mode)?;
    }
    match DirBuilder::new().mode(mode).create(folder) {
        Ok(()) => fs::set_permissions(folder, Permissions::from_mode(mode)),
        // Another process was quicker.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes a closed folder that belongs to who Postgres runs as; says which of `accounts` that is.
fn own_folder(dir: &Path, accounts: &[Account]) -> Result<Option<Account>, Error> {
    make_folder(dir, 0o700).map_err(trouble(dir))?;
    let metadata = fs::symlink_metadata(dir).map_err(trouble(dir))?;
    if !metadata.is_dir() {
        return Err(trouble(dir)(io::ErrorKind::NotADirectory.into()));
    }
    let Some(first) = accounts.first() else {
        expect_owner(dir, &[rustix::process::geteuid().as_raw()])?;
        return Ok(None);
    };
    // A server that ran as `nobody` stays with it when an account `postgres` appears later.
    if let Some(owner) = accounts.iter().find(|account| account.uid == metadata.uid()) {
        return Ok(Some(owner.clone()));
    }
    expect_owner(dir, &[0])?;
    lchown(dir, Some(first.uid), Some(first.gid)).map_err(trouble(dir))?;
    Ok(Some(first.clone()))
}

fn expect_owner(path: &Path, allowed: &[u32]) -> Result<(), Error> {
    let owner = fs::symlink_metadata(path).map_err(trouble(path))?.uid();
    if allowed.contains(&owner) { Ok(()) } else { Err(Error::Foreign { path: path.to_owned(), owner }) }
}

/// FNV-1a: the same for a path in each build, which the standard hasher does not promise.
pub(super) fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
