//! A fast upstream for chat completions, on threads of this process.
//!
//! Words in a request select the response: `tokens:200` its length, `every:50` the
//! milliseconds between the tokens of a stream, and `stream:7` a number that all tokens
//! of the stream contain. Each token of a stream is a separate write, as from a server that
//! forwards the tokens of its model.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::message::{Framing, chunk};

/// The size of the read buffer, in bytes.
const READ_SIZE: usize = 64 * 1024;

/// The stack of a connection's thread, in bytes.
const STACK_SIZE: usize = 128 * 1024;

/// The beginning of a request that may contain a script, in bytes.
const SCRIPT_LIMIT: usize = 4096;

/// The text of a token without a number.
pub(crate) const WORD: &str = "word ";

const STREAM_HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
     cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";

const USAGE: &str = r#""usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}"#;

/// Returns the text of a token in a numbered stream. No two tokens are the same.
pub(crate) fn token(stream: usize, index: usize) -> String {
    format!("{stream}/{index} ")
}

/// A server that runs as long as this process.
pub(crate) struct Upstream {
    /// The address that it listens on.
    pub(crate) address: SocketAddr,
    open: Arc<AtomicUsize>,
}

impl Upstream {
    /// Starts the server.
    pub(crate) fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let open = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&open);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let open = Open::count(&counter);
                let serve = move || {
                    // The client reports a broken connection.
                    serve(&connection).ok();
                    drop(open);
                };
                // Without a thread the connection closes, and the client reports it.
                let thread = thread::Builder::new().stack_size(STACK_SIZE);
                thread.spawn(serve).ok();
            }
        });
        Ok(Self { address, open })
    }

    /// Waits until all connections are closed, and returns the number of open
    /// connections at the time limit.
    pub(crate) fn wait_for_closes(&self, limit: Duration) -> usize {
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

/// Counts a connection as open until it is dropped.
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

fn serve(mut connection: &TcpStream) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let (mut request, mut buffer) = (Vec::new(), vec![0; READ_SIZE]);
    while let Some(framing) = read_request(connection, &mut request, &mut buffer)? {
        let script = Script::parse(request.get(framing.head..).unwrap_or_default());
        if script.stream {
            stream(connection, &script)?;
        } else {
            connection.write_all(&whole(script.tokens))?;
        }
    }
    Ok(())
}

/// Reads a whole request. Returns `None` at the end of the connection.
fn read_request(
    mut connection: &TcpStream,
    request: &mut Vec<u8>,
    buffer: &mut [u8],
) -> io::Result<Option<Framing>> {
    request.clear();
    let mut framing = None;
    loop {
        let read = connection.read(buffer)?;
        if read == 0 {
            return Ok(None);
        }
        request.extend_from_slice(buffer.get(..read).unwrap_or_default());
        framing = framing.or_else(|| Framing::read(request));
        if framing.is_some_and(|framing| framing.is_complete(request)) {
            return Ok(framing);
        }
    }
}

/// The response that a request selects.
struct Script {
    stream: bool,
    tokens: usize,
    pause: Duration,
    number: Option<usize>,
}

impl Script {
    fn parse(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body.get(..SCRIPT_LIMIT).unwrap_or(body));
        let number = |name: &str| {
            let (_, after) = text.split_once(name)?;
            let digits = after.split(|c: char| !c.is_ascii_digit()).next()?;
            digits.parse::<u32>().ok()
        };
        Self {
            stream: text.contains(r#""stream":true"#),
            tokens: number("tokens:").unwrap_or(1) as usize,
            pause: Duration::from_millis(number("every:").unwrap_or(0).into()),
            number: number("stream:").map(|number| number as usize),
        }
    }
}

fn whole(tokens: usize) -> Vec<u8> {
    let text = WORD.repeat(tokens);
    let body = format!(
        r#"{{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"finish_reason":"stop"}}],{USAGE}}}"#
    );
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn stream(mut connection: &TcpStream, script: &Script) -> io::Result<()> {
    let role = event(r#"{"role":"assistant"}"#, "null");
    connection.write_all(&[STREAM_HEAD.as_bytes(), &role].concat())?;
    let word = content(WORD);
    for index in 0..script.tokens {
        if index > 0 && !script.pause.is_zero() {
            wait(connection, script.pause)?;
        }
        match script.number {
            Some(number) => connection.write_all(&content(&token(number, index)))?,
            None => connection.write_all(&word)?,
        }
    }
    let done = chunk("data: [DONE]\n\n");
    let end = [&event("{}", "\"stop\""), &*done, b"0\r\n\r\n"].concat();
    connection.write_all(&end)
}

/// Waits, unless the client disconnects.
fn wait(mut connection: &TcpStream, pause: Duration) -> io::Result<()> {
    connection.set_read_timeout(Some(pause))?;
    match connection.read(&mut [0]) {
        Ok(_) => Err(io::ErrorKind::ConnectionAborted.into()),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            connection.set_read_timeout(None)
        }
        Err(error) => Err(error),
    }
}

fn content(text: &str) -> Vec<u8> {
    event(&format!(r#"{{"content":"{text}"}}"#), "null")
}

/// Returns an event of a stream as one chunk.
fn event(delta: &str, finish: &str) -> Vec<u8> {
    let usage = if finish == "null" {
        r#""usage":null"#
    } else {
        USAGE
    };
    chunk(&format!(
        "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}],{usage}}}\n\n"
    ))
}
