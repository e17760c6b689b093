//! The doctor's findings.

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    Good,
    /// It works, but the operator should know about it, or only the operator can check it.
    Note,
    Bad,
}

#[derive(Debug)]
pub struct Finding {
    pub status: Status,
    /// One or two words.
    pub subject: &'static str,
    /// Full sentences. Backticks mark text to type, here and in `fix`.
    pub message: String,
    /// Text to copy exactly.
    pub value: Option<String>,
    pub rationale: &'static str,
    pub fix: Option<String>,
}

/// How the operator runs the doctor.
pub enum RequestContext {
    /// The server need not be running.
    Terminal,
    /// Through the page `/setup`.
    Browser {
        host: Option<String>,
        /// `https` or `http`, from a proxy's header.
        scheme: Option<String>,
        /// Whether the request has a header of a proxy with the client's address.
        is_forwarded: bool,
    },
}

/// A check: its subject, and why its outcome matters.
#[derive(Clone, Copy)]
pub(super) struct Check(pub(super) &'static str, pub(super) &'static str);

impl Check {
    fn finding(self, status: Status, message: impl Into<String>) -> Finding {
        let Self(subject, rationale) = self;
        Finding { status, subject, message: message.into(), value: None, rationale, fix: None }
    }

    pub(super) fn good(self, message: impl Into<String>) -> Finding {
        self.finding(Status::Good, message)
    }

    pub(super) fn note(self, message: impl Into<String>) -> Finding {
        self.finding(Status::Note, message)
    }

    pub(super) fn bad(self, message: impl Into<String>) -> Finding {
        self.finding(Status::Bad, message)
    }
}

impl Finding {
    pub(super) fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    pub(super) fn with_value(mut self, text: impl Into<String>) -> Self {
        self.value = Some(text.into());
        self
    }
}

pub fn count(findings: &[Finding], status: Status) -> usize {
    findings.iter().filter(|finding| finding.status == status).count()
}
