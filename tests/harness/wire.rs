//! HTTP/1.1 as bytes: parses heads, headers and bodies as they arrive.
//!
//! Rules: RFC 9112.

/// Headers in order, with names in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Headers(pub(crate) Vec<(String, String)>);

impl Headers {
    /// Returns the first value of a header.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).into_iter().next()
    }

    /// Returns every value of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let named = self.0.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }
}

/// The head of a message: its first line and its headers.
#[derive(Debug)]
pub(crate) struct Head {
    /// The request line or the status line.
    pub(crate) start: String,
    pub(crate) headers: Headers,
}

impl Head {
    /// Removes a complete head from the front of the received bytes.
    pub(crate) fn take(arrived: &mut Vec<u8>) -> Option<Self> {
        let end = find(arrived, b"\r\n\r\n")?;
        let bytes: Vec<u8> = arrived.drain(..end + 4).collect();
        let text = String::from_utf8_lossy(&bytes);
        let mut lines = text.trim_end().split("\r\n");
        let start = lines.next().unwrap_or_default().to_owned();
        let headers = Headers(lines.map(header).collect());
        Some(Self { start, headers })
    }

    /// Returns a word of the first line.
    pub(crate) fn word(&self, n: usize) -> &str {
        self.start.split(' ').nth(n).unwrap_or_default()
    }
}

fn header(line: &str) -> (String, String) {
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    (name.to_ascii_lowercase(), value.trim().to_owned())
}

/// The framing of a body, and how much of it is still missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Length(usize),
    /// The size line of a chunk is next.
    ChunkSize,
    /// This many bytes of a chunk are missing, and then its line break.
    Chunk(usize),
    Trailers,
    UntilClose,
    Ended,
}

/// Removes the framing from a body as it arrives.
#[derive(Debug)]
pub(crate) struct Body {
    framing: Framing,
    arrived: Vec<u8>,
    /// How many chunks have begun, without the empty one at the end.
    chunks: usize,
}

impl Body {
    /// Starts the body of a request with the bytes that arrived after its head.
    pub(crate) fn of_request(headers: &Headers, arrived: Vec<u8>) -> Self {
        let framing = declared(headers).unwrap_or(Framing::Ended);
        Self::new(framing, arrived)
    }

    /// Starts the body of a response with the bytes that arrived after its head.
    pub(crate) fn of_response(
        method: &str,
        status: u16,
        headers: &Headers,
        arrived: Vec<u8>,
    ) -> Self {
        let has_no_body = method == "HEAD" || matches!(status, 204 | 304);
        let framing = if has_no_body {
            Some(Framing::Ended)
        } else {
            declared(headers)
        };
        let framing = framing.unwrap_or(Framing::UntilClose);
        Self::new(framing, arrived)
    }

    fn new(framing: Framing, arrived: Vec<u8>) -> Self {
        Self {
            framing,
            arrived,
            chunks: 0,
        }
    }

    /// Adds bytes from the socket.
    pub(crate) fn arrive(&mut self, bytes: &[u8]) {
        self.arrived.extend_from_slice(bytes);
    }

    /// Returns the next part of the body, which may be empty.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        let mut taken = Vec::new();
        while let Some(framing) = self.step(&mut taken) {
            self.framing = framing;
        }
        taken
    }

    /// Returns whether the body is complete when the connection closes. A body
    /// without a declared length is complete at any time.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self.framing, Framing::Ended | Framing::UntilClose)
    }

    /// Returns how many chunks have begun.
    pub(crate) fn chunks(&self) -> usize {
        self.chunks
    }

    /// Returns whether the end of the body has arrived.
    pub(crate) fn has_ended(&self) -> bool {
        self.framing == Framing::Ended
    }

    /// Returns the bytes after the body.
    pub(crate) fn into_rest(self) -> Vec<u8> {
        self.arrived
    }

    /// Decodes one step. Returns `None` if it needs more bytes or the body has ended.
    fn step(&mut self, taken: &mut Vec<u8>) -> Option<Framing> {
        match self.framing {
            Framing::Length(0) => Some(Framing::Ended),
            Framing::Length(left) => Some(Framing::Length(left - self.copy(left, taken)?)),
            Framing::ChunkSize => Some(match chunk_size(&self.line()?) {
                0 => Framing::Trailers,
                size => {
                    self.chunks += 1;
                    Framing::Chunk(size)
                }
            }),
            Framing::Chunk(0) => self.line().map(|_| Framing::ChunkSize),
            Framing::Chunk(left) => Some(Framing::Chunk(left - self.copy(left, taken)?)),
            Framing::Trailers => Some(match self.line()?.as_str() {
                "" => Framing::Ended,
                _ => Framing::Trailers,
            }),
            Framing::UntilClose => {
                self.copy(usize::MAX, taken)?;
                Some(Framing::UntilClose)
            }
            Framing::Ended => None,
        }
    }

    fn copy(&mut self, limit: usize, taken: &mut Vec<u8>) -> Option<usize> {
        let count = limit.min(self.arrived.len());
        taken.extend(self.arrived.drain(..count));
        (count > 0).then_some(count)
    }

    fn line(&mut self) -> Option<String> {
        let end = find(&self.arrived, b"\r\n")?;
        let line: Vec<u8> = self.arrived.drain(..end + 2).collect();
        Some(String::from_utf8_lossy(&line).trim_end().to_owned())
    }
}

fn declared(headers: &Headers) -> Option<Framing> {
    if headers.get("transfer-encoding").is_some() {
        return Some(Framing::ChunkSize);
    }
    let length = headers.get("content-length")?;
    Some(Framing::Length(length.parse().expect("a Content-Length")))
}

fn chunk_size(line: &str) -> usize {
    let size = line.split(';').next().unwrap_or_default();
    usize::from_str_radix(size.trim(), 16)
        .unwrap_or_else(|_| panic!("{line:?} is not a chunk size"))
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes
        .windows(pattern.len())
        .position(|window| window == pattern)
}
