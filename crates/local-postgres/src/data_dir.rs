//! Folder of the server: its owner, and the files by which processes share the server.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Read},
    os::unix::{
        fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt, lchown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rustix::fs::{FlockOperation, OFlags, flock};

use crate::{error::Error, options::Options, os_user::OsUser};

/// Longest socket path, in bytes, that all systems accept (macOS: 104 with the final zero).
const MAX_SOCKET_PATH_BYTES: usize = 103;
/// Name that PostgreSQL gives to the socket of port 5432.
const SOCKET_NAME: &str = ".s.PGSQL.5432";
/// Size from which the log is renamed to `log.old` at the next start.
const MAX_LOG_BYTES: u64 = 1_000_000;

/// Holds `data` (the cluster), `lock`, `claims` (a FIFO), `log` and, if its path is short enough, the socket.
#[derive(Debug)]
pub(crate) struct DataDir {
    dir: PathBuf,
    socket_dir: PathBuf,
    /// Set if the current user is root.
    os_user: Option<OsUser>,
}

impl DataDir {
    /// Creates the folder if it is missing. Fails if it, or its parent, belongs to another user.
    pub(crate) fn open_or_create(options: &Options) -> Result<Self, Error> {
        let dir = std::path::absolute(&options.dir).map_err(Error::at(&options.dir))?;
        let (Some(parent), Some(name)) = (dir.parent(), dir.file_name()) else {
            return Err(Error::at(&dir)(io::ErrorKind::InvalidInput.into()));
        };
        let user = rustix::process::geteuid();
        let candidates = if user.is_root() { OsUser::candidates()? } else { Vec::new() };
        if !parent.exists() {
            let mode = if user.is_root() { 0o711 } else { 0o700 };
            create_dir(parent, mode).map_err(Error::at(parent))?;
        }
        let parent = fs::canonicalize(parent).map_err(Error::at(parent))?;
        check_owner(&parent, user.as_raw())?;
        let dir = parent.join(name);
        let os_user = create_private_dir(&dir, &candidates)?;
        if let Some(os_user) = &os_user {
            os_user.check_reach(&dir)?;
        }
        let socket_dir = choose_socket_dir(&dir, &options.database);
        Ok(Self { dir, socket_dir, os_user })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(crate) fn os_user(&self) -> Option<&OsUser> {
        self.os_user.as_ref()
    }

    pub(crate) fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    pub(crate) fn socket_path(&self) -> PathBuf {
        self.socket_dir.join(SOCKET_NAME)
    }

    /// Creates the socket's folder in /tmp, if one is needed. Everybody can write to /tmp, so a folder that exists
    /// already must belong to the server's OS user.
    pub(crate) fn create_socket_dir(&self) -> Result<(), Error> {
        if self.socket_dir != self.dir {
            create_private_dir(&self.socket_dir, self.os_user.as_slice())?;
        }
        Ok(())
    }

    /// Returns a command that runs in the folder, as the server's OS user and without this process's environment.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", "/usr/bin:/bin").current_dir(&self.dir);
        if let Some(user) = &self.os_user {
            command.uid(user.uid).gid(user.gid);
        }
        command
    }

    /// Takes the lock. `None` if another process is starting, running or stopping the server.
    pub(crate) fn try_lock(&self) -> Result<Option<File>, Error> {
        let path = self.path("lock");
        let lock = open(&path, OpenOptions::new().write(true).create(true)).map_err(Error::at(&path))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(lock)),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(Error::at(&path)(error.into())),
        }
    }

    /// Opens a claim on the running server. `None` if there is none, or if it is stopping.
    pub(crate) fn open_claim(&self) -> Option<File> {
        let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
        // Opening fails if no supervisor has the reading end.
        let claim = OpenOptions::new().write(true).custom_flags(nonblocking | no_follow()).open(self.path("claims"));
        claim.ok().filter(|file| file.metadata().is_ok_and(|metadata| metadata.file_type().is_fifo()))
    }

    /// Whether a process has a claim on the server. Reading from the FIFO fails only then: nobody ever writes to it,
    /// and without a claim it is at its end.
    pub(crate) fn is_claimed(&self) -> bool {
        let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
        let claims = OpenOptions::new().read(true).custom_flags(nonblocking | no_follow()).open(self.path("claims"));
        claims
            .is_ok_and(|mut claims| claims.read(&mut [0]).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock))
    }

    /// Creates the FIFO of the claims. Returns its reading end, for the supervisor, and a first claim. The lock must
    /// be held.
    pub(crate) fn create_claims(&self) -> Result<(File, File), Error> {
        let path = self.path("claims");
        let create = || {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            // rustix has no mkfifo on macOS.
            let mkfifo = self.command("mkfifo").args(["-m", "600", "claims"]).stdin(Stdio::null()).output()?;
            if !mkfifo.status.success() {
                return Err(io::Error::other(String::from_utf8_lossy(&mkfifo.stderr).trim().to_owned()));
            }
            // Opening one end blocks until the other is open, unless a descriptor has both.
            let _both = open(&path, OpenOptions::new().read(true).write(true))?;
            let reader = open(&path, OpenOptions::new().read(true))?;
            let claim = open(&path, OpenOptions::new().write(true))?;
            Ok((reader, claim))
        };
        create().map_err(Error::at(&path))
    }

    /// Opens the log for appending, and returns its length too. A log that is too long is renamed first.
    pub(crate) fn open_log(&self) -> Result<(File, u64), Error> {
        let path = self.path("log");
        let length = fs::symlink_metadata(&path).map_or(0, |metadata| metadata.len());
        if length > MAX_LOG_BYTES {
            fs::rename(&path, self.path("log.old")).map_err(Error::at(&path))?;
        }
        let log = open(&path, OpenOptions::new().append(true).create(true)).map_err(Error::at(&path))?;
        let length = log.metadata().map_err(Error::at(&path))?.len();
        Ok((log, length))
    }
}

/// Returns `dir` itself, or a folder in /tmp if the socket's path in `dir` would be too long.
fn choose_socket_dir(dir: &Path, database: &str) -> PathBuf {
    if dir.as_os_str().len() + 1 + SOCKET_NAME.len() <= MAX_SOCKET_PATH_BYTES {
        return dir.to_owned();
    }
    PathBuf::from(format!("/tmp/{database}-{:016x}", fnv1a(dir.as_os_str().as_encoded_bytes())))
}

fn no_follow() -> i32 {
    OFlags::NOFOLLOW.bits().cast_signed()
}

/// Opens a file of the folder, but no symbolic link: root must not follow one that the server's OS user placed there.
fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    options.mode(0o600).custom_flags(no_follow()).open(path)
}

/// Creates a folder and its missing parents with exactly this mode, whatever the umask.
fn create_dir(dir: &Path, mode: u32) -> io::Result<()> {
    if let Some(parent) = dir.parent().filter(|parent| !parent.exists()) {
        create_dir(parent, mode)?;
    }
    match DirBuilder::new().mode(mode).create(dir) {
        Ok(()) => fs::set_permissions(dir, Permissions::from_mode(mode)),
        // Another process may have created it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Creates a folder that only its owner can enter. The owner is one of `candidates`, and returned; or the current user,
/// if there are no candidates.
fn create_private_dir(dir: &Path, candidates: &[OsUser]) -> Result<Option<OsUser>, Error> {
    create_dir(dir, 0o700).map_err(Error::at(dir))?;
    let metadata = fs::symlink_metadata(dir).map_err(Error::at(dir))?;
    if !metadata.is_dir() {
        return Err(Error::at(dir)(io::ErrorKind::NotADirectory.into()));
    }
    let owner = match candidates.first() {
        None => {
            check_owner(dir, rustix::process::geteuid().as_raw())?;
            None
        }
        Some(first) => match candidates.iter().find(|user| user.uid == metadata.uid()) {
            // Data of `nobody` stays with `nobody` if a user `postgres` is added later.
            Some(owner) => Some(owner.clone()),
            None => {
                check_owner(dir, 0)?;
                lchown(dir, Some(first.uid), Some(first.gid)).map_err(Error::at(dir))?;
                Some(first.clone())
            }
        },
    };
    // A folder that existed may be open to others, who could then reach the socket or replace it.
    fs::set_permissions(dir, Permissions::from_mode(0o700)).map_err(Error::at(dir))?;
    Ok(owner)
}

fn check_owner(path: &Path, expected: u32) -> Result<(), Error> {
    let owner = fs::symlink_metadata(path).map_err(Error::at(path))?.uid();
    if owner == expected { Ok(()) } else { Err(Error::WrongOwner { path: path.to_owned(), owner }) }
}

/// FNV-1a hash. Unlike the standard hasher's, its result never changes.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
