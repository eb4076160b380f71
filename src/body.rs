//! The bytes of a body, as JSON text.
//!
//! Rules: those of JavaScript's `TextDecoder` and `JSON.parse`, which the
//! reference uses, where RFC 8259 leaves room.

use memchr::{memchr, memchr2};

use crate::rejection::Rejection;

/// How many values the JSON text of a body may hold. A value of two bytes, such
/// as `0,` where a tool should stand, takes a hundred bytes once it is read.
const VALUE_LIMIT: usize = 200_000;

/// Checks that a text does not hold more values than can be kept.
///
/// # Errors
/// More than 200,000 values.
pub fn check_values(text: &str) -> Result<(), Rejection> {
    // A value takes two bytes at least, so that few texts have to be counted.
    if text.len() / 2 > VALUE_LIMIT && values(text) > VALUE_LIMIT {
        return Err(Rejection::TooManyValues(VALUE_LIMIT));
    }
    Ok(())
}

/// Counts the values of well-formed JSON text: each comes after a bracket, a brace
/// or a comma. An empty list or object counts for one more.
fn values(json: &str) -> usize {
    let mut count = 0;
    let mut rest = json.as_bytes();
    while let [byte, after @ ..] = rest {
        count += usize::from(matches!(byte, b'{' | b'[' | b','));
        rest = if *byte == b'"' {
            after_string(after)
        } else {
            after
        };
    }
    count
}

/// Leaves out the white space between the tokens of well-formed JSON text.
#[must_use]
pub fn without_space(json: &str) -> String {
    let mut kept = String::new();
    let mut rest = json;
    while let Some((tokens, string)) = rest.split_once('"') {
        let end = string.len() - after_string(string.as_bytes()).len();
        let (string, after) = string.split_at_checked(end).unwrap_or((string, ""));
        kept.extend(tokens.split_ascii_whitespace().chain(["\"", string]));
        rest = after;
    }
    kept.extend(rest.split_ascii_whitespace());
    kept
}

/// Returns what follows the string that `rest` is within.
fn after_string(mut rest: &[u8]) -> &[u8] {
    while let Some(at) = memchr2(b'"', b'\\', rest) {
        let ends = rest.get(at) == Some(&b'"');
        let length = if ends { 1 } else { 2 };
        rest = rest.get(at + length..).unwrap_or_default();
        if ends {
            return rest;
        }
    }
    &[]
}

/// Turns the bytes of a body into JSON text.
///
/// Invalid UTF-8 and lone surrogate escapes become U+FFFD, a byte order mark
/// and white space around the text are left out, and a blank body is `{}`.
#[must_use]
pub fn text(mut body: Vec<u8>) -> String {
    mend_lone_surrogates(&mut body);
    let text = String::from_utf8(body)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    let trimmed = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if trimmed.is_empty() {
        return "{}".to_owned();
    }
    if trimmed.len() == text.len() {
        return text;
    }
    trimmed.to_owned()
}

/// Overwrites every `\ud800`–`\udfff` escape that is not one of a pair with
/// `\ufffd`, which has the same length.
fn mend_lone_surrogates(body: &mut [u8]) {
    let mut at = 0;
    while let Some(found) = next_escape(body, at) {
        let length = match (surrogate(body, found), surrogate(body, found + 6)) {
            (Some(Surrogate::High), Some(Surrogate::Low)) => 12,
            (Some(_), _) => {
                if let Some(escape) = body.get_mut(found..found + 6) {
                    escape.copy_from_slice(br"\ufffd");
                }
                6
            }
            (None, _) => 2,
        };
        at = found + length;
    }
}

fn next_escape(body: &[u8], from: usize) -> Option<usize> {
    let rest = body.get(from..)?;
    Some(from + memchr(b'\\', rest)?)
}

#[derive(Clone, Copy)]
enum Surrogate {
    High,
    Low,
}

fn surrogate(body: &[u8], at: usize) -> Option<Surrogate> {
    match body.get(at..at + 6)? {
        [b'\\', b'u', b'd' | b'D', half, a, b]
            if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() =>
        {
            match half {
                b'8' | b'9' | b'a' | b'b' | b'A' | b'B' => Some(Surrogate::High),
                b'c'..=b'f' | b'C'..=b'F' => Some(Surrogate::Low),
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mended(text_in: &str) -> String {
        text(text_in.as_bytes().to_vec())
    }

    #[test]
    fn the_values_of_a_text_are_counted_and_not_what_its_strings_say() {
        for (text, count) in [
            ("0", 0),
            ("[0,0,0]", 3),
            (r#"{"a":[],"b":{"c":1}}"#, 4),
            (r#"["[,{",",\",{","\\",0]"#, 4),
        ] {
            assert_eq!(values(text), count, "{text}");
        }
    }

    #[test]
    fn a_text_may_be_long_but_must_not_hold_too_much() {
        let list = |count: usize| format!("[{}0]", "0,".repeat(count - 1));
        assert_eq!(check_values(&list(VALUE_LIMIT)), Ok(()));
        assert_eq!(
            check_values(&list(VALUE_LIMIT + 1)),
            Err(Rejection::TooManyValues(VALUE_LIMIT))
        );
        assert_eq!(
            check_values(&format!("[\"{}\"]", list(VALUE_LIMIT))),
            Ok(())
        );
    }

    #[test]
    fn a_blank_body_is_an_empty_object() {
        for body in ["", "  \r\n\t", "\u{feff}", "\u{feff} \u{feff}"] {
            assert_eq!(mended(body), "{}", "{body:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_and_space_around_the_text_do_not_count() {
        assert_eq!(mended("\u{feff} {\"a\":1}\n"), "{\"a\":1}");
    }

    #[test]
    fn invalid_utf8_is_replaced() {
        assert_eq!(text(b"\"a\xffb\"".to_vec()), "\"a\u{fffd}b\"");
    }

    #[test]
    fn a_lone_surrogate_escape_becomes_a_replacement_character() {
        let cases = [
            (r#""\ud800""#, r#""\ufffd""#),
            (r#""\uDFFF x""#, r#""\ufffd x""#),
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
            (r#""\ude00\ud83d""#, r#""\ufffd\ufffd""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\\ud800""#, r#""\\ud800""#),
            (r#""\\\ud800""#, r#""\\\ufffd""#),
            (r#""\ud8""#, r#""\ud8""#),
            (r#""\ud7ff""#, r#""\ud7ff""#),
        ];
        for (body, expected) in cases {
            assert_eq!(mended(body), expected, "{body}");
        }
    }

    #[test]
    fn any_bytes_become_text() {
        for first in 0..=255_u8 {
            for second in [b'\\', b'u', b'd', b'"', 0x80, 0xed, 0xff] {
                assert!(!text(vec![b'\\', first, second, b'8', b'0', b'0', first]).is_empty());
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_become_the_same_text_again(body: Vec<u8>) {
            let once = text(body);
            prop_assert_eq!(text(once.clone().into_bytes()), once);
        }

        #[test]
        fn a_string_with_any_surrogates_can_be_read(
            pieces in prop::collection::vec(prop::sample::select(PIECES), 0..12)
        ) {
            let body = format!("\"{}\"", pieces.concat());
            let read: Result<String, _> = serde_json::from_str(&mended(&body));
            prop_assert!(read.is_ok(), "{body}: {read:?}");
        }
    }

    const PIECES: &[&str] = &[
        r"\ud800", r"\uDBFF", r"\udc00", r"\uDFFF", r"\\", r"\n", r"\u0041", "u", "d800", "é",
    ];
}
