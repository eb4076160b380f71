//! The responses of an upstream, in the format of OpenAI's chat completions.

use serde_json::{Value, json};

use super::upstream::{RecordedRequest, Step, Upstream, steps};

/// The data of a chunk with this delta.
pub(crate) fn delta(delta: &Value) -> String {
    json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": null }] }).to_string()
}

/// The data of a chunk with text.
pub(crate) fn says(text: &str) -> String {
    delta(&json!({ "content": text }))
}

/// The data of a chunk with a finish reason.
pub(crate) fn finish(reason: &str) -> String {
    json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": reason }] }).to_string()
}

/// A complete response of server-sent events, in one packet.
pub(crate) fn stream(events: &[&str]) -> Vec<Step> {
    let events: Vec<_> = events.iter().map(|data| steps::event(data)).collect();
    let end = steps::LAST_CHUNK.as_bytes();
    vec![Step::Write(
        [&steps::events_head(), &events.concat(), end].concat(),
    )]
}

/// A response of server-sent events whose connection closes before the end.
pub(crate) fn broken_stream(events: &[&str]) -> Vec<Step> {
    let events: Vec<_> = events.iter().map(|data| steps::event(data)).collect();
    let begin = [steps::events_head(), events.concat()].concat();
    vec![Step::Write(begin), Step::Close]
}

/// A complete response of type `text/event-stream` with any body.
pub(crate) fn raw_stream(body: impl AsRef<[u8]>) -> Vec<Step> {
    let end = steps::LAST_CHUNK.as_bytes();
    vec![Step::Write(
        [&steps::events_head(), &steps::chunk(body), end].concat(),
    )]
}

/// A response with a status and a JSON document.
pub(crate) fn refusal(status: u16, body: &str) -> Vec<Step> {
    vec![Step::Write(steps::answer(status, "application/json", body))]
}

/// A response with a status, one header and no body.
pub(crate) fn refusal_with(status: u16, header: &str) -> Vec<Step> {
    let head = format!("HTTP/1.1 {status} Scripted\r\n{header}\r\nContent-Length: 0\r\n\r\n");
    vec![Step::Write(head.into_bytes())]
}

/// Starts an upstream that replies `Hello` to every request.
pub(crate) fn hello_upstream() -> Upstream {
    Upstream::script(stream(&[&says("Hello"), &finish("stop"), "[DONE]"]))
}

/// Starts an upstream with several scripts. The last message of a request is the
/// name of its script.
pub(crate) fn upstream_of(scripts: Vec<(&'static str, Vec<Step>)>) -> Upstream {
    Upstream::start(move |request, connection| {
        let name = last_message(request);
        let script = scripts.iter().find(|(named, _)| *named == name);
        connection.play(
            &script
                .unwrap_or_else(|| panic!("no script has the name {name:?}"))
                .1,
        );
    })
}

/// Returns the text of a request's last message.
pub(crate) fn last_message(request: &RecordedRequest) -> String {
    let body = request.json();
    let last = body["messages"].as_array().and_then(|all| all.last());
    last.and_then(|last| last["content"].as_str())
        .expect("a text")
        .to_owned()
}
