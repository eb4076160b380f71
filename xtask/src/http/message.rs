//! Messages: a chat completion request, and the framing of bodies (RFC 9112, sections
//! 6 and 7).

/// Returns a chat completion request with this body.
pub(crate) fn chat_request(key: &str, body: &str) -> Vec<u8> {
    post("/v1/chat/completions", key, body)
}

/// Returns a request of the Responses API.
pub(crate) fn response_request(key: &str, body: &str) -> Vec<u8> {
    post("/v1/responses", key, body)
}

fn post(path: &str, key: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: xtask\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// The end of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Framing {
    /// The length of the head, in bytes.
    pub(super) head: usize,
    /// The length of the body. Without one the body is chunked.
    content_length: Option<usize>,
}

impl Framing {
    /// Reads the head of a message. Returns `None` for an incomplete head.
    pub(super) fn read(message: &[u8]) -> Option<Self> {
        let end = message.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(message.get(..end)?).to_ascii_lowercase();
        let length = head.lines().find_map(|line| {
            let value = line.strip_prefix("content-length:")?;
            value.trim().parse().ok()
        });
        Some(Self {
            head: end + 4,
            content_length: length,
        })
    }

    /// Returns whether the message is complete. No JSON text and no event ends like a
    /// last chunk.
    pub(super) fn is_complete(&self, message: &[u8]) -> bool {
        match self.content_length {
            Some(length) => message.len() >= self.head + length,
            None => message.ends_with(b"\r\n0\r\n\r\n"),
        }
    }

    /// Returns the body without its framing, or `None` for a body that breaks off.
    pub(super) fn body(&self, message: &[u8]) -> Option<String> {
        let body = String::from_utf8_lossy(message.get(self.head..)?);
        match self.content_length {
            Some(_) => Some(body.into_owned()),
            None => unchunked(&body),
        }
    }
}

/// Returns data as one chunk.
pub(super) fn chunk(data: &str) -> Vec<u8> {
    format!("{:x}\r\n{data}\r\n", data.len()).into_bytes()
}

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
    fn a_body_without_its_last_chunk_is_incomplete() {
        let framed = "3\r\none\r\n4\r\n two\r\n0\r\n\r\n";
        assert_eq!(unchunked(framed).as_deref(), Some("one two"));
        for cut in 0..framed.len() {
            assert_eq!(unchunked(framed.split_at(cut).0), None, "{cut}");
        }
    }

    #[test]
    fn a_message_ends_with_its_content_length_or_its_last_chunk() {
        for message in [
            "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\none",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n",
        ] {
            let framing = Framing::read(message.as_bytes()).unwrap();
            assert_eq!(framing.body(message.as_bytes()).as_deref(), Some("one"));
            for cut in 0..=message.len() {
                let part = &message.as_bytes()[..cut];
                let framing = Framing::read(part);
                let is_complete = framing.is_some_and(|framing| framing.is_complete(part));
                assert_eq!(is_complete, cut == message.len(), "{cut}");
            }
        }
    }
}
