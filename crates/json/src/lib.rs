//! Lenient JSON parsing: a member of the wrong type becomes [`Member::Not`] instead of an
//! error.
//!
//! Validation has its own order, and an ignored member may have any value. Strings
//! without escapes borrow from the text, and unused members are skipped without a copy.
//!
//! ```text
//! access   serde_json's parser  -> Value    the same code for all types
//! shape    Value                -> a type   if the value has its shape
//! member   a type               -> Member   or the kind of the other value
//! scan     well-formed JSON     -> the number of its values, or the text without white space
//! ```
//!
//! Source: RFC 8259. Where it leaves a choice, the rules are those of JavaScript's
//! `JSON.parse`, which OpenClaw uses.

#![forbid(unsafe_code)]

mod access;
mod member;
mod scan;
mod shape;

pub use access::{Field, Items, Members, Object, Place, SyntaxError};
pub use member::{Kind, Member};
pub use scan::{count_values, without_whitespace};
pub use serde_json::value::RawValue;
pub use shape::{Shape, Value};

/// Parses JSON text. The root may have another shape.
///
/// # Errors
/// Text that is not JSON. Nesting is limited only in the parts that `T` uses.
pub fn parse<'de, T: Shape<'de>>(text: &'de str) -> Result<Member<T>, serde_json::Error> {
    let mut root = Member::Absent;
    Field::from(&mut root).parse(text)?;
    Ok(root)
}

/// Checks that text is JSON.
///
/// # Errors
/// Text that is not JSON.
pub fn raw(text: &str) -> Result<&RawValue, serde_json::Error> {
    serde_json::from_str(text)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn a_member_of_another_type_is_not_an_error() {
        let cases = [
            ("true", Member::Is(true)),
            ("null", Member::Null),
            ("1", Member::Not(Kind::Number)),
            ("-1", Member::Not(Kind::Number)),
            ("1.5", Member::Not(Kind::Number)),
            ("\"x\"", Member::Not(Kind::String)),
            ("\"\\n\"", Member::Not(Kind::String)),
            ("[1,[2]]", Member::Not(Kind::Array)),
            ("{\"a\":{}}", Member::Not(Kind::Object)),
        ];
        for (json, expected) in cases {
            let member: Member<bool> = parse(json).unwrap();
            assert_eq!(member, expected, "{json}");
        }
    }

    #[test]
    fn strings_without_escapes_are_borrowed() {
        let plain: Member<Cow<'_, str>> = parse("\"plain\"").unwrap();
        assert!(matches!(plain, Member::Is(Cow::Borrowed("plain"))));
        let escaped: Member<Cow<'_, str>> = parse(r#""a\nb""#).unwrap();
        assert!(matches!(escaped, Member::Is(Cow::Owned(text)) if text == "a\nb"));
    }

    #[derive(Debug, Default, PartialEq)]
    struct Pair<'de> {
        first: Member<Cow<'de, str>>,
        second: Member<Vec<Member<u64>>>,
    }

    object_shape!(Pair<'de> {
        "first" => first,
        "second" => second,
    });

    #[test]
    fn the_last_of_equal_keys_counts_and_unknown_keys_are_skipped() {
        let text = r#"{"first":1,"other":[{}],"second":[0,-1],"f\u0069rst":"x"}"#;
        let pair = Pair {
            first: Member::Is("x".into()),
            second: Member::Is(vec![Member::Is(0), Member::Not(Kind::Number)]),
        };
        assert_eq!(parse(text).unwrap(), Member::Is(pair));
    }

    #[test]
    fn a_truncated_text_is_an_error() {
        let text = r#"{"first":"x","other":[{"a":null}],"second":[0,[1.5],true]}"#;
        assert!(parse::<Pair<'_>>(text).is_ok());
        for length in 0..text.len() {
            let cut = text.get(..length).unwrap();
            assert!(parse::<Pair<'_>>(cut).is_err(), "{length}");
        }
        assert!(parse::<Pair<'_>>(&format!("{text},")).is_err());
    }

    #[test]
    fn a_number_outside_of_u64_is_another_type() {
        let cases = [
            ("0", Member::Is(0)),
            ("18446744073709551615", Member::Is(u64::MAX)),
            ("18446744073709551616", Member::Not(Kind::Number)),
            ("1.0", Member::Not(Kind::Number)),
        ];
        for (text, expected) in cases {
            assert_eq!(parse::<u64>(text).unwrap(), expected, "{text}");
        }
    }
}
