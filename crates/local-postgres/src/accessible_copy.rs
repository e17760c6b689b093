//! Copy of the programs that the server's OS user can reach.

use std::{
    fs, io,
    os::unix::fs::lchown,
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
        // PostgreSQL looks for these beside its programs. The prefix may contain much else.
        for part in [bin_name, "lib".as_ref(), "lib64".as_ref(), "share".as_ref()] {
            if prefix.join(part).is_dir() {
                copy_dir(&prefix.join(part), &new.join(part), user)?;
            }
        }
        lchown(&new, Some(user.uid), Some(user.gid))?;
        fs::rename(&new, &target)
    };
    fill().map_err(Error::at(&target))?;
    Ok(target.join(bin_name))
}

fn copy_dir(from: &Path, to: &Path, owner: &OsUser) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_dir(&path, &target, owner)?;
        } else {
            fs::copy(&path, &target)?;
            lchown(&target, Some(owner.uid), Some(owner.gid))?;
        }
    }
    lchown(to, Some(owner.uid), Some(owner.gid))
}
