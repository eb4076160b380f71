//! A stream while the gateway deletes expired entries of its store.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};

use crate::http::{Client, chat_request};

use super::target::Target;
use super::workload::KEY;

/// The name of the measurement.
pub(super) const NAME: &str = "sweep of 200,000 entries";

/// The number of expired entries.
const ENTRIES: usize = 200_000;

/// The time between two tokens of the stream, in milliseconds.
const PAUSE: u64 = 5;

/// The time limit of the sweep.
const LIMIT: Duration = Duration::from_secs(300);

/// The result of the measurement.
pub(super) struct SweepSample {
    /// The longest time without a byte of the stream.
    pub(super) gap: Duration,
    /// The time from the request to the end of the sweep.
    pub(super) whole: Duration,
}

/// Fills the folder of a store with entries that have expired, as the gateway writes them.
/// Returns the slot of the index in which they are.
pub(super) fn fill(store: &Path) -> Result<u64> {
    fs::create_dir_all(store)?;
    let slot = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / 60 - 5;
    // A number is a list of additions, each of an id and an amount.
    let number = |number: usize| [[7; 8], number.to_le_bytes()].concat();
    for entry in 1..=ENTRIES {
        let key = format!("tidegate/{}/minute/{entry:012x}", slot * 60);
        fs::write(file(store, &key), number(1))?;
        let item = format!("tidegate-index/{slot}/{entry}");
        fs::write(file(store, &item), key)?;
    }
    fs::write(count(store, slot), number(ENTRIES))?;
    Ok(slot)
}

/// Measures a stream until all entries are deleted.
pub(super) fn measure(target: &Target, store: &Path, slot: u64) -> Result<SweepSample> {
    let script = format!(
        r#"{{"model":"openclaw","stream":true,"messages":[{{"role":"user","content":"tokens:1000000 every:{PAUSE}"}}]}}"#
    );
    let mut client = Client::connect(target.address)?;
    client.send_until(&chat_request(KEY, &script), "HTTP/1.1 200")?;
    let begun = Instant::now();
    let (mut last, mut gap) = (begun, Duration::ZERO);
    let count = count(store, slot);
    while count.exists() {
        ensure!(begun.elapsed() < LIMIT, "the sweep takes too long");
        client.receive()?;
        gap = gap.max(last.elapsed());
        last = Instant::now();
    }
    let whole = begun.elapsed();
    Ok(SweepSample { gap, whole })
}

/// Returns the file of the number of entries, which is deleted last.
fn count(store: &Path, slot: u64) -> PathBuf {
    file(store, &format!("tidegate-index/{slot}"))
}

fn file(store: &Path, key: &str) -> PathBuf {
    store.join(key.replace('/', ","))
}
