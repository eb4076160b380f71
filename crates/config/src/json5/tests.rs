//! The parser compared with the library `json5`.

use proptest::prelude::*;
use serde_json::json;

use super::{Malformed, parse};
use crate::value::Value;

/// Converts a value to JSON. A number without a value becomes `null`.
fn json(value: &Value<'_>) -> serde_json::Value {
    match value {
        Value::Null => json!(null),
        Value::Flag(flag) => json!(flag),
        Value::Number(number) => json!(number),
        Value::Text(text) => json!(text),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Object(object) => {
            let members = object.members();
            let members = members.map(|(key, value)| (key.to_owned(), json(value)));
            serde_json::Value::Object(members.collect())
        }
    }
}

/// Converts a value of the library in the same way.
fn without_other_numbers(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Number(number) => {
            let whole = number.as_u64().filter(|n| *n < 1 << 53);
            json!(whole)
        }
        serde_json::Value::Array(items) => items.into_iter().map(without_other_numbers).collect(),
        serde_json::Value::Object(members) => {
            let members = members.into_iter();
            let members = members.map(|(key, value)| (key, without_other_numbers(value)));
            serde_json::Value::Object(members.collect())
        }
        other => other,
    }
}

fn read(text: &str) -> Option<serde_json::Value> {
    parse(text).ok().map(|value| json(&value))
}

#[test]
fn everything_that_json5_adds_is_read() {
    let cases = [
        (
            "{ a: 1, 'b': 2, \"c\": 3, }",
            json!({ "a": 1, "b": 2, "c": 3 }),
        ),
        ("[1, /* two */ 2, // three\n 3,]", json!([1, 2, 3])),
        ("'it is \"quoted\"'", json!("it is \"quoted\"")),
        (
            "'one \\\n line, \\\r\n the same'",
            json!("one  line,  the same"),
        ),
        (r"'\x41\u00e9\ud83d\ude00\v\0\q'", json!("Aé😀\u{B}\0q")),
        (
            "{ $_ä1: 0x1F, \\u0061b: +5 }",
            json!({ "$_ä1": 31, "ab": 5 }),
        ),
        (
            "[.5, 5., -1, 1e3, -0x1, Infinity, -NaN, 9007199254740992]",
            json!([null, null, null, null, null, null, null, null]),
        ),
        ("\u{FEFF}\u{2003}true", json!(true)),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text), Some(expected), "{text}");
    }
}

#[test]
fn what_is_no_json5_is_refused_where_it_stops() {
    let cases = [
        ("", 1, 1),
        ("{ a: 1 b: 2 }", 1, 8),
        ("{\n  a: 'x\n}", 2, 8),
        ("[1,,2]", 1, 4),
        ("{ 1a: 2 }", 1, 5),
        ("nul", 1, 1),
        ("01", 1, 3),
        ("true false", 1, 6),
        ("/* open", 1, 3),
        (r"'\ud83d'", 1, 8),
        ("0x", 1, 3),
    ];
    for (text, line, column) in cases {
        let expected = Some(Malformed { line, column });
        assert_eq!(parse(text).err(), expected, "{text}");
    }
}

#[test]
fn nesting_has_an_end() {
    let nested = |depth: usize| ["[".repeat(depth), "]".repeat(depth)].concat();
    assert!(parse(&nested(128)).is_ok());
    assert!(parse(&nested(129)).is_err());
    assert!(parse(&"[".repeat(1_000_000)).is_err());
}

proptest! {
    #[test]
    fn whatever_is_read_is_read_like_by_the_library(
        text in r#"([\[\]{}:,'"\\/*+.\- \n]|[0-9]{1,3}|0x|true|null|NaN|[a-zä]|\\u00e9|\\x4|e){0,16}"#
    ) {
        let library = json5::from_str::<serde_json::Value>(&text);
        let library = library.ok().map(without_other_numbers);
        prop_assert_eq!(read(&text), library);
    }

    #[test]
    fn any_text_comes_out_as_it_went_in(key: String, text: String) {
        let value = json!({ key: [text, null, 7] });
        prop_assert_eq!(read(&value.to_string()), Some(value));
    }
}
