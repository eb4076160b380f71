//! The log of a run: its events in the key-value store, so that a client which lost its
//! connection gets the same reply again.
//!
//! ```text
//! keys     caller, id of the run         -> the keys of the log in the store
//! entry    an event, or the end          -> a line of the log
//! writer   lines                         -> pieces, the values in the store
//! reader   pieces                        -> lines
//! cipher   the secret                    -> encrypted values
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
mod keys;
mod reader;
mod writer;

pub use cipher::{Cipher, NONCE_LENGTH};
pub use entry::{End, Ending, Entry};
pub use keys::LogKeys;
pub use reader::{LogReader, LogState};
pub use writer::{LogWriter, Piece};
