//! Server-sent events, the framing under a streamed answer.
//!
//! Only `data:` lines and comments are ever written: OpenAI's SDKs stumble over
//! `id:`, `retry:` and named events.
//!
//! Rules: WHATWG HTML, section 9.2.

use serde::Serialize;

/// The media type of an event stream.
pub const MEDIA_TYPE: &str = "text/event-stream; charset=utf-8";

/// The comment that tells a client, and every proxy on the way, that a silent
/// answer is still alive.
pub const HEARTBEAT: &[u8] = b": waiting\n\n";

/// The event after which nothing follows.
const DONE: &[u8] = b"data: [DONE]\n\n";

/// Appends a value as one event. JSON text has no line breaks of its own, so no
/// answer can forge the end of an event.
pub fn event(out: &mut Vec<u8>, value: &impl Serialize) {
    let begin = out.len();
    out.extend(b"data: ");
    if serde_json::to_writer(&mut *out, value).is_err() {
        // Plain structs and strings always have JSON text; half an event would
        // be worse than none.
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
