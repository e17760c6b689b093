//! Finds Postgres programs that run on this machine.

use std::{
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Error, Settings};

/// The oldest major version that is still used when found: older ones lack what the app relies on.
const OLDEST: u32 = 13;

/// Where packages put the programs, `*` standing for a version: Debian, PGDG, openSUSE, Alpine,
/// Homebrew (three prefixes), Postgres.app and the EDB installers.
const USUAL_PLACES: [&str; 10] = [
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

/// A folder with `postgres` and `initdb` that run here.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    pub(super) bin: PathBuf,
    /// What `postgres --version` prints.
    pub(super) version: String,
    major: u32,
}

impl Programs {
    /// Tries the programs in `bin`; the error is half a sentence on why they are of no use.
    fn try_out(bin: &Path) -> Result<Self, String> {
        if !bin.join("initdb").is_file() || !bin.join("postgres").is_file() {
            return Err("it holds no `postgres` and `initdb`".to_owned());
        }
        let output = Command::new(bin.join("postgres"))
            .arg("--version")
            .env_clear()
            .envs(environment(bin))
            .output()
            .map_err(|error| format!("its `postgres` cannot be run: {error}"))?;
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let major = major(&version).ok_or_else(|| complaint(&output.stderr))?;
        if major < OLDEST {
            return Err(format!("it holds Postgres {major}, and at least {OLDEST} is needed"));
        }
        Ok(Self { bin: bin.to_owned(), version, major })
    }
}

/// The first programs that run here; of the major version `wanted` when data of that version exists.
pub(super) fn find(settings: &Settings, wanted: Option<&str>, data: &Path) -> Result<Programs, Error> {
    let mut found = Vec::new();
    let fits = |programs: &Programs| wanted.is_none_or(|major| programs.major.to_string() == major);
    if let Some(folder) = &settings.pg_bin {
        let programs = Programs::try_out(folder).map_err(|reason| Error::PgBin { folder: folder.clone(), reason })?;
        if fits(&programs) {
            return Ok(programs);
        }
        found.push(programs.major);
    }
    for bin in installed(settings.path.as_deref()) {
        match Programs::try_out(&bin) {
            Ok(programs) if fits(&programs) => return Ok(programs),
            Ok(programs) => found.push(programs.major),
            Err(_) => {}
        }
    }
    let bundled = match bundled().map(Programs::try_out) {
        Some(Ok(programs)) if fits(&programs) => return Ok(programs),
        Some(Ok(programs)) => {
            found.push(programs.major);
            String::new()
        }
        Some(Err(reason)) => format!(" Those that were built in do not run here: {reason}."),
        None => String::new(),
    };
    Err(match wanted {
        Some(major) if !found.is_empty() => wrong_version(major, &mut found, data),
        _ => {
            let system = fs::read_to_string("/etc/os-release").unwrap_or_default();
            Error::NoPrograms { bundled, install: install_command(&system) }
        }
    })
}

fn wrong_version(wanted: &str, found: &mut Vec<u32>, data: &Path) -> Error {
    found.sort_unstable();
    found.dedup();
    let found: Vec<_> = found.iter().map(|major| format!("Postgres {major}")).collect();
    Error::WrongVersion { data: data.to_owned(), wanted: wanted.to_owned(), found: found.join(" and ") }
}

/// What the programs in `bin` need in their environment, which else holds nothing of the app's: no
/// secrets, no settings of a database client, no language their messages could be in.
pub(super) fn environment(bin: &Path) -> Vec<(&'static str, PathBuf)> {
    let mut environment = vec![("LC_ALL", PathBuf::from("C"))];
    if let Some(prefix) = bin.parent().filter(|_| Some(bin) == bundled() || is_copy(bin)) {
        environment.push(("LD_LIBRARY_PATH", prefix.join("lib")));
        // A word of the bundled crate 0.3.3: its initdb else looks for collation data it does not carry.
        environment.push(("OLIPHAUNT_INTERNAL_SKIP_ICU_DISCOVERY", PathBuf::from("1")));
    }
    environment
}

/// Whether `bin` is a copy that the launcher made because the account could not reach the original.
fn is_copy(bin: &Path) -> bool {
    let holder = bin.parent().and_then(Path::file_name).and_then(OsStr::to_str);
    holder.is_some_and(|name| name.starts_with("programs-"))
}

/// The programs that were built in, when there are any for this system and they are still there.
fn bundled() -> Option<&'static Path> {
    option_env!("BUNDLED_POSTGRES").map(Path::new).filter(|bin| bin.is_dir())
}

/// Folders that may hold installed programs, newest version of each place first.
fn installed(path: Option<&OsStr>) -> Vec<PathBuf> {
    let mut folders: Vec<_> = USUAL_PLACES.iter().flat_map(|place| expand(place)).collect();
    folders.extend(
        path.iter()
            .flat_map(|path| path.as_bytes().split(|byte| *byte == b':'))
            .map(|folder| PathBuf::from(OsStr::from_bytes(folder))),
    );
    let pg_config = Command::new("pg_config").arg("--bindir").envs(path.map(|path| ("PATH", path))).output();
    if let Ok(output) = pg_config {
        folders.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    folders.retain(|folder| folder.is_absolute() && folder.join("initdb").is_file());
    folders
}

/// The folders that match `place`, in which one name holds one `*`; highest number first.
fn expand(place: &str) -> Vec<PathBuf> {
    let (before, after) = place.split_once('*').unwrap_or((place, ""));
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(prefix))
        .collect();
    names.sort_by_key(|name| std::cmp::Reverse(number(name)));
    names.iter().map(|name| PathBuf::from(format!("{parent}/{name}{after}"))).collect()
}

/// The first number in a folder's name: 18 in `postgresql@18`, 16 in `16.4`, nothing in `latest`.
fn number(name: &str) -> Option<u32> {
    let digits = name.split(|c: char| !c.is_ascii_digit()).find(|part| !part.is_empty())?;
    digits.parse().ok()
}

/// The major version in `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`.
fn major(version: &str) -> Option<u32> {
    number(version.strip_prefix("postgres (PostgreSQL) ")?)
}

/// Why programs that printed `stderr` instead of their version do not run, as half a sentence.
fn complaint(stderr: &[u8]) -> String {
    let stderr = String::from_utf8_lossy(stderr);
    let glibc = stderr.split("GLIBC_").skip(1).filter_map(|rest| rest.split('\'').next());
    match glibc.max_by_key(|version| number(version.trim_start_matches("2."))) {
        Some(version) => {
            format!("the programs need glibc {version} or newer, and this system has an older one")
        }
        None => format!("the programs say {:?}", stderr.lines().next().unwrap_or_default()),
    }
}

/// The command that installs Postgres, by the text of /etc/os-release (empty where there is none).
fn install_command(system: &str) -> &'static str {
    let words: Vec<&str> = system
        .lines()
        .filter_map(|line| line.strip_prefix("ID=").or_else(|| line.strip_prefix("ID_LIKE=")))
        .flat_map(|ids| ids.trim_matches('"').split(' '))
        .collect();
    let is = |names: &[&str]| words.iter().any(|word| names.contains(word));
    match () {
        () if is(&["debian", "ubuntu"]) => "sudo apt-get install postgresql",
        () if is(&["fedora", "rhel", "centos"]) => "sudo dnf install postgresql-server",
        () if is(&["alpine"]) => "sudo apk add postgresql",
        () if is(&["arch"]) => "sudo pacman -S postgresql",
        () if is(&["suse", "opensuse"]) => "sudo zypper install postgresql-server",
        () if cfg!(target_os = "macos") => "brew install postgresql@18",
        () => "your system's package manager, package `postgresql`",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_postgres_prints() {
        assert_eq!(major("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 19beta1"), Some(19));
        assert_eq!(major("something else 15.1"), None);
        assert_eq!(number("postgresql@18"), Some(18));
        assert_eq!(number("latest"), None);
    }

    #[test]
    fn an_old_glibc_is_named_with_the_newest_version_that_is_asked_for() {
        let stderr = b"libm.so.6: version `GLIBC_2.29' not found\nlibc.so.6: version `GLIBC_2.38' not found (required)";
        assert!(complaint(stderr).contains("glibc 2.38 or newer"));
        assert!(complaint(b"Illegal instruction\n").contains("Illegal instruction"));
    }

    #[test]
    fn the_install_command_fits_the_system() {
        assert_eq!(install_command("NAME=x\nID=debian\n"), "sudo apt-get install postgresql");
        assert_eq!(install_command("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"), "sudo apt-get install postgresql");
        assert_eq!(
            install_command("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n"),
            "sudo dnf install postgresql-server"
        );
    }
}
