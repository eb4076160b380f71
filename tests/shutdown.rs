//! Graceful shutdown: after an interrupt, `wasmtime serve` accepts no more connections
//! and finishes the open streams.

#![cfg(unix)]

mod harness;

use std::sync::Mutex;
use std::sync::mpsc;

use harness::{Server, Upstream, ask, chunks, config, finish, finishes, says, streamed, text};

#[test]
fn an_interrupted_server_finishes_its_streams_before_it_exits() {
    let (go_on, may_go_on) = mpsc::channel();
    let may_go_on = Mutex::new(may_go_on);
    let upstream = Upstream::start(move |_, connection| {
        connection.open_events();
        connection.event(&says("Good"));
        may_go_on.lock().unwrap().recv().unwrap();
        connection.event(&says("bye"));
        connection.event(&finish("stop"));
        connection.end();
    });
    let runtime = format!("runtime: {{ url: '{}' }}", upstream.url());
    let mut server = Server::start("openclaw", &config(&runtime));
    let mut stream = server.chat(&streamed(ask("Hi"))).open();
    let found = std::iter::from_fn(|| stream.data()).find(|data| data.contains("Good"));
    assert!(found.is_some());
    server.interrupt();
    server.wait_for_log(|log| log.contains("Waiting for child tasks to exit"));
    go_on.send(()).unwrap();
    let answer = stream.finish();
    assert!(answer.whole, "{answer:?}");
    let chunks = chunks(&answer);
    assert_eq!(text(&chunks), "Goodbye");
    assert_eq!(finishes(&chunks), ["stop"]);
    assert!(server.wait_for_exit().success());
    assert_eq!(upstream.requests().len(), 1);
}
