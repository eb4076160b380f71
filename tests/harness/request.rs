//! A request, written to a plain socket in one piece.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use serde_json::Value;

use super::WAIT_LIMIT;
use super::response::{Response, Stream};

/// A request that has not been sent.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    address: SocketAddr,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// Prepares a request to the server at an address.
    pub(crate) fn new(address: SocketAddr, method: &str, path: &str) -> Self {
        Self {
            address,
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Adds a header. If the test does not add `Host`, `Connection` or
    /// `Content-Length`, the request has a default.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets the body to a JSON document.
    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json")
            .body(body.to_string())
    }

    /// Sends the request and waits for the whole response.
    pub(crate) fn send(self) -> Response {
        let response = self.open().finish();
        assert!(response.whole, "the response is incomplete: {response:?}");
        response
    }

    /// Sends the request and waits for the head of the response.
    pub(crate) fn open(self) -> Stream {
        Stream::open(self.start(), &self.method, Instant::now())
    }

    /// Sends the request and returns the connection without waiting.
    pub(crate) fn start(&self) -> TcpStream {
        let mut socket = connect(self.address);
        let sent = socket.write_all(&self.bytes());
        sent.expect("the request is sent");
        socket
    }

    /// Returns the request's bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in self.headers.iter().chain(&self.defaults()) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    fn defaults(&self) -> Vec<(String, String)> {
        let mut defaults = vec![
            ("Host", self.address.to_string()),
            ("Connection", "close".to_owned()),
        ];
        let takes_body = matches!(self.method.as_str(), "POST" | "PUT" | "PATCH");
        if !self.has("Transfer-Encoding") && (takes_body || !self.body.is_empty()) {
            defaults.push(("Content-Length", self.body.len().to_string()));
        }
        defaults.retain(|(name, _)| !self.has(name));
        let defaults = defaults.into_iter();
        defaults
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    fn has(&self, name: &str) -> bool {
        self.headers
            .iter()
            .any(|(n, _)| n.eq_ignore_ascii_case(name))
    }
}

/// Opens a connection that sends every write as a packet.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).expect("a connection");
    socket.set_nodelay(true).expect("no delay");
    socket
        .set_read_timeout(Some(WAIT_LIMIT))
        .expect("a timeout");
    socket
}

/// Sends bytes and returns everything that the server sends until it closes the
/// connection, which the bytes must request with `Connection: close`.
pub(crate) fn raw(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut socket = connect(address);
    socket.write_all(bytes).expect("the bytes are sent");
    let mut answer = Vec::new();
    if let Err(error) = socket.read_to_end(&mut answer) {
        let answer = String::from_utf8_lossy(&answer);
        panic!("the connection was not closed ({error}) after {answer:?}");
    }
    answer
}
