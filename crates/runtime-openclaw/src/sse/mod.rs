//! Incremental parsing of server-sent events.
//!
//! The bytes may be split anywhere: inside a character, between CR and LF. Each byte is
//! scanned once. An incomplete event at the end of the stream is ignored.
//!
//! Source: WHATWG HTML, section 9.2.6.

/// The maximum size of an event or line, in bytes. A chunk has some hundred bytes; an image
/// in a data URL or a long tool argument may have megabytes.
pub const EVENT_LIMIT: usize = 8 * 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// One event of the stream. Its bytes should be UTF-8, which the caller checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'r> {
    /// The event's type; empty for the default, `message`.
    pub name: &'r [u8],
    /// The data, with its lines joined by line feeds.
    pub data: &'r [u8],
}

/// An event or a line is larger than [`EVENT_LIMIT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge;

/// Parses the events of one stream.
#[derive(Debug, Default)]
pub struct Reader {
    position: Position,
    /// The beginning of an incomplete line.
    line: Vec<u8>,
    name: Vec<u8>,
    /// The data of the event so far, with a line feed after each line.
    data: Vec<u8>,
    /// Whether `name` and `data` belong to an event that was returned.
    ended: bool,
}

/// The position in the stream.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Position {
    /// The first line, which may begin with a byte order mark.
    #[default]
    First,
    /// Any later line.
    Later,
    /// After a CR. A line feed here belongs to it.
    AfterCarriageReturn,
}

impl Reader {
    /// Consumes bytes up to the end of the next event and returns that event. If there is
    /// no further event, it consumes all bytes and returns `None`.
    ///
    /// # Errors
    /// An event that is too large. The parser cannot continue after it.
    pub fn next_event(&mut self, bytes: &mut &[u8]) -> Result<Option<Event<'_>>, TooLarge> {
        if self.ended {
            self.clear_event();
        }
        while let Some(end) = self.end_of_line(bytes) {
            self.take_line(bytes, end)?;
            if self.ended {
                return Ok(Some(self.event()));
            }
        }
        self.buffer(bytes)?;
        *bytes = &[];
        Ok(None)
    }

    fn event(&self) -> Event<'_> {
        Event {
            name: &self.name,
            data: self.data.strip_suffix(b"\n").unwrap_or(&self.data),
        }
    }

    fn clear_event(&mut self) {
        self.name.clear();
        self.data.clear();
        self.ended = false;
    }

    /// Finds the next line ending. It first skips a line feed that belongs to a CR.
    fn end_of_line(&mut self, bytes: &mut &[u8]) -> Option<usize> {
        if self.position == Position::AfterCarriageReturn {
            bytes.first()?;
            *bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
            self.position = Position::Later;
        }
        memchr::memchr2(b'\r', b'\n', bytes)
    }

    /// Consumes the line that ends at `end`, with its buffered beginning.
    fn take_line(&mut self, bytes: &mut &[u8], end: usize) -> Result<(), TooLarge> {
        let (piece, ending) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
        *bytes = ending.get(1..).unwrap_or_default();
        if self.line.is_empty() {
            self.interpret(piece)?;
        } else {
            self.buffer(piece)?;
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
            // A comment is a field without a name. `id` and `retry` are for reconnecting,
            // and a run cannot be resumed.
            _ => {}
        }
        Ok(())
    }

    /// Ends the event at a blank line. An event without data is ignored.
    fn end_event(&mut self) {
        if self.data.is_empty() {
            self.name.clear();
        } else {
            self.ended = true;
        }
    }

    /// Buffers the beginning of a line.
    fn buffer(&mut self, piece: &[u8]) -> Result<(), TooLarge> {
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
