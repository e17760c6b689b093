//! Who Postgres runs as when the app runs as root.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use super::{Error, place::trouble};

/// Who Postgres runs as when the app runs as root, which Postgres refuses to do itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// Finds the accounts that Postgres can run as, best first.
pub(super) fn accounts() -> Result<Vec<Account>, Error> {
    let path = Path::new("/etc/passwd");
    let passwd = fs::read_to_string(path).map_err(trouble(path))?;
    let accounts: Vec<_> =
        ["postgres", "_postgres", "nobody"].iter().filter_map(|name| account(&passwd, name)).collect();
    if accounts.is_empty() { Err(Error::NoAccount) } else { Ok(accounts) }
}

/// Reads one account out of the text of /etc/passwd.
fn account(passwd: &str, name: &str) -> Option<Account> {
    let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
    // macOS writes the number of `nobody` as -2.
    let mut numbers = line.split(':').skip(2).map(|field| field.parse::<i64>().ok().map(|number| number as u32));
    Some(Account { name: name.to_owned(), uid: numbers.next()??, gid: numbers.next()?? })
}

/// Makes sure that `account` can get to `path`.
pub(super) fn expect_open_way(path: &Path, account: &Account) -> Result<(), Error> {
    match closed_on_the_way(path, account) {
        Some(closed) => Err(Error::Closed { closed: closed.to_owned(), account: account.name.clone() }),
        None => Ok(()),
    }
}

/// The folder above `path` that `account` cannot enter, if there is one.
pub(super) fn closed_on_the_way<'a>(path: &'a Path, account: &Account) -> Option<&'a Path> {
    path.ancestors().skip(1).find(|folder| {
        fs::metadata(folder).is_ok_and(|metadata| {
            let bit = match metadata {
                _ if metadata.uid() == account.uid => 0o100,
                _ if metadata.gid() == account.gid => 0o010,
                _ => 0o001,
            };
            metadata.mode() & bit == 0
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_read_from_passwd() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nnobody:*:-2:-2:Nobody:/:/usr/bin/false\n";
        let nobody = account(passwd, "nobody").unwrap();
        assert_eq!((nobody.uid, nobody.gid), (4_294_967_294, 4_294_967_294));
        assert_eq!(account(passwd, "postgres"), None);
    }
}
