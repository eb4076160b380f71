//! The body of a request as JSON text.
//!
//! Where RFC 8259 leaves a choice, the rules are JavaScript's `TextDecoder` and
//! `JSON.parse`, which OpenClaw uses.

use memchr::memchr;
use tidegate_json::{Member, Shape};

use crate::rejection::{BodyFault, Rejection};

/// The maximum number of JSON values in a body. A value of two bytes, such as
/// `0,` in a list of tools, takes a hundred bytes of memory once it is parsed.
const VALUE_LIMIT: usize = 200_000;

/// The text of a body: UTF-8, not blank, and without lone surrogate escapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonText(String);

impl JsonText {
    /// Decodes the bytes of a body.
    ///
    /// Lone surrogate escapes become U+FFFD. A byte order mark and surrounding white
    /// space are removed. A blank body becomes `{}`.
    ///
    /// # Errors
    /// A body that is not UTF-8 (RFC 8259, section 8.1). OpenClaw replaces each wrong byte
    /// by three.
    pub fn decode(mut body: Vec<u8>) -> Result<Self, Rejection> {
        replace_lone_surrogates(&mut body);
        let text = String::from_utf8(body).map_err(|error| {
            Rejection::Body(BodyFault::NotUtf8(error.utf8_error().valid_up_to()))
        })?;
        let trimmed = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        if trimmed.is_empty() {
            return Ok(Self("{}".to_owned()));
        }
        if trimmed.len() == text.len() {
            return Ok(Self(text));
        }
        Ok(Self(trimmed.to_owned()))
    }

    /// Parses the text. The root value may have another shape.
    ///
    /// # Errors
    /// Text that is not JSON, and more than 200,000 values.
    pub fn parse<'de, T: Shape<'de>>(&'de self) -> Result<Member<T>, Rejection> {
        let not_json =
            |error: serde_json::Error| Rejection::Body(BodyFault::NotJson(error.to_string()));
        // A value takes at least two bytes, so only a large body needs counting.
        if self.0.len() / 2 > VALUE_LIMIT {
            let json = tidegate_json::raw(&self.0).map_err(not_json)?;
            if tidegate_json::count_values(json) > VALUE_LIMIT {
                return Err(Rejection::Body(BodyFault::TooManyValues(VALUE_LIMIT)));
            }
        }
        tidegate_json::parse(&self.0).map_err(not_json)
    }
}

/// Overwrites every lone surrogate escape (`\ud800` to `\udfff`) with `\ufffd`,
/// which has the same length.
fn replace_lone_surrogates(body: &mut [u8]) {
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

    fn decode(body: &str) -> String {
        JsonText::decode(body.as_bytes().to_vec()).unwrap().0
    }

    #[test]
    fn a_body_may_be_long_but_must_not_hold_too_many_values() {
        let parse = |text: String| JsonText(text).parse::<bool>().map(drop);
        let list = |count: usize| format!("[{}0]", "0,".repeat(count - 1));
        assert_eq!(parse(list(VALUE_LIMIT)), Ok(()));
        let too_many = Err(Rejection::Body(BodyFault::TooManyValues(VALUE_LIMIT)));
        assert_eq!(parse(list(VALUE_LIMIT + 1)), too_many);
        assert_eq!(parse(format!("[\"{}\"]", list(VALUE_LIMIT))), Ok(()));
    }

    #[test]
    fn only_well_formed_json_is_counted() {
        let commas = JsonText(",".repeat(3 * VALUE_LIMIT));
        let rejection = commas.parse::<bool>().unwrap_err();
        assert!(
            matches!(rejection, Rejection::Body(BodyFault::NotJson(_))),
            "{rejection:?}"
        );
    }

    #[test]
    fn a_blank_body_is_an_empty_object() {
        for body in ["", "  \r\n\t", "\u{feff}", "\u{feff} \u{feff}"] {
            assert_eq!(decode(body), "{}", "{body:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_and_space_around_the_text_do_not_count() {
        assert_eq!(decode("\u{feff} {\"a\":1}\n"), "{\"a\":1}");
    }

    #[test]
    fn a_body_that_is_not_utf8_is_rejected_at_its_position() {
        let decoded = JsonText::decode(b"\"a\xffb\"".to_vec());
        assert_eq!(decoded, Err(Rejection::Body(BodyFault::NotUtf8(2))));
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
            assert_eq!(decode(body), expected, "{body}");
        }
    }

    #[test]
    fn escapes_next_to_any_byte_are_read() {
        for first in 0..=255_u8 {
            for second in [b'\\', b'u', b'd', b'"', 0x80, 0xed, 0xff] {
                let body = vec![b'\\', first, second, b'8', b'0', b'0', first];
                let is_text = std::str::from_utf8(&body).is_ok();
                assert_eq!(JsonText::decode(body).is_ok(), is_text);
            }
        }
    }

    proptest! {
        #[test]
        fn decoding_twice_changes_nothing(body: String) {
            let once = JsonText::decode(body.into_bytes());
            let again = once.clone().and_then(|text| JsonText::decode(text.0.into_bytes()));
            prop_assert_eq!(again, once);
        }

        #[test]
        fn a_string_with_any_surrogates_can_be_read(
            pieces in prop::collection::vec(prop::sample::select(PIECES), 0..12)
        ) {
            let body = format!("\"{}\"", pieces.concat());
            let read: Result<String, _> = serde_json::from_str(&decode(&body));
            prop_assert!(read.is_ok(), "{body}: {read:?}");
        }
    }

    const PIECES: &[&str] = &[
        r"\ud800", r"\uDBFF", r"\udc00", r"\uDFFF", r"\\", r"\n", r"\u0041", "u", "d800", "é",
    ];
}
