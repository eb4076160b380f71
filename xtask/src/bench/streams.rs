//! Many slow streams at once: what a server keeps for each, and works for it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::target::Target;
use super::workload::request;

/// How many streams are open at once.
const STREAMS: usize = 200;

/// How long they are watched. A token comes every 250 ms.
const TIME: Duration = Duration::from_secs(3);

/// How many tokens are told while they are watched.
const TOKENS: f64 = 4.0 * 3.0 * STREAMS as f64;

/// What slow streams take.
pub(super) struct Streams {
    /// The resident memory of one more stream, in KiB.
    pub(super) resident: f64,
    /// The work of a processor for one token, in milliseconds.
    pub(super) processor: f64,
}

/// Opens the streams on a server and watches its process.
pub(super) fn measure(target: &Target) -> Result<Streams> {
    let usage = || {
        target
            .usage()
            .context("only Linux tells what a process uses")
    };
    let script = r#"{"model":"openclaw","stream":true,"messages":[{"role":"user","content":"tokens:60 every:250"}]}"#;
    let request = request(script);
    let before = usage()?;
    let open: Result<Vec<_>> = (0..STREAMS).map(|_| open(target, &request)).collect();
    let open = open?;
    let begun = usage()?;
    thread::sleep(TIME);
    let ended = usage()?;
    drop(open);
    let more = ended.resident_kib.saturating_sub(before.resident_kib);
    let work = ended.processor.saturating_sub(begun.processor);
    Ok(Streams {
        resident: more as f64 / STREAMS as f64,
        processor: work.as_secs_f64() * 1000.0 / TOKENS,
    })
}

/// Opens a stream and waits until it has begun.
fn open(target: &Target, request: &[u8]) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(target.address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(request)?;
    stream.read_exact(&mut [0; 16])?;
    Ok(stream)
}
