//! Several processes on one database, asked in no order: each knows what the others were told.

use std::collections::BTreeSet;
use std::time::Duration;

use heartlist::standin::{Endpoint, Fault};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use reqwest::Method;

use crate::support::Site;
use crate::support::page::Page;
use crate::support::visitor::{Visitor, approve};

const TOKEN_LIFE: Duration = Duration::from_secs(3600);
/// How long Spotify asks to wait.
const COOLDOWN: Duration = Duration::from_secs(120);

#[tokio::test]
async fn three_processes_asked_in_no_order_give_no_wrong_answer() {
    ask_in_no_order(700, 1).await;
}

#[tokio::test]
#[ignore = "takes minutes"]
async fn three_processes_asked_ten_thousand_times() {
    ask_in_no_order(10_000, 2).await;
}

async fn ask_in_no_order(times: usize, seed: u64) {
    let mut site = Site::open().await;
    site.world.switch(|switches| switches.rotate_refresh_tokens = true);
    let bases = [site.base.clone(), site.second_process().await, site.second_process().await];
    let ada = Ada::arrive(&site, &bases, StdRng::seed_from_u64(seed)).await;
    let told = ada.live(times).await;
    println!("{told:?}");
    assert!(told.expiries > 5 && told.cooldowns > 5 && told.sign_outs > 5, "too little happened: {told:?}");
}

/// What happened while she asked.
#[derive(Debug, Default)]
struct Told {
    expiries: usize,
    cooldowns: usize,
    sign_outs: usize,
    presses: usize,
    pages: usize,
}

/// Somebody with two browsers, and all that she knows of her hearts.
struct Ada<'a> {
    site: &'a Site,
    bases: &'a [String],
    browsers: [Browser; 2],
    playlists: Vec<String>,
    hearted: BTreeSet<String>,
    chance: StdRng,
    told: Told,
}

struct Browser {
    visitor: Visitor,
    signed_in: bool,
}

impl<'a> Ada<'a> {
    async fn arrive(site: &'a Site, bases: &'a [String], chance: StdRng) -> Self {
        let browsers = [site.signed_in("ada").await, site.signed_in("ada").await];
        let playlists = browsers[0].open("/playlists").await.playlist_ids();
        let browsers = browsers.map(|visitor| Browser { visitor, signed_in: true });
        Self { site, bases, browsers, playlists, hearted: BTreeSet::new(), chance, told: Told::default() }
    }

    async fn live(mut self, times: usize) -> Told {
        for turn in 0..times {
            // Slowly enough for the limit of hearts a minute.
            self.site.advance(Duration::from_secs(2));
            let browser = self.chance.random_range(0..2);
            match self.chance.random_range(0..100) {
                0..3 => self.let_tokens_expire(),
                3..6 => self.meet_a_cooldown(),
                6..9 => self.sign_out(browser).await,
                9..10 => self.end_the_other(browser).await,
                _ if !self.browsers[browser].signed_in => self.come_back(browser, turn).await,
                10..50 => self.press(browser, turn).await,
                _ => self.look(browser, turn).await,
            }
        }
        self.told
    }

    /// An address of any of the processes.
    fn at(&mut self, path: &str) -> String {
        format!("{}{path}", self.bases.choose(&mut self.chance).unwrap())
    }

    fn let_tokens_expire(&mut self) {
        self.site.advance(TOKEN_LIFE);
        self.told.expiries += 1;
    }

    /// The next question to Spotify is answered by a wait.
    fn meet_a_cooldown(&mut self) {
        self.site.advance(Duration::from_secs(11 * 60));
        let retry_after = COOLDOWN.as_secs();
        self.site.world.fault(Endpoint::MyPlaylists, Fault::RateLimited { retry_after }, 1);
        self.told.cooldowns += 1;
    }

    async fn press(&mut self, browser: usize, turn: usize) {
        let id = self.playlists.choose(&mut self.chance).unwrap().clone();
        let (method, hearted) = if self.chance.random() { (Method::PUT, true) } else { (Method::DELETE, false) };
        let address = self.at(&format!("/heart/{id}"));
        let answer = self.browsers[browser].visitor.fetch(method, &address).await;
        assert_eq!(answer.status, 200, "turn {turn}, {address}: {}", answer.html);
        assert_eq!(answer.json()["hearted"], hearted, "turn {turn}, {address}");
        if hearted {
            self.hearted.insert(id)
        } else {
            self.hearted.remove(&id)
        };
        self.told.presses += 1;
    }

    /// Each page shows her hearts as they are, whichever process was told of them.
    async fn look(&mut self, browser: usize, turn: usize) {
        let path = *["/hearts", "/playlists"].choose(&mut self.chance).unwrap();
        let address = self.at(path);
        let page = self.browsers[browser].visitor.look(&address).await;
        assert_eq!(page.status, 200, "turn {turn}, {address}: {}", page.html);
        assert_eq!(pressed(&page), self.hearted, "turn {turn}, {address}");
        if path == "/playlists" {
            assert_eq!(page.playlist_ids(), self.playlists, "turn {turn}, {address}");
        }
        self.told.pages += 1;
    }

    async fn sign_out(&mut self, browser: usize) {
        if !self.browsers[browser].signed_in {
            return;
        }
        let address = self.at("/logout");
        let visitor = &self.browsers[browser].visitor;
        let page = visitor.look(&address).await;
        visitor.send(page.form("main form[action='/logout']")).await;
        self.browsers[browser].signed_in = false;
        self.told.sign_outs += 1;
    }

    /// Signs out everywhere but here.
    async fn end_the_other(&mut self, browser: usize) {
        if !self.browsers[browser].signed_in || !self.browsers[1 - browser].signed_in {
            return;
        }
        let address = self.at("/account");
        let visitor = &self.browsers[browser].visitor;
        let page = visitor.look(&address).await;
        visitor.send(page.form("#sessions > form")).await;
        self.browsers[1 - browser].signed_in = false;
        self.told.sign_outs += 1;
    }

    /// Is told by any process that she is signed out, and signs in by any other.
    async fn come_back(&mut self, browser: usize, turn: usize) {
        let (asked, press) = (self.at("/hearts"), self.at(&format!("/heart/{}", self.playlists[0])));
        let login = self.at("/login");
        let Browser { visitor, signed_in } = &mut self.browsers[browser];
        let page = visitor.look(&asked).await;
        assert!(page.status == 303 && page.header("location").starts_with("/login"), "turn {turn}: {}", page.status);
        assert_eq!(visitor.fetch(Method::PUT, &press).await.status, 401, "turn {turn}");
        let consent = visitor.to_consent(&login).await;
        let page = visitor.submit(approve(&consent, "ada")).await;
        *signed_in = page.status == 200;
        if !*signed_in {
            let told = page.text("main");
            assert!(page.status == 502 && told.contains("Spotify asks us to wait"), "turn {turn}: {told}");
            self.site.advance(COOLDOWN);
        }
    }
}

/// Which cards have a heart that is pressed.
fn pressed(page: &Page) -> BTreeSet<String> {
    let cards = page.attributes("li.card:has([aria-pressed=true])", "id");
    cards.into_iter().map(|id| id["p-".len()..].to_owned()).collect()
}
