//! The memory of bodies has a limit for an instance: what a caller sends ends neither the
//! instance nor the streams and requests of its neighbours.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a missing value fails the test"
)]

mod harness;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use harness::{
    Request, Server, Stream, TOKEN, Upstream, WAIT_LIMIT, Watched, ask, chunks, error, finish,
    last_message, says, steps, streamed, text,
};
use serde_json::json;

/// The memory limit that the documentation recommends.
const MEMORY: &str = "-Wmax-memory-size=134217728";

/// How long the test of a stage may take.
const TEST_LIMIT: Duration = Duration::from_secs(120);

/// The largest body, in bytes.
const BODY: usize = 20 * 1024 * 1024;

/// A key beside the owner, and its SHA-256.
const WEB: &str = "tg_web-3f0c";
const WEB_DIGEST: &str = "fd0b8bfac69429908865025c27669d055e2df76897ebe37a50b0ccd686dafda4";

fn config(runtime: &str) -> String {
    format!(
        "{{ gateway: {{ auth: {{ token: '{TOKEN}' }},
             http: {{ endpoints: {{ chatCompletions: {{ enabled: true }} }} }} }},
           agents: {{ entries: {{ main: {{}} }} }},
           tidegate: {{ {runtime}
             keys: [{{ name: 'web', sha256: '{WEB_DIGEST}', agents: ['main'] }}] }} }}"
    )
}

/// The text of a neighbour's request.
const STAY: &str = "stay";

/// A gateway in one instance, with five streams of the owner that run as long as the test.
struct Stage {
    server: Server,
    _upstream: Upstream,
    neighbours: Vec<Stream>,
    is_over: Arc<Watched<bool>>,
}

impl Stage {
    fn start() -> Self {
        let is_over = Arc::new(Watched::default());
        let upstream = upstream(&is_over);
        let runtime = format!("runtime: {{ url: '{}' }},", upstream.url());
        let server = Server::builder("openclaw").config(&config(&runtime));
        let server = server.argument(MEMORY).start();
        let open = |_| {
            let request = server.request("POST", "/v1/chat/completions");
            let request = request.bearer(TOKEN).json(&streamed(ask(STAY)));
            let stream = request.open();
            assert_eq!(stream.status, 200);
            stream
        };
        let neighbours = (0..5).map(open).collect();
        Self {
            server,
            _upstream: upstream,
            neighbours,
            is_over,
        }
    }

    fn post(&self) -> Request {
        self.server
            .request("POST", "/v1/chat/completions")
            .bearer(WEB)
    }

    /// Asserts that a small request of another caller is answered.
    fn assert_serves_others(&self) {
        let request = self.server.request("POST", "/v1/chat/completions");
        let answer = request.bearer(TOKEN).json(&ask("hello")).send();
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Asserts that no instance has ended.
    fn assert_unharmed(self) {
        self.assert_serves_others();
        self.is_over.update(|is_over| *is_over = true);
        for stream in self.neighbours {
            let text = text(&chunks(&stream.finish()));
            assert_eq!(text, "begun ended", "a neighbour's stream is cut");
        }
        self.server.assert_unharmed(&[TOKEN, WEB]);
    }

    /// Opens a connection and sends the beginning of a request.
    fn begin(&self, request: &Request, length: usize) -> TcpStream {
        let mut socket = self.server.connect();
        let bytes = request.bytes();
        let end = bytes.len().min(length);
        // A refusal may close the connection while this sends.
        drop(socket.write_all(&bytes[..end]));
        socket
    }
}

/// Starts an upstream that ends the streams of neighbours when the test is over, and
/// answers all other requests at once.
fn upstream(is_over: &Arc<Watched<bool>>) -> Upstream {
    let is_over = Arc::clone(is_over);
    Upstream::start(move |request, connection| {
        connection.open_events();
        connection.event(&says("begun"));
        if last_message(request) == STAY {
            is_over.wait(TEST_LIMIT, |is_over| is_over.then_some(()));
        }
        connection.event(&says(" ended"));
        connection.event(&finish("stop"));
        connection.event("[DONE]");
        connection.end();
    })
}

/// Returns a body of this size.
fn body(size: usize) -> Vec<u8> {
    let open = b"{\"messages\":[{\"role\":\"user\",\"content\":\"".as_slice();
    let close = b"\"}]}".as_slice();
    let text = vec![b'x'; size - open.len() - close.len()];
    [open, &text, close].concat()
}

#[test]
fn heads_without_bodies_take_no_memory() {
    let stage = Stage::start();
    let head = stage.post().header("Content-Length", &BODY.to_string());
    let open: Vec<_> = (0..64).map(|_| stage.begin(&head, usize::MAX)).collect();
    stage.assert_serves_others();
    drop(open);
    stage.assert_unharmed();
}

#[test]
fn of_many_large_bodies_some_are_served_and_the_others_are_told_to_come_back() {
    let stage = Stage::start();
    let whole = body(BODY);
    let answers: Vec<_> = thread::scope(|scope| {
        let send = |_| scope.spawn(|| stage.post().body(whole.clone()).send());
        let sent: Vec<_> = (0..16).map(send).collect();
        stage.assert_serves_others();
        sent.into_iter().map(|sent| sent.join().unwrap()).collect()
    });
    let served = answers.iter().filter(|answer| answer.status == 200);
    assert!(served.count() > 0);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(refused.status, 503, "{refused:?}");
        assert_eq!(refused.headers.get("retry-after"), Some("1"));
        assert_eq!(error(refused)["code"], "overloaded");
    }
    stage.assert_unharmed();
}

#[test]
fn slow_uploads_leave_room_for_small_requests() {
    let stage = Stage::start();
    let whole = stage.post().body(body(BODY));
    let uploads: Vec<_> = thread::scope(|scope| {
        let begin = |_| scope.spawn(|| stage.begin(&whole, BODY - 4096));
        let begun: Vec<_> = (0..60).map(begin).collect();
        begun
            .into_iter()
            .map(|begun| begun.join().unwrap())
            .collect()
    });
    stage.assert_serves_others();
    drop(uploads);
    stage.assert_unharmed();
}

#[test]
fn bodies_that_grow_when_they_are_read_take_no_more_memory() {
    let stage = Stage::start();
    let open = b"{\"messages\":[{\"role\":\"user\",\"content\":\"".as_slice();
    let not_utf8 = [open, &b"\xff".repeat(BODY - 100), b"\"}]}"].concat();
    let deep = [open, b"x\"}],\"tools\":", &b"[".repeat(BODY - 200)].concat();
    let wide = [open, b"x\"}],\"tools\":[", &b"0,".repeat(BODY / 2 - 200)].concat();
    for (status, body) in [(400, not_utf8), (400, deep), (400, wide)] {
        for _ in 0..3 {
            let answer = stage.post().body(body.clone()).send();
            assert_eq!(answer.status, status, "{answer:?}");
        }
    }
    // The most values that a body may have, many times at once.
    let list = vec!["{\"role\":\"user\"}"; 66_000].join(",");
    let last = "{\"role\":\"user\",\"content\":\"hello\"}";
    let values = format!("{{\"messages\":[{list},{last}]}}");
    thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| {
                let status = stage.post().body(values.as_str()).send().status;
                assert!(matches!(status, 200 | 503), "{status}");
            });
        }
    });
    stage.assert_unharmed();
}

#[test]
fn a_bomb_is_refused_early() {
    let stage = Stage::start();
    // 1 GiB of zeros in 1 MiB.
    let bomb = gzip(&mut std::io::repeat(0).take(1 << 30));
    for _ in 0..4 {
        let request = stage.post().header("Content-Encoding", "gzip");
        assert_eq!(request.body(bomb.clone()).send().status, 413);
    }
    stage.assert_unharmed();
}

fn gzip(data: &mut impl std::io::Read) -> Vec<u8> {
    let level = flate2::Compression::fast();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
    std::io::copy(data, &mut encoder).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_compressed_body_is_read() {
    let stage = Stage::start();
    let compressed = gzip(&mut body(100_000).as_slice());
    for coding in ["gzip", "x-gzip"] {
        let request = stage.post().header("Content-Encoding", coding);
        let answer = request.body(compressed.clone()).send();
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let refused = stage.post().header("Content-Encoding", "br");
    let refused = refused.body(compressed.clone()).send();
    assert_eq!(refused.status, 415, "{refused:?}");
    assert_eq!(
        refused.headers.get("accept-encoding"),
        Some("gzip, deflate")
    );
    let broken = stage.post().header("Content-Encoding", "gzip");
    assert_eq!(broken.body(&compressed[..50]).send().status, 400);
    stage.assert_unharmed();
}

#[test]
fn the_memory_of_a_request_is_free_once_the_upstream_has_it() {
    // A composed gateway learns only from the first event that its runtime has sent the
    // request.
    if std::env::var("TIDEGATE_FORM").is_ok_and(|form| form == "composed") {
        return;
    }
    // The upstream reads each request and sends nothing until the test ends.
    let upstream = Upstream::start(|_, connection| {
        connection.pause(WAIT_LIMIT);
    });
    let server = Server::builder("openclaw");
    let runtime = format!("runtime: {{ url: '{}' }},", upstream.url());
    let server = server.config(&config(&runtime)).argument(MEMORY).start();
    let request = json!({ "stream": true, "messages": [{ "role": "user", "content": "x".repeat(BODY - 100) }] });
    let open: Vec<_> = (0..4)
        .map(|_| {
            let post = server.request("POST", "/v1/chat/completions");
            let stream = post.bearer(WEB).json(&request).open();
            assert_eq!(stream.status, 200);
            stream
        })
        .collect();
    assert_eq!(upstream.requests().len(), 4);
    drop(open);
    server.assert_unharmed(&[TOKEN, WEB]);
}

/// Waits until a body of another caller is refused: others use the memory.
fn wait_until_refused(stage: &Stage, size: usize) {
    let begun = Instant::now();
    let request = || stage.server.request("POST", "/v1/chat/completions");
    while request().bearer(TOKEN).body(body(size)).send().status != 503 {
        assert!(begun.elapsed() < WAIT_LIMIT, "the memory is not in use");
    }
}

#[test]
fn a_body_that_has_arrived_ends_well_beside_a_small_one() {
    const LAST_CHUNK: usize = "0\r\n\r\n".len();
    let stage = Stage::start();
    let chunks = [steps::chunk(body(BODY - 1000)), steps::LAST_CHUNK.into()].concat();
    let large = stage.post().header("Transfer-Encoding", "chunked");
    let large = large.body(chunks);
    let begun = large.bytes().len() - LAST_CHUNK;
    let mut large = stage.begin(&large, begun);
    wait_until_refused(&stage, 70_000);
    // Only a caller who uses no memory may have a small body now.
    let request = stage.server.request("POST", "/v1/chat/completions");
    let small = request.bearer(TOKEN).body(body(4000));
    let small = stage.begin(&small, small.bytes().len() - 10);
    wait_until_refused(&stage, 1000);
    large.write_all(steps::LAST_CHUNK.as_bytes()).unwrap();
    let answer = Stream::open(large, "POST", Instant::now());
    assert_eq!(answer.status, 200, "{answer:?}");
    drop(small);
    stage.assert_unharmed();
}

#[test]
fn what_an_upstream_does_not_read_ends_with_its_run() {
    // It answers when it has the head, reads no body, and closes no connection.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut answered = Vec::new();
        let (hello, stop) = (says("Hello"), finish("stop"));
        let events = [&hello, &stop, "[DONE]"].map(steps::event).concat();
        let answer = [&steps::events_head(), &events, steps::LAST_CHUNK.as_bytes()].concat();
        for mut socket in listener.incoming().flatten() {
            socket.read_exact(&mut [0; 64]).ok();
            socket.write_all(&answer).ok();
            answered.push(socket);
        }
    });
    let server = Server::builder("openclaw");
    let server = server.config(&config(&format!("runtime: {{ url: '{url}' }},")));
    let server = server.argument(MEMORY).start();
    for _ in 0..12 {
        let request = server.request("POST", "/v1/chat/completions");
        let answer = request.bearer(WEB).body(body(BODY)).send();
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    server.assert_unharmed(&[TOKEN, WEB]);
}

#[test]
fn the_size_of_a_body_can_be_limited() {
    let limited = "limits: { body: 10000 },";
    let server = Server::start("rehearsal", &config(limited));
    let post = |size| {
        let request = server.request("POST", "/v1/chat/completions");
        request.bearer(WEB).body(body(size)).send()
    };
    assert_eq!(post(10_000).status, 200);
    let refused = post(10_001);
    assert_eq!(refused.status, 413, "{refused:?}");
    server.assert_unharmed(&[TOKEN, WEB]);
}
