//! Three processes of the program on one database, asked in random order.
//!
//! They use the real clock. To let time pass, the tests advance Spotify's clock and make rows older.

use std::collections::BTreeSet;
use std::time::Duration;

use fake_spotify::{Endpoint, Fault};
use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use reqwest::Method;
use rustix::process::Signal;
use url::Url;

use crate::support::Site;
use crate::support::page::{Form, Page};
use crate::support::program::{Program, env_var, free_port};
use crate::support::visitor::{Visitor, approve};

const PROCESSES: usize = 3;
/// Lifetimes of access tokens: the usual one, and one that ends between requests.
const TOKEN_LIVES: [Duration; 2] = [Duration::from_secs(3600), Duration::from_secs(20)];
/// Spotify's Retry-After.
const COOLDOWN: Duration = Duration::from_secs(120);
/// Settings that turn the rate limits off in practice.
const NO_LIMITS: [(&str, &str); 2] = [("HEARTS_PER_MINUTE", "1000000"), ("SIGN_INS_PER_ADDRESS", "1000000")];

#[tokio::test]
async fn three_processes_in_random_order_stay_consistent() {
    run_random_steps(300).await;
}

#[tokio::test]
#[ignore = "takes minutes"]
async fn three_processes_stay_consistent_over_ten_thousand_requests() {
    run_random_steps(10_000).await;
}

/// `HEARTLIST_SEED` repeats the steps of a failed test, which has printed its seed.
async fn run_random_steps(times: usize) {
    let seed = env_var("HEARTLIST_SEED").map_or_else(rand::random, |seed| seed.parse().expect("a number"));
    println!("HEARTLIST_SEED={seed}");
    let site = Site::open().await;
    site.spotify.update_switches(|switches| switches.rotate_refresh_tokens = true);
    let (mut programs, addresses) = start_processes(&site).await;
    let mut ada = Ada::sign_in_everywhere(&site, addresses, StdRng::seed_from_u64(seed)).await;
    let mut turns = 0;
    while ada.counts.requests < times {
        ada.take_step(turns).await;
        turns += 1;
    }
    let counts = &ada.counts;
    println!("{turns} turns: {counts:?}");
    assert!(counts.expiries > 0 && counts.cooldowns > 0 && counts.sign_outs > 0, "too little happened: {counts:?}");
    for program in &mut programs {
        program.signal(Signal::TERM);
        let (code, log) = program.wait_for_exit().await;
        assert_eq!(code, Some(0), "{log}");
        assert!(!log.contains("ERROR") && !log.contains("panicked"), "{log}");
    }
}

/// Starts the processes and returns their addresses. All have the first one's BASE_URL, as behind a router.
async fn start_processes(site: &Site) -> (Vec<Program>, Vec<Url>) {
    let ports: Vec<_> = (0..PROCESSES).map(|_| free_port()).collect();
    let addresses: Vec<_> = ports.iter().map(|port| format!("http://127.0.0.1:{port}")).collect();
    let mut programs = Vec::new();
    for port in &ports {
        let own = [("PORT", port.as_str()), ("BASE_URL", &addresses[0]), ("LOG_FORMAT", "text")];
        let settings: Vec<_> = site.settings().into_iter().chain(NO_LIMITS).chain(own).collect();
        let mut program = Program::start(&settings);
        assert_eq!(program.wait_until_ready().await, addresses[0]);
        programs.push(program);
    }
    (programs, addresses.iter().map(|address| Url::parse(address).unwrap()).collect())
}

/// Number of steps by kind.
#[derive(Debug, Default)]
struct Counts {
    requests: usize,
    expiries: usize,
    cooldowns: usize,
    sign_outs: usize,
    sign_ins: usize,
    presses: usize,
    pages: usize,
    at_once: usize,
}

/// A user with two browsers, and the state that all processes must show.
struct Ada<'a> {
    site: &'a Site,
    addresses: Vec<Url>,
    browsers: [Browser; 2],
    playlists: Vec<String>,
    hearted: BTreeSet<String>,
    chance: StdRng,
    counts: Counts,
}

struct Browser {
    visitor: Visitor,
    signed_in: bool,
}

impl<'a> Ada<'a> {
    async fn sign_in_everywhere(site: &'a Site, addresses: Vec<Url>, chance: StdRng) -> Self {
        let browsers = [0, 1].map(|_| Browser { visitor: Visitor::new(addresses[0].as_str()), signed_in: false });
        let (hearted, counts) = Default::default();
        let mut ada = Self { site, addresses, browsers, playlists: Vec::new(), hearted, chance, counts };
        for browser in 0..2 {
            let page = ada.sign_in(browser).await;
            assert_eq!(page.status, 200, "{}", page.html);
            ada.playlists = page.playlist_ids();
            ada.browsers[browser].signed_in = true;
        }
        ada
    }

    async fn take_step(&mut self, turn: usize) {
        let browser = self.chance.random_range(0..2);
        match self.chance.random_range(0..100) {
            0..4 => self.expire_tokens(),
            4..8 => self.start_cooldown().await,
            8..12 => self.sign_out(browser).await,
            12..14 => self.sign_out_everywhere_else(browser).await,
            _ if !self.browsers[browser].signed_in => self.sign_in_again(browser, turn).await,
            14..50 => self.set_random_heart(browser, turn).await,
            50..60 => self.check_tabs_opened_together(browser, turn).await,
            _ => self.check_page(browser, turn).await,
        }
    }

    /// Points `url` at a random process and counts the request.
    fn at_random_process(&mut self, mut url: Url) -> Url {
        self.counts.requests += 1;
        let process = self.addresses.choose(&mut self.chance).unwrap();
        url.set_port(process.port()).unwrap();
        url
    }

    fn random_address(&mut self, path: &str) -> String {
        let url = self.addresses[0].join(path).unwrap();
        self.at_random_process(url).into()
    }

    /// The form, with a random process as its target.
    fn form(&mut self, page: &Page, selector: &str) -> Form {
        let form = page.form(selector);
        Form { action: self.at_random_process(form.action.clone()), ..form }
    }

    /// Lets time pass at Spotify and in the stored rows.
    async fn advance(&self, by: Duration) {
        self.site.spotify.advance(by);
        for older in [
            "update libraries set fetched_at = fetched_at - make_interval(secs => $1), failed_at = failed_at - make_interval(secs => $1)",
            "update cooldowns set until = until - make_interval(secs => $1)",
        ] {
            sqlx::query(older).bind(by.as_secs_f64()).execute(&self.site.db).await.unwrap();
        }
    }

    fn expire_tokens(&mut self) {
        self.site.spotify.advance(TOKEN_LIVES[0]);
        let life = *TOKEN_LIVES.choose(&mut self.chance).unwrap();
        self.site.spotify.update_switches(|switches| switches.access_token_lifetime = life);
        self.counts.expiries += 1;
    }

    /// Makes Spotify answer the next library request with a Retry-After.
    async fn start_cooldown(&mut self) {
        self.advance(Duration::from_secs(11 * 60)).await;
        let retry_after = COOLDOWN.as_secs();
        self.site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::RateLimited { retry_after }, 1);
        self.counts.cooldowns += 1;
    }

    async fn set_random_heart(&mut self, browser: usize, turn: usize) {
        let id = self.playlists.choose(&mut self.chance).unwrap().clone();
        let (method, hearted) = if self.chance.random() { (Method::PUT, true) } else { (Method::DELETE, false) };
        let address = self.random_address(&format!("/heart/{id}"));
        let response = self.browsers[browser].visitor.fetch(method, &address).await;
        assert_eq!(response.status, 200, "turn {turn}, {address}: {}", response.html);
        assert_eq!(response.json()["hearted"], hearted, "turn {turn}, {address}");
        if hearted {
            self.hearted.insert(id)
        } else {
            self.hearted.remove(&id)
        };
        self.counts.presses += 1;
    }

    /// Checks the hearts on a page, which any process may have changed.
    async fn check_page(&mut self, browser: usize, turn: usize) {
        let path = *["/hearts", "/playlists"].choose(&mut self.chance).unwrap();
        let address = self.random_address(path);
        let page = self.browsers[browser].visitor.get(&address).await;
        assert_eq!(page.status, 200, "turn {turn}, {address}: {}", page.html);
        assert_eq!(hearted_ids(&page), self.hearted, "turn {turn}, {address}");
        if path == "/playlists" {
            assert_eq!(page.playlist_ids(), self.playlists, "turn {turn}, {address}");
        }
        self.counts.pages += 1;
    }

    /// Opens a playlist at all processes at once, which may all need a new token.
    async fn check_tabs_opened_together(&mut self, browser: usize, turn: usize) {
        let id = self.playlists.choose(&mut self.chance).unwrap().clone();
        let paths: Vec<_> = self.addresses.iter().map(|at| at.join(&format!("/playlists/{id}")).unwrap()).collect();
        self.counts.requests += paths.len();
        let visitor = &self.browsers[browser].visitor;
        for page in join_all(paths.iter().map(|path| visitor.get(path.as_str()))).await {
            assert_eq!(page.status, 200, "turn {turn}, {}: {}", page.url, page.html);
            assert_eq!(page.has("main [aria-pressed=true]"), self.hearted.contains(&id), "turn {turn}, {}", page.url);
            self.counts.at_once += 1;
        }
    }

    async fn sign_out(&mut self, browser: usize) {
        if !self.browsers[browser].signed_in {
            return;
        }
        let page = self.page(browser, "/logout").await;
        let form = self.form(&page, "main form[action='/logout']");
        self.browsers[browser].visitor.send_form(form).await;
        self.browsers[browser].signed_in = false;
        self.counts.sign_outs += 1;
    }

    /// Ends the session of the other browser.
    async fn sign_out_everywhere_else(&mut self, browser: usize) {
        if !self.browsers[browser].signed_in || !self.browsers[1 - browser].signed_in {
            return;
        }
        let page = self.page(browser, "/account").await;
        let form = self.form(&page, "#sessions > form");
        self.browsers[browser].visitor.send_form(form).await;
        self.browsers[1 - browser].signed_in = false;
        self.counts.sign_outs += 1;
    }

    /// Checks that every process knows the session has ended, and signs in again.
    async fn sign_in_again(&mut self, browser: usize, turn: usize) {
        let page = self.page(browser, "/hearts").await;
        assert!(page.status == 303 && page.header("location").starts_with("/login"), "turn {turn}: {}", page.status);
        let path = self.random_address(&format!("/heart/{}", self.playlists[0]));
        assert_eq!(self.browsers[browser].visitor.fetch(Method::PUT, &path).await.status, 401, "turn {turn}");
        let page = self.sign_in(browser).await;
        let signed_in = page.status == 200;
        if !signed_in {
            let text = page.text("main");
            assert!(page.status == 502 && text.contains("Too many requests to Spotify"), "turn {turn}: {text}");
            self.advance(COOLDOWN).await;
        }
        self.browsers[browser].signed_in = signed_in;
    }

    /// Signs in; each step goes to a random process.
    async fn sign_in(&mut self, browser: usize) -> Page {
        self.counts.sign_ins += 1;
        let page = self.page(browser, "/login").await;
        let form = self.form(&page, "form[action='/auth/spotify']");
        let visitor = &self.browsers[browser].visitor;
        let sent = visitor.send_form(form).await;
        let consent = visitor.get(sent.header("location")).await;
        let sent = visitor.send_form(approve(&consent, "ada")).await;
        let back = self.at_random_process(Url::parse(sent.header("location")).unwrap());
        self.browsers[browser].visitor.open(back.as_str()).await
    }

    async fn page(&mut self, browser: usize, path: &str) -> Page {
        let address = self.random_address(path);
        self.browsers[browser].visitor.get(&address).await
    }
}

/// Ids of the hearted cards.
fn hearted_ids(page: &Page) -> BTreeSet<String> {
    let cards = page.attributes("li.card:has([aria-pressed=true])", "id");
    cards.into_iter().map(|id| id["p-".len()..].to_owned()).collect()
}
