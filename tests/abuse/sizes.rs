//! Oversized names, values and heads. Errors and log lines truncate them, and long
//! session names do not collide.

use serde_json::{Value, json};

use super::{NAMER, Stage, WEB, message, research, session};
use crate::harness::{Request, TOKEN, streamed};

const KIB: usize = 1024;

/// The size limit of an error, and of its line in the access log.
const ERROR_LIMIT: usize = KIB;

fn with(stage: &Stage, member: &str, value: &Value) -> Request {
    let mut body = research();
    body[member] = value.clone();
    stage.post(WEB).json(&body)
}

fn tool(name: &str) -> Value {
    json!([{ "type": "function", "function": { "name": name } }])
}

#[test]
fn long_session_names_stay_distinct() {
    let stage = Stage::start();
    let long = "n".repeat(16 * KIB);
    let names = [long.clone(), format!("{long}a"), format!("{long}b")];
    let mut sessions: Vec<String> = Vec::new();
    for name in &names {
        let chat = |header| stage.post(WEB).header(header, name).json(&research());
        for request in [
            with(&stage, "user", &json!(name)),
            chat("X-OpenWebUI-Chat-Id"),
        ] {
            sessions.push(session(&stage.served(request)).to_owned());
        }
        let named = stage.post(NAMER).header("X-OpenClaw-Session-Key", name);
        let refused = stage.refused(400, named.json(&research()));
        assert_eq!(refused["param"], "x-openclaw-session-key");
    }
    let count = sessions.len();
    assert!(sessions.iter().all(|session| session.len() < 128));
    sessions.sort();
    sessions.dedup();
    assert_eq!(sessions.len(), count);
    // The largest name that fits into a body.
    let user = "u".repeat(20 * KIB * KIB - 4 * KIB);
    let session = session(&stage.served(with(&stage, "user", &json!(user)))).to_owned();
    assert!(!sessions.contains(&session));
    stage.assert_unharmed();
}

/// Asserts that a request is refused, and that the response and its line in the access
/// log are short.
fn assert_short(stage: &Stage, request: Request) {
    let before = stage.runs();
    let answer = request.send();
    assert!((400..500).contains(&answer.status), "{}", answer.status);
    assert_eq!(stage.runs(), before);
    let message = message(&answer);
    assert!(answer.body.len() < ERROR_LIMIT, "{message:.200}");
    let record = stage.server.access_log(&answer.headers).to_string();
    assert!(record.len() < ERROR_LIMIT, "{record:.200}");
}

#[test]
fn errors_truncate_values_from_the_body() {
    let stage = Stage::start_with("models: { 'gpt-4o': 'research' }");
    let long = "n".repeat(KIB * KIB);
    let padded = format!("gpt-4o{}", " ".repeat(KIB * KIB));
    let chosen = json!({ "type": "function", "function": { "name": long } });
    for (member, value) in [
        ("model", json!(long)),
        ("model", json!(format!("openclaw/{long}"))),
        ("model", json!(padded)),
        ("tool_choice", json!(long)),
        ("tool_choice", chosen),
        ("tools", json!([{ "type": long }])),
        ("response_format", json!({ "type": long })),
    ] {
        assert_short(&stage, with(&stage, member, &value));
    }
    assert_short(&stage, stage.post(super::MUTE).json(&with_tool(&long)));
    assert_short(&stage, stage.post(WEB).body(format!("{{\"{long}")));
    assert_short(&stage, stage.post(WEB).body(format!("[\"{long}\"]")));
    stage.assert_unharmed();
}

#[test]
fn errors_truncate_values_from_headers_and_paths() {
    let stage = Stage::start();
    let long = "n".repeat(100 * KIB);
    for (key, name) in [
        (WEB, "X-OpenClaw-Agent-Id"),
        (TOKEN, "X-OpenClaw-Agent"),
        (TOKEN, "X-OpenClaw-Model"),
        (TOKEN, "X-OpenClaw-Message-Channel"),
        (TOKEN, "X-OpenClaw-Session-Key"),
    ] {
        let request = stage.post(key).header(name, &long);
        assert_short(&stage, request.json(&research()));
    }
    let path = format!("/v1/models/{}", "n".repeat(32 * KIB));
    assert_short(&stage, stage.server.request("GET", &path).bearer(WEB));
    stage.assert_unharmed();
}

/// Returns a request with a tool.
fn with_tool(name: &str) -> Value {
    let mut body = research();
    body["tools"] = tool(name);
    body
}

#[test]
fn a_long_model_name_is_refused() {
    let stage = Stage::start();
    let padded = |length: usize| format!("{:<length$}", "openclaw/research");
    let mut body = streamed(research());
    body["model"] = json!(padded(256));
    stage.served(stage.post(WEB).json(&body));
    body["model"] = json!(padded(257));
    let refused = stage.refused(400, stage.post(WEB).json(&body));
    assert_eq!(refused["param"], "model");
    stage.assert_unharmed();
}

#[test]
fn oversized_heads_do_no_harm() {
    let stage = Stage::start();
    let many = (0..10_000).fold(stage.post(WEB), |request, n| {
        request.header(&format!("X-{n}"), "x")
    });
    let repeated = (0..10_000).fold(stage.post(WEB), |request, _| {
        request.header("Authorization", "Bearer wrong")
    });
    let huge = "x".repeat(1024 * KIB);
    let lines = [
        stage.post(WEB).header("X-Huge", &huge),
        stage.post(WEB).header(&huge, "x"),
        stage.post(&huge),
        stage
            .server
            .request("POST", &format!("/{huge}"))
            .bearer(WEB),
        stage
            .server
            .request(&huge, "/v1/chat/completions")
            .bearer(WEB),
    ];
    for request in lines.into_iter().chain([many, repeated]) {
        // The host may close the connection before the whole request is sent.
        let mut socket = stage.server.connect();
        drop(std::io::Write::write_all(&mut socket, &request.bytes()));
        let mut answer = Vec::new();
        drop(std::io::Read::read_to_end(&mut socket, &mut answer));
        assert!(
            !answer.starts_with(b"HTTP/1.1 2"),
            "{}",
            answer.escape_ascii()
        );
        assert_eq!(stage.runs(), 0);
    }
    stage.assert_unharmed();
}
