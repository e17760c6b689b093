//! The result of one run of one workload.

/// Counts, latencies and the hearts' last states.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) requests: u64,
    /// Number of answered requests that set or cleared a heart.
    pub(crate) toggles: u64,
    pub(crate) seconds: f64,
    /// Milliseconds. Not a number if not measured.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) checked_pages: u64,
    /// Mean size of a page as sent. Not a number if not measured.
    pub(crate) page_bytes: f64,
    /// State of each heart in the last response. `None` if a request was still in flight.
    pub(crate) states: Vec<Option<bool>>,
}
