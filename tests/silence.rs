//! Upstreams that accept a connection and then say nothing: every wait has a limit of the
//! component's own, and no run begins twice.

#![expect(clippy::expect_used, reason = "a missing value fails the test")]

mod harness;

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use harness::{
    Server, Upstream, WAIT_LIMIT, Watched, ask, chunks, config, delta, error, finishes,
    hello_upstream, says, streamed, text,
};
use serde_json::json;

/// Short limits. The first one covers the TLS handshake.
const LIMITS: &str = "connectTimeout: '1s', firstByteTimeout: '2s', betweenBytesTimeout: '2s'";

/// The longest that a request may take with these limits.
const LIMIT: Duration = Duration::from_secs(15);

/// Accepts connections, reads what arrives and never answers.
struct Listener {
    port: u16,
    received: Arc<Watched<Vec<u8>>>,
}

impl Listener {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let received = Arc::new(Watched::default());
        let kept = Arc::clone(&received);
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                thread::spawn(move || collect(socket, &kept));
            }
        });
        Self { port, received }
    }

    fn url(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}", self.port)
    }
}

fn collect(mut socket: TcpStream, received: &Watched<Vec<u8>>) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = socket.read(&mut buffer) {
        let read = buffer.get(..count).unwrap_or_default();
        received.update(|received| received.extend_from_slice(read));
    }
}

fn server(silent: &str, other: Option<&str>) -> Server {
    let other = other.map_or(String::new(), |other| format!(", '{other}'"));
    let urls = format!("urls: [{{ url: '{silent}', weight: 1000 }}{other}]");
    // A stream waits for the end of the connect timeout, so that it gets a status.
    let stream = "stream: { firstEventWait: '5s' }";
    let members = format!("runtime: {{ {urls}, {LIMITS} }}, {stream}");
    Server::start("openclaw", &config(&members))
}

#[test]
fn a_tls_handshake_without_an_answer_leads_to_the_next_backend() {
    let silent = Listener::start();
    let upstream = hello_upstream();
    for stream in [false, true] {
        let server = server(&silent.url("https"), Some(&upstream.url()));
        let request = if stream {
            streamed(ask("Hi"))
        } else {
            ask("Hi")
        };
        let sent = Instant::now();
        let answer = server.chat(&request).send();
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.text().contains("Hello"), "{answer:?}");
        assert!(sent.elapsed() < LIMIT, "{:?}", sent.elapsed());
        server.wait_for_log(|log| log.contains("backend_skipped"));
    }
    assert_eq!(upstream.requests().len(), 2);
}

#[test]
fn a_tls_handshake_without_an_answer_ends_a_run_in_time() {
    let silent = Listener::start();
    let server = server(&silent.url("https"), None);
    let sent = Instant::now();
    let answer = server.chat(&ask("Hi")).send();
    assert_eq!(answer.status, 502, "{answer:?}");
    assert_eq!(answer.headers.get("x-should-retry"), None, "no run began");
    assert!(sent.elapsed() < LIMIT, "{:?}", sent.elapsed());
    let stream = server.chat(&streamed(ask("Hi"))).send();
    assert_eq!(stream.status, 502, "{stream:?}");
}

#[test]
fn a_request_that_was_taken_is_never_sent_again() {
    let silent = Listener::start();
    let upstream = hello_upstream();
    let server = server(&silent.url("http"), Some(&upstream.url()));
    let sent = Instant::now();
    let answer = server.chat(&ask("Hi")).send();
    assert_eq!(answer.status, 504, "{answer:?}");
    assert_eq!(answer.headers.get("x-should-retry"), Some("false"));
    assert!(sent.elapsed() < LIMIT, "{:?}", sent.elapsed());
    let received = silent.received.read(Vec::clone);
    let requests = String::from_utf8_lossy(&received).matches("POST ").count();
    assert_eq!((requests, upstream.requests().len()), (1, 0));
}

#[test]
fn a_large_request_that_was_taken_in_part_is_never_sent_again() {
    // The listener does not read, so the body fills the buffers of the connection.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let upstream = hello_upstream();
    let server = server(&format!("http://{address}"), Some(&upstream.url()));
    let long = "x".repeat(16 * 1024 * 1024);
    let answer = server.chat(&ask(&long)).send();
    assert_eq!(answer.status, 504, "{answer:?}");
    assert_eq!(answer.headers.get("x-should-retry"), Some("false"));
    assert_eq!(upstream.requests().len(), 0);
    drop(listener);
}

#[test]
fn a_stream_that_stops_ends_with_an_error() {
    let upstream = Upstream::start(|_, connection| {
        connection.open_events();
        connection.event(&says("Hello"));
        connection.event(&delta(&json!({})));
        connection.pause(WAIT_LIMIT);
    });
    let server = server(&upstream.url(), None);
    let sent = Instant::now();
    let answer = server.chat(&streamed(ask("Hi"))).send();
    let chunks = chunks(&answer);
    assert_eq!(text(&chunks), "Hello");
    assert!(finishes(&chunks).is_empty(), "{answer:?}");
    assert!(sent.elapsed() < LIMIT, "{:?}", sent.elapsed());
}

#[test]
fn the_body_of_a_refusal_has_a_limit_of_time() {
    let upstream = Upstream::start(|_, connection| {
        let head = "HTTP/1.1 429 Scripted\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n";
        connection.send(head);
        // More often than the limit between two bytes.
        while connection.send(" ") && connection.pause(Duration::from_millis(500)) {}
    });
    let server = server(&upstream.url(), None);
    let sent = Instant::now();
    let answer = server.chat(&ask("Hi")).send();
    assert_eq!(answer.status, 429, "{answer:?}");
    assert_eq!(error(&answer)["type"], "rate_limit_error");
    assert!(
        sent.elapsed() < Duration::from_secs(20),
        "{:?}",
        sent.elapsed()
    );
}

/// A configuration without agents, so that the runtime lists them.
fn without_agents(members: &str) -> String {
    config(members).replace("agents: { entries: { main: {}, research: {} } },", "")
}

#[test]
fn the_list_of_models_leaves_a_silent_backend() {
    for scheme in ["http", "https"] {
        let silent = Listener::start();
        let models = json!({ "data": [{ "id": "openclaw/main" }] }).to_string();
        let upstream = Upstream::start(move |_, connection| {
            connection.answer(200, "application/json", &models);
        });
        let (first, second) = (silent.url(scheme), upstream.url());
        let urls = format!("[{{ url: '{first}', weight: 1000 }}, '{second}']");
        let document = without_agents(&format!("runtime: {{ urls: {urls}, {LIMITS} }}"));
        let server = Server::start("openclaw", &document);
        let request = server.request("GET", "/v1/models").bearer(harness::TOKEN);
        let answer = request.send();
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.text().contains("openclaw/main"), "{answer:?}");
        server.wait_for_log(|log| log.contains("backend_skipped"));
    }
}

#[test]
fn a_run_that_is_silent_for_too_long_has_failed() {
    let limits = "limits: { silence: '1s' }, stream: { heartbeat: '1s' }";
    let server = Server::start("rehearsal", &config(limits));
    let silent = ask("/silence 10m\n/echo late");
    let answer = server.chat(&silent).send();
    assert_eq!(answer.status, 504, "{answer:?}");
    let stream = server.chat(&streamed(silent)).send();
    assert_eq!(stream.status, 200, "{stream:?}");
    let chunks = chunks(&stream);
    assert!(finishes(&chunks).is_empty(), "{stream:?}");
    assert!(stream.text().contains("\"error\""), "{stream:?}");
}

#[test]
fn the_list_of_models_has_a_limit_of_time() {
    let silent = Listener::start();
    let runtime = format!("runtime: {{ url: '{}', {LIMITS} }}", silent.url("https"));
    let document = without_agents(&runtime);
    let server = Server::start("openclaw", &document);
    let sent = Instant::now();
    let answer = server
        .request("GET", "/v1/models")
        .bearer(harness::TOKEN)
        .send();
    assert!((500..=504).contains(&answer.status), "{answer:?}");
    assert!(sent.elapsed() < LIMIT, "{:?}", sent.elapsed());
}
