//! The events of a stream, with their numbers.

use crate::openai::responses::{EventData, EventType, StreamEvent};
use crate::reply::sse;

/// Numbers the events of a response.
#[derive(Debug)]
pub(super) struct Events {
    reader: Reader,
    /// The number of the next event.
    next: u64,
    /// The number of the first event that the client has not read yet.
    first: u64,
}

/// The reader of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// A client that reads a stream.
    Client,
    /// Nothing: the reply is whole.
    Nothing,
}

impl Events {
    pub(super) fn new(reader: Reader) -> Self {
        Self {
            reader,
            next: 0,
            first: 0,
        }
    }

    /// Leaves out the events before this number, which the client has read.
    pub(super) fn begin_at(&mut self, first: u64) {
        self.first = first;
    }

    /// Returns a writer that appends to `out`.
    pub(super) fn writer<'w>(&'w mut self, out: &'w mut Vec<u8>) -> Writer<'w> {
        Writer { events: self, out }
    }
}

/// Appends events.
pub(super) struct Writer<'w> {
    events: &'w mut Events,
    out: &'w mut Vec<u8>,
}

impl Writer<'_> {
    /// Returns whether a client reads the events.
    pub(super) fn is_read(&self) -> bool {
        self.events.reader == Reader::Client
    }

    /// Appends an event with the next number.
    pub(super) fn write(&mut self, r#type: EventType, data: EventData<'_>) {
        if !self.is_read() {
            return;
        }
        let sequence_number = self.events.next;
        self.events.next += 1;
        if sequence_number < self.events.first {
            return;
        }
        let event = StreamEvent {
            r#type,
            sequence_number,
            data,
        };
        sse::named_event(self.out, r#type.name(), &event);
    }

    /// Makes room for long texts, so that the buffer does not grow to twice their size.
    pub(super) fn reserve(&mut self, bytes: usize) {
        if self.is_read() && bytes > LONG {
            self.out.reserve_exact(bytes);
        }
    }

    /// Appends the last event.
    pub(super) fn done(&mut self) {
        sse::done(self.out);
    }
}

/// A length of texts for which a buffer is reserved, in bytes.
const LONG: usize = 256 * 1024;
