//! The index by which expired entries are found.
//!
//! Time is divided into slots of a minute. The index numbers the entries that expire in a
//! slot:
//!
//! ```text
//! tidegate-index/<slot>           how many there are; a counter
//! tidegate-index/<slot>/<number>  the key of an entry, or at most four keys, one on each line
//! tidegate-index/swept            the last slot whose entries are deleted
//! ```
//!
//! An entry is registered before it is created, perhaps twice. Deleting twice is harmless.

use std::time::Duration;

use super::entry::Entry;
use super::store::Store;
use super::time::UnixMillis;
use super::windows::Windows;

const INDEX: &str = "tidegate-index/";

/// The key of the last slot whose entries are deleted.
pub(super) const SWEPT: &str = "tidegate-index/swept";

/// The slots.
pub(super) const SLOTS: Windows = Windows {
    length: Duration::from_mins(1),
};

/// The maximum number of keys that are registered together.
pub(super) const TOGETHER: usize = 4;

/// The beginnings of the keys that can be registered. Nothing else is ever deleted.
const PREFIXES: [&str; 3] = ["tidegate/", "tidegate-run/", "tidegate-instance/"];

/// Registers at most four keys in the slot of their expiry, before their values are set.
pub fn register_keys(store: &impl Store, keys: &[String], expiry: UnixMillis) -> Option<()> {
    let slot = slot_of(expiry);
    let number = store.increment(&count_key(slot), 1)?;
    let keys = keys.get(..TOGETHER).unwrap_or(keys);
    store.set(&item_key(slot, number), keys.join("\n").as_bytes())
}

/// Reads the keys of a place in the index.
pub(super) fn registered(item: &[u8]) -> Vec<String> {
    let lines = str::from_utf8(item).unwrap_or_default().lines();
    let lines = lines.take(TOGETHER);
    let known = lines.filter(|key| PREFIXES.iter().any(|prefix| key.starts_with(prefix)));
    known.map(str::to_owned).collect()
}

/// Registers an entry in the slot of its expiry.
pub(super) fn register(store: &impl Store, entry: &Entry) -> Option<()> {
    register_keys(store, &[entry.as_str().to_owned()], entry.expiry())
}

/// Returns the number of the slot that contains a time.
pub(super) fn slot_of(time: UnixMillis) -> u64 {
    time.seconds() / SLOTS.length.as_secs()
}

/// Returns the key of the number of entries of a slot.
pub(super) fn count_key(slot: u64) -> String {
    format!("{INDEX}{slot}")
}

/// Returns the key of the place of an entry. Numbers begin with 1.
pub(super) fn item_key(slot: u64, number: i64) -> String {
    format!("{INDEX}{slot}/{number}")
}
