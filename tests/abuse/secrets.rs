//! Searches for secrets in every byte of output: responses, requests to the runtime,
//! and the log. The requests cover every kind of response, and the upstream quotes
//! secrets.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::leaky::{LEAKS, leaky_upstream};
use super::{APP, MUTE, NAMER, OLD, RUNTIME_TOKEN, WEB, WEB_APP, WEB2, research, tenants_and};
use crate::harness::{self, Request, Server, TOKEN, streamed};

/// The secret of the session keys.
const SESSION_SECRET: &str = "pepper-and-salt-77e1";

/// Names of users and conversations.
const USER: &str = "alice@tenant.example";
const CHAT: &str = "divorce-lawyer-42";
const NAME: &str = "alice-and-the-doctor";

/// Credentials that may appear only in the request that they authenticate, and the
/// session secret.
const SECRETS: [&str; 9] = [
    TOKEN,
    WEB,
    WEB2,
    WEB_APP,
    NAMER,
    APP,
    MUTE,
    OLD,
    SESSION_SECRET,
];

/// Returns the encodings in which output could contain a secret by mistake.
fn forms(secret: &str) -> Vec<String> {
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        })
    };
    let escaped = secret.bytes().map(|byte| match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    let mut forms = vec![
        secret.to_owned(),
        secret.to_uppercase(),
        secret.to_lowercase(),
        secret.chars().rev().collect(),
        escaped.collect(),
        secret.replace('-', "_"),
        hex(secret.as_bytes()),
        hex(secret.as_bytes()).to_uppercase(),
        hex(&Sha256::digest(secret)),
        hex(&Sha256::digest(secret)).to_uppercase(),
        STANDARD_NO_PAD.encode(Sha256::digest(secret)),
    ];
    // Inside a longer text, base64 has three alignments. Its first and last characters
    // depend on the adjacent bytes.
    for before in ["", "x", "xx"] {
        let text = format!("{before}{secret}");
        for encoded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
            let end = encoded.len() - 2;
            let begin = if before.is_empty() { 0 } else { 4 };
            forms.push(encoded.chars().take(end).skip(begin).collect());
        }
    }
    forms
}

fn assert_absent(secrets: &[&str], place: &str, written: &str) {
    for secret in secrets {
        for form in forms(secret) {
            assert!(
                !written.contains(&form),
                "{secret:?} as {form:?} in {place}:\n{written}"
            );
        }
    }
}

/// Returns requests that succeed, are refused, or fail in every way.
fn requests(server: &Server) -> Vec<Request> {
    let post = |key: &str| server.request("POST", "/v1/chat/completions").bearer(key);
    let personal = |request: Request| {
        let request = request.header("X-OpenWebUI-Chat-Id", CHAT);
        let mut body = research();
        body["user"] = json!(USER);
        request.json(&body)
    };
    let mut requests: Vec<_> = [TOKEN, WEB, WEB2, WEB_APP, NAMER, APP, MUTE, OLD]
        .map(|key| personal(post(key)))
        .into();
    let wrong = [TOKEN, WEB, APP].map(|key| [format!("{key}0"), key.to_uppercase()]);
    requests.extend(wrong.iter().flatten().map(|key| personal(post(key))));
    for message in LEAKS {
        let mut body = research();
        body["messages"][0]["content"] = json!(message);
        requests.push(post(WEB).json(&body));
        requests.push(post(WEB).json(&streamed(body)));
    }
    for key in [WEB, NAMER, APP] {
        requests.push(
            post(key)
                .header("X-OpenClaw-Session-Key", NAME)
                .json(&research()),
        );
        requests.push(post(key).header("X-OpenClaw-Model", "/").json(&research()));
        requests.push(
            post(key)
                .header("X-OpenClaw-Agent-Id", "main")
                .json(&research()),
        );
        requests.push(
            post(key)
                .header("X-Forwarded-For", "203.0.113.7")
                .json(&research()),
        );
        requests.push(post(key).body("{"));
        requests.push(server.request("GET", "/v1/models").bearer(key));
        requests.push(server.request("GET", "/v1/models/nothing").bearer(key));
    }
    for path in ["/", "/healthz", "/v1/responses", "/v1/chat/completions"] {
        let target = format!("{path}?token={TOKEN}&key={WEB}");
        requests.push(server.request("GET", &target).bearer(WEB));
        requests.push(server.request("POST", &target));
    }
    requests
}

#[test]
fn no_output_contains_a_secret() {
    let upstream = leaky_upstream();
    let session = format!("session: {{ secret: '{SESSION_SECRET}' }}");
    let members = format!("{}, {session}", tenants_and(&upstream));
    let server = Server::start("openclaw", &harness::config(&members));
    let requests = requests(&server);
    let count = requests.len();
    let mut answers = String::new();
    for request in requests {
        let answer = server.raw(request.bytes());
        answers.push_str(&String::from_utf8_lossy(&answer));
    }
    assert!(answers.matches("HTTP/1.1 ").count() == count, "{answers}");
    let log = server.wait_for_log(|log| log.matches("{\"request\":").count() == count);
    let address = upstream.address().to_string();
    let personal = [USER, CHAT, NAME];
    let runtimes = [RUNTIME_TOKEN, address.as_str()];
    for (place, written) in [("an answer", &answers), ("the log", &log)] {
        assert_absent(&SECRETS, place, written);
        assert_absent(&personal, place, written);
        assert_absent(&runtimes, place, written);
    }
    let mut arrived = String::new();
    for mut request in upstream.requests() {
        let authorization = format!("Bearer {RUNTIME_TOKEN}");
        assert_eq!(request.headers.all("authorization"), [authorization]);
        request
            .headers
            .0
            .retain(|(name, _)| !["authorization", "host"].contains(&&**name));
        arrived.push_str(&format!("{request:?}\n"));
    }
    assert_absent(&SECRETS, "a request to the runtime", &arrived);
    assert_absent(&runtimes, "a request to the runtime", &arrived);
    assert_absent(&[USER, CHAT, NAME], "a request to the runtime", &arrived);
}

#[test]
fn the_address_of_an_unreachable_runtime_stays_secret() {
    let upstream = leaky_upstream();
    let members = tenants_and(&upstream);
    let address = upstream.address().to_string();
    drop(upstream);
    let server = Server::start("openclaw", &harness::config(&members));
    let answer = server
        .request("POST", "/v1/chat/completions")
        .bearer(WEB)
        .json(&research());
    let answer = String::from_utf8(server.raw(answer.bytes())).unwrap();
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    let log = server.wait_for_log(|log| log.contains("\"status\":502"));
    for written in [&answer, &log] {
        assert_absent(&[RUNTIME_TOKEN, &address], "the output", written);
        assert_absent(&SECRETS, "the output", written);
    }
}

#[test]
fn configuration_faults_are_logged_without_secrets() {
    let upstream = leaky_upstream();
    let good = harness::config(&tenants_and(&upstream));
    let url = upstream.url();
    for (from, to) in [
        ("auth: {", format!("auth: {{ mode: '{SESSION_SECRET}',")),
        ("auth: {", format!("auth: {{ password: '{SESSION_SECRET}',")),
        ("token: 'front", format!("token: '{SESSION_SECRET}' 'front")),
        (
            "tidegate: {",
            format!("tidegate: {{ session: {{ secret: ['{SESSION_SECRET}'] }},"),
        ),
        (
            "tidegate: {",
            format!("tidegate: {{ session: '{SESSION_SECRET}',"),
        ),
        (
            "tidegate: {",
            format!("tidegate: {{ cors: {{ origins: ['{SESSION_SECRET}'] }},"),
        ),
        (
            "tidegate: {",
            format!("tidegate: {{ stream: {{ heartbeat: '{SESSION_SECRET}' }},"),
        ),
        ("sha256: '", format!("sha256: '{SESSION_SECRET}")),
        ("expires: '", format!("expires: '{SESSION_SECRET}")),
        ("agents: ['*']", format!("agents: ['{SESSION_SECRET}/']")),
        (&url, format!("{SESSION_SECRET}:{url}")),
        (RUNTIME_TOKEN, format!("{RUNTIME_TOKEN}\\u0007")),
        (RUNTIME_TOKEN, format!("{RUNTIME_TOKEN}${{UNSET_VARIABLE}}")),
    ] {
        let faulty = good.replacen(from, &to, 1);
        assert_ne!(faulty, good);
        let server = Server::start("openclaw", &faulty);
        let mut written = String::new();
        for request in requests(&server).into_iter().take(4) {
            written.push_str(&String::from_utf8_lossy(&server.raw(request.bytes())));
        }
        assert!(written.contains("HTTP/1.1 500 "), "{to}: {written}");
        let log = server.wait_for_log(|log| log.contains("\"detail\":"));
        for written in [&written, &log] {
            assert_absent(&SECRETS, &to, written);
            assert_absent(&[RUNTIME_TOKEN, &url], &to, written);
        }
    }
}

#[test]
fn client_input_cannot_forge_a_log_line() {
    let upstream = leaky_upstream();
    let server = Server::start("openclaw", &harness::config(&tenants_and(&upstream)));
    let before = server.log().len();
    let word = "x\r\n{\"request\":\"req_forged\"}\u{2028}\u{85}\u{9b}2J\u{1b}[2J\u{202e}\u{7f}";
    let mut body = research();
    body["tool_choice"] = json!({ "type": "function", "function": { "name": word } });
    body["tools"] = json!([{ "type": "function", "function": { "name": "f" } }]);
    let post = || server.request("POST", "/v1/chat/completions").bearer(WEB);
    let in_body = post().json(&body).send();
    let in_header = post()
        .header("X-OpenClaw-Agent-Id", "x\u{85}\u{2028}\u{9b}2Jx")
        .json(&research());
    for answer in [in_body, in_header.send()] {
        let record = server.access_log(&answer.headers);
        let message = super::message(&answer);
        assert!(message.contains("\u{2028}"), "{message}");
        assert_eq!(record["error"], message);
    }
    let log = server.log().split_off(before);
    let requests = log.lines().filter(|line| !line.starts_with("{\"notice\""));
    assert_eq!(requests.count(), 2, "{log}");
    let plain = |c: char| c == '\n' || c == ' ' || c.is_ascii_graphic();
    assert!(log.chars().all(plain), "{log:?}");
}
