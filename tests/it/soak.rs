//! Soak test: memory over half an hour with thousands of sessions. Run by hand, best on a release build:
//!
//! ```sh
//! cargo build --release --locked
//! HEARTLIST_TEST_PROGRAM=target/release/heartlist cargo test --test it soak -- --ignored --nocapture
//! ```

use std::fs;
use std::time::{Duration, Instant};

use fake_spotify::User;
use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use reqwest::{Client, Method};

use crate::support::Site;
use crate::support::program::start_program;
use crate::support::visitor::Visitor;

const USERS: usize = 250;
/// Sessions per user.
const SESSIONS_PER_USER: usize = 20;
const PLAYLISTS: usize = 60;
const CONNECTIONS: usize = 50;
/// Pause of each connection after a response: about fifty requests a second in all.
const PAUSE: Duration = Duration::from_secs(1);
const DURATION: Duration = Duration::from_secs(30 * 60);
const SAMPLES: u32 = 60;
/// Limit of resident memory, in MiB.
const MAX_MIB: f64 = 64.0;

/// The cookie of a session and the user's playlists.
struct Session {
    cookie: String,
    playlists: Vec<String>,
}

#[tokio::test]
#[ignore = "takes more than half an hour"]
async fn five_thousand_sessions_stay_under_64_mib_without_growth() {
    let site = Site::open_with(&[("SIGN_INS_PER_ADDRESS", "100000"), ("LOG_FORMAT", "json")]).await;
    // Short enough for tokens to be refreshed during the test.
    site.spotify.update_switches(|switches| switches.access_token_lifetime = Duration::from_secs(600));
    let (program, base) = start_program(&site, &[("RUST_LOG", "warn")]).await;
    let begun = Instant::now();
    let sessions = sign_in_all(&site, &base).await;
    println!("{} sessions after {:?}: {:.1} MiB", sessions.len(), begun.elapsed(), resident_mib(program.pid()));
    let until = Instant::now() + DURATION;
    let requests = (0..CONNECTIONS).map(|n| send_requests(&base, &sessions, n as u64, until));
    let (counts, samples) = tokio::join!(join_all(requests), sample_memory(program.pid()));
    println!("{} requests", counts.iter().sum::<usize>());
    let highest = samples.iter().copied().fold(0.0, f64::max);
    assert!(highest < MAX_MIB, "{samples:?}");
    let half = samples.len() / 2;
    let (third, last) = (median(&samples[half..half + half / 2]), median(&samples[half + half / 2..]));
    assert!(last < third * 1.05, "it grows: {samples:?}");
}

async fn sign_in_all(site: &Site, base: &str) -> Vec<Session> {
    let mut sessions = Vec::new();
    for person in 0..USERS {
        let key = format!("person-{person}");
        let user = User::with_library(&key, PLAYLISTS);
        let playlists: Vec<_> = user.playlists().iter().map(|playlist| playlist.id.clone()).collect();
        site.spotify.add_user(user);
        let browsers = (0..SESSIONS_PER_USER).map(|_| async {
            // The browser is closed; its session stays.
            let visitor = Visitor::new(base);
            assert_eq!(visitor.sign_in(&key).await.status, 200);
            Session { cookie: visitor.cookie(), playlists: playlists.clone() }
        });
        sessions.extend(join_all(browsers).await);
    }
    sessions
}

/// Sends random requests of random sessions; returns how many.
async fn send_requests(base: &str, sessions: &[Session], seed: u64, until: Instant) -> usize {
    let (client, mut chance) = (Client::builder().build().unwrap(), StdRng::seed_from_u64(seed));
    let mut count = 0;
    while Instant::now() < until {
        let session = sessions.choose(&mut chance).unwrap();
        let id = session.playlists.choose(&mut chance).unwrap();
        let (method, path) = match chance.random_range(0..20) {
            0..5 => (Method::GET, "/playlists".to_owned()),
            5..9 => (Method::GET, "/hearts".to_owned()),
            9..11 => (Method::GET, format!("/playlists/{id}")),
            11 => (Method::GET, "/top".to_owned()),
            12 => (Method::GET, "/account".to_owned()),
            13 => (Method::GET, format!("/nothing/{id}")),
            14 => (Method::GET, "/playlists?q=song&sort=name".to_owned()),
            15..18 => (Method::PUT, format!("/heart/{id}")),
            _ => (Method::DELETE, format!("/heart/{id}")),
        };
        let request = client.request(method, format!("{base}{path}")).header("cookie", &session.cookie);
        let response = request.header("sec-fetch-site", "same-origin").header("accept-encoding", "br").send().await;
        let response = response.expect("an answer");
        assert!(response.status().as_u16() < 500, "{path}: {}", response.status());
        response.bytes().await.expect("a whole answer");
        count += 1;
        tokio::time::sleep(PAUSE).await;
    }
    count
}

/// Samples the program's memory.
async fn sample_memory(pid: u32) -> Vec<f64> {
    let mut samples = Vec::new();
    for _ in 0..SAMPLES {
        tokio::time::sleep(DURATION / SAMPLES).await;
        samples.push(resident_mib(pid));
        println!("{:.1} MiB", samples[samples.len() - 1]);
    }
    samples
}

/// Resident memory in MiB.
fn resident_mib(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}

fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
