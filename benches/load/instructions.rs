//! Counts instructions: the one figure that says the same on a busy machine.
//!
//! The app runs under valgrind's callgrind, first with a few requests of every kind, then again with many more of one
//! kind. What one of these needs is the difference. The kernel's work is not in it, nor is that of Postgres.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use reqwest::{Client, Method};
use sqlx::PgPool;
use tempfile::NamedTempFile;

use crate::app::{self, App};
use crate::mixes::NEW;
use crate::postgres::Postgres;
use crate::standin::Standin;
use crate::{Wishes, listeners, mixes};

/// How many requests of each kind go before, so that connections and statements are ready.
const WARM: usize = 4;
/// How many are counted.
const COUNTED: usize = 50;

/// A kind of request.
struct Kind {
    name: &'static str,
    method: Method,
    path: &'static str,
    /// Whether the answer is to be packed.
    packed: bool,
    /// How many thousand instructions it may take in a build for development, as CI makes one.
    most: u64,
}

const fn kind(name: &'static str, method: Method, path: &'static str, packed: bool, most: u64) -> Kind {
    Kind { name, method, path, packed, most }
}

/// A sixth above what each takes. A change that needs more says why, here.
static KINDS: [Kind; 7] = [
    kind("heart", Method::PUT, "/heart/{fresh}", false, 1_070),
    kind("playlists", Method::GET, "/playlists", false, 3_050),
    kind("playlists, packed", Method::GET, "/playlists", true, 3_050),
    kind("playlists, new", Method::GET, NEW, false, 10_000),
    kind("playlists, new and packed", Method::GET, NEW, true, 28_200),
    kind("hearts", Method::GET, "/hearts", false, 2_980),
    kind("hearts, new", Method::GET, "/hearts?new={fresh}", false, 12_600),
];

/// What all runs share.
struct Setting<'a> {
    wishes: &'a Wishes,
    postgres: Postgres,
    standin: Standin,
    cookie: String,
}

/// Prints how many instructions a request of each kind takes.
///
/// # Errors
/// When one takes more than it may, in a build for development.
pub(crate) async fn count(wishes: &Wishes) -> Result<()> {
    let known = |name: &String| KINDS.iter().any(|kind| kind.name == name);
    ensure!(
        wishes.only.iter().all(known),
        "these can be named: {:?}",
        KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>()
    );
    heartlist::cli::install_tls();
    let (postgres, standin) = (Postgres::start().await?, Standin::start().await?);
    let app = App::start(wishes.program.as_deref(), postgres.url(), &standin.base).await?;
    let mut readers = listeners::sign_in_all((&app.base, &postgres.pool), &standin, "reader", 1).await?;
    app.end()?;
    let setting = Setting { wishes, postgres, standin, cookie: readers.remove(0).cookie };
    let warm = run(&setting, None).await?;
    println!("| request | thousand instructions |\n| --- | ---: |");
    let mut dear = Vec::new();
    for kind in KINDS.iter().filter(|kind| wishes.only.is_empty() || wishes.only.iter().any(|name| name == kind.name)) {
        let each = (run(&setting, Some(kind)).await? - warm) / COUNTED as u64 / 1000;
        println!("| {} | {each} |", kind.name);
        dear.extend((each > kind.most).then(|| format!("{} may take {}", kind.name, kind.most)));
    }
    // What a release takes says little about what it may take here, and the other way round.
    ensure!(dear.is_empty() || !cfg!(debug_assertions) || wishes.program.is_some(), "too dear: {}", dear.join(", "));
    Ok(())
}

/// Starts the app under callgrind, asks it, ends it, and gives its instructions.
async fn run(setting: &Setting<'_>, counted: Option<&Kind>) -> Result<u64> {
    let counts = NamedTempFile::new()?;
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--tool=callgrind", &format!("--callgrind-out-file={}", counts.path().display())]);
    command.arg(app::path(setting.wishes.program.as_deref())?);
    let app = App::start_by(command, setting.postgres.url(), &setting.standin.base).await?;
    let client = Client::builder().no_gzip().build()?;
    let warm = KINDS.iter().flat_map(|kind| [kind; WARM]);
    for (number, kind) in warm.chain(counted.into_iter().flat_map(|kind| [kind; COUNTED])).enumerate() {
        ask(&client, &app.base, &setting.cookie, kind, number).await?;
    }
    app.end()?;
    take_back(&setting.postgres.pool).await?;
    let text = fs::read_to_string(counts.path())?;
    text.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok()).context("callgrind's totals")
}

async fn ask(client: &Client, base: &str, cookie: &str, kind: &Kind, number: usize) -> Result<()> {
    // Each heart is for a playlist that nobody has hearted yet.
    let path = kind.path.replace("{fresh}", &format!("{number:022}"));
    let request = client.request(kind.method.clone(), format!("{base}{path}")).header("cookie", cookie);
    let request = request.header("accept-encoding", mixes::encoding(kind.packed));
    let answer = request.header("sec-fetch-site", "same-origin").send().await?;
    ensure!(answer.status() == 200, "{}: {}", kind.name, answer.status());
    answer.bytes().await?;
    Ok(())
}

/// The next run is to find the same rows.
async fn take_back(pool: &PgPool) -> Result<()> {
    for made in [
        "delete from hearts where playlist_id like '0000000000%'",
        "delete from heart_counts where playlist_id like '0000000000%'",
    ] {
        sqlx::query(made).execute(pool).await?;
    }
    Ok(())
}
