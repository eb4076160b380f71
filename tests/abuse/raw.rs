//! Requests as bytes, which no client library would send.

use super::{Stage, research};
use crate::harness::steps;

/// Returns a raw request with these header lines and this body.
pub(crate) fn raw(lines: &[&[u8]], body: &[u8]) -> Vec<u8> {
    let mut bytes = b"POST /v1/chat/completions HTTP/1.1\r\n".to_vec();
    for line in lines {
        bytes.extend_from_slice(line);
        bytes.extend_from_slice(b"\r\n");
    }
    [&bytes, b"\r\n".as_slice(), body].concat()
}

/// Returns a raw request that closes its connection.
pub(crate) fn raw_once(lines: &[&[u8]], body: &[u8]) -> Vec<u8> {
    let always = [b"Host: tidegate.test".as_slice(), b"Connection: close"];
    raw(&[&always, lines].concat(), body)
}

/// Returns the statuses of the responses on a connection.
pub(crate) fn statuses(answers: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(answers);
    let answers = text.split("HTTP/1.1 ").skip(1);
    answers
        .map(|answer| answer.chars().take(3).collect())
        .collect()
}

pub(crate) fn body() -> String {
    research().to_string()
}

pub(crate) fn length(body: &str) -> String {
    format!("Content-Length: {}", body.len())
}

pub(crate) fn in_chunks(body: &str) -> Vec<u8> {
    [&steps::chunk(body), steps::LAST_CHUNK.as_bytes()].concat()
}

pub(crate) fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}")
}

/// Asserts that a raw request gets one 4xx response and starts no run.
pub(crate) fn assert_refused(stage: &Stage, lines: &[&[u8]], body: &[u8]) {
    let before = stage.runs();
    let answers = statuses(&stage.server.raw(raw_once(lines, body)));
    let what: Vec<_> = lines.iter().map(|l| l.escape_ascii().to_string()).collect();
    assert!(
        answers.len() == 1 && answers[0].starts_with('4'),
        "{what:?}: {answers:?}"
    );
    assert_eq!(stage.runs(), before, "{what:?}");
}
