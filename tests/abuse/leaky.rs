//! An upstream whose responses quote the secrets in its requests.

use serde_json::json;

use super::RUNTIME_TOKEN;
use crate::harness::{Connection, RecordedRequest, Upstream, steps};

/// The messages that select a response.
pub(crate) const LEAKS: &[&str] = &[
    "status 400",
    "status 401",
    "status 403",
    "status 404",
    "status 405",
    "status 408",
    "status 413",
    "status 422",
    "status 429",
    "status 500",
    "status 502",
    "status 503",
    "status 529",
    "redirect",
    "plain",
    "garbage",
    "event",
    "late event",
    "no event",
    "break",
];

/// Starts an upstream that quotes secrets in the kind of response that the message
/// selects.
pub(crate) fn leaky_upstream() -> Upstream {
    Upstream::start(|request, connection| {
        let quoted = quoted(request);
        let error = json!({ "error": {
            "message": quoted, "type": quoted, "param": quoted, "code": quoted,
        }});
        let body = request.json();
        let message = body["messages"][0]["content"].as_str().unwrap().to_owned();
        if let Some(status) = message.strip_prefix("status ") {
            connection.answer(
                status.parse().unwrap(),
                "application/json",
                &error.to_string(),
            );
            return;
        }
        respond(&message, &quoted, &error.to_string(), connection);
    })
}

/// Returns a text with the token and the address of a request.
fn quoted(request: &RecordedRequest) -> String {
    let header = |name| request.headers.get(name).unwrap_or_default();
    let host = header("host");
    let authorization = header("authorization");
    format!("no {authorization} at http://{host}/v1 or {host} or {RUNTIME_TOKEN}")
}

fn respond(message: &str, quoted: &str, error: &str, connection: &mut Connection) {
    match message {
        "redirect" => {
            let head = format!("HTTP/1.1 307 Go\r\nLocation: http://{quoted}\r\n");
            connection.send(format!(
                "{head}WWW-Authenticate: {quoted}\r\nContent-Length: 0\r\n\r\n"
            ));
        }
        "plain" => {
            connection.answer(200, "text/plain", quoted);
        }
        "garbage" => {
            connection.send(format!("{quoted}\r\n\r\n"));
            connection.close();
        }
        "event" | "late event" => {
            connection.open_events();
            if message == "late event" {
                connection.event(r#"{"choices":[{"index":0,"delta":{"content":"Well"}}]}"#);
            }
            connection.event(error);
            connection.send(steps::LAST_CHUNK);
        }
        "no event" => {
            connection.open_events();
            connection.event(&format!("{{{quoted}"));
            connection.send(steps::LAST_CHUNK);
        }
        "break" => {
            connection.open_events();
            connection.event(r#"{"choices":[{"index":0,"delta":{"content":"Well"}}]}"#);
            connection.close();
        }
        _ => {
            connection.open_events();
            connection.event(r#"{"choices":[{"index":0,"delta":{"content":"Hello"}}]}"#);
            connection.event(r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#);
            connection.event("[DONE]");
            connection.send(steps::LAST_CHUNK);
        }
    }
}
