//! Server-sent events, read as they arrive.
//!
//! Bytes may be split anywhere: inside a character, between CR and LF. Each is
//! looked at once. An event that the end of the stream cuts off is never seen.
//!
//! Rules: WHATWG HTML, section 9.2.6.

/// The largest event or line that is read, in bytes. A chat chunk takes some
/// hundred; a picture as a data URL or a long tool argument may take megabytes.
pub const EVENT_LIMIT: usize = 8 * 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// One event of the stream. Its bytes should be UTF-8; whoever reads them tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'r> {
    /// The event's type; blank for the standard's default, `message`.
    pub name: &'r [u8],
    /// The data, its lines joined by line feeds.
    pub data: &'r [u8],
}

/// An event or a line is larger than [`EVENT_LIMIT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge;

/// Reads the events of one stream.
#[derive(Debug, Default)]
pub struct Reader {
    position: Position,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    name: Vec<u8>,
    /// The data of the event so far, a line feed after each of its lines.
    data: Vec<u8>,
    /// Whether `name` and `data` are of an event that has been returned.
    ended: bool,
}

/// What comes next, other than any line.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Position {
    /// The stream's first line, which may open with a byte order mark.
    #[default]
    First,
    /// Any later line.
    Later,
    /// A line feed that belongs to the CR before it, or any later line.
    AfterCarriageReturn,
}

impl Reader {
    /// Takes bytes from the front of `bytes` up to the end of the next event
    /// and returns that event, or takes all bytes and returns none.
    ///
    /// # Errors
    /// An event that is too large; nothing after it can be read.
    pub fn next_event(&mut self, bytes: &mut &[u8]) -> Result<Option<Event<'_>>, TooLarge> {
        if self.ended {
            self.forget_event();
        }
        while let Some(end) = self.end_of_line(bytes) {
            self.take_line(bytes, end)?;
            if self.ended {
                return Ok(Some(self.event()));
            }
        }
        self.keep(bytes)?;
        *bytes = &[];
        Ok(None)
    }

    fn event(&self) -> Event<'_> {
        Event {
            name: &self.name,
            data: self.data.strip_suffix(b"\n").unwrap_or(&self.data),
        }
    }

    fn forget_event(&mut self) {
        self.name.clear();
        self.data.clear();
        self.ended = false;
    }

    /// Finds the next line ending, after dropping a line feed that belongs to
    /// the one before.
    fn end_of_line(&mut self, bytes: &mut &[u8]) -> Option<usize> {
        if self.position == Position::AfterCarriageReturn {
            bytes.first()?;
            *bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
            self.position = Position::Later;
        }
        memchr::memchr2(b'\r', b'\n', bytes)
    }

    /// Takes the line that ends at `end`, together with what was kept of it.
    fn take_line(&mut self, bytes: &mut &[u8], end: usize) -> Result<(), TooLarge> {
        let (piece, ending) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
        *bytes = ending.get(1..).unwrap_or_default();
        if self.line.is_empty() {
            self.interpret(piece)?;
        } else {
            self.keep(piece)?;
            let mut line = std::mem::take(&mut self.line);
            self.interpret(&line)?;
            line.clear();
            self.line = line;
        }
        self.position = match ending.first() {
            Some(b'\r') => Position::AfterCarriageReturn,
            _ => Position::Later,
        };
        Ok(())
    }

    fn interpret(&mut self, line: &[u8]) -> Result<(), TooLarge> {
        let line = match line.strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) if self.position == Position::First => rest,
            _ => line,
        };
        if line.is_empty() {
            self.end_event();
            return Ok(());
        }
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let (field, value) = line.split_at_checked(colon).unwrap_or((line, &[]));
        let value = value.strip_prefix(b":").unwrap_or(value);
        self.set(field, value.strip_prefix(b" ").unwrap_or(value))
    }

    fn set(&mut self, field: &[u8], value: &[u8]) -> Result<(), TooLarge> {
        match field {
            b"data" => {
                self.check_room(value.len() + 1)?;
                self.data.extend_from_slice(value);
                self.data.push(b'\n');
            }
            b"event" => {
                self.name.clear();
                self.check_room(value.len())?;
                self.name.extend_from_slice(value);
            }
            // A comment is a field without a name. `id` and `retry` are for
            // connecting again, and a run is never resumed.
            _ => {}
        }
        Ok(())
    }

    /// Ends the event at a blank line; one without data counts for nothing.
    fn end_event(&mut self) {
        if self.data.is_empty() {
            self.name.clear();
        } else {
            self.ended = true;
        }
    }

    /// Keeps a piece of a line until the rest of it comes.
    fn keep(&mut self, piece: &[u8]) -> Result<(), TooLarge> {
        self.check_room(piece.len())?;
        self.line.extend_from_slice(piece);
        Ok(())
    }

    fn check_room(&self, more: usize) -> Result<(), TooLarge> {
        let held = self.line.len() + self.name.len() + self.data.len();
        if more > EVENT_LIMIT.saturating_sub(held) {
            return Err(TooLarge);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
