//! A client with one persistent connection.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::message::Framing;
use super::upstream::WORD;

/// The size of the read buffer, in bytes.
const READ_SIZE: usize = 64 * 1024;

/// The longest time that a server may stay silent.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A connection that sends one request after the other.
pub(crate) struct Client {
    connection: TcpStream,
    response: Vec<u8>,
    buffer: Vec<u8>,
}

/// The time from the start of a request.
#[derive(Clone, Copy)]
pub(crate) struct Timing {
    /// The time until the first token of the response.
    pub(crate) first_token: Duration,
    /// The time until the end of the response.
    pub(crate) whole: Duration,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Result<Self> {
        let connection = TcpStream::connect(address)?;
        connection.set_nodelay(true)?;
        connection.set_read_timeout(Some(TIMEOUT))?;
        Ok(Self {
            connection,
            response: Vec::new(),
            buffer: vec![0; READ_SIZE],
        })
    }

    /// Sends a request and reads the whole response.
    ///
    /// # Errors
    /// A status other than 200, and a response that breaks off.
    pub(crate) fn send(&mut self, request: &[u8]) -> Result<Timing> {
        let begun = Instant::now();
        self.connection.write_all(request)?;
        self.response.clear();
        let (mut framing, mut first_token) = (None, None);
        loop {
            let new = self.read()?;
            if framing.is_none() {
                framing = Framing::read(&self.response);
            }
            if first_token.is_none() && contains(self.response.get(new..), WORD) {
                first_token = Some(begun.elapsed());
            }
            if framing.is_some_and(|framing: Framing| framing.is_complete(&self.response)) {
                let whole = begun.elapsed();
                let first_token = first_token.unwrap_or(whole);
                ensure!(
                    self.response.starts_with(b"HTTP/1.1 200"),
                    "{}",
                    self.text()
                );
                return Ok(Timing { first_token, whole });
            }
        }
    }

    /// Sends a request and reads the response until it contains a text.
    ///
    /// # Errors
    /// A response that ends before the text.
    pub(crate) fn send_until(&mut self, request: &[u8], text: &str) -> Result<()> {
        self.connection.write_all(request)?;
        self.response.clear();
        while !contains(Some(&self.response), text) {
            self.read()?;
        }
        Ok(())
    }

    /// Waits for more bytes of a response and drops them.
    ///
    /// # Errors
    /// A connection that has ended.
    pub(crate) fn receive(&mut self) -> Result<()> {
        self.response.clear();
        self.read().map(|_| ())
    }

    /// Returns the body of the last response, or `None` for an incomplete response.
    pub(crate) fn body(&self) -> Option<String> {
        Framing::read(&self.response)?.body(&self.response)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.response).into_owned()
    }

    /// Reads available bytes, and returns their offset in the response.
    fn read(&mut self) -> Result<usize> {
        let read = self.connection.read(&mut self.buffer);
        let read = read.with_context(|| format!("no end of: {}", self.text()))?;
        ensure!(read > 0, "the connection ended within: {}", self.text());
        let before = self.response.len();
        let bytes = self.buffer.get(..read).context("a read fits its buffer")?;
        self.response.extend_from_slice(bytes);
        Ok(before)
    }
}

fn contains(bytes: Option<&[u8]>, text: &str) -> bool {
    let mut windows = bytes.unwrap_or_default().windows(text.len());
    windows.any(|window| window == text.as_bytes())
}
