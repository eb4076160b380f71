//! Tests of the harness: its client sends requests to its upstream and to its server.

mod harness;

use std::time::{Duration, Instant};

use harness::{Request, Server, Step, Upstream, steps};
use serde_json::json;

const EVENTS: &str = "text/event-stream";

fn get(upstream: &Upstream) -> Request {
    Request::new(upstream.address(), "GET", "/")
}

#[test]
fn a_body_is_the_same_in_every_framing() {
    let chunks = [
        steps::chunk("He"),
        steps::chunk("llo"),
        steps::LAST_CHUNK.into(),
    ]
    .concat();
    let chunked = [steps::events_head(), chunks].concat();
    let until_close = b"HTTP/1.0 200 OK\r\n\r\nHello".to_vec();
    for answer in [
        steps::answer(200, "text/plain", "Hello"),
        chunked,
        until_close,
    ] {
        let upstream = Upstream::script(vec![Step::Write(answer), Step::Close]);
        let response = get(&upstream).send();
        assert_eq!((response.status, response.text()), (200, "Hello"));
    }
}

#[test]
fn a_body_split_at_any_byte_is_read_correctly() {
    let answer = [
        steps::events_head(),
        steps::event("one"),
        steps::LAST_CHUNK.into(),
    ]
    .concat();
    for cut in 1..answer.len() {
        let (first, second) = answer.split_at(cut);
        let steps = [first, second].map(|part| Step::Write(part.to_vec()));
        let upstream = Upstream::script(steps.into());
        assert_eq!(get(&upstream).send().events(), ["one"], "cut at {cut}");
    }
}

#[test]
fn an_incomplete_body_is_not_whole() {
    let body = [steps::events_head(), steps::event("one")].concat();
    let upstream = Upstream::script(vec![Step::Write(body), Step::Close]);
    let response = get(&upstream).open().finish();
    assert!(!response.whole);
    assert_eq!(response.events(), ["one"]);
}

#[test]
fn events_are_returned_as_they_arrive() {
    let pause = Duration::from_millis(100);
    let upstream = Upstream::start(move |_, connection| {
        connection.open_events();
        connection.event("one");
        connection.pause(pause);
        connection.send(steps::chunk(": still here\n\ndata: two\ndata: lines\n\n"));
        connection.end();
    });
    let mut stream = get(&upstream).open();
    assert_eq!(stream.headers.get("Content-Type"), Some(EVENTS));
    let first = stream.event().unwrap();
    let comment = stream.event().unwrap();
    assert_eq!(first.data().as_deref(), Some("one"));
    assert_eq!(comment.text, ": still here");
    assert_eq!(comment.data(), None);
    assert!(comment.at >= first.at + pause / 2, "{first:?} {comment:?}");
    assert_eq!(stream.data().as_deref(), Some("two\nlines"));
    assert!(stream.event().is_none());
    assert!(stream.finish().whole);
}

#[test]
fn the_upstream_records_a_request_unchanged() {
    let upstream = Upstream::script(vec![Step::Write(steps::answer(200, "text/plain", "ok"))]);
    let request = Request::new(upstream.address(), "POST", "/v1/chat/completions?a=b");
    let body = json!({ "model": "openclaw" });
    request
        .header("X-Twice", "1")
        .header("X-Twice", "2")
        .json(&body)
        .send();
    let requests = upstream.wait_for_requests(1);
    let [request] = requests.as_slice() else {
        panic!("one request: {requests:?}");
    };
    assert_eq!(request.method, "POST");
    assert_eq!(request.path, "/v1/chat/completions?a=b");
    assert_eq!(request.headers.all("x-twice"), ["1", "2"]);
    assert_eq!(request.json(), body);
}

#[test]
fn the_upstream_reads_a_chunked_request_and_the_next_one() {
    let upstream = Upstream::script(vec![Step::Write(steps::answer(200, "text/plain", "ok"))]);
    let chunked = Request::new(upstream.address(), "POST", "/first")
        .header("Connection", "keep-alive")
        .header("Transfer-Encoding", "chunked")
        .body("3\r\nabc\r\n0\r\n\r\n");
    let both = [chunked.bytes(), get(&upstream).bytes()].concat();
    let mut socket = std::net::TcpStream::connect(upstream.address()).unwrap();
    std::io::Write::write_all(&mut socket, &both).unwrap();
    let requests = upstream.wait_for_requests(2);
    assert_eq!(requests[0].body, b"abc");
    assert_eq!(requests[1].path, "/");
    assert_eq!(requests[1].connection, 0);
}

#[test]
fn the_upstream_notices_a_disconnect_at_once() {
    let upstream = Upstream::script(vec![Step::Write(steps::events_head()), Step::AwaitClose]);
    let stream = get(&upstream).open();
    assert_eq!(upstream.closes(), []);
    let left = Instant::now();
    drop(stream);
    let close = upstream.wait_for_close();
    assert!(
        close.at - left < Duration::from_millis(500),
        "{:?}",
        close.at - left
    );
}

#[test]
fn a_connection_that_the_upstream_closes_is_not_a_disconnect() {
    let answer = steps::answer(200, "text/plain", "ok");
    let upstream = Upstream::script(vec![Step::Write(answer), Step::Close]);
    get(&upstream).send();
    get(&upstream).send();
    assert_eq!(upstream.wait_for_requests(2).len(), 2);
    assert_eq!(upstream.closes(), []);
}

#[test]
fn a_server_answers_until_it_is_dropped() {
    let server = Server::start("rehearsal", "{}");
    let address = server.address();
    assert_eq!(server.request("GET", "/healthz").send().status, 200);
    let raw = server.raw("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(raw.starts_with(b"HTTP/1.1 200"), "{raw:?}");
    drop(server);
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn the_log_has_the_output_of_server_and_component() {
    let server = Server::start("rehearsal", "{ nonsense");
    assert!(server.log().contains("Serving HTTP on"));
    server.request("GET", "/v1/models").send();
    server.wait_for_log(|log| log.contains("JSON5"));
}

#[test]
#[should_panic(expected = "unexpected argument '--nonsense'")]
fn a_server_that_does_not_start_shows_why() {
    Server::builder("rehearsal").argument("--nonsense").start();
}
