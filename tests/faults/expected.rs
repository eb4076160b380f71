//! What a client sees of a run, in either form of answer.

use serde_json::Value;

use super::cases::{INTERNAL, OWN_TOKEN};
use super::harness::{Response, Server, TOKEN, chunks, error, finishes, text};

/// What a client sees of a run.
#[derive(Clone)]
pub(crate) enum Seen {
    /// An error in both forms: the run failed before it showed anything.
    Refused(Refusal),
    /// This text, and then an error: the run broke under way. What would have
    /// been a whole answer is the refusal.
    Broken(&'static str, Refusal),
    /// This text and nothing else: the run is whole.
    Whole(String),
}

impl Seen {
    /// A run that may have begun, and broke before it showed anything.
    pub(crate) fn broken_at_once() -> Self {
        Self::Refused(Refusal::broken())
    }

    /// A run that broke after this text.
    pub(crate) fn broken_after(said: &'static str) -> Self {
        Self::Broken(said, Refusal::broken())
    }

    /// Asserts that a streamed answer shows it.
    pub(crate) fn assert_streamed(&self, name: &str, answer: &Response, server: &Server) {
        let said = match self {
            Self::Refused(refusal) => {
                refusal.assert_told(name, answer, server);
                return;
            }
            Self::Broken(said, _) => *said,
            Self::Whole(said) => said.as_str(),
        };
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        assert_tells_nothing(answer);
        let chunks = chunks(answer);
        assert_eq!(text(&chunks), said, "{name}");
        let errors = chunks.iter().filter(|chunk| chunk.get("error").is_some());
        let (whole, errors) = (matches!(self, Self::Whole(_)), errors.count());
        let expected = if whole { vec!["stop"] } else { Vec::new() };
        assert_eq!(finishes(&chunks), expected, "{name}");
        assert_eq!(errors, usize::from(!whole), "{name}: {answer:?}");
        let last = chunks.last().unwrap();
        assert_eq!(last["error"].is_object(), !whole, "{name}: {answer:?}");
        let record = server.access_log(&answer.headers);
        assert_eq!(record["error"].is_string(), !whole, "{name}: {record}");
    }

    /// Asserts that a whole answer shows it. Half of one is an error.
    pub(crate) fn assert_whole(&self, name: &str, answer: &Response, server: &Server) {
        let length = answer.headers.get("content-length");
        let expected = answer.body.len().to_string();
        assert_eq!(length, Some(expected.as_str()), "{name}");
        match self {
            Self::Refused(refusal) | Self::Broken(_, refusal) => {
                refusal.assert_told(name, answer, server);
            }
            Self::Whole(said) => {
                assert_eq!(answer.status, 200, "{name}: {answer:?}");
                let choice = &answer.json()["choices"][0];
                assert_eq!(choice["message"]["content"], *said, "{name}");
                assert_eq!(choice["finish_reason"], "stop", "{name}");
                server.access_log(&answer.headers);
            }
        }
    }
}

/// An error, and whether it may be tried again.
#[derive(Clone)]
pub(crate) struct Refusal {
    status: u16,
    kind: &'static str,
    retry_after: Option<&'static str>,
    /// The value of `x-should-retry`.
    should_retry: Option<&'static str>,
}

impl Refusal {
    /// An error of a run that has not begun.
    pub(crate) fn new(status: u16, kind: &'static str) -> Self {
        Self {
            status,
            kind,
            retry_after: None,
            should_retry: None,
        }
    }

    /// The error of a run that may have begun, and broke.
    pub(crate) fn broken() -> Self {
        Self::new(502, "api_error").not_again()
    }

    /// The error of a run that may have begun, and was given up.
    pub(crate) fn timed_out() -> Self {
        Self::new(504, "api_error").not_again()
    }

    /// The same of one that may have begun.
    pub(crate) fn not_again(mut self) -> Self {
        self.should_retry = Some("false");
        self
    }

    /// The same with a time after which to ask again.
    pub(crate) fn after(mut self, seconds: &'static str) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Asserts that an answer is this error, that it was logged once, and that
    /// it tells nothing of the upstream. Returns the error's object.
    pub(crate) fn assert_told(&self, name: &str, answer: &Response, server: &Server) -> Value {
        assert_eq!(answer.status, self.status, "{name}: {answer:?}");
        let header = |header| answer.headers.get(header);
        assert_eq!(header("retry-after"), self.retry_after, "{name}");
        assert_eq!(header("x-should-retry"), self.should_retry, "{name}");
        let error = error(answer);
        assert_eq!(error["type"], self.kind, "{name}");
        assert_tells_nothing(answer);
        let record = server.access_log(&answer.headers);
        assert_eq!(record["status"], self.status, "{name}: {record}");
        assert_eq!(record["error"], error["message"], "{name}: {record}");
        error
    }
}

/// Asserts that nothing of the upstream's own reaches the client.
pub(crate) fn assert_tells_nothing(answer: &Response) {
    let answer = format!("{answer:?}");
    for secret in [OWN_TOKEN, TOKEN, "127.0.0.1", INTERNAL] {
        assert!(!answer.contains(secret), "{secret}: {answer}");
    }
}
