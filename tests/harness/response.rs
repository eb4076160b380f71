//! A response: whole, or piece by piece with the time at which each piece arrived.

use std::fmt;
use std::io::{ErrorKind, Read as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::wire::{Body, Head, Headers};

/// A response that has ended.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    /// Whether the body is complete.
    pub(crate) whole: bool,
    /// The number of chunks in the body, one for each write of the component; 0 if
    /// the response has a `Content-Length`.
    pub(crate) chunks: usize,
}

impl Response {
    /// Returns the body as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body in UTF-8")
    }

    /// Returns the body as JSON.
    pub(crate) fn json(&self) -> Value {
        let json = serde_json::from_slice(&self.body);
        json.unwrap_or_else(|error| panic!("not JSON ({error}): {self:?}"))
    }

    /// Returns the data of every server-sent event, without comments.
    pub(crate) fn events(&self) -> Vec<String> {
        let blocks = self.text().split_inclusive("\n\n");
        let whole = blocks.filter(|block| block.ends_with("\n\n"));
        whole.filter_map(data).collect()
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut response = f.debug_struct("Response");
        response.field("status", &self.status);
        response.field("headers", &self.headers.0);
        response.field("body", &String::from_utf8_lossy(&self.body));
        response.field("whole", &self.whole).finish()
    }
}

/// A part of a body, from one read of the socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) bytes: Vec<u8>,
    /// The time from sending the request until the read.
    pub(crate) at: Duration,
}

/// A block of an event stream: an event or a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// The lines, without the blank line at the end.
    pub(crate) text: String,
    /// The time from sending the request until the read of the block's last byte.
    /// Events in one piece have the same time.
    pub(crate) at: Duration,
}

impl Event {
    /// Returns the data, or `None` for a comment.
    pub(crate) fn data(&self) -> Option<String> {
        data(&self.text)
    }

    /// Returns the data as JSON.
    pub(crate) fn json(&self) -> Value {
        let data = self.data().unwrap_or_default();
        serde_json::from_str(&data).unwrap_or_else(|error| panic!("not JSON ({error}): {self:?}"))
    }
}

/// A response whose body is still arriving. Dropping it closes the connection.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    /// The time from sending the request until the head arrived.
    pub(crate) at: Duration,
    socket: TcpStream,
    sent: Instant,
    /// The time of the last read.
    read: Duration,
    body: Body,
    received: Vec<u8>,
    /// How many bytes of `received` have been returned as events.
    returned: usize,
    closed: bool,
}

impl Stream {
    /// Reads the head of the response to a request that has just been sent.
    pub(crate) fn open(mut socket: TcpStream, method: &str, sent: Instant) -> Self {
        let mut arrived = Vec::new();
        let head = read_head(&mut socket, &mut arrived);
        let status = head.word(1).parse().expect("a status");
        let at = sent.elapsed();
        Self {
            status,
            body: Body::of_response(method, status, &head.headers, arrived),
            headers: head.headers,
            at,
            socket,
            sent,
            read: at,
            received: Vec::new(),
            returned: 0,
            closed: false,
        }
    }

    /// Waits for the next piece of the body. Returns `None` at its end. The first
    /// piece may arrive with the head. Does not read ahead: the time of a piece is
    /// the time of this call, even if it arrived before.
    pub(crate) fn piece(&mut self) -> Option<Piece> {
        loop {
            let bytes = self.body.take();
            if !bytes.is_empty() {
                self.received.extend_from_slice(&bytes);
                let at = self.read;
                return Some(Piece { bytes, at });
            }
            if self.closed || self.body.has_ended() {
                return None;
            }
            self.receive();
        }
    }

    /// Waits for the next event or comment. Returns `None` at the end of the body.
    pub(crate) fn event(&mut self) -> Option<Event> {
        loop {
            let text = String::from_utf8_lossy(self.received.get(self.returned..)?);
            // A comment is a line, and an event ends with a blank line.
            let end = if text.starts_with(':') { "\n" } else { "\n\n" };
            if let Some((text, _)) = text.split_once(end) {
                self.returned += text.len() + end.len();
                let (text, at) = (text.to_owned(), self.read);
                return Some(Event { text, at });
            }
            self.piece()?;
        }
    }

    /// Waits for the next event and returns its data. Skips comments.
    pub(crate) fn data(&mut self) -> Option<String> {
        std::iter::from_fn(|| self.event()).find_map(|event| event.data())
    }

    /// Reads to the end. The returned body includes the events returned before.
    pub(crate) fn finish(mut self) -> Response {
        while self.piece().is_some() {}
        Response {
            status: self.status,
            headers: self.headers,
            whole: self.body.is_whole(),
            chunks: self.body.chunks(),
            body: self.received,
        }
    }

    fn receive(&mut self) {
        let mut buffer = vec![0; 64 * 1024];
        let count = self.socket.read(&mut buffer);
        self.read = self.sent.elapsed();
        match count {
            Ok(0) => self.closed = true,
            Ok(count) => self.body.arrive(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => self.closed = true,
            Err(error) => {
                let received = String::from_utf8_lossy(&self.received);
                panic!("the read failed ({error}) after {received:?}");
            }
        }
    }
}

/// Reads the head of a response. Skips interim responses (`100 Continue`).
fn read_head(socket: &mut TcpStream, arrived: &mut Vec<u8>) -> Head {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match Head::take(arrived) {
            Some(head) if head.word(1).starts_with('1') => continue,
            Some(head) => return head,
            None => {}
        }
        let count = socket.read(&mut buffer);
        let count = count.unwrap_or_else(|error| panic!("no response: {error}"));
        let text = String::from_utf8_lossy(arrived);
        assert!(count > 0, "closed without a response, after {text:?}");
        arrived.extend_from_slice(buffer.get(..count).unwrap_or_default());
    }
}

/// Joins the `data:` lines of a block.
///
/// Rules: WHATWG HTML, section 9.2.
fn data(block: &str) -> Option<String> {
    let lines = block.lines().filter_map(|line| line.strip_prefix("data:"));
    let lines: Vec<_> = lines
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
