//! A server of chat completions that tells one numbered token after another,
//! and knows how many connections are open.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::bench::upstream::{content_length, end_of_head};

/// How much is read at once, in bytes.
const READ_SIZE: usize = 4 * 1024;

/// The stack of a connection's thread, in bytes.
const STACK_SIZE: usize = 128 * 1024;

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
      transfer-encoding: chunked\r\n\r\n";

/// Asks for the stream of a number.
pub(super) fn question(number: usize) -> String {
    format!("stream:{number}.")
}

/// Returns what a token of a stream is, so that no two are the same.
pub(super) fn token(number: usize, index: usize) -> String {
    format!("{number}/{index} ")
}

/// A server that lives as long as this process.
pub(super) struct Upstream {
    address: SocketAddr,
    open: Arc<AtomicUsize>,
}

impl Upstream {
    /// Starts a server whose answers have so many tokens, each after a pause.
    pub(super) fn start(tokens: usize, pause: Duration) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let open = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&open);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let open = Open::count(&counter);
                let serve = move || {
                    // Whoever leaves breaks the connection.
                    serve(connection, tokens, pause).ok();
                    drop(open);
                };
                // A connection without a thread is closed, which its client tells.
                let thread = thread::Builder::new().stack_size(STACK_SIZE);
                thread.spawn(serve).ok();
            }
        });
        Ok(Self { address, open })
    }

    /// Returns where it listens.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until no connection is open, and returns how many are when the
    /// time is up.
    pub(super) fn wait_for_closes(&self, limit: Duration) -> usize {
        let begun = Instant::now();
        loop {
            let open = self.open.load(Ordering::Relaxed);
            if open == 0 || begun.elapsed() > limit {
                return open;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A connection that is counted for as long as this lives.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn count(counter: &Arc<AtomicUsize>) -> Self {
        counter.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(counter))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Answers one request, and waits until the caller closes.
fn serve(mut connection: TcpStream, tokens: usize, pause: Duration) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let number = read_number(&mut connection)?;
    connection.write_all(HEAD)?;
    for index in 0..tokens {
        thread::sleep(pause);
        let text = token(number, index);
        connection.write_all(&event(&format!(r#"{{"content":"{text}"}}"#), "null"))?;
    }
    let done = chunk("data: [DONE]\n\n");
    let end = [&event("{}", "\"stop\""), &*done, b"0\r\n\r\n"].concat();
    connection.write_all(&end)?;
    connection.read(&mut [0]).map(|_| ())
}

/// Reads a request, and returns the number that it asks for.
fn read_number(connection: &mut TcpStream) -> io::Result<usize> {
    let (mut request, mut piece) = (Vec::new(), [0; READ_SIZE]);
    loop {
        let read = connection.read(&mut piece)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        request.extend_from_slice(piece.get(..read).unwrap_or_default());
        let Some(head) = end_of_head(&request) else {
            continue;
        };
        if request.len() >= head + content_length(&request, head).unwrap_or(0) {
            let text = String::from_utf8_lossy(&request);
            let number = text.split_once("stream:").and_then(|(_, after)| {
                let (number, _) = after.split_once('.')?;
                number.parse().ok()
            });
            return number.ok_or_else(|| io::ErrorKind::InvalidData.into());
        }
    }
}

fn event(delta: &str, finish: &str) -> Vec<u8> {
    chunk(&format!(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n"
    ))
}

fn chunk(data: &str) -> Vec<u8> {
    format!("{:x}\r\n{data}\r\n", data.len()).into_bytes()
}
