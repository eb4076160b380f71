//! The log of a run: its events in the key-value store, so that a client which lost its
//! connection gets the same reply again.
//!
//! ```text
//! rules    the operator's settings       -> which runs have a log, and for how long
//! plan     a run, the rules              -> the log that the run is going to have
//! keys     caller, id of the run         -> the keys of the log in the store
//! entry    an event, or the end          -> a record of the log
//! writer   records                        -> pieces, the values in the store
//! reader   pieces                        -> records
//! cipher   the secret                    -> encrypted values
//! stored   pieces                        -> values in the store
//! lease    an instance                   -> whether its runs are under way
//! ```
//!
//! A log begins with the head of the reply and contains the events of the run, not the bytes of
//! the reply: both forms of a reply follow from them ([`crate::reply::ReplyHead`]). One
//! instance writes a log, and any instance reads it. A piece grows until it is full, so
//! writing a log takes few values, and reading its end takes one.
//!
//! Everything here is pure. Only `host` calls the store.

mod cipher;
mod entry;
mod head;
mod keys;
mod lease;
mod plan;
mod reader;
mod rules;
mod stored;
mod writer;

pub use cipher::{Cipher, NONCE_LENGTH};
pub use entry::{End, Entry};
pub use head::LogHead;
pub use keys::LogKeys;
pub use lease::{LOOK, Lease, RENEWAL};
pub use plan::LogPlan;
pub use reader::{LogReader, LogState};
pub use rules::{LogMode, LogRules};
pub use stored::StoredLog;
pub use writer::{LogWriter, Piece};
