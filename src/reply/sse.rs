//! Server-sent events, the framing of a streamed reply.
//!
//! The gateway writes `data:` lines and comments only: OpenAI's SDKs fail at `id:`,
//! `retry:` and named events.
//!
//! Source: WHATWG HTML, section 9.2.

use serde::Serialize;

/// The media type of an event stream.
pub const MEDIA_TYPE: &str = "text/event-stream; charset=utf-8";

/// The comment in a silent stream. It keeps the client and all proxies from closing
/// the connection.
pub const HEARTBEAT: &[u8] = b": waiting\n\n";

/// The last event.
const DONE: &[u8] = b"data: [DONE]\n\n";

/// Appends a value as one event. JSON text contains no line breaks, so a value
/// cannot forge the end of an event.
pub fn event(out: &mut Vec<u8>, value: &impl Serialize) {
    let begin = out.len();
    out.extend(b"data: ");
    if serde_json::to_writer(&mut *out, value).is_err() {
        // Serializing structs and strings does not fail. An incomplete event would
        // be worse than a missing one.
        out.truncate(begin);
        return;
    }
    out.extend(b"\n\n");
}

/// Appends the last event.
pub fn done(out: &mut Vec<u8>) {
    out.extend(DONE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_with_line_breaks_stays_one_event() {
        let mut out = Vec::new();
        event(&mut out, &"a\n\nb\r\ndata: [DONE]\u{2028}");
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches('\n').count(), 2, "{text:?}");
        assert!(text.starts_with("data: ") && text.ends_with("\n\n"));
    }
}
