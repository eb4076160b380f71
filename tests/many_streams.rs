//! More streams than the host's defaults allow. `cargo xtask serve` raises the limits.

mod harness;

use std::time::Instant;

use harness::{Server, Stream, TOKEN, Upstream, ask, config, says, streamed};

/// The number of concurrent streams. Wasmtime allows 1,000 by default.
const STREAMS: usize = 1500;

/// The number of files that this process opens: for each stream one socket of the
/// client and three handles of the upstream, and some others.
const OPEN_FILES: u64 = 4 * STREAMS as u64 + 500;

#[test]
fn probes_and_new_runs_are_answered_while_1500_silent_streams_are_open() {
    raise_open_files();
    let upstream = Upstream::start(|_, connection| {
        connection.open_events();
        connection.event(&says("Wait"));
    });
    let runtime = format!("runtime: {{ url: '{}' }}", upstream.url());
    let server = Server::start("openclaw", &config(&runtime));
    let request = server.chat(&streamed(ask("Hi")));
    let sent = Instant::now();
    let sockets: Vec<_> = (0..STREAMS).map(|_| request.start()).collect();
    let mut streams: Vec<_> = sockets
        .into_iter()
        .map(|socket| Stream::open(socket, "POST", sent))
        .collect();
    for stream in &mut streams {
        assert_eq!(stream.status, 200, "{stream:?}");
        let found = std::iter::from_fn(|| stream.data()).find(|data| data.contains("Wait"));
        assert!(found.is_some(), "{stream:?}");
    }
    for probe in ["/healthz", "/readyz"] {
        assert_eq!(server.request("GET", probe).send().status, 200, "{probe}");
    }
    let mut another = request.open();
    assert!(another.data().is_some(), "{another:?}");
    drop((streams, another));
    upstream.wait_for_closes(STREAMS + 1);
    server.assert_unharmed(&[TOKEN]);
}

fn raise_open_files() {
    let allowed = rlimit::increase_nofile_limit(OPEN_FILES).unwrap_or(OPEN_FILES);
    assert!(
        allowed >= OPEN_FILES,
        "this test opens {OPEN_FILES} files, and the limit is {allowed}: raise it with `ulimit -Hn`"
    );
}
