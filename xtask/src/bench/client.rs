//! One keep-alive connection of the load: a request out, its answer read to the
//! end, and when what came.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::upstream::{TOKEN, content_length, end_of_head};

/// How much is read at once, in bytes.
const READ_SIZE: usize = 64 * 1024;

/// How long an answer may take before the benchmark gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// The end of a body that is sent in chunks. No JSON and no event holds it.
const LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";

/// A connection, used for one request after the other.
pub(super) struct Client {
    connection: TcpStream,
    answer: Vec<u8>,
    piece: Vec<u8>,
}

/// How long an answer took.
#[derive(Clone, Copy)]
pub(super) struct Timing {
    /// Until its first token was there.
    pub(super) first_token: Duration,
    /// Until all of it was.
    pub(super) whole: Duration,
}

impl Client {
    pub(super) fn connect(address: SocketAddr) -> Result<Self> {
        let connection = TcpStream::connect(address)?;
        connection.set_nodelay(true)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            connection,
            answer: Vec::new(),
            piece: vec![0; READ_SIZE],
        })
    }

    /// Sends a request and reads the answer.
    ///
    /// # Errors
    /// An answer that is no success, or breaks off.
    pub(super) fn ask(&mut self, request: &[u8]) -> Result<Timing> {
        let begun = Instant::now();
        self.connection.write_all(request)?;
        self.answer.clear();
        let (mut body, mut first_token) = (None, None);
        loop {
            let new = self.read()?;
            if body.is_none() {
                body = end_of_head(&self.answer).map(|head| Body::find(&self.answer, head));
            }
            if first_token.is_none() && self.holds_token(new) {
                first_token = Some(begun.elapsed());
            }
            if body
                .as_ref()
                .is_some_and(|body| body.is_whole(&self.answer))
            {
                let whole = begun.elapsed();
                let first_token = first_token.unwrap_or(whole);
                ensure!(self.answer.starts_with(b"HTTP/1.1 200"), "{}", self.text());
                return Ok(Timing { first_token, whole });
            }
        }
    }

    /// Returns how many tokens the last answer had.
    pub(super) fn tokens(&self) -> usize {
        self.text().matches(TOKEN).count()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.answer).into_owned()
    }

    /// Reads what there is, and returns where it begins in the answer.
    fn read(&mut self) -> Result<usize> {
        let read = self.connection.read(&mut self.piece)?;
        ensure!(read > 0, "the connection ended within: {}", self.text());
        let before = self.answer.len();
        let piece = self.piece.get(..read).context("a read is never longer")?;
        self.answer.extend_from_slice(piece);
        Ok(before)
    }

    fn holds_token(&self, from: usize) -> bool {
        let new = self.answer.get(from..).unwrap_or_default();
        let token = TOKEN.as_bytes();
        new.windows(token.len()).any(|bytes| bytes == token)
    }
}

/// Where the body of an answer ends.
enum Body {
    /// At this length of the whole answer.
    Until(usize),
    /// At its last chunk.
    Chunked,
}

impl Body {
    fn find(answer: &[u8], head: usize) -> Self {
        content_length(answer, head).map_or(Self::Chunked, |length| Self::Until(head + length))
    }

    fn is_whole(&self, answer: &[u8]) -> bool {
        match self {
            Self::Until(length) => answer.len() >= *length,
            Self::Chunked => answer.ends_with(LAST_CHUNK),
        }
    }
}
