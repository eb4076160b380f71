//! Lockouts and rate limits, counted across all instances that share a store.

#![expect(clippy::expect_used, reason = "a missing value fails the test")]

mod harness;

use std::fs;
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use harness::{Response, Server, ServerBuilder, TOKEN, WAIT_LIMIT, ask, error};
use serde_json::{Value, json};

/// The header in which these tests set the peer's address, as a host does.
const PEER: &str = "x-test-peer";

/// An API key and its SHA-256 digest.
const WEB: &str = "tg_web-3f0c";
const WEB_DIGEST: &str = "fd0b8bfac69429908865025c27669d055e2df76897ebe37a50b0ccd686dafda4";

/// Prepares a gateway with a rate limit for the key and members of `gateway.auth`.
fn builder(component: &str, rate: &str, auth: &str) -> ServerBuilder {
    let config = format!(
        "{{ gateway: {{ auth: {{ token: '{TOKEN}', {auth} }},
             http: {{ endpoints: {{ chatCompletions: {{ enabled: true }} }} }} }},
           agents: {{ entries: {{ main: {{}} }} }},
           tidegate: {{ client: {{ peerHeader: '{PEER}' }},
             keys: [{{ name: 'web', sha256: '{WEB_DIGEST}', agents: ['main'], {rate} }}] }} }}"
    );
    Server::builder(component).config(&config)
}

/// Starts a gateway whose instances share a store.
fn with_store(rate: &str, auth: &str) -> Server {
    builder("rehearsal-files", rate, auth).store().start()
}

fn send(server: &Server, key: &str, from: &str, body: &Value) -> Response {
    let request = server.request("POST", "/v1/chat/completions").bearer(key);
    request.header(PEER, from).json(body).send()
}

fn status(server: &Server, key: &str, from: &str) -> u16 {
    send(server, key, from, &ask("/echo ok")).status
}

fn seconds(refused: &Response) -> u64 {
    let after = refused.headers.get("retry-after").unwrap_or_default();
    after.parse().unwrap_or_default()
}

#[test]
fn failed_attempts_lock_out_only_their_address() {
    let server = with_store("", "rateLimit: { maxAttempts: 3, lockoutMs: 40000 }");
    let attacker = "203.0.113.9:4711";
    for guess in ["tg_a", "tg_b", "tg_c"] {
        assert_eq!(status(&server, guess, attacker), 401);
    }
    for credential in ["tg_d", TOKEN, WEB] {
        let refused = send(&server, credential, "203.0.113.9:9999", &ask("hello"));
        assert_eq!(refused.status, 429, "{credential}");
        let object = error(&refused);
        assert_eq!(object["type"], "rate_limited");
        assert_eq!(object["code"], "too_many_failed_attempts");
        assert!((1..=40).contains(&seconds(&refused)), "{refused:?}");
    }
    let bare = server.request("GET", "/v1/models").header(PEER, attacker);
    assert_eq!(bare.send().status, 429);
    assert_eq!(status(&server, TOKEN, "203.0.113.10:4711"), 200);
    let unknown = server.request("GET", "/v1/models").bearer(TOKEN);
    assert_eq!(unknown.send().status, 200);
    server.assert_unharmed(&[TOKEN, WEB]);
}

#[test]
fn requests_without_credentials_are_not_failed_attempts() {
    let server = with_store("", "rateLimit: { maxAttempts: 2 }");
    for _ in 0..5 {
        let bare = server.request("GET", "/v1/models");
        assert_eq!(bare.header(PEER, "203.0.113.9:1").send().status, 401);
    }
    assert_eq!(status(&server, TOKEN, "203.0.113.9:1"), 200);
}

#[test]
fn loopback_is_exempt_from_lockout_unless_configured() {
    let server = with_store("", "rateLimit: { maxAttempts: 2 }");
    for _ in 0..3 {
        assert_eq!(status(&server, "tg_wrong", "127.0.0.1:1"), 401);
    }
    assert_eq!(status(&server, TOKEN, "127.0.0.1:1"), 200);
    let strict = with_store("", "rateLimit: { maxAttempts: 2, exemptLoopback: false }");
    for expected in [401, 401, 429] {
        assert_eq!(status(&strict, "tg_wrong", "127.0.0.1:1"), expected);
    }
}

#[test]
fn one_of_twenty_concurrent_requests_gets_the_days_last_run() {
    let server = with_store("rate: { runsPerDay: 5 }", "");
    let day = || {
        server
            .chat(&json!({}))
            .send()
            .headers
            .get("date")
            .and_then(|date| date.get(..16).map(str::to_owned))
    };
    let before = day();
    for _ in 0..4 {
        assert_eq!(status(&server, WEB, "203.0.113.9:1"), 200);
    }
    let mut broken = ask("hello");
    broken["temperature"] = json!("hot");
    assert_eq!(send(&server, WEB, "203.0.113.9:1", &broken).status, 400);
    let answers: Vec<_> = thread::scope(|scope| {
        let racers: Vec<_> = (0..20)
            .map(|_| scope.spawn(|| send(&server, WEB, "203.0.113.9:1", &ask("/echo ok"))))
            .collect();
        let answers = racers.into_iter().map(thread::ScopedJoinHandle::join);
        answers.map(|answer| answer.expect("an answer")).collect()
    });
    let (accepted, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == 200);
    // If a new day has begun meanwhile, its runs are counted anew.
    if before == day() {
        assert_eq!((accepted.len(), refused.len()), (1, 19));
    }
    for refused in refused {
        assert_eq!(refused.status, 429);
        assert_eq!(error(refused)["code"], "rate_limit_exceeded");
        assert!((1..=86_400).contains(&seconds(refused)));
    }
    assert_eq!(status(&server, TOKEN, "203.0.113.9:1"), 200);
}

#[test]
fn a_key_cannot_exceed_its_requests_per_minute() {
    let server = with_store("rate: { requestsPerMinute: 3 }", "");
    let models = || server.request("GET", "/v1/models").bearer(WEB).send();
    let answers: Vec<_> = (0..8).map(|_| models()).collect();
    let refused: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 429)
        .collect();
    // The requests fall into at most two minutes, each of which allows three.
    assert!((2..=5).contains(&refused.len()), "{}", refused.len());
    for refused in refused {
        assert_eq!(error(refused)["type"], "rate_limit_error");
        assert!((1..=60).contains(&seconds(refused)));
        assert_eq!(refused.headers.get("x-should-retry"), None);
    }
}

#[test]
fn without_a_store_no_limit_applies_and_the_log_says_so() {
    let server = builder("rehearsal", "rate: { runsPerDay: 1 }", "").start();
    for _ in 0..3 {
        assert_eq!(status(&server, WEB, "203.0.113.9:1"), 200);
    }
    let log = server.wait_for_log(|log| log.contains("notice"));
    assert!(log.contains("the host has no key-value store"), "{log}");
    assert!(log.contains("failed attempts are not limited"), "{log}");
    assert!(
        log.contains("rate limits of API keys do not apply"),
        "{log}"
    );
    let details = server.request("GET", "/readyz").bearer(TOKEN).send().json();
    assert_eq!(details["inactive_guards"].as_array().map(Vec::len), Some(2));
    let quiet = with_store("", "");
    assert_eq!(status(&quiet, TOKEN, "203.0.113.9:1"), 200);
    let log = quiet.wait_for_log(|log| log.contains("duration_ms"));
    assert!(!log.contains("notice"), "{log}");
}

/// Returns the names of the files of a store.
fn names(server: &Server) -> Vec<String> {
    let entries = fs::read_dir(server.store()).expect("the store");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string());
    names.map(|name| name.expect("a name")).collect()
}

#[test]
fn expired_entries_are_deleted() {
    const COUNT: u64 = 150;
    let server = with_store("rate: { requestsPerMinute: 100 }", "");
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a time");
    let slot = now.as_secs() / 60 - 10;
    let write = |name: String, value: &[u8]| {
        fs::write(server.store().join(name), value).expect("an entry");
    };
    let count = [[7; 8], COUNT.to_le_bytes()].concat();
    write(format!("tidegate-index,{slot}"), &count);
    for number in 1..=COUNT {
        let expired = format!("tidegate,{},minute,{number:012}", slot * 60);
        write(expired.clone(), b"");
        let key = expired.replace(',', "/");
        write(format!("tidegate-index,{slot},{number}"), key.as_bytes());
    }
    write("others".to_owned(), b"");
    assert_eq!(status(&server, WEB, "203.0.113.9:1"), 200);
    let slot = slot.to_string();
    let begun = Instant::now();
    while names(&server).iter().any(|name| name.contains(&slot)) {
        assert!(begun.elapsed() < WAIT_LIMIT, "{:?}", names(&server));
        // The owner has no rate limit.
        assert_eq!(status(&server, TOKEN, "203.0.113.9:1"), 200);
    }
    assert!(names(&server).iter().any(|name| name == "others"));
    server.assert_unharmed(&[TOKEN, WEB]);
}

#[test]
fn the_keys_of_entries_reveal_no_client() {
    let server = with_store("rate: { requestsPerMinute: 100 }", "");
    assert_eq!(status(&server, WEB, "203.0.113.9:1"), 200);
    assert_eq!(status(&server, "tg_wrong", "203.0.113.9:1"), 401);
    let names = names(&server);
    for purpose in [",minute,", ",failures,"] {
        assert!(names.iter().any(|name| name.contains(purpose)), "{names:?}");
    }
    let reveals_client = |name: &String| name.contains("web") || name.contains("203.");
    assert!(!names.iter().any(reveals_client), "{names:?}");
}

#[test]
fn refused_requests_add_nothing_to_the_store() {
    let server = with_store("rate: { runsPerDay: 1 }", "");
    assert_eq!(status(&server, WEB, "203.0.113.9:1"), 200);
    let size = || {
        let counter = names(&server).into_iter();
        let mut counter = counter.filter(|name| name.contains(",day,"));
        let file = server.store().join(counter.next().expect("a counter"));
        fs::metadata(file).expect("a size").len()
    };
    let before = size();
    for _ in 0..10 {
        assert_eq!(status(&server, WEB, "203.0.113.9:1"), 429);
    }
    assert_eq!(size(), before);
}
