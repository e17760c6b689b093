//! What is measured: requests as people make them, and what each mix is compared with.

use crate::fake_spotify::FIRST_SHARED;
use crate::people::{Person, ROWS, SEARCH_WORD};
use crate::wrk::Requests;

/// How many hearts each person toggles in the mix `heart`.
pub(crate) const HEARTS_PER_PERSON: usize = 20;
/// How many hearts each person toggles on the page that is opened in the mix `90/10`.
const HEARTS_ON_PAGE: usize = 5;
/// Encodings that browsers name.
pub(crate) const BROWSER_ENCODINGS: &str = "gzip, deflate, br, zstd";
/// Rows of the page of popular playlists: the shared ones that all readers heart.
const POPULAR: usize = 25;

/// How a mix is run.
#[derive(Clone)]
pub(crate) enum Work {
    /// wrk sends requests to the app.
    App(Requests),
    /// wrk sends the same to the other build of the app.
    OtherBuild(Requests),
    /// pgbench: the limit of a heart.
    Pgbench,
    /// The same, no faster than the hearts before it.
    PacedPgbench,
    /// Whole sign-ins of people who have an account.
    SignIns,
    /// Pages of people whose library is not stored.
    ColdLibrary,
}

/// A figure that is compared.
#[derive(Clone, Copy)]
pub(crate) enum Measure {
    Rate,
    P50,
    P99,
    AppCpu,
    PostgresCpu,
    /// Of the app and Postgres together.
    Cpu,
}

/// A figure of a mix divided by the weighted sum of the same figure of other mixes, in the same round.
#[derive(Clone)]
pub(crate) struct Comparison {
    pub(crate) measure: Measure,
    pub(crate) with: Vec<(f64, String)>,
}

/// One row of the report.
#[derive(Clone)]
pub(crate) struct Mix {
    pub(crate) name: String,
    pub(crate) work: Work,
    pub(crate) comparisons: Vec<Comparison>,
}

impl Mix {
    fn new(name: &str, work: Work) -> Self {
        Self { name: name.to_owned(), work, comparisons: Vec::new() }
    }

    fn compare(mut self, measure: Measure, with: &[(f64, &str)]) -> Self {
        let with = with.iter().map(|(weight, name)| (*weight, (*name).to_owned())).collect();
        self.comparisons.push(Comparison { measure, with });
        self
    }

    /// Returns the same mix for the other build, compared with this one. `None` if wrk does not run it.
    pub(crate) fn of_other_build(&self) -> Option<Self> {
        let Work::App(requests) = &self.work else { return None };
        let mix = Self::new(&format!("{}, other build", self.name), Work::OtherBuild(requests.clone()));
        let measures = [Measure::Rate, Measure::AppCpu, Measure::PostgresCpu];
        Some(measures.into_iter().fold(mix, |mix, measure| mix.compare(measure, &[(1.0, &self.name)])))
    }
}

/// Who sends the requests.
pub(crate) struct People<'a> {
    /// Read alone.
    pub(crate) readers: &'a [Person],
    /// Press hearts alone.
    pub(crate) writers: &'a [Person],
    /// Read and press hearts.
    pub(crate) regulars: &'a [Person],
    /// Have 10,000 playlists.
    pub(crate) collectors: &'a [Person],
}

/// Returns all mixes in the order in which a round runs them.
pub(crate) fn all(people: &People<'_>) -> Vec<Mix> {
    let &People { readers, writers, regulars, collectors } = people;
    let (half, full) = (ROWS / 2..=ROWS / 2, ROWS..=ROWS);
    let search = format!("/hearts?q={SEARCH_WORD}");
    let found = readers.first().map_or(0, |reader| reader.found);
    let app = |name, requests: Requests| Mix::new(name, Work::App(requests));
    let many_playlists = hearts(writers, |writer| &writer.playlists[..HEARTS_PER_PERSON]);
    // Each thread of wrk needs as many hearts as connections.
    let at_once = (writers.len() / 2 * 2).max(1);
    let one_playlist = hearts(writers, |writer| &writer.playlists[FIRST_SHARED..=FIRST_SHARED]).over(at_once);
    vec![
        app("heart", many_playlists.clone())
            .compare(Measure::Rate, &[(1.0, "pgbench")])
            .compare(Measure::PostgresCpu, &[(1.0, "pgbench")])
            .compare(Measure::PostgresCpu, &[(1.0, "pgbench, paced")]),
        Mix::new("pgbench", Work::Pgbench),
        Mix::new("pgbench, paced", Work::PacedPgbench),
        app("playlists", pages(readers, "/playlists", &[]).expecting(ROWS, half)),
        app("playlists, gzip", pages(readers, "/playlists", &[("Accept-Encoding", BROWSER_ENCODINGS)])),
        app("hearts", pages(readers, "/hearts", &[]).expecting(ROWS, full)),
        app("search", pages(readers, &search, &[]).expecting(found, found..=found)),
        app("10,000 playlists", pages(collectors, "/playlists", &[]).expecting(ROWS, 0..=0)),
        app("90/10", nine_to_one(regulars)).compare(Measure::Cpu, &[(0.9, "playlists"), (0.1, "heart")]),
        app("many playlists", many_playlists.over(at_once)),
        app("one playlist", one_playlist)
            .compare(Measure::P50, &[(1.0, "many playlists")])
            .compare(Measure::P99, &[(1.0, "many playlists")]),
        Mix::new("sign-ins", Work::SignIns),
        Mix::new("cold library", Work::ColdLibrary),
        app("top", pages(readers, "/top", &[]).expecting(POPULAR, POPULAR..=POPULAR)),
    ]
}

fn pages(people: &[Person], path: &str, headers: &[(&str, &str)]) -> Requests {
    let mut requests = Requests::default();
    people.iter().for_each(|person| requests.add_page(person, path, headers));
    requests
}

/// Hearts of all people for some playlists of each, ordered so that the same person comes as late as possible again.
fn hearts<'a>(people: &'a [Person], playlists: impl Fn(&'a Person) -> &'a [String]) -> Requests {
    let mut requests = Requests::default();
    for number in 0..people.first().map_or(0, |person| playlists(person).len()) {
        people.iter().for_each(|person| requests.add_heart(person, &playlists(person)[number]));
    }
    requests
}

/// Nine pages to one heart on one of these pages, which half of the page's rows have already.
fn nine_to_one(people: &[Person]) -> Requests {
    let mut requests = pages(people, "/playlists", &[]);
    for number in 0..HEARTS_ON_PAGE {
        people.iter().for_each(|person| requests.add_heart(person, &person.playlists[2 * number + 1]));
    }
    requests.with_pages_per_heart(9).expecting(ROWS, ROWS / 2..=ROWS / 2 + HEARTS_ON_PAGE)
}
