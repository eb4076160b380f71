//! The writer of a log: records become pieces.
//!
//! The records are a stream of bytes that is cut into pieces at any byte. The first byte of a
//! piece is its state.

use serde::Serialize;

use super::entry::{End, Entry, encode};

/// The size from which on a piece is complete, in bytes. A piece that grows is written again, so
/// it is small.
const PIECE: usize = 16 * 1024;

/// The maximum size of a piece, in bytes. Stores have values of less than 1 MB.
const PIECE_LIMIT: usize = 512 * 1024;

/// The first byte of a piece.
pub(super) mod state {
    /// More may follow in this piece.
    pub(in super::super) const OPEN: u8 = b'o';
    /// The next piece follows.
    pub(in super::super) const COMPLETE: u8 = b'c';
    /// The log is complete.
    pub(in super::super) const ENDED: u8 = b'e';
    /// The log has reached its size limit, and the run has gone on without it.
    pub(in super::super) const FULL: u8 = b'f';
    /// The log was given up, because the store had failed.
    pub(in super::super) const BROKEN: u8 = b'b';
}

/// A piece of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The number of the piece, from 0 on.
    pub number: u32,
    /// The value, before its encryption.
    pub value: Vec<u8>,
}

/// Writes a log.
#[derive(Debug)]
pub struct LogWriter {
    /// The pieces to write that are complete.
    complete: Vec<Piece>,
    /// The last piece.
    last: Piece,
    /// Whether the last piece has more than was taken.
    has_more: bool,
    /// The bytes of all records that may follow.
    left: usize,
    is_over: bool,
}

impl LogWriter {
    /// Begins a log of at most `limit` bytes with its head.
    ///
    /// Returns `None` if the head alone exceeds the limit.
    #[must_use]
    pub fn begin(head: &impl Serialize, limit: usize) -> Option<Self> {
        let mut writer = Self {
            complete: Vec::new(),
            last: Piece::open(0),
            has_more: true,
            left: limit,
            is_over: false,
        };
        writer.record(head);
        (!writer.is_over).then_some(writer)
    }

    /// Adds a record. After the limit, nothing is added.
    pub fn add(&mut self, entry: &Entry) {
        if !self.is_over {
            self.record(entry);
        }
    }

    /// Adds the last record.
    pub fn end(&mut self, end: End) {
        if !self.is_over {
            // The end is small, and a log without it would be incomplete for nothing.
            self.left = self.left.max(PIECE);
            self.record(&Entry::End(end));
            self.close(state::ENDED);
        }
    }

    /// Ends a log of which a part could not be written.
    pub fn break_off(&mut self) {
        if !self.is_over {
            self.close(state::BROKEN);
        }
    }

    /// Drops what has not been written. Another instance has ended the log.
    pub fn give_up(&mut self) {
        self.complete.clear();
        self.has_more = false;
        self.is_over = true;
    }

    /// Returns the value of the last piece with the end that its instance did not write.
    #[must_use]
    pub fn ended(mut last: Vec<u8>, end: End) -> Option<Vec<u8>> {
        if last.is_empty() {
            last.push(state::OPEN);
        }
        last.extend(encode(&Entry::End(end))?);
        let mut piece = Piece {
            number: 0,
            value: last,
        };
        piece.set(state::ENDED);
        Some(piece.value)
    }

    /// Returns whether there is anything to write.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.has_more || !self.complete.is_empty()
    }

    /// Returns whether nothing can be added.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Takes the pieces to write, in the order in which they must be written.
    pub fn take(&mut self) -> Vec<Piece> {
        let mut pieces = std::mem::take(&mut self.complete);
        if std::mem::take(&mut self.has_more) {
            pieces.push(self.last.clone());
        }
        pieces
    }

    fn record(&mut self, value: &impl Serialize) {
        let record = encode(value).filter(|record| record.len() <= self.left);
        let Some(record) = record else {
            return self.close(state::FULL);
        };
        self.left -= record.len();
        for part in record.chunks(PIECE_LIMIT - PIECE) {
            if self.last.value.len() > PIECE {
                self.next_piece();
            }
            self.last.value.extend_from_slice(part);
            self.has_more = true;
        }
    }

    fn next_piece(&mut self) {
        let next = Piece::open(self.last.number.saturating_add(1));
        let mut last = std::mem::replace(&mut self.last, next);
        last.set(state::COMPLETE);
        self.complete.push(last);
    }

    fn close(&mut self, state: u8) {
        self.last.set(state);
        self.has_more = true;
        self.is_over = true;
    }
}

impl Piece {
    fn open(number: u32) -> Self {
        let value = vec![state::OPEN];
        Self { number, value }
    }

    fn set(&mut self, state: u8) {
        if let Some(first) = self.value.first_mut() {
            *first = state;
        }
    }
}
