//! Server-sent events, the framing of a streamed reply.
//!
//! In Chat Completions, the gateway writes `data:` lines and comments only: OpenAI's SDKs
//! fail at `id:`, `retry:` and named events. The events of the Responses API have names.
//!
//! Source: WHATWG HTML, section 9.2.

use serde::Serialize;

/// The media type of an event stream.
pub const MEDIA_TYPE: &str = "text/event-stream; charset=utf-8";

/// The comment in a silent stream. It keeps the client and all proxies from closing
/// the connection. No blank line follows it: openai-go before version 3.43 takes that for
/// the end of an event without data (<https://github.com/openai/openai-go/pull/621>).
pub const HEARTBEAT: &[u8] = b": waiting\n";

/// The maximum length of the text of an event, in bytes of its JSON. With the rest of the
/// event, a line stays below the 64 KiB that some clients read at once.
const TEXT_LIMIT: usize = 60 * 1024;

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

/// Appends a value as one event with a name.
pub fn named_event(out: &mut Vec<u8>, name: &str, value: &impl Serialize) {
    let begin = out.len();
    for part in [b"event: ", name.as_bytes(), b"\n"] {
        out.extend_from_slice(part);
    }
    let data = out.len();
    event(out, value);
    if out.len() == data {
        out.truncate(begin);
    }
}

/// Divides a text into the texts of events. An empty text has none.
pub fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at_checked(piece_length(rest))?;
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Returns the length of the longest beginning that is a text of one event.
fn piece_length(text: &str) -> usize {
    // A byte takes at most six.
    if text.len() <= TEXT_LIMIT / 6 {
        return text.len();
    }
    let mut encoded = 0;
    let too_long = text.char_indices().find(|(_, c)| {
        encoded += encoded_length(*c);
        encoded > TEXT_LIMIT
    });
    too_long.map_or(text.len(), |(at, _)| at)
}

/// Returns the length of a character in the JSON of `serde_json`.
fn encoded_length(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        c => c.len_utf8(),
    }
}

/// Appends the last event.
pub fn done(out: &mut Vec<u8>) {
    out.extend(DONE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_divided_into_events_below_the_limit() {
        for unit in [
            "x", "é", "😀", "\"", "\n", "\0", "\u{1f}", "\u{7f}", "a\u{1}é",
        ] {
            let text = unit.repeat(300_000 / unit.len());
            let pieces: Vec<_> = pieces(&text).collect();
            assert_eq!(pieces.concat(), text);
            for (at, piece) in pieces.iter().enumerate() {
                let length = serde_json::to_string(piece).unwrap().len() - 2;
                assert!(length <= TEXT_LIMIT, "{unit:?}: {length}");
                let is_last = at + 1 == pieces.len();
                assert!(is_last || length > TEXT_LIMIT - 16, "{unit:?}: {length}");
            }
        }
        assert_eq!(pieces("").count(), 0);
        assert_eq!(pieces("a").collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn a_named_event_has_its_name_before_its_data() {
        let mut out = b"before".to_vec();
        named_event(&mut out, "response.created", &1);
        assert_eq!(out, b"beforeevent: response.created\ndata: 1\n\n");
    }

    #[test]
    fn data_with_line_breaks_stays_one_event() {
        let mut out = Vec::new();
        event(&mut out, &"a\n\nb\r\ndata: [DONE]\u{2028}");
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches('\n').count(), 2, "{text:?}");
        assert!(text.starts_with("data: ") && text.ends_with("\n\n"));
    }
}
