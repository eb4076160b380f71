//! A client that does not read: it stops the run behind it, what is on the way
//! stays little, and nothing is lost when it reads on.

#![expect(clippy::unwrap_used, reason = "a missing value fails the test")]

mod harness;

use std::sync::Mutex;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use harness::{
    Server, Stream, Upstream, ask, chunks, config, finish, finishes, says, streamed, text,
};

/// How soon the upstream must learn that the client has left.
const SOON: Duration = Duration::from_secs(1);

/// The text of an event, in bytes.
const EVENT: usize = 16 * 1024;

/// How much a run says, in bytes of text.
const ALL: usize = 100 << 20;

/// How many streams share one instance of the components.
const STREAMS: usize = 16;

/// The memory of each component at rest, and half of 256 KiB for each stream:
/// both components together may hold that much of it.
const MEMORY_LIMIT: usize = (1280 + STREAMS * 128) * 1024;

/// An upstream that says it all, as fast as it is taken, and tells how much of
/// it has been taken each time.
fn talkative() -> (Upstream, mpsc::Receiver<usize>) {
    let (said, heard) = mpsc::channel();
    let said = Mutex::new(said);
    let event = says(&"x".repeat(EVENT));
    let upstream = Upstream::start(move |_, connection| {
        connection.open_events();
        for _ in 0..ALL / EVENT {
            if !connection.event(&event) {
                return;
            }
            said.lock().unwrap().send(EVENT).ok();
        }
        connection.event(&finish("stop"));
        connection.event("[DONE]");
        connection.end();
    });
    (upstream, heard)
}

/// Waits until nothing more can be said: all that holds anything is full.
fn wait_until_full(heard: &mpsc::Receiver<usize>) -> usize {
    let mut said = 0;
    while let Ok(more) = heard.recv_timeout(SOON) {
        said += more;
    }
    said
}

#[test]
fn clients_that_stop_reading_cost_little_memory_and_can_resume_or_disconnect() {
    let (upstream, heard) = talkative();
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
    let said = wait_until_full(&heard);
    assert!(
        said < STREAMS * ALL / 2,
        "{said} bytes are held for clients"
    );
    assert_eq!(upstream.closes(), []);
    let reads_on = streams.pop().unwrap();
    let left = Instant::now();
    drop(streams);
    let closes = upstream.wait_for_closes(STREAMS - 1);
    for close in closes {
        assert!(close.at - left < SOON, "{:?}", close.at - left);
    }
    let answer = reads_on.finish();
    let chunks = chunks(&answer);
    assert_eq!(text(&chunks).len(), ALL);
    assert_eq!(finishes(&chunks), ["stop"]);
    assert_eq!(upstream.requests().len(), STREAMS);
    server.assert_unharmed(&[]);
}
