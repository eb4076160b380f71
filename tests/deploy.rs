//! The container of `deploy/`: its memory limit is above the worst that its settings allow.

#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a missing value fails the test"
)]

mod harness;

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::thread;
use std::time::Instant;

use harness::{Server, Stream, TOKEN, Upstream, ask, config, finish, last_message, says, streamed};

const MIB: u64 = 1024 * 1024;

/// The largest body, in bytes.
const BODY: usize = 20 * 1024 * 1024;

const STREAMS: usize = 1000;
const UPLOADS: usize = 60;
const BODIES: usize = 16;

/// The text of a request whose run is silent until the test ends.
const SILENCE: &str = "silence";

/// Returns the arguments of `wasmtime serve` that set limits.
fn limits() -> Vec<String> {
    let dockerfile = fs::read_to_string("deploy/container/Dockerfile").expect("a Dockerfile");
    let quoted = dockerfile.split('"').skip(1).step_by(2);
    let is_limit = |text: &&str| {
        text.starts_with("-W") || text.starts_with("-O") || text.starts_with("--max-")
    };
    quoted.filter(is_limit).map(str::to_owned).collect()
}

/// Returns the memory limit of the container on Kubernetes, in bytes.
fn memory_limit() -> u64 {
    let manifest = fs::read_to_string("deploy/container/deployment.yaml").expect("a manifest");
    let (_, limits) = manifest.split_once("limits:").expect("limits");
    let (_, memory) = limits.split_once("memory: ").expect("a memory limit");
    let memory = memory.lines().next().unwrap_or_default();
    match memory.strip_suffix("Gi") {
        Some(count) => count.parse::<u64>().unwrap() * 1024 * MIB,
        None => memory.strip_suffix("Mi").unwrap().parse::<u64>().unwrap() * MIB,
    }
}

/// Returns the largest resident memory that a process has had, in bytes.
fn peak_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("its status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|peak| peak.split_whitespace().next());
    kib.and_then(|kib| kib.parse::<u64>().ok()).expect("a size") * 1024
}

fn body() -> Vec<u8> {
    let open = b"{\"messages\":[{\"role\":\"user\",\"content\":\"".as_slice();
    let close = b"\"}]}".as_slice();
    let text = vec![b'x'; BODY - open.len() - close.len()];
    [open, &text, close].concat()
}

/// Starts an upstream that answers all requests but the silent ones at once.
fn upstream() -> Upstream {
    Upstream::start(|request, connection| {
        connection.open_events();
        connection.event(&says("begun"));
        if last_message(request) != SILENCE {
            connection.event(&finish("stop"));
            connection.event("[DONE]");
            connection.end();
        }
    })
}

/// Sends slow uploads, which stay incomplete, and whole requests. Returns the connections of
/// the uploads and the statuses of the whole requests.
fn large_requests(server: &Server) -> (Vec<TcpStream>, Vec<u16>) {
    let whole = body();
    let large = || {
        let request = server.request("POST", "/v1/chat/completions");
        request.bearer(TOKEN).body(whole.as_slice())
    };
    let slow = large().bytes();
    thread::scope(|scope| {
        let upload = |_| {
            scope.spawn(|| {
                let mut socket = server.connect();
                // A refusal closes the connection.
                drop(socket.write_all(&slow[..slow.len() - 4096]));
                socket
            })
        };
        let send = |_| scope.spawn(|| large().send().status);
        let uploads: Vec<_> = (0..UPLOADS).map(upload).collect();
        let sent: Vec<_> = (0..BODIES).map(send).collect();
        let uploads = uploads.into_iter().map(|upload| upload.join().unwrap());
        let statuses = sent.into_iter().map(|sent| sent.join().unwrap());
        (uploads.collect(), statuses.collect())
    })
}

#[test]
fn the_memory_limit_of_the_container_is_above_the_worst_that_its_settings_allow() {
    let files = 4 * STREAMS as u64 + 1000;
    rlimit::increase_nofile_limit(files).expect("open files");
    let limits = limits();
    assert!(
        limits
            .iter()
            .any(|limit| limit.starts_with("-Wmax-memory-size"))
    );
    let upstream = upstream();
    let runtime = format!("runtime: {{ url: '{}' }}", upstream.url());
    let server = Server::builder("openclaw-files").config(&config(&runtime));
    let server = limits
        .iter()
        .fold(server, |server, limit| server.argument(limit));
    let server = server.start();
    let silent = server.chat(&streamed(ask(SILENCE)));
    let streams: Vec<_> = (0..STREAMS).map(|_| silent.start()).collect();
    upstream.wait_for_requests(STREAMS);
    let (uploads, statuses) = large_requests(&server);
    assert!(statuses.iter().all(|status| [200, 503].contains(status)));
    let (peak, limit) = (peak_memory(server.process()), memory_limit());
    println!("peak {} MiB, limit {} MiB", peak / MIB, limit / MIB);
    assert!(peak < limit, "{} MiB of {} MiB", peak / MIB, limit / MIB);
    for stream in streams {
        let mut stream = Stream::open(stream, "POST", Instant::now());
        assert!(stream.data().is_some(), "a stream is cut: {stream:?}");
    }
    drop(uploads);
    server.assert_unharmed(&[TOKEN]);
}
