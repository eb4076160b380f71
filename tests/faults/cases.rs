//! Scripts for the upstream, each with a name and the expected response.

use serde_json::json;

use super::expected::{Expected, Refusal};
use super::harness::{Step, finish, says, steps};

/// The token that the runtime sends to the upstream.
pub(crate) const OWN_TOKEN: &str = "runtime-token-9c2a";

/// The text in upstream errors that no client may receive.
pub(crate) const INTERNAL: &str = "database db7.internal is down";

/// A script, the message that selects it, and the expected response.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) script: Vec<Step>,
    pub(crate) expected: Expected,
}

/// Returns a case in which the run breaks before any text.
pub(crate) fn breaks(name: &'static str, script: Vec<Step>) -> Case {
    let expected = Expected::broken_at_once();
    Case {
        name,
        script,
        expected,
    }
}

/// Returns a case in which the upstream refuses the run.
pub(crate) fn refuses(name: &'static str, script: Vec<Step>, refusal: Refusal) -> Case {
    let expected = Expected::Refused(refusal);
    Case {
        name,
        script,
        expected,
    }
}

/// Returns a case in which the run breaks after `Some text`.
pub(crate) fn breaks_after_text(name: &'static str, script: Vec<Step>) -> Case {
    let expected = Expected::broken_after("Some text");
    Case {
        name,
        script,
        expected,
    }
}

/// Returns a case in which the run succeeds with this text.
pub(crate) fn answers(name: &'static str, script: Vec<Step>, text: &str) -> Case {
    let expected = Expected::Whole(text.to_owned());
    Case {
        name,
        script,
        expected,
    }
}

/// Returns an upstream error whose message contains secrets.
pub(crate) fn leaky_error() -> String {
    let message = format!("{INTERNAL}; your token {OWN_TOKEN} at 127.0.0.1");
    json!({ "error": { "message": message, "type": "api_error" } }).to_string()
}

/// A response with any head and body, after which the connection closes.
pub(crate) fn raw(head: &str, body: impl AsRef<[u8]>) -> Vec<Step> {
    let answer = [head.as_bytes(), b"\r\n\r\n", body.as_ref()].concat();
    vec![Step::Write(answer), Step::Close]
}

/// The text of a usual response.
pub(crate) const GREETING: &str = "Grüße 🙂";

/// The events of a usual response, as one string.
pub(crate) fn greeting() -> String {
    events(&[&says(GREETING), &finish("stop"), "[DONE]"])
}

/// Events with these data, as one string.
pub(crate) fn events(data: &[&str]) -> String {
    let events = data.iter().map(|data| format!("data: {data}\n\n"));
    events.collect()
}

/// A response of events whose connection closes after these bytes.
pub(crate) fn cut(events: impl AsRef<[u8]>) -> Vec<Step> {
    let begin = [steps::events_head(), steps::chunk(events)].concat();
    vec![Step::Write(begin), Step::Close]
}
