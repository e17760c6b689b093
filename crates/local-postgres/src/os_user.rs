//! OS user of the server when the current user is root, which PostgreSQL refuses.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use crate::error::Error;

const PASSWD: &str = "/etc/passwd";

/// Users to run the server as, best first. `_postgres` is the one of macOS.
const CANDIDATES: [&str; 3] = ["postgres", "_postgres", "nobody"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OsUser {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl OsUser {
    /// Returns the users of this system that can run the server, best first.
    pub(crate) fn candidates() -> Result<Vec<Self>, Error> {
        let path = Path::new(PASSWD);
        let passwd = fs::read_to_string(path).map_err(Error::at(path))?;
        let users: Vec<_> = CANDIDATES.iter().filter_map(|name| Self::parse(&passwd, name)).collect();
        if users.is_empty() { Err(Error::NoOsUser) } else { Ok(users) }
    }

    /// Reads the user `name` from the text of /etc/passwd.
    fn parse(passwd: &str, name: &str) -> Option<Self> {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
        // macOS writes the ids of `nobody` as -2.
        let mut ids = line.split(':').skip(2).map(|field| field.parse::<i64>().ok().map(|id| id as u32));
        Some(Self { name: name.to_owned(), uid: ids.next()??, gid: ids.next()?? })
    }

    /// Fails if a folder above `path` is closed to this user.
    pub(crate) fn check_reach(&self, path: &Path) -> Result<(), Error> {
        match self.first_closed_dir(path) {
            Some(dir) => Err(Error::Unreachable { dir: dir.to_owned(), user: self.name.clone() }),
            None => Ok(()),
        }
    }

    /// Whether this user can pass through all folders above `path`.
    pub(crate) fn can_reach(&self, path: &Path) -> bool {
        self.first_closed_dir(path).is_none()
    }

    fn first_closed_dir<'a>(&self, path: &'a Path) -> Option<&'a Path> {
        path.ancestors().skip(1).find(|dir| {
            fs::metadata(dir).is_ok_and(|metadata| {
                let execute_bit = match metadata {
                    _ if metadata.uid() == self.uid => 0o100,
                    _ if metadata.gid() == self.gid => 0o010,
                    _ => 0o001,
                };
                metadata.mode() & execute_bit == 0
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_read_from_passwd_also_with_negative_ids() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nnobody:*:-2:-2:Nobody:/:/usr/bin/false\n";
        let nobody = OsUser::parse(passwd, "nobody").unwrap();
        assert_eq!((nobody.uid, nobody.gid), (4_294_967_294, 4_294_967_294));
        assert_eq!(OsUser::parse(passwd, "postgres"), None);
    }
}
