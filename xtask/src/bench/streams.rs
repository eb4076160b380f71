//! Many slow streams at once: the memory and processor time of each.

use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::http::{Client, chat_request};

use super::target::Target;
use super::workload::KEY;

/// The number of concurrent streams.
const STREAMS: usize = 200;

/// The time of the measurement. A token arrives every 250 ms.
const TIME: Duration = Duration::from_secs(3);

/// The number of tokens during the measurement.
const TOKENS: f64 = 4.0 * 3.0 * STREAMS as f64;

/// The cost of slow streams.
pub(super) struct Streams {
    /// The resident memory of one stream, in KiB.
    pub(super) resident: f64,
    /// The processor time of one token, in milliseconds.
    pub(super) processor: f64,
}

/// Opens the streams on a server and measures its process.
pub(super) fn measure(target: &Target) -> Result<Streams> {
    let usage = || {
        target
            .usage()
            .context("only Linux reports the usage of a process")
    };
    let script = r#"{"model":"openclaw","stream":true,"messages":[{"role":"user","content":"tokens:60 every:250"}]}"#;
    let request = chat_request(KEY, script);
    let before = usage()?;
    let open: Result<Vec<_>> = (0..STREAMS).map(|_| open(target, &request)).collect();
    let open = open?;
    let begun = usage()?;
    thread::sleep(TIME);
    let ended = usage()?;
    drop(open);
    let more = ended.resident_kib.saturating_sub(before.resident_kib);
    let spent = ended.processor.saturating_sub(begun.processor);
    Ok(Streams {
        resident: more as f64 / STREAMS as f64,
        processor: spent.as_secs_f64() * 1000.0 / TOKENS,
    })
}

/// Opens a stream and waits for its status line.
fn open(target: &Target, request: &[u8]) -> Result<Client> {
    let mut client = Client::connect(target.address)?;
    client.send_until(request, "HTTP/1.1 200")?;
    Ok(client)
}
