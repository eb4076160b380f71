//! The records of a log.

use serde::{Deserialize, Serialize};

use crate::reply::Ending;
use crate::runtime::RunEvent;

/// A record of a log after the head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Entry {
    /// An event of the run.
    Event(RunEvent),
    /// The reply so far was sent to a client in silence. It takes part in the numbers of
    /// events.
    Progress,
    /// The last record.
    End(End),
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// The time, in seconds since 1970.
    pub at: u64,
    /// How the run ended.
    pub ending: Ending,
}

/// The length of the length before each record, in bytes.
const LENGTH: usize = size_of::<u32>();

/// Encodes a record: its length as a 32-bit little-endian number, and the value in the
/// format of postcard. The format has no names, so it is small and fast.
pub(super) fn encode(value: &impl Serialize) -> Option<Vec<u8>> {
    let mut record = vec![0; LENGTH];
    record = postcard::to_extend(value, record).ok()?;
    let length = u32::try_from(record.len() - LENGTH).ok()?;
    let (begin, _) = record.split_first_chunk_mut::<LENGTH>()?;
    *begin = length.to_le_bytes();
    Some(record)
}

/// Splits a record off, if it is complete. Returns it without its length.
pub(super) fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    rest.split_at_checked(length)
}
