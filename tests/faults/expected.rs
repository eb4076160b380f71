//! The response that a client expects, whole or streamed.

use serde_json::Value;

use super::cases::{INTERNAL, OWN_TOKEN};
use super::harness::{Response, Server, TOKEN, chunks, error, finishes, text};

/// The expected response to a run.
#[derive(Clone)]
pub(crate) enum Expected {
    /// An error in both forms: the run failed before any text.
    Refused(Refusal),
    /// A stream with this text and an error event, and an error instead of a whole
    /// reply: the run broke after this text.
    Broken(&'static str, Refusal),
    /// This text: the run succeeded.
    Whole(String),
}

impl Expected {
    /// A run that may have begun and broke before any text.
    pub(crate) fn broken_at_once() -> Self {
        Self::Refused(Refusal::broken())
    }

    /// A run that broke after this text.
    pub(crate) fn broken_after(text: &'static str) -> Self {
        Self::Broken(text, Refusal::broken())
    }

    /// Asserts that a streamed response is as expected.
    pub(crate) fn assert_streamed(&self, name: &str, answer: &Response, server: &Server) {
        let expected_text = match self {
            Self::Refused(refusal) => {
                refusal.assert_matches(name, answer, server);
                return;
            }
            Self::Broken(text, _) => *text,
            Self::Whole(text) => text.as_str(),
        };
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        assert_reveals_nothing(answer);
        let chunks = chunks(answer);
        assert_eq!(text(&chunks), expected_text, "{name}");
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

    /// Asserts that a whole response is as expected. Incomplete text is an error.
    pub(crate) fn assert_whole(&self, name: &str, answer: &Response, server: &Server) {
        let length = answer.headers.get("content-length");
        let expected = answer.body.len().to_string();
        assert_eq!(length, Some(expected.as_str()), "{name}");
        match self {
            Self::Refused(refusal) | Self::Broken(_, refusal) => {
                refusal.assert_matches(name, answer, server);
            }
            Self::Whole(text) => {
                assert_eq!(answer.status, 200, "{name}: {answer:?}");
                let choice = &answer.json()["choices"][0];
                assert_eq!(choice["message"]["content"], *text, "{name}");
                assert_eq!(choice["finish_reason"], "stop", "{name}");
                server.access_log(&answer.headers);
            }
        }
    }
}

/// An error, and whether the client may retry.
#[derive(Clone)]
pub(crate) struct Refusal {
    status: u16,
    kind: &'static str,
    retry_after: Option<&'static str>,
    /// The value of `x-should-retry`.
    should_retry: Option<&'static str>,
}

impl Refusal {
    /// The error of a run that has not begun.
    pub(crate) fn new(status: u16, kind: &'static str) -> Self {
        Self {
            status,
            kind,
            retry_after: None,
            should_retry: None,
        }
    }

    /// The error of a run that may have begun and broke.
    pub(crate) fn broken() -> Self {
        Self::new(502, "api_error").no_retry()
    }

    /// The error of a run that may have begun and timed out.
    pub(crate) fn timed_out() -> Self {
        Self::new(504, "api_error").no_retry()
    }

    /// Adds `x-should-retry: false`, for a run that may have begun.
    pub(crate) fn no_retry(mut self) -> Self {
        self.should_retry = Some("false");
        self
    }

    /// Adds a `Retry-After` header.
    pub(crate) fn after(mut self, seconds: &'static str) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Asserts that a response is this error, that the access log has one line for it,
    /// and that it reveals nothing about the upstream. Returns the error object.
    pub(crate) fn assert_matches(&self, name: &str, answer: &Response, server: &Server) -> Value {
        assert_eq!(answer.status, self.status, "{name}: {answer:?}");
        let header = |header| answer.headers.get(header);
        assert_eq!(header("retry-after"), self.retry_after, "{name}");
        assert_eq!(header("x-should-retry"), self.should_retry, "{name}");
        let error = error(answer);
        assert_eq!(error["type"], self.kind, "{name}");
        assert_reveals_nothing(answer);
        let record = server.access_log(&answer.headers);
        assert_eq!(record["status"], self.status, "{name}: {record}");
        let logged = record["error"].as_str().unwrap();
        // The runtime's message about a request may quote the conversation.
        let is_quoted = logged == "The agent runtime rejects the request.";
        assert!(is_quoted || error["message"] == logged, "{name}: {record}");
        error
    }
}

/// Asserts that a response contains no secret, address or error text of the upstream.
pub(crate) fn assert_reveals_nothing(answer: &Response) {
    let answer = format!("{answer:?}");
    for secret in [OWN_TOKEN, TOKEN, "127.0.0.1", INTERNAL] {
        assert!(!answer.contains(secret), "{secret}: {answer}");
    }
}
