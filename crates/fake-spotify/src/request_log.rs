//! Received requests, and the faults of those to come.

use std::collections::{BTreeSet, HashMap, VecDeque};

use axum::http::Method;
use time::OffsetDateTime;

use crate::endpoint::Endpoint;
use crate::fault::Fault;
use crate::scenario::Scenario;

/// A request that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedRequest {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The method.
    pub method: Method,
    /// Path and query as sent, including the mount path.
    pub path_and_query: String,
    /// Time by the server's own clock.
    pub received_at: OffsetDateTime,
}

/// Length of the log; bounds the memory of a long demo.
const MAX_RECORDED: usize = 10_000;
/// Longest path and query that is kept.
const MAX_PATH_BYTES: usize = 1_000;

#[derive(Default)]
pub(crate) struct RequestLog {
    recorded: VecDeque<RecordedRequest>,
    counts: HashMap<Endpoint, usize>,
    faults: HashMap<Endpoint, VecDeque<(Fault, u32)>>,
    pub(crate) scenarios: BTreeSet<Scenario>,
}

impl RequestLog {
    pub(crate) fn record(&mut self, mut request: RecordedRequest) {
        // The address may have come in a buffer of a size that the client chose.
        request.path_and_query.truncate(request.path_and_query.floor_char_boundary(MAX_PATH_BYTES));
        request.path_and_query.shrink_to_fit();
        *self.counts.entry(request.endpoint).or_default() += 1;
        if self.recorded.len() == MAX_RECORDED {
            self.recorded.pop_front();
        }
        self.recorded.push_back(request);
    }

    /// The recorded requests, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &RecordedRequest> {
        self.recorded.iter()
    }

    pub(crate) fn count(&self, endpoint: Endpoint) -> usize {
        self.counts.get(&endpoint).copied().unwrap_or(0)
    }

    pub(crate) fn add_fault(&mut self, endpoint: Endpoint, fault: Fault, times: u32) {
        if times > 0 {
            self.faults.entry(endpoint).or_default().push_back((fault, times));
        }
    }

    /// Drops all pending faults and ends all scenarios.
    pub(crate) fn reset(&mut self) {
        self.faults.clear();
        self.scenarios.clear();
    }

    /// The fault of the next request to an endpoint: a pending one, otherwise that of an active scenario.
    pub(crate) fn take_fault(&mut self, endpoint: Endpoint, query: &str) -> Option<Fault> {
        let of_scenario = || self.scenarios.iter().find_map(|scenario| scenario.fault(endpoint, query));
        let Some((fault, times)) = self.faults.get_mut(&endpoint).and_then(VecDeque::front_mut) else {
            return of_scenario();
        };
        let fault = fault.clone();
        *times -= 1;
        if *times == 0 {
            self.faults.get_mut(&endpoint)?.pop_front();
        }
        Some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_has_a_bounded_size_whatever_is_requested() {
        let mut log = RequestLog::default();
        for path in ["/short".to_owned(), "/".repeat(30_000), format!("/{}", "é".repeat(20_000))] {
            for _ in 0..MAX_RECORDED {
                log.record(RecordedRequest {
                    endpoint: Endpoint::Me,
                    method: Method::GET,
                    path_and_query: path.clone(),
                    received_at: OffsetDateTime::UNIX_EPOCH,
                });
            }
            let bytes: usize = log.iter().map(|request| request.path_and_query.capacity()).sum();
            assert!(bytes <= MAX_RECORDED * MAX_PATH_BYTES, "{bytes}");
        }
    }

    #[test]
    fn faults_occur_in_order_and_run_out() {
        let mut log = RequestLog::default();
        log.add_fault(Endpoint::Me, Fault::Html502, 2);
        log.add_fault(Endpoint::Me, Fault::Empty, 1);
        assert!(matches!(log.take_fault(Endpoint::Me, ""), Some(Fault::Html502)));
        assert!(matches!(log.take_fault(Endpoint::Me, ""), Some(Fault::Html502)));
        assert!(matches!(log.take_fault(Endpoint::Me, ""), Some(Fault::Empty)));
        assert!(log.take_fault(Endpoint::Me, "").is_none());
        assert!(log.take_fault(Endpoint::Token, "").is_none());
    }
}
