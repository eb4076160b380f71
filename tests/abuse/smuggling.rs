//! Heads that two parsers could read differently. The host refuses some of them. The
//! tests check that no request gets the identity of another caller, and that a request
//! starts at most one run.

use super::raw::{assert_refused, bearer, body, length, raw_once, statuses};
use super::{NAMER, Stage, WEB, research, session};
use crate::harness::{TOKEN, steps};

#[test]
fn two_credentials_are_refused_whatever_they_are() {
    let stage = Stage::start();
    let post = || {
        stage
            .server
            .request("POST", "/v1/chat/completions")
            .json(&research())
    };
    for (first, second) in [
        (WEB, TOKEN),
        (TOKEN, WEB),
        (TOKEN, TOKEN),
        ("wrong", TOKEN),
        ("", TOKEN),
        (WEB, "wrong"),
    ] {
        let refused = stage.refused(400, post().bearer(first).bearer(second));
        assert_eq!(refused["param"], "authorization");
    }
    let cased = post()
        .header("AUTHORIZATION", "Bearer wrong")
        .header("authorization", &format!("Bearer {TOKEN}"));
    stage.refused(400, cased);
    stage.assert_unharmed();
}

#[test]
fn only_the_first_of_two_session_keys_counts() {
    let stage = Stage::start();
    let named = |first: &str, second: &str| {
        let request = stage
            .post(NAMER)
            .header("X-OpenClaw-Session-Key", first)
            .header("x-openclaw-session-key", second);
        session(&stage.served(request.json(&research()))).to_owned()
    };
    let one = named("one", "one");
    assert_eq!(named("one", "two"), one);
    assert_eq!(named("one", "agent:main:two"), one);
    assert_ne!(named("two", "one"), one);
    assert_ne!(named("one,two", "one"), one);
    // A blank session key names no session, and the second key is ignored.
    assert!(named(" ", "one").starts_with("agent:research:openai:"));
    let denied = stage
        .post(WEB)
        .header("X-OpenClaw-Session-Key", "one")
        .header("X-OpenClaw-Session-Key", "");
    stage.refused(403, denied.json(&research()));
    stage.assert_unharmed();
}

#[test]
fn a_credential_with_invalid_bytes_is_refused() {
    let stage = Stage::start();
    let body = body();
    let length = length(&body);
    let [good, wrong] = [TOKEN, "wrong"].map(bearer);
    for line in [
        [good.as_bytes(), b"\xff"].concat(),
        [good.as_bytes(), b"\x00"].concat(),
        [good.as_bytes(), b"\x00trailing"].concat(),
        [good.as_bytes(), b"\x7f"].concat(),
        [good.as_bytes(), b"\x1b[0m"].concat(),
        [good.as_bytes(), b"\rX: y"].concat(),
        // A bare line break begins another header, and only the first one counts.
        [wrong.as_bytes(), b"\n", good.as_bytes()].concat(),
        // HTTP/1.1 does not allow folded lines.
        format!("Authorization: Bearer\r\n {TOKEN}").into_bytes(),
        format!("X-Folded: a\r\n\t{good}").into_bytes(),
        good.replacen(':', " :", 1).into_bytes(),
        format!(" {good}").into_bytes(),
        good.replacen(':', "\x00:", 1).into_bytes(),
        good.replacen("Auth", "Auth\u{ad}", 1).into_bytes(),
        format!("X\x00Y: a\r\n{good}").into_bytes(),
        format!(": a\r\n{good}").into_bytes(),
        format!("no header\r\n{good}").into_bytes(),
    ] {
        assert_refused(&stage, &[&line, length.as_bytes()], body.as_bytes());
    }
    stage.assert_unharmed();
}

#[test]
fn trailers_are_not_headers() {
    let stage = Stage::start();
    let body = body();
    let chunk = steps::chunk(&body);
    let chunked = b"Transfer-Encoding: chunked".as_slice();
    let with_trailer =
        |trailer: &str| [chunk.as_slice(), b"0\r\n", trailer.as_bytes(), b"\r\n\r\n"].concat();
    let trailed = with_trailer(&bearer(TOKEN));
    assert_refused(&stage, &[chunked, b"Trailer: Authorization"], &trailed);
    let sent = with_trailer("X-OpenClaw-Session-Key: mine\r\nX-OpenClaw-Agent-Id: main");
    let good = bearer(TOKEN);
    let answers = stage
        .server
        .raw(raw_once(&[good.as_bytes(), chunked], &sent));
    assert_eq!(statuses(&answers), ["200"]);
    let arrived = stage.upstream.requests().pop().unwrap();
    assert!(
        session(&arrived).starts_with("agent:research:openai:"),
        "{arrived:?}"
    );
    stage.assert_unharmed();
}

/// Request lines that start no run, each with a header.
const REFUSED_STARTS: [(&str, &str); 14] = [
    ("post /v1/chat/completions HTTP/1.1", "X-A: b"),
    (
        "GET /v1/chat/completions HTTP/1.1",
        "X-HTTP-Method-Override: POST",
    ),
    (
        "HEAD /v1/chat/completions HTTP/1.1",
        "X-Method-Override: POST",
    ),
    (
        "POST /v1/models HTTP/1.1",
        "X-Original-URL: /v1/chat/completions",
    ),
    (
        "POST /healthz HTTP/1.1",
        "X-Rewrite-URL: /v1/chat/completions",
    ),
    ("POST /V1/chat/completions HTTP/1.1", "X-A: b"),
    ("POST /v1/chat%2fcompletions HTTP/1.1", "X-A: b"),
    ("POST //v1/chat/completions HTTP/1.1", "X-A: b"),
    ("POST /v1/chat/completions/ HTTP/1.1", "X-A: b"),
    ("POST /v1\\chat\\completions HTTP/1.1", "X-A: b"),
    ("POST /v1/chat/completions;x HTTP/1.1", "X-A: b"),
    ("CONNECT /v1/chat/completions HTTP/1.1", "X-A: b"),
    ("PRI * HTTP/2.0", "X-A: b"),
    ("POST /v1/chat/completions", "X-A: b"),
];

#[test]
fn no_request_line_bypasses_the_checks() {
    let stage = Stage::start();
    let body = body();
    let (good, own) = (bearer(WEB), length(&body));
    let rest = |start: &str, line: &str| {
        let head = format!("{start}\r\nHost: a\r\nConnection: close\r\n{own}\r\n{line}\r\n\r\n");
        stage.server.raw(format!("{head}{body}"))
    };
    for start in [
        "POST http://127.0.0.1/v1/chat/completions HTTP/1.1",
        "POST /v1/chat/completions?x=/healthz HTTP/1.1",
        "POST /healthz/../v1/chat/completions HTTP/1.1",
        "POST /v1/./chat/completions HTTP/1.1",
    ] {
        assert_eq!(statuses(&rest(start, "X-A: b")), ["401"], "{start}");
        let before = stage.runs();
        assert_eq!(statuses(&rest(start, &good)), ["200"], "{start}");
        assert_eq!(stage.runs(), before + 1, "{start}");
    }
    let before = stage.runs();
    for (start, line) in REFUSED_STARTS {
        let answers = statuses(&rest(start, &format!("{good}\r\n{line}")));
        assert!(
            answers.iter().all(|status| status.starts_with('4')),
            "{start}: {answers:?}"
        );
        assert_eq!(stage.runs(), before, "{start}");
    }
    stage.assert_unharmed();
}
