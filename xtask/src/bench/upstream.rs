//! A fast server of chat completions that answers by script, on threads of this
//! process.
//!
//! `tokens:200` in a request is the length of the answer, and `every:50` the
//! milliseconds before each token of a stream. Each token of a stream is a write
//! of its own, as from a server that passes on what its model says.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Result;

/// How many connections are served at once. More wait.
const CONNECTIONS: usize = 288;

/// How much is read at once, in bytes.
const READ_SIZE: usize = 64 * 1024;

/// What every token of an answer is.
pub(super) const TOKEN: &str = "word ";

const STREAM_HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
     cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";

const USAGE: &str = r#""usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}"#;

/// Starts the server, which lives as long as this process.
pub(super) fn start() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let listener = Arc::new(listener);
    for _ in 0..CONNECTIONS {
        let listener = Arc::clone(&listener);
        thread::Builder::new()
            .stack_size(256 * 1024)
            .spawn(move || accept(&listener))?;
    }
    Ok(address)
}

fn accept(listener: &TcpListener) {
    let mut buffer = Vec::with_capacity(READ_SIZE);
    while let Ok((connection, _)) = listener.accept() {
        // A connection that breaks has been measured as broken by its client.
        serve(&connection, &mut buffer).ok();
    }
}

fn serve(mut connection: &TcpStream, buffer: &mut Vec<u8>) -> io::Result<()> {
    connection.set_nodelay(true)?;
    while let Some(script) = read_request(connection, buffer)? {
        match script {
            Script { stream: true, .. } => stream(connection, &script)?,
            Script { tokens, .. } => connection.write_all(&whole(tokens))?,
        }
    }
    Ok(())
}

/// What a request asks for.
struct Script {
    stream: bool,
    tokens: usize,
    pause: Duration,
}

impl Script {
    fn parse(body: &[u8]) -> Self {
        // The longest body is a picture; its script stands in front.
        let text = String::from_utf8_lossy(body.get(..4096).unwrap_or(body));
        let number = |name: &str| {
            let (_, after) = text.split_once(name)?;
            let digits = after.split(|c: char| !c.is_ascii_digit()).next()?;
            digits.parse().ok()
        };
        Self {
            stream: text.contains(r#""stream":true"#),
            tokens: number("tokens:").unwrap_or(1),
            pause: Duration::from_millis(number("every:").unwrap_or(0) as u64),
        }
    }
}

/// Reads a request to its end; none where the connection ends before it.
fn read_request(mut connection: &TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<Script>> {
    buffer.clear();
    let mut piece = [0; READ_SIZE];
    let mut expected = None;
    loop {
        let read = connection.read(&mut piece)?;
        if read == 0 {
            return Ok(None);
        }
        buffer.extend_from_slice(piece.get(..read).unwrap_or_default());
        if expected.is_none() {
            expected = end_of_head(buffer).map(|head| (head, content_length(buffer, head)));
        }
        let Some((head, length)) = expected else {
            continue;
        };
        let body = buffer.get(head..).unwrap_or_default();
        let is_whole = match length {
            Some(length) => body.len() >= length,
            None => body.ends_with(b"0\r\n\r\n"),
        };
        if is_whole {
            return Ok(Some(Script::parse(body)));
        }
    }
}

/// Returns where the body begins, if the head is all there.
pub(crate) fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let at = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(at + 4)
}

/// Returns the length of a body that is not chunked.
pub(crate) fn content_length(bytes: &[u8], head: usize) -> Option<usize> {
    let head = String::from_utf8_lossy(bytes.get(..head)?).to_ascii_lowercase();
    let (_, after) = head.split_once("content-length:")?;
    after.lines().next()?.trim().parse().ok()
}

fn whole(tokens: usize) -> Vec<u8> {
    let text = TOKEN.repeat(tokens);
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
    let head = [
        STREAM_HEAD.as_bytes(),
        &event(r#"{"role":"assistant"}"#, "null"),
    ]
    .concat();
    connection.write_all(&head)?;
    let token = event(&format!(r#"{{"content":"{TOKEN}"}}"#), "null");
    for _ in 0..script.tokens {
        if !script.pause.is_zero() {
            thread::sleep(script.pause);
        }
        connection.write_all(&token)?;
    }
    let done = chunk("data: [DONE]\n\n");
    let end = [&event("{}", "\"stop\""), &*done, b"0\r\n\r\n"].concat();
    connection.write_all(&end)
}

/// Returns an event of a stream as a chunk of the body.
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

fn chunk(data: &str) -> Vec<u8> {
    format!("{:x}\r\n{data}\r\n", data.len()).into_bytes()
}
