//! The largest requests: how much memory the components need for them, and that a
//! larger request is refused before all of it has arrived.

mod harness;

use std::io::Write as _;
use std::thread;
use std::time::Instant;

use harness::{Request, Server, Stream, TOKEN, Upstream, config, error, steps};
use serde_json::json;

/// The largest body, in bytes.
const BODY_LIMIT: usize = 20 * 1024 * 1024;

/// The memory limit of each component, in bytes: what the budget of `src/inbound/budget.rs`
/// counts for the largest body, and what a component takes without a request. In one
/// module, gateway and runtime share it.
const MEMORY_LIMIT: usize = 4 * BODY_LIMIT + 4 * 1024 * 1024;

/// The size of a chunk of a body.
const CHUNK_SIZE: usize = 0x10000;

/// Starts an upstream that replies `Hello` to every request.
fn hello_upstream() -> Upstream {
    let says = json!({ "choices": [{ "index": 0, "delta": { "content": "Hello" } }] });
    let ends = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] });
    let events = [&says, &ends].map(|event| steps::event(&event.to_string()));
    let end = steps::LAST_CHUNK.as_bytes();
    let answer = [&steps::events_head(), &*events.concat(), end].concat();
    Upstream::start(move |_, connection| {
        connection.send(&answer);
    })
}

/// Starts the gateway with an upstream and the memory limit.
fn server(upstream: &Upstream) -> Server {
    server_with(&format!("url: '{}'", upstream.url()))
}

/// Starts the gateway with these members of `tidegate.runtime` and the memory limit.
fn server_with(runtime: &str) -> Server {
    let runtime = format!("runtime: {{ {runtime} }}");
    let limit = format!("-Wmax-memory-size={MEMORY_LIMIT}");
    let server = Server::builder("openclaw").config(&config(&runtime));
    server.argument(&limit).start()
}

fn post(server: &Server, body: impl Into<Vec<u8>>) -> Request {
    let request = server.request("POST", "/v1/chat/completions");
    request.bearer(TOKEN).body(body)
}

/// Returns a request of the largest size with two images in base64, which has
/// `after_line` after every line.
fn with_images(after_line: &str) -> Vec<u8> {
    let line = ["A".repeat(76).as_str(), after_line].concat();
    let open = "data:image/png;base64,iVBORw0KGgo";
    let mut left = BODY_LIMIT - 2 * open.len() - 512;
    left -= left % (2 * line.len());
    // With the signature and this `A`, the length is a multiple of four.
    let url = [open, "A", &line.repeat(left / 2 / line.len())].concat();
    let image = format!("{{\"type\":\"image_url\",\"image_url\":{{\"url\":\"{url}\"}}}}");
    let content = format!("[{{\"type\":\"text\",\"text\":\"See?\"}},{image},{image}]");
    let body = format!("{{\"messages\":[{{\"role\":\"user\",\"content\":{content}}}]}}");
    let mut body = body.into_bytes();
    assert!(body.len() <= BODY_LIMIT);
    body.resize(BODY_LIMIT, b' ');
    body
}

/// Returns a request of the largest size whose text repeats `piece`.
fn with_text(piece: &[u8]) -> Vec<u8> {
    let open = b"{\"messages\":[{\"role\":\"user\",\"content\":\"".as_slice();
    let close = b"\"}]}".as_slice();
    let count = (BODY_LIMIT - open.len() - close.len()) / piece.len();
    let mut body = [open, &piece.repeat(count), close].concat();
    body.resize(BODY_LIMIT, b' ');
    body
}

/// Frames a body in chunks.
fn chunked(body: &[u8]) -> Vec<u8> {
    let mut framed: Vec<u8> = body.chunks(CHUNK_SIZE).flat_map(steps::chunk).collect();
    framed.extend_from_slice(steps::LAST_CHUNK.as_bytes());
    framed
}

#[test]
fn the_largest_request_with_images_fits_the_memory_limit() {
    let upstream = hello_upstream();
    let server = server(&upstream);
    for (count, body) in [with_images(""), with_images("\\r\\n")].iter().enumerate() {
        let whole = post(&server, body.clone()).send();
        assert_eq!(whole.status, 200, "{whole:?}");
        let in_chunks = post(&server, chunked(body)).header("Transfer-Encoding", "chunked");
        assert_eq!(in_chunks.send().status, 200);
        let requests = upstream.requests();
        assert_eq!(requests.len(), 2 * count + 2);
        for request in &requests[2 * count..] {
            let document = request.json();
            let parts = document["messages"][0]["content"].as_array().unwrap();
            assert_eq!(parts.len(), 3);
            for part in &parts[1..] {
                let url = part["image_url"]["url"].as_str().unwrap();
                assert!(url.starts_with("data:image/png;base64,iVBORw0KGgoAAAA"));
                assert!(url.len() > 9_000_000, "{}", url.len());
            }
        }
    }
    server.assert_unharmed(&[TOKEN]);
}

#[test]
fn the_largest_request_fits_the_memory_limit_with_failover() {
    let upstream = hello_upstream();
    // No program listens on this system port.
    let unreachable = "{ url: 'http://127.0.0.1:1', weight: 1000 }";
    let server = server_with(&format!("urls: [{unreachable}, '{}']", upstream.url()));
    let body = with_images("");
    for _ in 0..4 {
        assert_eq!(post(&server, body.clone()).send().status, 200);
    }
    let requests = upstream.requests();
    assert_eq!(requests.len(), 4);
    for request in requests {
        let parts = &request.json()["messages"][0]["content"];
        assert_eq!(parts.as_array().map(Vec::len), Some(3));
    }
    server.wait_for_log(|log| log.contains("backend_skipped"));
    server.assert_unharmed(&[TOKEN]);
}

#[test]
fn the_largest_request_of_text_fits_the_memory_limit() {
    let upstream = hello_upstream();
    let server = server(&upstream);
    for piece in [b"word ".as_slice(), b"a\\n", b"\\u00e9"] {
        let answer = post(&server, with_text(piece)).send();
        assert_eq!(answer.status, 200, "{}: {answer:?}", piece.escape_ascii());
    }
    server.assert_unharmed(&[TOKEN]);
}

/// Returns a request of the largest size with a list of `count` items.
fn with_items(open: &str, item: &str, count: usize, close: &str) -> Vec<u8> {
    let items = vec![item; count].join(",");
    let mut body = [open, &items, close].concat().into_bytes();
    assert!(body.len() <= BODY_LIMIT);
    body.resize(BODY_LIMIT, b' ');
    body
}

#[test]
fn millions_of_values_are_refused_and_the_most_allowed_fit_the_memory_limit() {
    let upstream = hello_upstream();
    let server = server(&upstream);
    let says = "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]";
    let tools = format!("{{{says},\"tools\":[");
    let stop = format!("{{{says},\"stop\":[");
    let after = format!(",{}]}}", "{\"role\":\"user\",\"content\":\"Hi\"}");
    let calls = "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[";
    // `values` is the number of JSON values in an item.
    for (open, item, values, close, status) in [
        (tools.as_str(), "0", 1, "]}", 400),
        (&tools, "{}", 2, "]}", 400),
        (&stop, "\"\"", 1, "]}", 400),
        (
            "{\"messages\":[",
            "{\"role\":\"user\"}",
            2,
            after.as_str(),
            200,
        ),
        (
            "{\"messages\":[",
            "{\"role\":\"user\",\"content\":\"x\"}",
            3,
            &after,
            200,
        ),
        (
            calls,
            "{\"id\":\"c\",\"function\":{\"name\":\"f\"}}",
            4,
            &format!("]}}{after}"),
            200,
        ),
    ] {
        let most = 199_980 / values;
        let answer = post(&server, with_items(open, item, most, close)).send();
        assert_eq!(answer.status, status, "{item}: {answer:?}");
        let all = (BODY_LIMIT - open.len() - close.len()) / (item.len() + 1);
        let answer = post(&server, with_items(open, item, all, close)).send();
        assert_eq!(answer.status, 413, "{item}: {answer:?}");
        assert_eq!(error(&answer)["type"], "invalid_request_error");
    }
    assert_eq!(upstream.requests().len(), 3);
    server.assert_unharmed(&[TOKEN]);
}

#[test]
fn a_declared_length_over_the_limit_is_refused_unread() {
    let upstream = hello_upstream();
    let server = server(&upstream);
    let length = (BODY_LIMIT + 1).to_string();
    // Only the head is sent: a server that reads the body first responds with 408.
    let answer = post(&server, "").header("Content-Length", &length).send();
    assert_eq!(answer.status, 413, "{answer:?}");
    assert_eq!(error(&answer)["type"], "invalid_request_error");
    assert_eq!(upstream.requests().len(), 0);
    server.assert_unharmed(&[TOKEN]);
}

#[test]
fn a_body_over_the_limit_is_refused_while_the_client_sends() {
    let upstream = hello_upstream();
    let server = server(&upstream);
    let head = post(&server, "").header("Transfer-Encoding", "chunked");
    let mut socket = server.connect();
    let mut sending = socket.try_clone().unwrap();
    socket.write_all(&head.bytes()).unwrap();
    // The client sends until the connection closes, at most ten times the limit.
    let sent = thread::spawn(move || {
        let chunk = steps::chunk(vec![b' '; CHUNK_SIZE]);
        (0..10 * BODY_LIMIT / CHUNK_SIZE)
            .take_while(|_| sending.write_all(&chunk).is_ok())
            .count()
            * CHUNK_SIZE
    });
    let mut stream = Stream::open(socket.try_clone().unwrap(), "POST", Instant::now());
    assert_eq!(stream.status, 413);
    assert!(stream.piece().is_some());
    let sent = sent.join().unwrap();
    // The client may send more than the limit, because the connection has buffers.
    assert!(sent < 2 * BODY_LIMIT, "{sent} bytes were accepted");
    assert_eq!(upstream.requests().len(), 0);
    server.assert_unharmed(&[TOKEN]);
}
