//! The one line that is logged for a request, as JSON.
//!
//! It holds no secret, no user and no text of a conversation; sessions appear as
//! a short digest.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Instant;

use http::StatusCode;
use serde::Serialize;
use uuid::Uuid;

use crate::auth::Caller;
use crate::error::Error;
use crate::openai::completion::{FinishReason, Usage};
use crate::runtime::RunOutcome;
use crate::validate::ValidRun;

/// What is known of a request so far.
#[derive(Debug, Serialize)]
pub struct Record {
    request: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish: Option<FinishReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_gone: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_milliseconds: Option<u64>,
    milliseconds: u64,
    #[serde(skip)]
    begun: Instant,
}

/// Tells the operator of something that belongs to no one request.
pub fn notice(text: &str) {
    #[derive(Serialize)]
    struct Notice<'a> {
        notice: &'a str,
    }
    write_line(&Notice { notice: text });
}

/// Writes a line to standard error. A log that cannot be written stops no answer.
fn write_line(line: &impl Serialize) {
    if let Ok(line) = serde_json::to_string(line) {
        // In one write, so that no other line gets between it and its end.
        let line = in_ascii(line) + "\n";
        std::io::stderr().write_all(line.as_bytes()).ok();
    }
}

impl Record {
    /// Begins the record of a request.
    #[must_use]
    pub fn begin(request: Uuid) -> Self {
        Self {
            request: format!("req_{}", request.simple()),
            caller: None,
            agent: None,
            session: None,
            trace: None,
            status: 0,
            finish: None,
            usage: None,
            client_gone: None,
            error: None,
            detail: None,
            first_milliseconds: None,
            milliseconds: 0,
            begun: Instant::now(),
        }
    }

    /// Returns the id of the request, which the client gets as `x-request-id`.
    #[must_use]
    pub fn request(&self) -> &str {
        &self.request
    }

    /// Keeps who called.
    pub fn caller(&mut self, caller: &Caller) {
        self.caller = Some(caller.label());
    }

    /// Keeps what is run.
    pub fn run(&mut self, run: &ValidRun) {
        self.agent = Some(run.agent().to_owned());
        self.session = Some(run.session().digest());
        self.trace = run.trace().map(str::to_owned);
    }

    /// Keeps when the run's first event came.
    pub fn event(&mut self) {
        if self.first_milliseconds.is_none() {
            self.first_milliseconds = Some(self.elapsed());
        }
    }

    /// Keeps the status that the client got.
    pub fn status(&mut self, status: StatusCode) {
        self.status = status.as_u16();
    }

    /// Keeps how a whole run ended.
    pub fn outcome(&mut self, outcome: &RunOutcome) {
        self.finish = Some(outcome.stop_reason.into());
        self.usage = outcome.usage.map(Usage::from);
    }

    /// Keeps why there is no whole answer.
    pub fn failure(&mut self, error: &Error) {
        self.error = Some(error.answer().error.message);
        self.detail = error.detail();
    }

    /// Keeps that the client left before the end.
    pub fn client_gone(&mut self) {
        self.client_gone = Some(true);
    }

    /// Writes the line.
    pub fn write(mut self) {
        self.milliseconds = self.elapsed();
        write_line(&self);
    }

    fn elapsed(&self) -> u64 {
        let elapsed = self.begun.elapsed().as_millis();
        u64::try_from(elapsed).unwrap_or(u64::MAX)
    }
}

/// Writes what is not visible ASCII as JSON's escapes. Nothing that a client
/// names then ends the line for any reader of the log, or steers a terminal.
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
    fn a_line_is_of_visible_ascii_and_still_says_the_same() {
        let text = "x\n\u{7f}\u{85}\u{9b}é\u{2028}🙂~ ";
        let json = serde_json::to_string(text).unwrap();
        let line = in_ascii(json);
        assert_eq!(line, r#""x\n\u007f\u0085\u009b\u00e9\u2028\ud83d\ude42~ ""#);
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
        assert_eq!(in_ascii("{}".to_owned()), "{}");
    }
}
