//! The scripts on machines that lack something. Their `PATH` has the base system's programs and stubs, and no network.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const BASE_PROGRAMS: [&str; 17] = [
    "bash", "cat", "chmod", "dirname", "env", "find", "grep", "id", "mkdir", "mktemp", "mv", "rm", "sed", "sh", "sort",
    "tail", "wc",
];
const CARGO: &str = r#"[ "$*" != --version ] || set -- 1.999.0; echo "cargo $*""#;
/// Fails if it is told that something is installed already.
const APT: &str = r#"
for option; do
    case $option in
    Dir::State::status=*) [ -e "${option#*=}" ] && [ ! -s "${option#*=}" ] || exit 1 ;;
    Dir::Cache=*) : >"${option#*=}/archives/openssl.deb" ;;
    esac
done"#;
const DPKG: &str = r#"mkdir -p "$3/usr/bin"; echo '#!/bin/sh' >"$3/usr/bin/openssl"; chmod +x "$3/usr/bin/openssl""#;
const ORDINARY_USER: (&str, &str) = ("id", "echo 1000");
/// The bundled Postgres does not run there.
const OLD_LINUX: [(&str, &str); 2] = [("uname", "echo Linux x86_64"), ("getconf", "echo glibc 2.37")];
/// Works only with the headers of the C library.
const COMPILER: &str = r#"[ -e "${0%/*}/headers" ] || exit 1"#;

/// A machine with some programs.
struct Machine {
    folder: TempDir,
}

impl Machine {
    fn new(stubs: &[(&str, &str)]) -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap() };
        for folder in ["bin", "tmp", "home"] {
            fs::create_dir(machine.path(folder)).unwrap();
        }
        for program in BASE_PROGRAMS {
            let found = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(program));
            symlink(found.iter().find(|path| path.exists()).unwrap(), machine.path("bin").join(program)).unwrap();
        }
        for (name, script) in [&[("cargo", CARGO)], &OLD_LINUX[..], stubs].concat() {
            machine.add_program(&machine.path("bin").join(name), script);
        }
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn add_program(&self, path: &Path, script: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // A link leads to the program of this machine.
        let _ = fs::remove_file(path);
        fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }

    fn tools(&self) -> PathBuf {
        self.path("home/.cache/heartlist/tools")
    }

    /// Adds the Postgres programs where script/setup unpacks them.
    fn add_unpacked_postgres(&self) {
        self.add_postgres(&self.tools().join("postgres/bin"), "15.14");
    }

    fn add_postgres(&self, folder: &Path, version: &str) {
        for program in ["initdb", "pg_ctl", "psql", "postgres"] {
            self.add_program(&folder.join(program), &format!("echo '{program} (PostgreSQL) {version}'"));
        }
    }

    fn run(&self, script: &str, arguments: &[&str]) -> Output {
        self.command(script).args(arguments).output().unwrap()
    }

    fn command(&self, script: &str) -> Command {
        let mut command = Command::new(format!("{}/{script}", env!("CARGO_MANIFEST_DIR")));
        command.env_clear().env("PATH", self.path("bin"));
        command.env("HOME", self.path("home")).env("TMPDIR", self.path("tmp")).current_dir("/");
        command
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn run_hands_its_arguments_to_the_program_and_leaves_no_folder() {
    let machine = Machine::new(&[("cc", "")]);
    machine.add_unpacked_postgres();
    let output = machine.run("script/run", &["doctor", "a b"]);
    assert_eq!(text(&output.stdout), "cargo run --locked -- doctor a b\n", "{}", text(&output.stderr));
    assert!(text(&output.stderr).lines().all(|line| line.starts_with("setup: ")));
    assert_eq!(fs::read_dir(machine.path("tmp")).unwrap().count(), 0);
}

#[test]
fn compiler_without_headers_is_noticed() {
    let machine = Machine::new(&[("cc", COMPILER)]);
    machine.add_unpacked_postgres();
    let output = machine.run("script/run", &[]);
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(text(&output.stderr).contains("a C compiler with the C library's headers is missing"));
    fs::write(machine.path("bin/headers"), "").unwrap();
    assert!(machine.run("script/run", &[]).status.success());
}

#[test]
fn run_needs_postgres_where_the_bundled_one_does_not_run() {
    let systems = [("Linux x86_64", "2.36"), ("Linux x86_64", "2.9"), ("Linux riscv64", "2.41"), ("Darwin x86_64", "")];
    let systems_with_bundled = [("Linux x86_64", "2.38"), ("Linux aarch64", "2.100"), ("Darwin arm64", "")];
    for (system, glibc) in systems.into_iter().chain(systems_with_bundled) {
        let (uname, getconf) = (format!("echo {system}"), format!("echo glibc {glibc}"));
        let machine = Machine::new(&[("cc", ""), ("uname", &uname), ("getconf", &getconf)]);
        machine.add_unpacked_postgres();
        let output = machine.command("script/run").env("SHELLOPTS", "xtrace").output().unwrap();
        let is_needed = text(&output.stderr).contains("+ provide postgres\n");
        assert_eq!(is_needed, !systems_with_bundled.contains(&(system, glibc)), "{system} {glibc}");
    }
}

/// rustc links with `cc`.
#[test]
fn compiler_of_another_name_does_not_replace_the_linker() {
    let machine = Machine::new(&[("clang", "")]);
    machine.add_unpacked_postgres();
    let output = machine.command("script/run").env("CC", "clang").output().unwrap();
    assert!(text(&output.stderr).contains("a C compiler with the C library's headers is missing"));
    machine.add_program(&machine.path("bin/cc"), "");
    assert!(machine.command("script/run").env("CC", "ccache gcc").output().unwrap().status.success());
}

#[test]
fn old_cargo_is_an_error_that_names_the_remedy() {
    let output = Machine::new(&[("cargo", "echo cargo 1.65.0"), ("cc", "")]).run("script/run", &[]);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("cargo 1.65.0 is too old. Install Rust from https://rustup.rs"));
}

#[test]
fn postgres_programs_that_are_too_old_are_passed_over() {
    let cargo = format!(r#"[ "$*" = --version ] || echo "$PG_BIN"; {CARGO}"#);
    let machine = Machine::new(&[("cargo", &cargo), ("cc", "")]);
    machine.add_unpacked_postgres();
    for (version, is_used) in [("9.6.24", false), ("12.22", false), ("13.1", true), ("19beta1", true)] {
        let chosen = machine.path(version);
        machine.add_postgres(&chosen, version);
        let output = machine.command("script/run").env("PG_BIN", &chosen).output().unwrap();
        assert!(output.status.success(), "{version}: {}", text(&output.stderr));
        assert_eq!(text(&output.stdout).contains(&*chosen.to_string_lossy()), is_used, "{version}");
    }
}

#[test]
fn unpacked_tree_is_complete_whatever_is_installed() {
    let machine = Machine::new(&[ORDINARY_USER, ("apt-get", APT), ("dpkg", DPKG)]);
    let output = machine.run("script/setup", &["openssl"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(machine.tools().join("openssl/usr/bin/openssl").exists());
    assert_eq!(fs::read_dir(machine.tools()).unwrap().count(), 1);
}

#[test]
fn two_first_runs_at_once_use_one_tree() {
    let dpkg = format!(r#"{DPKG}; /bin/cp -r "$HOME/other" "$HOME/.cache/heartlist/tools/openssl""#);
    let machine = Machine::new(&[ORDINARY_USER, ("apt-get", APT), ("dpkg", &dpkg)]);
    machine.add_program(&machine.path("home/other/bin/openssl"), "");
    let output = machine.run("script/setup", &["openssl"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(!machine.tools().join("openssl/usr").exists(), "the other run's tree was replaced");
    assert_eq!(fs::read_dir(machine.tools()).unwrap().count(), 1);
}

#[test]
fn folder_into_which_nothing_can_be_unpacked_is_named() {
    let machine = Machine::new(&[ORDINARY_USER, ("apt-get", APT), ("dpkg", DPKG)]);
    fs::write(machine.path("file"), "").unwrap();
    for name in ["a b", "a#b", "a&b", "a:b", "a'b", "a\\b", "file/a"] {
        let folder = machine.path(name);
        let output = machine.command("script/setup").arg("openssl").env("XDG_CACHE_HOME", &folder).output().unwrap();
        assert!(!output.status.success() && !folder.exists());
        assert!(text(&output.stderr).contains("Name another cache folder in XDG_CACHE_HOME"), "{name}");
    }
}

#[test]
fn missing_programs_are_named_with_the_command_of_the_system() {
    let sudo = if rustix::process::geteuid().is_root() { "" } else { "sudo " };
    for (system, manager, expected) in [
        ("linux-gnu", "dnf", format!("try again: {sudo}dnf install gcc glibc-devel")),
        ("linux-gnu", "brew", "try again: brew install gcc".into()),
        ("linux-gnu", "none", "Debian calls it: gcc libc6-dev".into()),
        ("darwin24", "brew", "try again: xcode-select --install".into()),
    ] {
        let machine = Machine::new(&[(manager, "")]);
        let output = machine.command("script/setup").arg("compiler").env("OSTYPE", system).output().unwrap();
        assert!(text(&output.stderr).contains(&expected), "{expected} in {}", text(&output.stderr));
    }
}

#[test]
fn browser_is_found_by_the_name_that_each_system_gives_it() {
    for name in ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"] {
        let machine = Machine::new(&[(name, "echo Chromium 150.0.7871.0")]);
        let driver = machine.path("elsewhere/driver");
        machine.add_program(&driver, "echo ChromeDriver 150.0.7871.46");
        let mut setup = machine.command("script/setup");
        let output = setup.arg("chromium").env("HEARTLIST_TEST_CHROMEDRIVER", &driver).output().unwrap();
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
    }
}

/// As those of script/rehearse do.
#[test]
fn failed_step_that_replaces_its_shell_shows_why() {
    let machine = Machine::new(&[("openssl", "")]);
    let script = "#!/usr/bin/env bash\n. \"$1\" openssl\nstep() { exec cat missing-file; }\nrun_quietly step\n";
    fs::write(machine.path("steps"), script).unwrap();
    let mut steps = Command::new(machine.path("bin/bash"));
    steps.arg(machine.path("steps")).arg(concat!(env!("CARGO_MANIFEST_DIR"), "/script/setup"));
    let output = steps.env_clear().env("PATH", machine.path("bin")).env("HOME", machine.path("home")).output().unwrap();
    assert!(!output.status.success() && text(&output.stderr).contains("missing-file"), "{}", text(&output.stderr));
}
