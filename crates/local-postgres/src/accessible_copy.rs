//! Copy of the programs that the server's OS user can reach.

use std::{
    fs, io,
    os::unix::fs::{lchown, symlink},
    path::{Path, PathBuf},
};

use crate::{
    binaries::Binaries,
    data_dir::{DataDir, fnv1a},
    error::Error,
    os_user::OsUser,
};

/// Returns `binaries`, or a copy of them in the data folder if the server's OS user cannot reach them. Bundled programs
/// may lie in root's home, where cargo built them.
pub(crate) fn make_accessible(binaries: Binaries, data_dir: &DataDir) -> Result<Binaries, Error> {
    let real = fs::canonicalize(&binaries.dir).map_err(Error::at(&binaries.dir))?;
    match data_dir.os_user() {
        Some(user) if !user.can_reach(&real.join("postgres")) => {
            Ok(binaries.with_dir(copy(&real, &binaries.version, data_dir, user)?))
        }
        _ => Ok(binaries),
    }
}

/// Copies the programs, unless a copy of this version exists. Returns their folder.
fn copy(bin: &Path, version: &str, data_dir: &DataDir, user: &OsUser) -> Result<PathBuf, Error> {
    let prefix = bin.parent().unwrap_or(bin);
    let bin_name = bin.file_name().unwrap_or_default();
    let key = [prefix.as_os_str().as_encoded_bytes(), version.as_bytes()].concat();
    let target = data_dir.path(&format!("programs-{:016x}", fnv1a(&key)));
    if target.is_dir() {
        return Ok(target.join(bin_name));
    }
    let new = data_dir.path("programs.new");
    let fill = || {
        if new.exists() {
            fs::remove_dir_all(&new)?;
        }
        fs::create_dir(&new)?;
        // PostgreSQL looks for these beside its programs. The prefix may contain much else. In `usr` is what the programs
        // that script/setup unpacked start.
        for part in [bin_name, "lib".as_ref(), "lib64".as_ref(), "share".as_ref(), "usr".as_ref()] {
            if prefix.join(part).is_dir() {
                copy_dir(&prefix.join(part), &new.join(part), prefix, user)?;
            }
        }
        lchown(&new, Some(user.uid), Some(user.gid))?;
        fs::rename(&new, &target)
    };
    fill().map_err(Error::at(&target))?;
    Ok(target.join(bin_name))
}

/// Copies a folder. Links out of `prefix` stay links, because they may lead to files that `owner` must not read: the
/// unpacked programs have one to the system's private keys.
fn copy_dir(from: &Path, to: &Path, prefix: &Path, owner: &OsUser) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        // Links of unpacked packages may lead nowhere.
        let Ok(real) = fs::canonicalize(&path) else { continue };
        if !real.starts_with(prefix) {
            symlink(&real, &target)?;
        } else if real.is_dir() {
            copy_dir(&path, &target, prefix, owner)?;
        } else {
            fs::copy(&path, &target)?;
            lchown(&target, Some(owner.uid), Some(owner.gid))?;
        }
    }
    lchown(to, Some(owner.uid), Some(owner.gid))
}

#[cfg(test)]
mod tests {
    use rustix::process::{getegid, geteuid};

    use super::*;

    #[test]
    fn copy_has_no_file_from_outside() {
        let folder = tempfile::tempdir().unwrap();
        let folder = fs::canonicalize(folder.path()).unwrap();
        let prefix = folder.join("prefix");
        fs::create_dir_all(prefix.join("usr/bin")).unwrap();
        fs::create_dir(folder.join("keys")).unwrap();
        fs::write(prefix.join("usr/bin/postgres"), "program").unwrap();
        symlink("postgres", prefix.join("usr/bin/postmaster")).unwrap();
        symlink(folder.join("keys"), prefix.join("usr/private")).unwrap();
        symlink("/nowhere", prefix.join("usr/dangling")).unwrap();
        let owner = OsUser { name: "me".to_owned(), uid: geteuid().as_raw(), gid: getegid().as_raw() };
        let copy = folder.join("copy");
        copy_dir(&prefix.join("usr"), &copy, &prefix, &owner).unwrap();
        assert_eq!(fs::read_to_string(copy.join("bin/postmaster")).unwrap(), "program");
        assert!(!copy.join("bin/postmaster").is_symlink());
        assert_eq!(fs::read_link(copy.join("private")).unwrap(), folder.join("keys"));
        assert!(!copy.join("dangling").is_symlink());
    }
}
