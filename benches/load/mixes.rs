//! What is measured: requests as people make them, and beside each what limits it.

use crate::limits::Bare;
use crate::listeners::{LIBRARY, Listener, ROWS};
use crate::wrk::Requests;

/// What browsers say they can read.
const ENCODINGS: (&str, &str) = ("Accept-Encoding", "gzip, deflate, br, zstd");

/// Who does the work, and what they ask.
#[derive(Clone)]
pub(crate) enum Work {
    /// wrk asks the app.
    App(Requests),
    /// wrk asks the other build of the app.
    Other(Requests),
    /// wrk asks a server that sends the bytes of the same answer and does nothing else.
    Bare(Requests),
    /// pgbench sends the statements of a heart, with the look-up of the session before it.
    Pgbench,
    /// Whole sign-ins: the app's three requests and the consent page's two.
    SignIns,
    /// Pages for people whose library is not kept, while Spotify takes 20 ms for each list.
    Cold,
}

/// One line of the report.
#[derive(Clone)]
pub(crate) struct Mix {
    pub(crate) name: String,
    /// The mix that limits it, or that it is compared with.
    pub(crate) limit: Option<String>,
    pub(crate) work: Work,
}

impl Mix {
    fn new(name: &str, limit: Option<&str>, work: Work) -> Self {
        Self { name: name.to_owned(), limit: limit.map(str::to_owned), work }
    }

    /// The same asked of the other build, to be compared with this one.
    pub(crate) fn of_the_other(&self) -> Option<Self> {
        let Work::App(requests) = &self.work else { return None };
        Some(Self::new(&format!("{}, other build", self.name), Some(&self.name), Work::Other(requests.clone())))
    }
}

/// Requests of one kind by all of `people`.
fn requests(host: &str, people: &[Listener], (method, path): (&str, &str), more: &[(&str, &str)]) -> Requests {
    let mut all = Requests::default();
    for person in people {
        let headers = [&[("Host", host), ("Cookie", &person.cookie)], more].concat();
        all.add(method, path, &headers);
    }
    all
}

/// Who asks.
pub(crate) struct People<'a> {
    pub(crate) readers: &'a [Listener],
    pub(crate) writers: &'a [Listener],
    /// Those with 10,000 playlists.
    pub(crate) collectors: &'a [Listener],
}

/// All mixes and their limits, in the order in which a round plays them. `top`: whether there is such a page.
pub(crate) fn all(app: &str, bare: &Bare, people: &People<'_>, top: bool) -> Vec<Mix> {
    let People { readers, writers, collectors } = *people;
    let host = app.trim_start_matches("http://");
    let page = |path| requests(host, readers, ("GET", path), &[]);
    let packed = |path| requests(host, readers, ("GET", path), &[ENCODINGS]);
    let seen = |requests: Requests, hearts| Work::App(requests.expecting(ROWS, hearts));
    let same = |name, limit| Mix::new(limit, None, Work::Bare(bare.requests(name)));
    let mut mixes = vec![
        Mix::new("heart", Some("pgbench"), Work::App(requests(host, writers, HEART, &[]))),
        Mix::new("pgbench", None, Work::Pgbench),
        same("heart", "heart's bytes"),
        Mix::new("playlists", Some("playlists' bytes"), seen(page("/playlists"), ROWS / 2)),
        same("playlists", "playlists' bytes"),
        Mix::new("playlists, new", None, seen(page(NEW), ROWS / 2)),
        Mix::new("playlists, packed", Some("playlists' packed bytes"), Work::App(packed("/playlists"))),
        same("playlists, packed", "playlists' packed bytes"),
        Mix::new("playlists, new and packed", None, Work::App(packed(NEW))),
        Mix::new("hearts", Some("hearts' bytes"), seen(page("/hearts"), LIBRARY / 2)),
        same("hearts", "hearts' bytes"),
        Mix::new("hearts, new", None, seen(page("/hearts?new={fresh}"), LIBRARY / 2)),
        Mix::new("10,000 playlists", None, seen(requests(host, collectors, ("GET", NEW), &[]), 0)),
        Mix::new("90/10", None, seen(nine_in_ten(host, readers, writers), ROWS / 2)),
        Mix::new("sign-ins", None, Work::SignIns),
        Mix::new("cold library", None, Work::Cold),
    ];
    if top {
        mixes.push(Mix::new("top", None, Work::App(page("/top"))));
    }
    mixes
}

/// A heart for a playlist that nobody has hearted.
const HEART: (&str, &str) = ("PUT", "/heart/{fresh}");

/// A page that was not looked at before: the address says nothing that the page heeds, but is another each time.
pub(crate) const NEW: &str = "/playlists?new={fresh}";

/// What the bare server sends: the answers to these, as the app gave them once.
pub(crate) const SAMPLES: [(&str, &str, &str, bool); 4] = [
    ("heart", "PUT", "/heart/0000000000000000000000", false),
    ("playlists", "GET", "/playlists", false),
    ("playlists, packed", "GET", "/playlists", true),
    ("hearts", "GET", "/hearts", false),
];

/// The header with which a sample is asked for.
pub(crate) fn encoding(packed: bool) -> &'static str {
    if packed { ENCODINGS.1 } else { "identity" }
}

fn nine_in_ten(host: &str, readers: &[Listener], writers: &[Listener]) -> Requests {
    let mut all = Requests::default();
    for (reader, writer) in readers.iter().zip(writers) {
        for _ in 0..9 {
            all.add("GET", "/playlists", &[("Host", host), ("Cookie", &reader.cookie)]);
        }
        all.add(HEART.0, HEART.1, &[("Host", host), ("Cookie", &writer.cookie)]);
    }
    all
}
