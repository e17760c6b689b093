//! The doctor's findings.

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    Good,
    /// Works, but the operator should know it; or only the operator can check it.
    Note,
    Bad,
}

#[derive(Debug)]
pub struct Finding {
    pub status: Status,
    /// One or two words.
    pub subject: &'static str,
    /// Sentences. Backticks mark what is to be typed, here and in `fix`.
    pub message: String,
    /// A text to be copied exactly.
    pub value: Option<String>,
    pub why: &'static str,
    pub fix: Option<String>,
}

/// How the operator runs the doctor.
pub enum RequestContext {
    /// The server need not be running.
    Terminal,
    /// Through the page `/setup`.
    Browser {
        /// The `Host` header.
        host: Option<String>,
        /// `https` or `http`, from a proxy's header.
        scheme: Option<String>,
    },
}

impl Finding {
    fn new(status: Status, subject: &'static str, message: impl Into<String>, why: &'static str) -> Self {
        Self { status, subject, message: message.into(), value: None, why, fix: None }
    }

    pub(super) fn good(subject: &'static str, message: impl Into<String>, why: &'static str) -> Self {
        Self::new(Status::Good, subject, message, why)
    }

    pub(super) fn note(subject: &'static str, message: impl Into<String>, why: &'static str) -> Self {
        Self::new(Status::Note, subject, message, why)
    }

    pub(super) fn bad(subject: &'static str, message: impl Into<String>, why: &'static str) -> Self {
        Self::new(Status::Bad, subject, message, why)
    }

    pub(super) fn with_fix(mut self, how: impl Into<String>) -> Self {
        self.fix = Some(how.into());
        self
    }

    pub(super) fn with_value(mut self, text: impl Into<String>) -> Self {
        self.value = Some(text.into());
        self
    }
}

/// Counts the findings of a status.
pub fn count(findings: &[Finding], status: Status) -> usize {
    findings.iter().filter(|finding| finding.status == status).count()
}
