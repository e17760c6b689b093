//! Instructions per request, a figure that does not depend on the load of the machine.
//!
//! The app runs under valgrind's callgrind, first with a few requests of every kind, then again with many more of one
//! kind. The difference divided by their number is the cost of one, without the kernel and Postgres.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use reqwest::{Client, Method};
use tempfile::NamedTempFile;

use crate::app::{App, AppConfig, resolve_program};
use crate::fake_spotify::FakeSpotify;
use crate::options::Options;
use crate::postgres::Postgres;
use crate::users::{UserFactory, refresh_libraries};
use crate::workloads::BROWSER_ENCODINGS;

/// Uncounted requests of each kind, which open connections and prepare statements. Even, so that each heart is removed
/// again.
const WARM_UP_REQUESTS: usize = 4;
const COUNTED_REQUESTS: usize = 50;

/// Path of a heart, which is added and removed by turns.
const HEART_PATH: &str = "/heart/{id}";

struct RequestKind {
    name: &'static str,
    path: &'static str,
    /// The `Accept-Encoding` header.
    encoding: &'static str,
    /// Upper bound in a development build, in thousand instructions.
    ceiling: u64,
}

impl RequestKind {
    const fn new(name: &'static str, path: &'static str, encoding: &'static str, ceiling: u64) -> Self {
        Self { name, path, encoding, ceiling }
    }
}

/// Ceilings are 8 % above the measured cost. Give the reason here when you raise one.
static REQUEST_KINDS: [RequestKind; 5] = [
    // Half of it decrypts the session, since a development build does not optimize the cipher. Release build: 12 %.
    RequestKind::new("heart", HEART_PATH, "identity", 2_850),
    // Cards show pins, own titles, and dates in the reader's zone.
    RequestKind::new("playlists", "/playlists", "identity", 8_600),
    RequestKind::new("playlists, gzip", "/playlists", BROWSER_ENCODINGS, 23_800),
    RequestKind::new("hearts", "/hearts", "identity", 9_540),
    // With the filters above the list, and words that are looked for in notes and tags too.
    RequestKind::new("search", "/hearts?q=winter", "identity", 6_570),
];

/// Servers and session of all runs.
struct Environment<'a> {
    options: &'a Options,
    postgres: Postgres,
    spotify: FakeSpotify,
    cookie: String,
}

impl Environment<'_> {
    fn app_config(&self) -> AppConfig<'_> {
        AppConfig {
            database_url: self.postgres.url(),
            database_connections: self.options.connections,
            spotify_url: &self.spotify.base_url,
        }
    }
}

/// Prints the instructions of a request of each kind. Fails if one exceeds its ceiling in a development build.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let names: Vec<&str> = REQUEST_KINDS.iter().map(|kind| kind.name).collect();
    ensure!(options.only.iter().all(|name| names.contains(&name.as_str())), "--only takes one of {names:?}");
    heartlist::cli::install_tls();
    let (postgres, spotify) = (Postgres::start().await?, FakeSpotify::start().await?);
    let mut environment = Environment { options, postgres, spotify, cookie: String::new() };
    let app = App::start(options.program.as_deref(), environment.app_config()).await?;
    let (pool, spotify) = (&environment.postgres.pool, &environment.spotify);
    let factory = UserFactory { base_url: &app.base_url, pool, spotify };
    let cookie = factory.create_with_hearts("reader", 1).await?.remove(0).cookie;
    app.stop()?;
    environment.cookie = cookie;
    // Pauses the background count of hearts, which would run in some measurements more often than in others.
    let pause = "insert into top_lists (made_at, rest) values (now(), interval '1 day')
        on conflict (only_one) do update set made_at = excluded.made_at, rest = excluded.rest, leased_until = null";
    sqlx::query(pause).execute(&environment.postgres.pool).await?;
    let warm_up = count_instructions(&environment, None).await?;
    println!("| request | thousand instructions |\n| --- | ---: |");
    let mut exceeded = Vec::new();
    let is_selected =
        |kind: &&RequestKind| options.only.is_empty() || options.only.iter().any(|name| name == kind.name);
    for kind in REQUEST_KINDS.iter().filter(is_selected) {
        let total = count_instructions(&environment, Some(kind)).await?;
        let thousands = (total - warm_up) / COUNTED_REQUESTS as u64 / 1000;
        println!("| {} | {thousands} |", kind.name);
        exceeded.extend((thousands > kind.ceiling).then(|| format!("{} (ceiling {})", kind.name, kind.ceiling)));
    }
    // A program of the options may be a release build.
    let is_development_build = cfg!(debug_assertions) && options.program.is_none();
    ensure!(exceeded.is_empty() || !is_development_build, "too many instructions: {}", exceeded.join(", "));
    Ok(())
}

/// Runs the app under callgrind with the warm-up requests and those of `kind`. Returns the instructions of the process.
async fn count_instructions(environment: &Environment<'_>, kind: Option<&RequestKind>) -> Result<u64> {
    // On a busy machine all counts together take longer than a library stays fresh.
    refresh_libraries(&environment.postgres.pool).await?;
    let profile = NamedTempFile::new()?;
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--tool=callgrind", &format!("--callgrind-out-file={}", profile.path().display())]);
    command.arg(resolve_program(environment.options.program.as_deref())?);
    let app = App::start_command(command, environment.app_config()).await?;
    let client = Client::builder().no_gzip().build()?;
    let warm_up = REQUEST_KINDS.iter().flat_map(|kind| [kind; WARM_UP_REQUESTS]);
    let counted = kind.into_iter().flat_map(|kind| [kind; COUNTED_REQUESTS]);
    for (number, kind) in warm_up.chain(counted).enumerate() {
        send(&client, &app.base_url, &environment.cookie, kind, number).await?;
    }
    app.stop()?;
    let text = fs::read_to_string(profile.path())?;
    text.lines()
        .find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok())
        .context("no totals in callgrind's output")
}

async fn send(client: &Client, base_url: &str, cookie: &str, kind: &RequestKind, number: usize) -> Result<()> {
    let method = match (kind.path, number % 2) {
        (HEART_PATH, 0) => Method::PUT,
        (HEART_PATH, _) => Method::DELETE,
        _ => Method::GET,
    };
    let path = kind.path.replace("{id}", &format!("{:022}", number / 2));
    // The cookie's name has the port, and each process has another one.
    let port = base_url.rsplit(':').next().unwrap_or_default();
    let session = cookie.split_once('=').map_or(cookie, |(_, session)| session);
    let request = client.request(method, format!("{base_url}{path}"));
    let request = request.header("cookie", format!("heartlist-{port}={session}"));
    let request = request.header("accept-encoding", kind.encoding);
    let response = request.header("sec-fetch-site", "same-origin").send().await?;
    ensure!(response.status() == 200, "{}: {}", kind.name, response.status());
    response.bytes().await?;
    Ok(())
}
