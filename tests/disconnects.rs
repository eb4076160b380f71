//! Clients that disconnect before the end of a reply: their runs are cancelled soon.

mod harness;

use std::time::{Duration, Instant};

use harness::{
    Server, Step, Stream, Upstream, WAIT_LIMIT, ask, config, finish, last_message, says, steps,
    streamed,
};

/// How soon the upstream must notice that a client has disconnected: half a second,
/// doubled for a busy machine.
const SOON: Duration = Duration::from_secs(1);

/// The same for a client of a stream that is silent for longer than two seconds: two
/// seconds, and one for a busy machine.
const LATER: Duration = Duration::from_secs(3);

/// How many clients of each kind disconnect at once.
const CLIENTS: usize = 20;

fn server(upstream: &Upstream, more: &str) -> Server {
    let runtime = format!("runtime: {{ url: '{}' }}, {more}", upstream.url());
    Server::start("openclaw", &config(&runtime))
}

/// Starts an upstream whose replies last until the runtime disconnects. The last
/// message selects silence or a word every 20 ms.
fn upstream() -> Upstream {
    Upstream::start(|request, connection| {
        connection.open_events();
        connection.event(&says("Hello"));
        let pause = match last_message(request).as_str() {
            "silence" => WAIT_LIMIT,
            _words => Duration::from_millis(20),
        };
        while connection.pause(pause) && connection.event(&says("more")) {}
    })
}

/// Waits until `count` connections of the upstream are closed, and asserts that this
/// was within `limit` after the clients disconnected.
fn assert_noticed(upstream: &Upstream, count: usize, disconnected: Instant, limit: Duration) {
    for close in upstream.wait_for_closes(count) {
        let took = close.at - disconnected;
        assert!(took < limit, "{took:?}");
    }
    assert_eq!(upstream.requests().len(), count);
}

#[test]
fn a_disconnect_cancels_silent_and_active_runs() {
    let upstream = upstream();
    let server = server(&upstream, "");
    let open = |text| server.chat(&streamed(ask(text))).open();
    let mut streams: Vec<Stream> = (0..CLIENTS)
        .flat_map(|_| ["silence", "words"])
        .map(open)
        .collect();
    for stream in &mut streams {
        let hello = std::iter::from_fn(|| stream.data()).find(|data| data.contains("Hello"));
        assert!(hello.is_some());
    }
    assert_eq!(upstream.closes(), []);
    let heads: Vec<_> = streams
        .iter()
        .map(|stream| stream.headers.clone())
        .collect();
    let disconnected = Instant::now();
    drop(streams);
    assert_noticed(&upstream, 2 * CLIENTS, disconnected, SOON);
    for headers in heads {
        assert_eq!(server.access_log(&headers)["client_gone"], true);
    }
    server.assert_unharmed(&[]);
}

#[test]
fn a_disconnect_before_the_first_event_cancels_the_run() {
    let upstream = Upstream::script(vec![Step::Write(steps::events_head()), Step::AwaitClose]);
    let server = server(&upstream, "");
    let stream = server.chat(&streamed(ask("Hi"))).open();
    let disconnected = Instant::now();
    drop(stream);
    assert_noticed(&upstream, 1, disconnected, SOON);
}

#[test]
fn a_disconnect_before_the_head_cancels_the_run_once_the_head_is_due() {
    let upstream = Upstream::script(vec![Step::AwaitClose]);
    let server = server(&upstream, "stream: { firstEventWait: '100ms' }");
    let socket = server.chat(&streamed(ask("Hi"))).start();
    upstream.wait_for_requests(1);
    let disconnected = Instant::now();
    drop(socket);
    assert_noticed(&upstream, 1, disconnected, SOON);
}

/// Waits for a heartbeat. The stream ends without one if the clock of its instance stops.
fn wait_for_heartbeat(stream: &mut Stream) {
    let mut events = std::iter::from_fn(|| stream.event());
    assert!(events.any(|event| event.text == ": waiting"));
}

#[test]
fn a_disconnect_after_a_long_silence_cancels_the_run() {
    let upstream = upstream();
    let server = server(&upstream, "stream: { heartbeat: '3s' }");
    let mut streams: Vec<Stream> = (0..CLIENTS)
        .map(|_| server.chat(&streamed(ask("silence"))).open())
        .collect();
    streams.iter_mut().for_each(wait_for_heartbeat);
    let disconnected = Instant::now();
    drop(streams);
    assert_noticed(&upstream, CLIENTS, disconnected, LATER);
}

#[test]
fn a_silent_stream_outlives_the_streams_that_began_before_it() {
    let upstream = upstream();
    let server = server(&upstream, "stream: { heartbeat: '1s' }");
    let open = || server.chat(&streamed(ask("silence"))).open();
    let mut streams: Vec<Stream> = (0..6).map(|_| open()).collect();
    for left in 1..=6 {
        // The first stream drives the clock of all.
        drop(streams.remove(0));
        upstream.wait_for_closes(left);
        if let Some(last) = streams.last_mut() {
            wait_for_heartbeat(last);
        }
    }
    server.assert_unharmed(&[]);
}

#[test]
fn a_client_that_does_not_read_a_whole_reply_frees_its_memory() {
    const MIBIBYTE: usize = 1024 * 1024;
    let text = "x".repeat(MIBIBYTE);
    let upstream = Upstream::start(move |_, connection| {
        connection.open_events();
        for _ in 0..15 {
            connection.event(&says(&text));
        }
        connection.event(&finish("stop"));
        connection.event("[DONE]");
        connection.end();
    });
    let server = server(&upstream, "stream: { writeTimeout: '1s' }");
    // Two replies are more than the memory of an instance.
    let unread: Vec<_> = (0..2).map(|_| server.chat(&ask("Hi")).open()).collect();
    let begun = Instant::now();
    while server.chat(&ask("Hi")).send().status != 200 {
        assert!(begun.elapsed() < WAIT_LIMIT, "the memory stays in use");
    }
    drop(unread);
    server.assert_unharmed(&[]);
}

#[test]
fn a_client_that_does_not_read_is_disconnected() {
    let text = "x".repeat(64 * 1024);
    let upstream = Upstream::start(move |_, connection| {
        connection.open_events();
        while connection.event(&says(&text)) {}
    });
    let server = server(&upstream, "stream: { writeTimeout: '1s' }");
    let stream = server.chat(&streamed(ask("Hi"))).open();
    upstream.wait_for_close();
    assert_eq!(server.access_log(&stream.headers)["client_gone"], true);
}
