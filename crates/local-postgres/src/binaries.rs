//! Search for PostgreSQL programs that run on this machine.

use std::{
    cmp::Reverse,
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{error::Error, install_hint, options::Options};

/// Oldest major version that is used. Older ones get no fixes any more.
const MIN_MAJOR_VERSION: u32 = 13;

/// Folders into which packages install the programs, `*` standing for a version: Debian, PGDG, openSUSE, Alpine,
/// Homebrew (three prefixes), Postgres.app and the EDB installers.
const INSTALL_DIRS: [&str; 10] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/lib/postgresql*/bin",
    "/usr/libexec/postgresql*",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/Library/PostgreSQL/*/bin",
    "/opt/PostgreSQL/*/bin",
];

/// Programs `postgres` and `initdb` that run on this machine.
#[derive(Debug, Clone)]
pub(crate) struct Binaries {
    pub(crate) dir: PathBuf,
    /// Output of `postgres --version`.
    pub(crate) version: String,
    major: u32,
    /// True if the programs were moved after they were built, and need `LD_LIBRARY_PATH`.
    is_relocated: bool,
}

impl Binaries {
    /// Returns the first programs that run here and, if `data` exists, have its major version.
    pub(crate) fn find(options: &Options, data: &Path) -> Result<Self, Error> {
        let required = fs::read_to_string(data.join("PG_VERSION")).ok().map(|version| version.trim().to_owned());
        let mut rejected = Vec::new();
        let mut check = |binaries: Self| match &required {
            Some(required) if binaries.major.to_string() != *required => {
                rejected.push(binaries.major);
                None
            }
            _ => Some(binaries),
        };
        if let Some(dir) = &options.bin_dir {
            let binaries = Self::probe(dir).map_err(|reason| Error::UnusableBinDir { dir: dir.clone(), reason })?;
            if let Some(binaries) = check(binaries) {
                return Ok(binaries);
            }
        }
        let installed = installed_dirs(options.search_path.as_deref());
        if let Some(binaries) = installed.iter().filter_map(|dir| Self::probe(dir).ok()).find_map(&mut check) {
            return Ok(binaries);
        }
        let mut bundled = String::new();
        match bundled_dir().map(Self::probe) {
            Some(Ok(binaries)) => {
                if let Some(binaries) = check(binaries) {
                    return Ok(binaries);
                }
            }
            Some(Err(reason)) => bundled = format!(" The bundled ones do not run here: {reason}."),
            None => {}
        }
        Err(match required {
            Some(required) if !rejected.is_empty() => wrong_version(required, rejected, data),
            _ => Error::NoBinaries { bundled, install: install_hint::sentence() },
        })
    }

    /// Runs `postgres --version` in `dir`. The error is half a sentence that says why the programs are of no use.
    fn probe(dir: &Path) -> Result<Self, String> {
        if !dir.join("initdb").is_file() || !dir.join("postgres").is_file() {
            return Err("`postgres` or `initdb` is missing".to_owned());
        }
        let is_relocated = Some(dir) == bundled_dir();
        let output = Command::new(dir.join("postgres"))
            .arg("--version")
            .env_clear()
            .envs(environment(dir, is_relocated))
            .output()
            .map_err(|error| format!("`postgres` does not start: {error}"))?;
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let major = parse_major(&version).ok_or_else(|| explain_failure(&output.stderr))?;
        if major < MIN_MAJOR_VERSION {
            return Err(format!("they are of version {major}, but at least {MIN_MAJOR_VERSION} is needed"));
        }
        Ok(Self { dir: dir.to_owned(), version, major, is_relocated })
    }

    /// Returns the whole environment of the programs.
    pub(crate) fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        environment(&self.dir, self.is_relocated)
    }

    /// Returns these programs as copied to `dir`.
    pub(crate) fn with_dir(&self, dir: PathBuf) -> Self {
        Self { dir, is_relocated: true, ..self.clone() }
    }
}

/// Returns the whole environment of programs in `dir`. It has no secrets, no settings of a database client and no
/// language for messages.
fn environment(dir: &Path, is_relocated: bool) -> Vec<(&'static str, PathBuf)> {
    let mut environment = vec![("LC_ALL", PathBuf::from("C"))];
    if let Some(prefix) = dir.parent().filter(|_| is_relocated) {
        environment.push(("LD_LIBRARY_PATH", prefix.join("lib")));
        // initdb of the bundled crate 0.3.3 otherwise looks for collation data that the crate does not contain.
        environment.push(("OLIPHAUNT_INTERNAL_SKIP_ICU_DISCOVERY", PathBuf::from("1")));
    }
    environment
}

fn wrong_version(required: String, mut found: Vec<u32>, data: &Path) -> Error {
    found.sort_unstable();
    found.dedup();
    let found: Vec<_> = found.iter().map(|major| format!("PostgreSQL {major}")).collect();
    Error::WrongVersion { data: data.to_owned(), required, found: found.join(" and ") }
}

/// Folder of the bundled programs. `None` if there are none for this platform, or if they were deleted after the build.
fn bundled_dir() -> Option<&'static Path> {
    option_env!("BUNDLED_POSTGRES").map(Path::new).filter(|dir| dir.is_dir())
}

/// Returns folders of installed programs: the newest version of each package, then `search_path`, then what
/// `pg_config` prints.
fn installed_dirs(search_path: Option<&OsStr>) -> Vec<PathBuf> {
    let mut dirs: Vec<_> = INSTALL_DIRS.iter().flat_map(|pattern| expand(pattern)).collect();
    dirs.extend(
        search_path
            .iter()
            .flat_map(|path| path.as_bytes().split(|byte| *byte == b':'))
            .map(|dir| PathBuf::from(OsStr::from_bytes(dir))),
    );
    let pg_config = Command::new("pg_config").arg("--bindir").envs(search_path.map(|path| ("PATH", path))).output();
    if let Ok(output) = pg_config {
        dirs.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    dirs.retain(|dir| dir.is_absolute() && dir.join("initdb").is_file());
    dirs
}

/// Returns the folders that match `pattern`, in which one path component contains one `*`; highest number first.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let (before, after) = pattern.split_once('*').unwrap_or((pattern, ""));
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(prefix))
        .collect();
    names.sort_by_key(|name| Reverse(first_number(name)));
    names.iter().map(|name| PathBuf::from(format!("{parent}/{name}{after}"))).collect()
}

/// Reads 18 from `postgresql@18`, 16 from `16.4`, and `None` from `latest`.
fn first_number(text: &str) -> Option<u32> {
    let digits = text.split(|c: char| !c.is_ascii_digit()).find(|part| !part.is_empty())?;
    digits.parse().ok()
}

/// Reads the major version from a line like `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`.
fn parse_major(version: &str) -> Option<u32> {
    first_number(version.strip_prefix("postgres (PostgreSQL) ")?)
}

/// Says, as half a sentence, why programs that printed `stderr` do not run.
fn explain_failure(stderr: &[u8]) -> String {
    let stderr = String::from_utf8_lossy(stderr);
    let glibc = stderr.split("GLIBC_").skip(1).filter_map(|rest| rest.split('\'').next());
    match glibc.max_by_key(|version| first_number(version.trim_start_matches("2."))) {
        Some(version) => format!("they need glibc {version} or newer, and this system has an older one"),
        None => format!("`postgres --version` fails with {:?}", stderr.lines().next().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_version_is_read_from_the_output_of_postgres() {
        assert_eq!(parse_major("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"), Some(15));
        assert_eq!(parse_major("postgres (PostgreSQL) 19beta1"), Some(19));
        assert_eq!(parse_major("something else 15.1"), None);
        assert_eq!(first_number("postgresql@18"), Some(18));
        assert_eq!(first_number("latest"), None);
    }

    #[test]
    fn newest_glibc_that_is_required_is_named() {
        let stderr = b"libm.so.6: version `GLIBC_2.29' not found\nlibc.so.6: version `GLIBC_2.38' not found (required)";
        assert!(explain_failure(stderr).contains("glibc 2.38 or newer"));
        assert!(explain_failure(b"Illegal instruction\n").contains("Illegal instruction"));
    }
}
