//! A log in the store.

use std::rc::Rc;

use crate::access::{Store, UnixMillis, register_keys};

use super::cipher::{Cipher, NONCE_LENGTH};
use super::entry::{End, Entry};
use super::head::LogHead;
use super::keys::LogKeys;
use super::reader::LogReader;
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
}

#[cfg(test)]
mod tests {
    use tidegate_config::Secret;
    use uuid::Uuid;

    use super::*;
    use crate::access::fake::{Failing, Memory};
    use crate::access::{Caller, Sweep};
    use crate::reply::{Ending, ReplyHead};
    use crate::run::SessionSecret;
    use crate::run_log::LogState;
    use crate::runtime::{RunError, RunEvent};

    const NOW: UnixMillis = UnixMillis::new(1_800_000_000_000);

    fn secret() -> SessionSecret {
        SessionSecret::new(&Secret::new("a secret of 16 bytes")).unwrap()
    }

    fn open<S: Store>(store: Rc<S>) -> StoredLog<S> {
        let keys = LogKeys::of_run(&Caller::for_test("owner"), Uuid::from_u128(1), &secret());
        StoredLog::new(store, Cipher::new(&secret()), keys)
    }

    fn head() -> LogHead {
        LogHead {
            id: "chatcmpl_1".to_owned(),
            reply: ReplyHead::for_test(),
            instance: Uuid::from_u128(7),
            is_kept: true,
            background: true,
            expiry: NOW,
        }
    }

    fn text(text: &str) -> Entry {
        Entry::Event(RunEvent::Text(text.to_owned()))
    }

    fn failed(at: u64) -> End {
        let ending = Ending::Failed(RunError::silent());
        End { at, ending }
    }

    /// Writes a log with these texts, which has not ended.
    fn write(store: &Rc<Memory>, texts: &[String]) -> StoredLog<Memory> {
        let log = open(Rc::clone(store));
        let mut writer = LogWriter::begin(&head(), 1_000_000).unwrap();
        let mut registered = 0;
        for part in texts {
            writer.add(&text(part));
            let pieces = writer.take();
            log.write(&pieces, NOW, || [1; NONCE_LENGTH], &mut registered)
                .unwrap();
        }
        log
    }

    fn read_all(log: &StoredLog<Memory>) -> (LogReader<LogHead>, Vec<Entry>) {
        let (mut reader, mut all) = (LogReader::new(), Vec::new());
        loop {
            let (entries, follows) = log.read(&mut reader).unwrap();
            all.extend(entries);
            if !follows {
                return (reader, all);
            }
        }
    }

    fn texts() -> Vec<String> {
        (0..40).map(|n| n.to_string().repeat(1000)).collect()
    }

    #[test]
    fn the_first_one_ends_the_log_of_an_instance_that_has_stopped() {
        let store = Rc::<Memory>::default();
        let log = write(&store, &texts());
        let (reader, entries) = read_all(&log);
        assert_eq!(entries.len(), 40);
        log.end_for(&reader, failed(1), [2; NONCE_LENGTH]).unwrap();
        log.end_for(&reader, failed(2), [3; NONCE_LENGTH]).unwrap();
        assert_eq!(log.claim_end(), Some(false));
        let (reader, entries) = read_all(&log);
        assert_eq!(reader.state(), LogState::Ended);
        assert_eq!(entries.last(), Some(&Entry::End(failed(1))));
        assert_eq!(entries.len(), 41);
    }

    #[test]
    fn nothing_of_a_deleted_or_expired_log_stays() {
        let store = Rc::<Memory>::default();
        let log = write(&store, &texts());
        log.ask_to_cancel().unwrap();
        let of_log = |store: &Memory| {
            let keys = store.keys();
            keys.iter()
                .filter(|key| key.starts_with("tidegate-run/"))
                .count()
        };
        assert!(of_log(&store) > 3, "{:?}", store.keys());
        log.delete(&read_all(&log).0).unwrap();
        assert_eq!(of_log(&store), 0);
        let log = write(&store, &texts());
        log.ask_to_cancel().unwrap();
        assert_eq!(log.claim_end(), Some(true));
        let later = NOW + std::time::Duration::from_mins(5);
        let mut sweep = Sweep::begin(&*store, later).unwrap();
        while sweep.step(&*store).unwrap() {}
        assert_eq!(of_log(&store), 0);
        let deletions = store.deletions.borrow();
        assert!(deletions.iter().all(|count| *count <= 100), "{deletions:?}");
    }

    #[test]
    fn a_failing_store_is_no_empty_log() {
        let log = open(Rc::new(Failing));
        assert!(log.read(&mut LogReader::new()).is_none());
        assert_eq!(log.claim_end(), None);
        assert_eq!(log.is_cancel_asked(), None);
        let log = open(Rc::<Memory>::default());
        let (entries, follows) = log.read(&mut LogReader::new()).unwrap();
        assert_eq!((entries, follows), (Vec::new(), false));
    }
}
