//! One stream, read as a client reads it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::bench::upstream::end_of_head;

use super::TOKEN;
use super::upstream::{question, token};

/// How long nothing may come before the soak gives up.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is asked, and of whom.
#[derive(Clone, Copy)]
pub(super) struct Course {
    /// Where the gateway listens.
    pub(super) address: SocketAddr,
    /// How many tokens each stream has.
    pub(super) tokens: usize,
}

impl Course {
    /// Asks for a stream and leaves after a token.
    pub(super) fn leave(&self, number: usize, index: usize) -> Result<()> {
        let last = token(number, index);
        let answer = self.ask(number, |answer| answer.contains(&last))?;
        ensure!(
            answer.contains(&last),
            "stream {number} ends before {last:?}"
        );
        Ok(())
    }

    /// Asks for a stream and reads it to its end.
    pub(super) fn read(&self, number: usize) -> Result<()> {
        let answer = self.ask(number, |_| false)?;
        let head = end_of_head(answer.as_bytes()).context("no head")?;
        let body = unchunked(answer.get(head..).unwrap_or_default());
        let body = body.with_context(|| format!("stream {number} breaks off: {answer}"))?;
        let expected = self.expected(number, &body)?;
        ensure!(
            body == expected,
            "stream {number} is {body}\nand not {expected}"
        );
        Ok(())
    }

    /// Sends a request and reads until it is enough, or the end.
    fn ask(&self, number: usize, enough: impl Fn(&str) -> bool) -> Result<String> {
        let mut connection = TcpStream::connect(self.address)?;
        connection.set_nodelay(true)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.write_all(request(number).as_bytes())?;
        let (mut answer, mut piece) = (String::new(), [0; 4096]);
        loop {
            let read = connection.read(&mut piece);
            let read = read.with_context(|| format!("stream {number} stops after {answer}"))?;
            let piece = piece.get(..read).unwrap_or_default();
            answer.push_str(&String::from_utf8_lossy(piece));
            if read == 0 || enough(&answer) {
                return Ok(answer);
            }
        }
    }

    /// Returns the whole body of a stream, with the id and the time that this
    /// one has.
    fn expected(&self, number: usize, body: &str) -> Result<String> {
        let of = |name: &str, end: &str| {
            let (_, after) = body.split_once(name)?;
            after.split_once(end).map(|(value, _)| value)
        };
        let id = of("\"id\":\"", "\"").context("no id")?;
        let created = of("\"created\":", ",").context("no time")?;
        let chunk = |delta: &str, finish: &str| {
            format!(
                "data: {{\"id\":\"{id}\",\"object\":\"chat.completion.chunk\",\"created\":{created},\
                 \"model\":\"openclaw\",\"choices\":[{{\"index\":0,\"delta\":{delta},\
                 \"finish_reason\":{finish}}}]}}\n\n"
            )
        };
        let said = |index| {
            chunk(
                &format!("{{\"content\":\"{}\"}}", token(number, index)),
                "null",
            )
        };
        let texts: String = (0..self.tokens).map(said).collect();
        let role = chunk("{\"role\":\"assistant\"}", "null");
        let finish = chunk("{}", "\"stop\"");
        Ok([&role, &*texts, &finish, "data: [DONE]\n\n"].concat())
    }
}

fn request(number: usize) -> String {
    let body = format!(
        r#"{{"model":"openclaw","stream":true,"messages":[{{"role":"user","content":"{}"}}]}}"#,
        question(number)
    );
    let length = body.len();
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: soak\r\nconnection: close\r\n\
         authorization: Bearer {TOKEN}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// Returns a body without its framing; none if it is not whole.
fn unchunked(mut framed: &str) -> Option<String> {
    let mut body = String::new();
    loop {
        let (size, rest) = framed.split_once("\r\n")?;
        let size = usize::from_str_radix(size, 16).ok()?;
        let (chunk, rest) = rest.split_at_checked(size)?;
        if size == 0 {
            return (rest == "\r\n").then_some(body);
        }
        body.push_str(chunk);
        framed = rest.strip_prefix("\r\n")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_without_its_last_chunk_is_not_whole() {
        let framed = "3\r\none\r\n4\r\n two\r\n0\r\n\r\n";
        assert_eq!(unchunked(framed).as_deref(), Some("one two"));
        for cut in 0..framed.len() {
            assert_eq!(unchunked(framed.split_at(cut).0), None, "{cut}");
        }
    }
}
