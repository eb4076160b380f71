//! The reader of a log: pieces become records.

use serde::de::DeserializeOwned;

use super::entry::{Entry, split};
use super::writer::state;

/// Reads a log, piece by piece, while it is written.
#[derive(Debug)]
pub struct LogReader<H> {
    head: Option<H>,
    has_head: bool,
    /// The number of the piece to read next.
    number: u32,
    /// How much of that piece has been read, in bytes, with its state.
    read: usize,
    /// The beginning of a record whose rest is in the next piece.
    rest: Vec<u8>,
    state: LogState,
}

/// The state of a log, as far as it has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogState {
    /// More may follow.
    Open,
    /// The log has been read to its end.
    Ended,
    /// The run has gone on without a log, because the log had reached its size limit.
    Full,
    /// The log was given up, or cannot be read.
    Broken,
}

impl<H: DeserializeOwned> LogReader<H> {
    /// Begins at the first piece.
    #[must_use]
    pub fn new() -> Self {
        Self {
            head: None,
            has_head: false,
            number: 0,
            read: 1,
            rest: Vec::new(),
            state: LogState::Open,
        }
    }

    /// Returns the number of the piece to read next. The same piece may have more.
    #[must_use]
    pub fn next(&self) -> u32 {
        self.number
    }

    /// Returns the state after the last piece.
    #[must_use]
    pub fn state(&self) -> LogState {
        self.state
    }

    /// Takes the head of the reply, which is the first record.
    pub fn take_head(&mut self) -> Option<H> {
        self.head.take()
    }

    /// Reads the decrypted value of the next piece, and returns the records that are new.
    /// Whether another piece follows at once is the second result.
    pub fn read(&mut self, value: &[u8]) -> (Vec<Entry>, bool) {
        let new = value.get(self.read..).unwrap_or_default();
        self.rest.extend_from_slice(new);
        self.read = value.len().max(1);
        let Some(entries) = self.records() else {
            self.state = LogState::Broken;
            return (Vec::new(), false);
        };
        let is_last = match value.first() {
            Some(&state::OPEN) => true,
            Some(&state::COMPLETE) => {
                self.number = self.number.saturating_add(1);
                self.read = 1;
                false
            }
            other => {
                self.state = match other {
                    Some(&state::ENDED) => LogState::Ended,
                    Some(&state::FULL) => LogState::Full,
                    Some(_) | None => LogState::Broken,
                };
                true
            }
        };
        (entries, !is_last)
    }

    /// Takes the complete records. Returns `None` for a record that cannot be read.
    fn records(&mut self) -> Option<Vec<Entry>> {
        let mut entries = Vec::new();
        let mut rest = self.rest.as_slice();
        while let Some((record, after)) = split(rest) {
            if self.has_head {
                entries.push(postcard::from_bytes(record).ok()?);
            } else {
                self.head = Some(postcard::from_bytes(record).ok()?);
                self.has_head = true;
            }
            rest = after;
        }
        self.rest = rest.to_vec();
        Some(entries)
    }
}

impl<H: DeserializeOwned> Default for LogReader<H> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reply::Ending;
    use crate::run_log::{End, LogWriter, Piece};
    use crate::runtime::{RunError, RunEvent};

    /// The pieces in a store.
    #[derive(Default)]
    struct Store(Vec<Vec<u8>>);

    impl Store {
        fn set(&mut self, pieces: Vec<Piece>) {
            for Piece { number, value } in pieces {
                let number = usize::try_from(number).unwrap();
                self.0.resize(self.0.len().max(number + 1), Vec::new());
                self.0[number] = value;
            }
        }

        /// Reads everything that a reader has not read yet.
        fn read(&self, reader: &mut LogReader<String>) -> Vec<Entry> {
            let mut all = Vec::new();
            while let Some(value) = self.0.get(usize::try_from(reader.next()).unwrap()) {
                let (entries, follows) = reader.read(value);
                all.extend(entries);
                if !follows {
                    break;
                }
            }
            all
        }
    }

    fn text(text: &str) -> Entry {
        Entry::Event(RunEvent::Text(text.to_owned()))
    }

    fn end() -> End {
        let ending = Ending::Failed(RunError::TimedOut("late".to_owned()));
        End { at: 7, ending }
    }

    fn begin(limit: usize) -> LogWriter {
        LogWriter::begin(&"head", limit).unwrap()
    }

    #[test]
    fn a_reader_sees_each_record_once_while_the_log_is_written() {
        let (mut store, mut reader) = (Store::default(), LogReader::new());
        let mut writer = begin(10_000_000);
        assert!(writer.has_more());
        store.set(writer.take());
        assert!(!writer.has_more());
        assert_eq!(store.read(&mut reader), []);
        assert_eq!(reader.take_head().as_deref(), Some("head"));
        for n in 0..3000 {
            let entry = text(&format!("{n}\n").repeat(n % 50));
            writer.add(&entry);
            store.set(writer.take());
            assert_eq!(store.read(&mut reader), [entry]);
            assert_eq!(store.read(&mut reader), []);
        }
        writer.end(end());
        assert_eq!(reader.state(), LogState::Open);
        store.set(writer.take());
        assert_eq!(store.read(&mut reader), [Entry::End(end())]);
        assert_eq!(reader.state(), LogState::Ended);
        assert!(store.0.len() > 10, "{}", store.0.len());
    }

    #[test]
    fn values_stay_below_the_limit_of_stores() {
        let mut writer = begin(100_000_000);
        for length in [10, 2_000_000, 100, 700_000, 5] {
            writer.add(&text(&"x".repeat(length)));
        }
        writer.end(end());
        let pieces = writer.take();
        let sizes: Vec<_> = pieces.iter().map(|piece| piece.value.len()).collect();
        assert!(sizes.iter().all(|size| *size < 900_000), "{sizes:?}");
        let (mut store, mut reader) = (Store::default(), LogReader::new());
        store.set(pieces);
        assert_eq!(store.read(&mut reader).len(), 6);
    }

    #[test]
    fn a_log_at_its_limit_says_so_and_grows_no_more() {
        let (mut store, mut reader) = (Store::default(), LogReader::new());
        let mut writer = begin(1000);
        for _ in 0..100 {
            writer.add(&text("0123456789"));
        }
        writer.end(end());
        store.set(writer.take());
        assert!(store.read(&mut reader).len() < 70);
        assert_eq!(reader.state(), LogState::Full);
        assert!(writer.is_over() && !writer.has_more());
        assert!(LogWriter::begin(&"x".repeat(2000), 1000).is_none());
    }

    #[test]
    fn a_broken_log_never_looks_complete() {
        let (mut store, mut reader) = (Store::default(), LogReader::new());
        let mut writer = begin(1000);
        writer.break_off();
        writer.end(end());
        store.set(writer.take());
        assert_eq!(store.read(&mut reader), []);
        assert_eq!(reader.state(), LogState::Broken);
        for value in [&b""[..], b"x", b"o\x01\0\0\0\xff"] {
            let mut reader = LogReader::<String>::new();
            assert_eq!(reader.read(value), (Vec::new(), false));
            assert_eq!(reader.state(), LogState::Broken, "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn any_reader_gets_what_was_written(
            lengths in prop::collection::vec(0..40_000_usize, 0..40),
            written in 1..5_usize,
            read in 1..5_usize,
        ) {
            let (mut store, mut reader) = (Store::default(), LogReader::new());
            let mut writer = begin(100_000_000);
            let mut seen = Vec::new();
            let entries: Vec<_> = lengths.iter().map(|length| text(&"é".repeat(*length))).collect();
            for (n, entry) in entries.iter().enumerate() {
                writer.add(entry);
                if n % written == 0 {
                    store.set(writer.take());
                }
                if n % read == 0 {
                    seen.extend(store.read(&mut reader));
                }
            }
            writer.end(end());
            store.set(writer.take());
            seen.extend(store.read(&mut reader));
            prop_assert_eq!(seen.pop(), Some(Entry::End(end())));
            prop_assert_eq!(seen, entries);
        }
    }
}
