//! Faults of an upstream, over real connections. Each test checks the client's
//! response, that the run was sent once, and that no connection stays open.
//!
//! ```text
//! cases      scripts for the upstream, each with a name and the expected response
//! failures   cases that break the run
//! unusual    cases that are unusual and valid
//! expected   the response that a client expects, whole or streamed
//! ```

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a missing value fails the test"
)]

mod cases;
mod expected;
mod failures;
#[path = "../harness/mod.rs"]
mod harness;
mod unusual;

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::thread;

use harness::{
    Server, Step, TOKEN, Upstream, ask, config, raw_stream, refusal, says, steps, streamed,
    upstream_of,
};
use serde_json::json;

use cases::{Case, OWN_TOKEN};
use expected::{Expected, Refusal};

fn server_at(url: &str) -> Server {
    server_with(url, "", "")
}

/// Starts a server with more members of `tidegate.runtime` and of `tidegate`.
fn server_with(url: &str, runtime: &str, more: &str) -> Server {
    let runtime = format!("runtime: {{ url: '{url}', token: '{OWN_TOKEN}', {runtime} }}");
    Server::start("openclaw", &config(&format!("{runtime}, {more}")))
}

/// Runs each case for a streamed reply and for a whole one. Each reply must cause one
/// request to the upstream and one line in the access log.
fn run(cases: &[Case]) {
    run_with(cases, "", "");
}

/// Runs each case with more members of `tidegate.runtime` and of `tidegate`.
fn run_with(cases: &[Case], runtime: &str, more: &str) {
    let scripts = cases.iter().map(|case| (case.name, case.script.clone()));
    let upstream = upstream_of(scripts.collect());
    let server = server_with(&upstream.url(), runtime, more);
    for (count, case) in cases.iter().enumerate() {
        let name = case.name;
        let answer = server.chat(&streamed(ask(name))).send();
        case.expected.assert_streamed(name, &answer, &server);
        let answer = server.chat(&ask(name)).send();
        case.expected.assert_whole(name, &answer, &server);
        assert_eq!(upstream.requests().len(), 2 * count + 2, "{name}");
    }
    upstream.wait_until_all_closed();
    server.assert_unharmed(&[TOKEN, OWN_TOKEN, &upstream.address().to_string()]);
}

#[test]
fn a_failure_before_any_text_has_the_right_status_in_both_forms() {
    run(&failures::before_any_text());
}

#[test]
fn a_failure_after_text_never_looks_complete() {
    run(&failures::after_text());
}

#[test]
fn an_unusual_stream_is_read_correctly() {
    run(&[unusual::framings(), unusual::contents()].concat());
}

#[test]
fn a_silent_upstream_times_out() {
    let timeouts =
        "firstByteTimeout: '500ms', betweenBytesTimeout: '500ms', betweenEventsTimeout: '1s'";
    // The head of a stream waits longer than the timeouts, so that it has the status.
    run_with(
        &failures::silent(),
        timeouts,
        "stream: { firstEventWait: '5s' }",
    );
}

#[test]
fn a_failure_after_the_first_chunk_is_an_error_event_even_without_text() {
    run(&failures::after_the_role());
}

#[test]
fn an_unreachable_upstream_is_502_and_may_be_retried() {
    // A free port: it was bound and released.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let server = server_at(&format!("http://{address}"));
    let expected = Expected::Refused(Refusal::new(502, "api_error"));
    for body in [ask("Hi"), streamed(ask("Hi"))] {
        let answer = server.chat(&body).send();
        expected.assert_whole("nothing listens", &answer, &server);
    }
    server.assert_unharmed(&[TOKEN, OWN_TOKEN]);
}

/// Starts a server that sends `answer` and resets the connection: closing a socket
/// with unread bytes resets it.
fn resetting_server(answer: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let mut beginning = [0; 64];
            socket.peek(&mut beginning).unwrap();
            socket.write_all(&answer).unwrap();
        }
    });
    address
}

#[test]
fn a_connection_reset_breaks_the_run() {
    let head = steps::events_head();
    let words = [head.clone(), steps::event(&says("Some text"))].concat();
    for (name, answer, expected) in [
        ("before the head", Vec::new(), Expected::broken_at_once()),
        ("after the head", head, Expected::broken_at_once()),
        ("after words", words, Expected::broken_after("Some text")),
    ] {
        let server = server_at(&format!("http://{}", resetting_server(answer)));
        let answer = server.chat(&ask("Hi")).send();
        expected.assert_whole(name, &answer, &server);
        // The text may be lost with the connection.
        let answer = server.chat(&streamed(ask("Hi"))).send();
        match answer.status {
            200 => expected.assert_streamed(name, &answer, &server),
            _ => Expected::broken_at_once().assert_streamed(name, &answer, &server),
        }
        server.assert_unharmed(&[TOKEN, OWN_TOKEN]);
    }
}

#[test]
fn the_upstreams_error_about_the_request_reaches_the_client() {
    let says = |message: &str| {
        json!({ "error": { "message": message, "type": "invalid_request_error",
            "param": "messages", "code": "too_long" } })
        .to_string()
    };
    let statuses = [("400", 400), ("404", 404), ("413", 413), ("422", 422)];
    let scripts = statuses.map(|(name, status)| (name, refusal(status, &says("Say less."))));
    let leak = says(&format!("Not with {OWN_TOKEN}."));
    let scripts = scripts.into_iter().chain([("leak", refusal(400, &leak))]);
    let upstream = upstream_of(scripts.collect());
    let server = server_at(&upstream.url());
    for (name, status) in statuses {
        let refusal = Refusal::new(status, "invalid_request_error");
        for body in [ask(name), streamed(ask(name))] {
            let answer = server.chat(&body).send();
            let error = refusal.assert_matches(name, &answer, &server);
            assert_eq!(error["message"], "Say less.", "{name}");
            assert_eq!(error["param"], "messages", "{name}");
            assert_eq!(error["code"], "too_long", "{name}");
        }
    }
    let answer = server.chat(&ask("leak")).send();
    assert_eq!(answer.status, 400);
    expected::assert_reveals_nothing(&answer);
    server.assert_unharmed(&[TOKEN, OWN_TOKEN, "Say less."]);
}

#[test]
fn an_endless_whole_reply_fails_and_its_run_is_cancelled() {
    let event = says(&"x".repeat(64 * 1024));
    let upstream = Upstream::start(move |_, connection| {
        connection.open_events();
        while connection.event(&event) {}
    });
    let server = server_at(&upstream.url());
    let answer = server.chat(&ask("Hi")).send();
    Expected::broken_at_once().assert_whole("endless", &answer, &server);
    upstream.wait_until_all_closed();
    assert_eq!(upstream.requests().len(), 1);
}

#[test]
fn repeated_failures_leak_no_memory_and_no_connection() {
    const TIMES: usize = 400;
    // Little more than an idle instance needs.
    const MEMORY_LIMIT: usize = 1536 * 1024;
    let half = steps::chunk("data: {\"choices\":[{\"ind");
    let some = [steps::events_head(), steps::event(&says("Some text"))].concat();
    let scripts = vec![
        ("head", vec![Step::Write(steps::events_head()), Step::Close]),
        (
            "half",
            vec![Step::Write([some, half].concat()), Step::Close],
        ),
        ("garbage", raw_stream("data: {oops\n\n")),
        ("refusal", refusal(500, "{}")),
    ];
    let names: Vec<_> = scripts.iter().map(|(name, _)| *name).collect();
    let upstream = upstream_of(scripts);
    let runtime = format!("runtime: {{ url: '{}' }}", upstream.url());
    let server = Server::builder("openclaw")
        .config(&config(&runtime))
        .argument(&format!("-Wmax-memory-size={MEMORY_LIMIT}"))
        .argument("--max-instance-reuse-count=100000")
        .argument("--idle-instance-timeout=60s")
        .start();
    for count in 0..TIMES {
        for name in &names {
            let answer = server.chat(&streamed(ask(name))).send();
            assert!([200, 502].contains(&answer.status), "{count}: {answer:?}");
        }
    }
    upstream.wait_until_all_closed();
    assert_eq!(upstream.requests().len(), TIMES * names.len());
    server.assert_unharmed(&[]);
}
