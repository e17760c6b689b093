//! The scripts on machines that lack something. Their `PATH` has the base system's programs and stubs, and no network.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const BASE_PROGRAMS: [&str; 16] = [
    "bash", "cat", "dirname", "env", "find", "grep", "id", "mkdir", "mktemp", "mv", "rm", "sed", "sh", "sort", "tail",
    "wc",
];
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
        for (name, script) in [&[("cargo", r#"echo "cargo $*""#)], &OLD_LINUX[..], stubs].concat() {
            machine.add_program(&machine.path("bin").join(name), script);
        }
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn add_program(&self, path: &Path, script: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }

    /// Adds the Postgres programs where script/setup unpacks them.
    fn add_unpacked_postgres(&self) {
        for program in ["initdb", "pg_ctl", "psql", "postgres"] {
            self.add_program(&self.path("home/.cache/heartlist/tools/postgres/bin").join(program), "");
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
}

#[test]
fn missing_programs_are_named_with_the_command_of_the_system() {
    let sudo = if rustix::process::geteuid().is_root() { "" } else { "sudo " };
    for (manager, expected) in [
        ("dnf", format!("try again: {sudo}dnf install gcc glibc-devel")),
        ("brew", "try again: brew install gcc".into()),
        ("none", "Debian calls it: gcc libc6-dev".into()),
    ] {
        let output = Machine::new(&[(manager, "")]).run("script/setup", &[]);
        assert!(text(&output.stderr).contains(&expected), "{expected} in {}", text(&output.stderr));
    }
}
