//! The access log: one line of JSON for each request.
//!
//! A line contains no secret, no user and no text of a conversation. Sessions appear
//! as short digests.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Instant;

use http::StatusCode;
use serde::Serialize;
use uuid::Uuid;

use crate::access::Caller;
use crate::error::{Error, ErrorResponse};
use crate::openai::completion::{FinishReason, Usage};
use crate::reply::Ending;
use crate::run::{ValidEmbeddings, ValidRun};
use crate::runtime::RunOutcome;

/// The line of a request. `docs/log.md` describes its keys.
#[derive(Debug, Serialize)]
pub struct AccessLog {
    request: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ignored: Vec<Cow<'static, str>>,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish: Option<FinishReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_gone: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_event_ms: Option<u64>,
    duration_ms: u64,
    #[serde(skip)]
    begun: Instant,
}

/// Writes a notice: a line that belongs to no request.
pub fn notice(text: &str) {
    #[derive(Serialize)]
    struct Notice<'a> {
        notice: &'a str,
    }
    write_line(&Notice { notice: text });
}

/// Writes a line to standard error. A failure to write does not affect the response.
fn write_line(line: &impl Serialize) {
    if let Ok(json) = serde_json::to_string(line) {
        // One write, so that concurrent requests do not mix their lines.
        let line = in_ascii(json) + "\n";
        std::io::stderr().write_all(line.as_bytes()).ok();
    }
}

impl AccessLog {
    /// Begins the line of a request.
    #[must_use]
    pub fn begin(request: Uuid) -> Self {
        Self {
            request: format!("req_{}", request.simple()),
            caller: None,
            agent: None,
            runtime: None,
            session: None,
            trace: None,
            ignored: Vec::new(),
            status: 0,
            finish: None,
            usage: None,
            cancelled: None,
            client_gone: None,
            error: None,
            detail: None,
            first_event_ms: None,
            duration_ms: 0,
            begun: Instant::now(),
        }
    }

    /// Returns the id of the request, which is also the value of `x-request-id`.
    #[must_use]
    pub fn request(&self) -> &str {
        &self.request
    }

    /// Records the caller.
    pub fn caller(&mut self, caller: &Caller) {
        self.caller = Some(caller.label().into_owned());
    }

    /// Records the agent, session and trace of a run, and the members without effect.
    pub fn run(&mut self, run: &ValidRun) {
        self.agent = Some(run.agent().to_owned());
        self.runtime = run.upstream().map(str::to_owned);
        self.session = Some(run.session().digest());
        self.trace = run.trace().map(str::to_owned);
        self.ignored = run.ignored().to_vec();
    }

    /// Records the agent and the trace of a request for embeddings.
    pub fn embeddings(&mut self, valid: &ValidEmbeddings) {
        self.agent = Some(valid.agent().to_owned());
        self.runtime = valid.upstream().map(str::to_owned);
        self.trace = valid.trace().map(str::to_owned);
    }

    /// Records the tokens of embeddings, if the runtime counts them.
    pub fn input_tokens(&mut self, tokens: Option<u64>) {
        self.usage = tokens.map(|tokens| Usage {
            prompt_tokens: tokens,
            total_tokens: tokens,
            ..Usage::default()
        });
    }

    /// Records the time of the run's first event.
    pub fn event(&mut self) {
        if self.first_event_ms.is_none() {
            self.first_event_ms = Some(self.elapsed());
        }
    }

    /// Records the status of the response.
    pub fn status(&mut self, status: StatusCode) {
        self.status = status.as_u16();
    }

    /// Records the outcome of a run that succeeded.
    pub fn outcome(&mut self, outcome: &RunOutcome) {
        self.finish = Some(outcome.stop_reason.into());
        self.usage = outcome.usage.map(Usage::from);
    }

    /// Records an error, with the details that the client does not see.
    pub fn error(&mut self, response: &ErrorResponse) {
        self.error = Some(response.log_message().to_owned());
        self.detail.clone_from(&response.detail);
    }

    /// Records how a run ended whose client did not wait for it.
    pub fn ending(&mut self, ending: Ending) {
        match ending {
            Ending::Succeeded(outcome) => self.outcome(&outcome),
            Ending::Failed(error) => self.error(&Error::Run(error).into()),
            Ending::Cancelled => self.cancelled(),
        }
    }

    /// Records that a client cancelled the run.
    pub fn cancelled(&mut self) {
        self.cancelled = Some(true);
    }

    /// Records that the client disconnected before the end.
    pub fn client_gone(&mut self) {
        self.client_gone = Some(true);
    }

    /// Writes the line.
    pub fn write(mut self) {
        self.duration_ms = self.elapsed();
        write_line(&self);
    }

    fn elapsed(&self) -> u64 {
        let elapsed = self.begun.elapsed().as_millis();
        u64::try_from(elapsed).unwrap_or(u64::MAX)
    }
}

/// Escapes every character that is not visible ASCII. A client's value can then not
/// end the line or send control sequences to a terminal.
fn in_ascii(json: String) -> String {
    let is_plain = |c: char| matches!(c, ' '..='~');
    if json.chars().all(is_plain) {
        return json;
    }
    let mut line = String::with_capacity(json.len());
    for c in json.chars() {
        if is_plain(c) {
            line.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing into a string cannot fail.
            write!(line, "\\u{unit:04x}").ok();
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_visible_ascii_with_the_same_content() {
        let text = "x\n\u{7f}\u{85}\u{9b}é\u{2028}🙂~ ";
        let json = serde_json::to_string(text).unwrap();
        let line = in_ascii(json);
        assert_eq!(line, r#""x\n\u007f\u0085\u009b\u00e9\u2028\ud83d\ude42~ ""#);
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
        assert_eq!(in_ascii("{}".to_owned()), "{}");
    }
}
