//! A log in the store.

use std::rc::Rc;

use crate::access::{Store, UnixMillis, register_keys};

use super::cipher::{Cipher, NONCE_LENGTH};
use super::entry::{End, Entry};
use super::head::LogHead;
use super::keys::LogKeys;
use super::reader::{LogReader, LogState};
use super::writer::{LogWriter, Piece};

/// A log in the store. `None` as a result means that the store has failed.
pub struct StoredLog<S> {
    store: Rc<S>,
    cipher: Cipher,
    keys: LogKeys,
}

impl<S> Clone for StoredLog<S> {
    fn clone(&self) -> Self {
        Self {
            store: Rc::clone(&self.store),
            cipher: self.cipher.clone(),
            keys: self.keys.clone(),
        }
    }
}

/// The most pieces that are deleted at once.
const BATCH: u32 = 50;

impl<S: Store> StoredLog<S> {
    /// Opens the log with these keys, which may not exist.
    #[must_use]
    pub fn new(store: Rc<S>, cipher: Cipher, keys: LogKeys) -> Self {
        Self {
            store,
            cipher,
            keys,
        }
    }

    /// Returns the store.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Writes the pieces of a log that expires at a time. `nonce` returns random bytes.
    pub fn write(
        &self,
        pieces: &[Piece],
        expiry: UnixMillis,
        mut nonce: impl FnMut() -> [u8; NONCE_LENGTH],
        registered: &mut u32,
    ) -> Option<()> {
        for Piece { number, value } in pieces {
            // What is in the store can always be found.
            if *number >= *registered {
                match number {
                    0 => register_keys(&*self.store, &self.keys.all(), expiry)?,
                    _ => register_keys(&*self.store, &[self.keys.piece(*number)], expiry)?,
                }
                *registered = number.saturating_add(1);
            }
            let key = self.keys.piece(*number);
            let sealed = self.cipher.seal(&key, value, nonce())?;
            self.store.set(&key, &sealed)?;
        }
        Some(())
    }

    /// Reads the next piece, and returns the records that are new. The second result is whether
    /// another piece follows. A piece that does not exist has no records.
    pub fn read(&self, reader: &mut LogReader<LogHead>) -> Option<(Vec<Entry>, bool)> {
        let key = self.keys.piece(reader.next());
        let Some(sealed) = self.store.get(&key)? else {
            return Some((Vec::new(), false));
        };
        Some(match self.cipher.open(&key, &sealed) {
            Some(value) => reader.read(&value),
            None => reader.read(&[]),
        })
    }

    /// Returns whether the caller is the first one to end the run.
    #[must_use]
    pub fn claim_end(&self) -> Option<bool> {
        Some(self.store.increment(&self.keys.end(), 1)? == 1)
    }

    /// Asks for the cancellation of the run.
    pub fn ask_to_cancel(&self) -> Option<()> {
        self.store.set(&self.keys.cancel(), b"1")
    }

    /// Returns whether a client has asked for the cancellation of the run.
    #[must_use]
    pub fn is_cancel_asked(&self) -> Option<bool> {
        self.store.exists(&self.keys.cancel())
    }

    /// Ends the log of an instance that has stopped. Another instance may do it first.
    pub fn end_for(
        &self,
        reader: &LogReader<LogHead>,
        end: End,
        nonce: [u8; NONCE_LENGTH],
    ) -> Option<()> {
        if !self.claim_end()? {
            return Some(());
        }
        let number = reader.next();
        let key = self.keys.piece(number);
        let value = match self.store.get(&key)? {
            Some(sealed) => self.cipher.open(&key, &sealed).unwrap_or_default(),
            None => Vec::new(),
        };
        let value = LogWriter::ended(value, end)?;
        self.store
            .set(&key, &self.cipher.seal(&key, &value, nonce)?)
    }

    /// Deletes the log, of which a reader has seen the last piece.
    pub fn delete(&self, reader: &LogReader<LogHead>) -> Option<()> {
        let mut keys = self.keys.all().to_vec();
        let numbers: Vec<_> = (1..=reader.next()).collect();
        for batch in numbers.chunks(BATCH as usize) {
            keys.extend(batch.iter().map(|number| self.keys.piece(*number)));
            self.store.delete_many(&keys)?;
            keys.clear();
        }
        self.store.delete_many(&keys)
    }

    /// Reads all that is in the store now.
    pub fn read_all(&self) -> Option<(LogReader<LogHead>, Vec<Entry>)> {
        let (mut reader, mut all) = (LogReader::new(), Vec::new());
        loop {
            let (entries, follows) = self.read(&mut reader)?;
            all.extend(entries);
            if !follows || reader.state() != LogState::Open {
                return Some((reader, all));
            }
        }
    }
}
