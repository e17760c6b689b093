//! How to install PostgreSQL on this system.

use std::fs;

/// Returns a sentence with the command, if it is known.
pub(crate) fn sentence() -> String {
    match command(&fs::read_to_string("/etc/os-release").unwrap_or_default()) {
        Some(command) => format!("Install them with `{}`.", as_user(command, rustix::process::geteuid().is_root())),
        None => "Install the package `postgresql`.".to_owned(),
    }
}

/// Returns the command without `sudo` if the user is root, whose system may lack it.
fn as_user(command: &str, is_root: bool) -> &str {
    command.strip_prefix("sudo ").filter(|_| is_root).unwrap_or(command)
}

/// Returns the command for the system with this text of /etc/os-release (empty if there is no such file).
fn command(os_release: &str) -> Option<&'static str> {
    let ids: Vec<&str> = os_release
        .lines()
        .filter_map(|line| line.strip_prefix("ID=").or_else(|| line.strip_prefix("ID_LIKE=")))
        .flat_map(|ids| ids.trim_matches('"').split(' '))
        .collect();
    let is_any = |names: &[&str]| ids.iter().any(|id| names.contains(id));
    match () {
        () if is_any(&["debian", "ubuntu"]) => Some("sudo apt-get install postgresql"),
        () if is_any(&["fedora", "rhel", "centos"]) => Some("sudo dnf install postgresql-server"),
        () if is_any(&["alpine"]) => Some("sudo apk add postgresql"),
        () if is_any(&["arch"]) => Some("sudo pacman -S postgresql"),
        () if is_any(&["suse", "opensuse"]) => Some("sudo zypper install postgresql-server"),
        () if cfg!(target_os = "macos") => Some("brew install postgresql@18"),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn install_command_fits_the_system_or_the_one_it_derives_from() {
        assert_eq!(command("NAME=x\nID=debian\n"), Some("sudo apt-get install postgresql"));
        assert_eq!(command("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"), Some("sudo apt-get install postgresql"));
        assert_eq!(
            command("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n"),
            Some("sudo dnf install postgresql-server")
        );
    }

    #[test]
    fn root_needs_no_sudo() {
        assert_eq!(as_user("sudo apt-get install postgresql", true), "apt-get install postgresql");
        assert_eq!(as_user("sudo apt-get install postgresql", false), "sudo apt-get install postgresql");
        assert_eq!(as_user("brew install postgresql@18", true), "brew install postgresql@18");
    }
}
