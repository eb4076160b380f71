//! What the upstream does, each under a name, and what the client sees of it.

use serde_json::json;

use super::expected::{Refusal, Seen};
use super::harness::{Step, finish, says, steps};

/// The token by which the runtime component calls the upstream.
pub(crate) const OWN_TOKEN: &str = "runtime-token-9c2a";

/// The text of upstream errors that no client may read.
pub(crate) const INTERNAL: &str = "database db7.internal is down";

/// A script, the name of the request that it answers, and what is seen of it.
#[derive(Clone)]
pub(crate) struct Play {
    pub(crate) name: &'static str,
    pub(crate) script: Vec<Step>,
    pub(crate) seen: Seen,
}

/// Something that breaks the run before it shows anything.
pub(crate) fn breaks(name: &'static str, script: Vec<Step>) -> Play {
    let seen = Seen::broken_at_once();
    Play { name, script, seen }
}

/// Something that refuses the run.
pub(crate) fn refuses(name: &'static str, script: Vec<Step>, refusal: Refusal) -> Play {
    let seen = Seen::Refused(refusal);
    Play { name, script, seen }
}

/// Something that breaks the run after `Some text`.
pub(crate) fn breaks_late(name: &'static str, script: Vec<Step>) -> Play {
    let seen = Seen::broken_after("Some text");
    Play { name, script, seen }
}

/// Something that is an answer nevertheless.
pub(crate) fn answers(name: &'static str, script: Vec<Step>, said: &str) -> Play {
    let seen = Seen::Whole(said.to_owned());
    Play { name, script, seen }
}

/// An upstream error that quotes everything which it should not.
pub(crate) fn talkative() -> String {
    let message = format!("{INTERNAL}; your token {OWN_TOKEN} at 127.0.0.1");
    json!({ "error": { "message": message, "type": "api_error" } }).to_string()
}

/// A whole answer with any head and body.
pub(crate) fn raw(head: &str, body: impl AsRef<[u8]>) -> Vec<Step> {
    let answer = [head.as_bytes(), b"\r\n\r\n", body.as_ref()].concat();
    vec![Step::Write(answer), Step::Close]
}

/// What a usual answer says.
pub(crate) const GREETING: &str = "Grüße 🙂";

/// The events of a usual answer in one text.
pub(crate) fn greeting() -> String {
    events(&[&says(GREETING), &finish("stop"), "[DONE]"])
}

/// Events of these data in one text.
pub(crate) fn events(data: &[&str]) -> String {
    let events = data.iter().map(|data| format!("data: {data}\n\n"));
    events.collect()
}

/// An answer of events that is cut off after these bytes.
pub(crate) fn cut(events: impl AsRef<[u8]>) -> Vec<Step> {
    let begin = [steps::events_head(), steps::chunk(events)].concat();
    vec![Step::Write(begin), Step::Close]
}
