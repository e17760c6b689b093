//! Instructions per request, the one figure that is the same on a busy machine.
//!
//! The app runs under valgrind's callgrind, first with a few requests of every kind, then again with many more of one
//! kind. The difference, divided, is what one of these takes, without the kernel and Postgres.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use reqwest::{Client, Method};
use tempfile::NamedTempFile;

use crate::Options;
use crate::app::{self, App, Servers};
use crate::fake_spotify::FakeSpotify;
use crate::mixes::BROWSER_ENCODINGS;
use crate::people::Site;
use crate::postgres::Postgres;

/// Requests of each kind before those that are counted, so that connections and statements are ready. Even, so that every
/// heart is removed again.
const WARM_UP: usize = 4;
/// Counted requests.
const COUNTED: usize = 50;

/// A kind of request.
struct Kind {
    name: &'static str,
    path: &'static str,
    encoding: &'static str,
    /// Thousand instructions that it may take in a development build, as CI makes one.
    ceiling: u64,
}

const fn page(name: &'static str, path: &'static str, encoding: &'static str, ceiling: u64) -> Kind {
    Kind { name, path, encoding, ceiling }
}

/// The path of a heart, which is given and removed by turns.
const HEART: &str = "/heart/{id}";

/// A ceiling is a sixth above what the request takes. A change that needs more says why, here.
static KINDS: [Kind; 5] = [
    // Half of it opens the sealed session: a development build does not optimize the cipher, a release build does (14 %).
    page("heart", HEART, "identity", 2_770),
    page("playlists", "/playlists", "identity", 8_230),
    page("playlists, gzip", "/playlists", BROWSER_ENCODINGS, 26_700),
    page("hearts", "/hearts", "identity", 8_920),
    page("search", "/hearts?q=winter", "identity", 5_680),
];

/// What all runs share.
struct Setting<'a> {
    options: &'a Options,
    postgres: Postgres,
    spotify: FakeSpotify,
    cookie: String,
}

impl Setting<'_> {
    fn servers(&self) -> Servers<'_> {
        let connections = self.options.connections;
        Servers { database: self.postgres.url(), connections, spotify: &self.spotify.base }
    }
}

/// Prints how many instructions a request of each kind takes.
///
/// # Errors
/// If one takes more than its ceiling in a development build.
pub(crate) async fn count(options: &Options) -> Result<()> {
    let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    ensure!(options.only.iter().all(|name| names.contains(&name.as_str())), "these can be named: {names:?}");
    heartlist::cli::install_tls();
    let (postgres, spotify) = (Postgres::start().await?, FakeSpotify::start().await?);
    let mut setting = Setting { options, postgres, spotify, cookie: String::new() };
    let app = App::start(options.program.as_deref(), setting.servers()).await?;
    let site = Site { base: &app.base, pool: &setting.postgres.pool, spotify: &setting.spotify };
    let cookie = site.sign_in_all_with_hearts("reader", 1).await?.remove(0).cookie;
    app.stop()?;
    setting.cookie = cookie;
    // The app counts hearts every few seconds, in some runs more often than in others.
    let pause = "insert into top_lists (made_at, rest) values (now(), interval '1 day')
        on conflict (only_one) do update set made_at = excluded.made_at, rest = excluded.rest, leased_until = null";
    sqlx::query(pause).execute(&setting.postgres.pool).await?;
    let warm_up = run(&setting, None).await?;
    println!("| request | thousand instructions |\n| --- | ---: |");
    let mut above = Vec::new();
    for kind in KINDS.iter().filter(|kind| options.only.is_empty() || options.only.iter().any(|name| name == kind.name))
    {
        let each = (run(&setting, Some(kind)).await? - warm_up) / COUNTED as u64 / 1000;
        println!("| {} | {each} |", kind.name);
        above.extend((each > kind.ceiling).then(|| format!("{} (ceiling {})", kind.name, kind.ceiling)));
    }
    // The ceilings are those of a development build.
    let release = !cfg!(debug_assertions) || options.program.is_some();
    ensure!(above.is_empty() || release, "too many instructions: {}", above.join(", "));
    Ok(())
}

/// Starts the app under callgrind, sends the requests, stops it, and returns its instructions.
async fn run(setting: &Setting<'_>, counted: Option<&Kind>) -> Result<u64> {
    let counts = NamedTempFile::new()?;
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--tool=callgrind", &format!("--callgrind-out-file={}", counts.path().display())]);
    command.arg(app::path(setting.options.program.as_deref())?);
    let app = App::start_with(command, setting.servers()).await?;
    let client = Client::builder().no_gzip().build()?;
    let warm_up = KINDS.iter().flat_map(|kind| [kind; WARM_UP]);
    for (number, kind) in warm_up.chain(counted.into_iter().flat_map(|kind| [kind; COUNTED])).enumerate() {
        send(&client, &app.base, &setting.cookie, kind, number).await?;
    }
    app.stop()?;
    let text = fs::read_to_string(counts.path())?;
    text.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok()).context("callgrind's totals")
}

async fn send(client: &Client, base: &str, cookie: &str, kind: &Kind, number: usize) -> Result<()> {
    let method = match (kind.path, number % 2) {
        (HEART, 0) => Method::PUT,
        (HEART, _) => Method::DELETE,
        _ => Method::GET,
    };
    let path = kind.path.replace("{id}", &format!("{:022}", number / 2));
    let request = client.request(method, format!("{base}{path}")).header("cookie", cookie);
    let request = request.header("accept-encoding", kind.encoding);
    let answer = request.header("sec-fetch-site", "same-origin").send().await?;
    ensure!(answer.status() == 200, "{}: {}", kind.name, answer.status());
    answer.bytes().await?;
    Ok(())
}
