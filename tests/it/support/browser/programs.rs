//! Paths of Chromium and chromedriver, and one chromedriver for all tests.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

/// Kills chromedriver's process group, with its browsers, at the end of the shell's input, which is when the tests end,
/// even by a panic or a signal. The shell closes its output, so that the output ends with chromedriver.
const UNTIL_INPUT_ENDS: &str = r#""$0" --port=0 & exec >&-; read -r _; kill 0"#;
/// Chromedriver's message before its port.
const READY: &str = "was started successfully on port ";

struct Driver {
    address: String,
    // Held to keep the pipes open for the lifetime of this process.
    _shell: Child,
    _output: BufReader<ChildStdout>,
}

/// Address of chromedriver, which the first call starts.
pub(super) fn chromedriver() -> &'static str {
    static DRIVER: OnceLock<Driver> = OnceLock::new();
    &DRIVER.get_or_init(start).address
}

/// The path of Chromium.
pub(super) fn chromium() -> String {
    program("HEARTLIST_TEST_CHROMIUM", "chromium")
}

fn start() -> Driver {
    let mut shell = Command::new("sh")
        .args(["-c", UNTIL_INPUT_ENDS, &program("HEARTLIST_TEST_CHROMEDRIVER", "chromedriver")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .expect("a shell");
    let mut output = BufReader::new(shell.stdout.take().expect("a pipe"));
    let mut output_text = String::new();
    while output.read_line(&mut output_text).is_ok_and(|bytes| bytes > 0) {
        if let Some((_, port)) = output_text.split_once(READY) {
            let address = format!("http://127.0.0.1:{}", port.trim().trim_end_matches('.'));
            return Driver { address, _shell: shell, _output: output };
        }
    }
    let _ = shell.wait();
    panic!("chromedriver does not start; `script/test` brings one that does. It said:\n{output_text}");
}

#[expect(clippy::disallowed_methods, reason = "the app's settings do not say where the tests' browser is")]
fn program(variable: &str, name: &str) -> String {
    let is_file = |path: &String| Path::new(path).is_file();
    let found = std::env::var(variable).map_or_else(|_| find_on_path(name), |named| Some(named).filter(is_file));
    found.unwrap_or_else(|| {
        panic!("The browser tests need {name}: run `script/test`, which brings it, or set {variable} to its path.")
    })
}

#[expect(clippy::disallowed_methods, reason = "the app's settings do not say where the tests' browser is")]
pub(super) fn find_on_path(name: &str) -> Option<String> {
    let path = std::env::var("PATH").unwrap_or_default();
    let places = path.split(':').chain(["/usr/bin"]).map(|folder| format!("{folder}/{name}"));
    places.into_iter().find(|file| Path::new(file).is_file())
}
