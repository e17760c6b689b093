//! The workloads: the requests of each and what it is compared with.

use crate::fake_spotify::FIRST_SHARED;
use crate::requests::Requests;
use crate::users::{ROWS_PER_PAGE, SEARCH_WORD, User};

/// Hearts that each user toggles in the workload `heart`.
pub(crate) const HEARTS_PER_USER: usize = 20;
/// Hearts that each user toggles in the workload `90/10`, all of them on the page that it opens.
const HEARTS_ON_PAGE: usize = 5;
/// `Accept-Encoding` of browsers.
pub(crate) const BROWSER_ENCODINGS: &str = "gzip, deflate, br, zstd";
/// Rows of the page of popular playlists: the shared ones that all readers heart.
const TOP_ROWS: usize = 25;

/// What sends a workload's requests.
#[derive(Clone)]
pub(crate) enum Driver {
    Wrk(Requests),
    /// wrk, to the older build.
    WrkOnBaseline(Requests),
    Pgbench,
    /// pgbench at the rate of the hearts before it.
    PacedPgbench,
    /// The harness: sign-ins of users with an account.
    SignIns,
    /// The harness: pages of users whose library is not stored.
    ColdLibrary,
}

/// A figure to compare.
#[derive(Clone, Copy)]
pub(crate) enum Measure {
    Rate,
    P50,
    P99,
    AppCpu,
    PostgresCpu,
    /// CPU time of app and Postgres together.
    Cpu,
}

/// A figure divided by the weighted sum of the same figure of other workloads in the same round.
#[derive(Clone)]
pub(crate) struct Comparison {
    pub(crate) measure: Measure,
    /// Weights and names of the other workloads.
    pub(crate) with: Vec<(f64, String)>,
}

/// A row of the report.
#[derive(Clone)]
pub(crate) struct Workload {
    pub(crate) name: String,
    pub(crate) driver: Driver,
    pub(crate) comparisons: Vec<Comparison>,
}

impl Workload {
    fn new(name: &str, driver: Driver) -> Self {
        Self { name: name.to_owned(), driver, comparisons: Vec::new() }
    }

    fn compare(mut self, measure: Measure, with: &[(f64, &str)]) -> Self {
        let with = with.iter().map(|(weight, name)| (*weight, (*name).to_owned())).collect();
        self.comparisons.push(Comparison { measure, with });
        self
    }

    /// Returns the same workload on the baseline, to be compared with this one. `None` if wrk does not drive it.
    pub(crate) fn for_baseline(&self) -> Option<Self> {
        let Driver::Wrk(requests) = &self.driver else { return None };
        let workload = Self::new(&format!("{}, baseline", self.name), Driver::WrkOnBaseline(requests.clone()));
        let measures = [Measure::Rate, Measure::AppCpu, Measure::PostgresCpu];
        Some(measures.into_iter().fold(workload, |workload, measure| workload.compare(measure, &[(1.0, &self.name)])))
    }
}

/// The users of the workloads.
pub(crate) struct UserGroups<'a> {
    /// Open pages.
    pub(crate) readers: &'a [User],
    /// Toggle hearts.
    pub(crate) writers: &'a [User],
    /// Open pages and toggle hearts.
    pub(crate) regulars: &'a [User],
    /// Open pages of 10,000 playlists.
    pub(crate) collectors: &'a [User],
}

/// Returns all workloads in the order of a round.
pub(crate) fn all(groups: &UserGroups<'_>) -> Vec<Workload> {
    let &UserGroups { readers, writers, regulars, collectors } = groups;
    let (half, full) = (ROWS_PER_PAGE / 2..=ROWS_PER_PAGE / 2, ROWS_PER_PAGE..=ROWS_PER_PAGE);
    let search = format!("/hearts?q={SEARCH_WORD}");
    let found = readers.first().map_or(0, |reader| reader.search_matches);
    let wrk = |name, requests: Requests| Workload::new(name, Driver::Wrk(requests));
    let many_playlists = request_hearts(writers, |writer| &writer.playlists[..HEARTS_PER_USER]);
    // Each of wrk's two threads needs at least as many hearts as connections.
    let connections = (writers.len() / 2 * 2).max(1);
    let one_playlist =
        request_hearts(writers, |writer| &writer.playlists[FIRST_SHARED..=FIRST_SHARED]).with_connections(connections);
    vec![
        wrk("heart", many_playlists.clone())
            .compare(Measure::Rate, &[(1.0, "pgbench")])
            .compare(Measure::PostgresCpu, &[(1.0, "pgbench")])
            .compare(Measure::PostgresCpu, &[(1.0, "pgbench, paced")]),
        Workload::new("pgbench", Driver::Pgbench),
        Workload::new("pgbench, paced", Driver::PacedPgbench),
        wrk("playlists", request_pages(readers, "/playlists", &[]).with_expected_page(ROWS_PER_PAGE, half)),
        wrk("playlists, gzip", request_pages(readers, "/playlists", &[("Accept-Encoding", BROWSER_ENCODINGS)])),
        wrk("hearts", request_pages(readers, "/hearts", &[]).with_expected_page(ROWS_PER_PAGE, full)),
        wrk("search", request_pages(readers, &search, &[]).with_expected_page(found, found..=found)),
        wrk("10,000 playlists", request_pages(collectors, "/playlists", &[]).with_expected_page(ROWS_PER_PAGE, 0..=0)),
        wrk("90/10", request_pages_and_hearts(regulars)).compare(Measure::Cpu, &[(0.9, "playlists"), (0.1, "heart")]),
        wrk("many playlists", many_playlists.with_connections(connections)),
        wrk("one playlist", one_playlist)
            .compare(Measure::P50, &[(1.0, "many playlists")])
            .compare(Measure::P99, &[(1.0, "many playlists")]),
        Workload::new("sign-ins", Driver::SignIns),
        Workload::new("cold library", Driver::ColdLibrary),
        wrk("top", request_pages(readers, "/top", &[]).with_expected_page(TOP_ROWS, TOP_ROWS..=TOP_ROWS)),
    ]
}

fn request_pages(users: &[User], path: &str, headers: &[(&str, &str)]) -> Requests {
    let mut requests = Requests::default();
    users.iter().for_each(|user| requests.add_page(user, path, headers));
    requests
}

/// Returns requests for some hearts of each user. A user comes again only after all others.
fn request_hearts<'a>(users: &'a [User], playlists: impl Fn(&'a User) -> &'a [String]) -> Requests {
    let mut requests = Requests::default();
    for number in 0..users.first().map_or(0, |user| playlists(user).len()) {
        users.iter().for_each(|user| requests.add_heart(user, &playlists(user)[number]));
    }
    requests
}

/// Returns nine pages to one heart. The hearts are on these pages, half of whose rows are hearted already.
fn request_pages_and_hearts(users: &[User]) -> Requests {
    let mut requests = request_pages(users, "/playlists", &[]);
    for number in 0..HEARTS_ON_PAGE {
        users.iter().for_each(|user| requests.add_heart(user, &user.playlists[2 * number + 1]));
    }
    requests
        .with_pages_per_heart(9)
        .with_expected_page(ROWS_PER_PAGE, ROWS_PER_PAGE / 2..=ROWS_PER_PAGE / 2 + HEARTS_ON_PAGE)
}
