//! Events that are ready together are sent in one write: every write of a component
//! costs a packet, and on some hosts a delay until the acknowledgement.

#![expect(clippy::indexing_slicing, reason = "a missing value fails the test")]

mod harness;

use std::sync::Mutex;
use std::sync::mpsc;

use harness::{
    Server, Upstream, ask, chunks, config, finish, finishes, raw_stream, says, steps, stream,
    streamed, text, upstream_of,
};
use serde_json::{Value, json};

/// How often a test repeats a check that could succeed by chance.
const TRIES: usize = 40;

/// How often the head and the first piece must arrive in one read. A busy machine
/// may rarely need two reads for one write.
const MOST: usize = TRIES * 9 / 10;

fn server(upstream: &Upstream) -> Server {
    let runtime = format!("runtime: {{ url: '{}' }}", upstream.url());
    Server::start("openclaw", &config(&runtime))
}

fn with_usage(text: &str) -> Value {
    let mut body = streamed(ask(text));
    body["stream_options"] = json!({ "include_usage": true });
    body
}

/// The last text of a response and its end, in one chunk.
fn ending(words: &str) -> Vec<u8> {
    let usage = json!({ "choices": [], "usage": { "total_tokens": 3 } }).to_string();
    let events = [says(words), finish("stop"), usage, "[DONE]".to_owned()];
    let events = events.map(|data| format!("data: {data}\n\n"));
    [steps::chunk(events.concat()), steps::LAST_CHUNK.into()].concat()
}

#[test]
fn a_reply_that_is_ready_at_once_is_one_write_with_its_head() {
    let upstream = Upstream::start(|_, connection| {
        connection.send([steps::events_head(), ending("Hello")].concat());
    });
    let server = server(&upstream);
    let mut together = 0;
    for _ in 0..TRIES {
        let mut stream = server.chat(&with_usage("Hi")).open();
        let head = stream.at;
        let first = stream.piece().unwrap();
        together += usize::from(first.at == head);
        let answer = stream.finish();
        assert_eq!(answer.chunks, 1, "{answer:?}");
        let chunks = chunks(&answer);
        assert_eq!(
            (text(&chunks).as_str(), finishes(&chunks)),
            ("Hello", vec!["stop"])
        );
    }
    assert!(together >= MOST, "{together} of {TRIES}");
}

#[test]
fn the_last_text_and_the_ending_are_one_write() {
    let (go_on, may_go_on) = mpsc::channel();
    let may_go_on = Mutex::new(may_go_on);
    let upstream = Upstream::start(move |_, connection| {
        connection.open_events();
        connection.event(&says("Good"));
        // The rest is sent after the client has read this.
        may_go_on.lock().unwrap().recv().unwrap();
        connection.send(ending("bye"));
    });
    let server = server(&upstream);
    for _ in 0..TRIES {
        let mut stream = server.chat(&with_usage("Hi")).open();
        let found = std::iter::from_fn(|| stream.data()).find(|data| data.contains("Good"));
        assert!(found.is_some());
        go_on.send(()).unwrap();
        let answer = stream.finish();
        assert_eq!(answer.chunks, 2, "{answer:?}");
        assert_eq!(text(&chunks(&answer)), "Goodbye");
    }
}

#[test]
fn fast_text_is_sent_in_fewer_writes_than_events() {
    const PIECES: usize = 200;
    let upstream = Upstream::start(|_, connection| {
        connection.open_events();
        for _ in 0..PIECES {
            connection.event(&says("word "));
        }
        connection.send(ending("end"));
    });
    let server = server(&upstream);
    let answer = server.chat(&streamed(ask("Hi"))).send();
    let chunks = chunks(&answer);
    assert_eq!(text(&chunks), "word ".repeat(PIECES) + "end");
    // Each piece is still a separate completion chunk.
    let pieces = chunks
        .iter()
        .map(|chunk| &chunk["choices"][0]["delta"]["content"]);
    assert_eq!(pieces.filter(|piece| piece.is_string()).count(), PIECES + 1);
    assert!(answer.chunks < PIECES / 2, "{} writes", answer.chunks);
}

#[test]
fn a_broken_run_sends_its_last_text_and_the_error_in_one_write() {
    let broken = format!("data: {}\n\ndata: {{oops\n\n", says("Hel"));
    let upstream = Upstream::script(raw_stream(broken));
    let server = server(&upstream);
    for _ in 0..TRIES {
        let answer = server.chat(&streamed(ask("Hi"))).send();
        assert_eq!(answer.chunks, 1, "{answer:?}");
        let chunks = chunks(&answer);
        assert_eq!(text(&chunks), "Hel", "{answer:?}");
        assert!(chunks.last().unwrap()["error"].is_object(), "{answer:?}");
    }
}

#[test]
fn a_whole_reply_has_a_length_and_is_sent_with_its_head() {
    let long = "word ".repeat(2000);
    let upstream = upstream_of(vec![
        (
            "short",
            stream(&[&says("Hello"), &finish("stop"), "[DONE]"]),
        ),
        ("long", stream(&[&says(&long), &finish("stop"), "[DONE]"])),
        ("broken", stream(&[&says("Hello")])),
    ]);
    let server = server(&upstream);
    for name in ["short", "long", "broken"] {
        let mut together = 0;
        for _ in 0..TRIES {
            let mut stream = server.chat(&ask(name)).open();
            let length = stream.headers.get("content-length").map(str::to_owned);
            let first = stream.piece().unwrap();
            let at_once = first.at == stream.at && length == Some(first.bytes.len().to_string());
            together += usize::from(at_once);
            let answer = stream.finish();
            assert_eq!(length, Some(answer.body.len().to_string()), "{name}");
            assert_eq!(answer.chunks, 0, "{name}");
        }
        assert!(together >= MOST, "{name}: {together} of {TRIES}");
    }
}
