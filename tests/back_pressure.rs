//! Backpressure: a client that stops reading stops its run, few bytes are buffered,
//! and no byte is lost when the client resumes.

#![expect(clippy::unwrap_used, reason = "a missing value fails the test")]

mod harness;

use std::sync::Mutex;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use harness::{
    Server, Stream, Upstream, ask, chunks, config, finish, finishes, says, streamed, text,
};

/// How soon the upstream must notice that a client has disconnected.
const SOON: Duration = Duration::from_secs(1);

/// The size of the text of an event, in bytes.
const EVENT: usize = 16 * 1024;

/// The size of the text of a run, in bytes.
const TOTAL: usize = 100 << 20;

/// How many streams share one instance of the components.
const STREAMS: usize = 16;

/// The memory limit of each component: its size when idle, and 192 KiB for each
/// stream.
const MEMORY_LIMIT: usize = (1280 + STREAMS * 192) * 1024;

/// Starts an upstream that sends each run's text as fast as the connection accepts
/// it, and reports the number of bytes sent on a channel.
fn fast_upstream() -> (Upstream, mpsc::Receiver<usize>) {
    let (sent, reports) = mpsc::channel();
    let sent = Mutex::new(sent);
    let event = says(&"x".repeat(EVENT));
    let upstream = Upstream::start(move |_, connection| {
        connection.open_events();
        for _ in 0..TOTAL / EVENT {
            if !connection.event(&event) {
                return;
            }
            sent.lock().unwrap().send(EVENT).ok();
        }
        connection.event(&finish("stop"));
        connection.event("[DONE]");
        connection.end();
    });
    (upstream, reports)
}

/// Waits until the upstream can send no more because every buffer is full. Returns
/// the number of bytes sent.
fn wait_until_full(reports: &mpsc::Receiver<usize>) -> usize {
    let mut sent = 0;
    while let Ok(more) = reports.recv_timeout(SOON) {
        sent += more;
    }
    sent
}

#[test]
fn clients_that_stop_reading_cost_little_memory_and_can_resume_or_disconnect() {
    let (upstream, reports) = fast_upstream();
    let runtime = format!("runtime: {{ url: '{}' }}", upstream.url());
    let server = Server::builder("openclaw")
        .config(&config(&runtime))
        .argument(&format!("--max-instance-concurrent-reuse-count={STREAMS}"))
        .argument(&format!("-Wmax-memory-size={MEMORY_LIMIT}"))
        .start();
    let open = |_| server.chat(&streamed(ask("Hi"))).open();
    let mut streams: Vec<Stream> = (0..STREAMS).map(open).collect();
    for stream in &mut streams {
        assert!(stream.data().is_some(), "{}", server.log());
    }
    let sent = wait_until_full(&reports);
    assert!(sent < STREAMS * TOTAL / 2, "{sent} bytes are buffered");
    assert_eq!(upstream.closes(), []);
    let resumed = streams.pop().unwrap();
    let left = Instant::now();
    drop(streams);
    let closes = upstream.wait_for_closes(STREAMS - 1);
    for close in closes {
        assert!(close.at - left < SOON, "{:?}", close.at - left);
    }
    let answer = resumed.finish();
    let chunks = chunks(&answer);
    assert_eq!(text(&chunks).len(), TOTAL);
    assert_eq!(finishes(&chunks), ["stop"]);
    assert_eq!(upstream.requests().len(), STREAMS);
    server.assert_unharmed(&[]);
}
