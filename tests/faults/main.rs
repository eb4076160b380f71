//! Everything that an upstream can do wrong, over real connections: what the
//! client sees of it, that the run took place once, and that nothing is left
//! behind.
//!
//! ```text
//! plays      what an upstream does, under a name
//! failures   the plays that break the run
//! oddities   the plays that only look unusual
//! seen       what the client sees of a play, in either form of answer
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

use cases::{OWN_TOKEN, Play};
use expected::{Refusal, Seen};

fn server_at(url: &str) -> Server {
    server_with(url, "", "")
}

/// Starts a server with more members of `tidegate.runtime` and of `tidegate`.
fn server_with(url: &str, runtime: &str, more: &str) -> Server {
    let runtime = format!("runtime: {{ url: '{url}', token: '{OWN_TOKEN}', {runtime} }}");
    Server::start("openclaw", &config(&format!("{runtime}, {more}")))
}

/// Plays everything for a streamed answer and for a whole one. Each is one
/// request to the upstream, and one line of the log.
fn perform(plays: &[Play]) {
    perform_with(plays, "", "");
}

/// The same with more members of `tidegate.runtime` and of `tidegate`.
fn perform_with(plays: &[Play], runtime: &str, more: &str) {
    let scripts = plays.iter().map(|play| (play.name, play.script.clone()));
    let upstream = upstream_of(scripts.collect());
    let server = server_with(&upstream.url(), runtime, more);
    for (count, play) in plays.iter().enumerate() {
        let name = play.name;
        let answer = server.chat(&streamed(ask(name))).send();
        play.seen.assert_streamed(name, &answer, &server);
        let answer = server.chat(&ask(name)).send();
        play.seen.assert_whole(name, &answer, &server);
        assert_eq!(upstream.requests().len(), 2 * count + 2, "{name}");
    }
    upstream.wait_until_all_closed();
    server.assert_unharmed(&[TOKEN, OWN_TOKEN, &upstream.address().to_string()]);
}

#[test]
fn a_failure_before_any_text_has_the_right_status_in_both_forms() {
    perform(&failures::before_any_text());
}

#[test]
fn a_failure_after_text_never_looks_complete() {
    perform(&failures::after_text());
}

#[test]
fn an_unusual_stream_is_read_correctly() {
    perform(&[unusual::framings(), unusual::contents()].concat());
}

#[test]
fn a_silent_upstream_times_out() {
    let timeouts =
        "firstByteTimeout: '500ms', betweenBytesTimeout: '500ms', betweenEventsTimeout: '1s'";
    // The head of a stream waits longer, so that its status can tell.
    perform_with(
        &failures::silent(),
        timeouts,
        "stream: { firstEventWait: '5s' }",
    );
}

#[test]
fn a_failure_after_the_first_chunk_is_an_error_event_even_without_text() {
    perform(&failures::after_the_role());
}

#[test]
fn an_unreachable_upstream_is_502_and_may_be_retried() {
    // A port that was free a moment ago.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let server = server_at(&format!("http://{address}"));
    let seen = Seen::Refused(Refusal::new(502, "api_error"));
    for body in [ask("Hi"), streamed(ask("Hi"))] {
        let answer = server.chat(&body).send();
        seen.assert_whole("nothing listens", &answer, &server);
    }
    server.assert_unharmed(&[TOKEN, OWN_TOKEN]);
}

/// Listens for connections that are reset once this has been sent: what closes
/// a socket before it has read everything resets it.
fn resetting(answer: Vec<u8>) -> SocketAddr {
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
    for (name, answer, seen) in [
        ("before the head", Vec::new(), Seen::broken_at_once()),
        ("after the head", head, Seen::broken_at_once()),
        ("after words", words, Seen::broken_after("Some text")),
    ] {
        let server = server_at(&format!("http://{}", resetting(answer)));
        let answer = server.chat(&ask("Hi")).send();
        seen.assert_whole(name, &answer, &server);
        // The words may be lost with the connection.
        let answer = server.chat(&streamed(ask("Hi"))).send();
        match answer.status {
            200 => seen.assert_streamed(name, &answer, &server),
            _ => Seen::broken_at_once().assert_streamed(name, &answer, &server),
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
    let plays = statuses.map(|(name, status)| (name, refusal(status, &says("Say less."))));
    let leak = says(&format!("Not with {OWN_TOKEN}."));
    let plays = plays.into_iter().chain([("leak", refusal(400, &leak))]);
    let upstream = upstream_of(plays.collect());
    let server = server_at(&upstream.url());
    for (name, status) in statuses {
        let refusal = Refusal::new(status, "invalid_request_error");
        for body in [ask(name), streamed(ask(name))] {
            let answer = server.chat(&body).send();
            let error = refusal.assert_told(name, &answer, &server);
            assert_eq!(error["message"], "Say less.", "{name}");
            assert_eq!(error["param"], "messages", "{name}");
            assert_eq!(error["code"], "too_long", "{name}");
        }
    }
    let answer = server.chat(&ask("leak")).send();
    assert_eq!(answer.status, 400);
    expected::assert_tells_nothing(&answer);
    server.assert_unharmed(&[TOKEN, OWN_TOKEN]);
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
    Seen::broken_at_once().assert_whole("endless", &answer, &server);
    upstream.wait_until_all_closed();
    assert_eq!(upstream.requests().len(), 1);
}

#[test]
fn repeated_failures_leak_no_memory_and_no_connection() {
    const TIMES: usize = 400;
    // Little more than an instance has at rest.
    const MEMORY_LIMIT: usize = 1536 * 1024;
    let half = steps::chunk("data: {\"choices\":[{\"ind");
    let some = [steps::events_head(), steps::event(&says("Some text"))].concat();
    let plays = vec![
        ("head", vec![Step::Write(steps::events_head()), Step::Close]),
        (
            "half",
            vec![Step::Write([some, half].concat()), Step::Close],
        ),
        ("garbage", raw_stream("data: {oops\n\n")),
        ("refusal", refusal(500, "{}")),
    ];
    let names: Vec<_> = plays.iter().map(|(name, _)| *name).collect();
    let upstream = upstream_of(plays);
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
