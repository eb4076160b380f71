//! Scans of JSON text, which is known to be well-formed.

use memchr::memchr2;
use serde_json::value::RawValue;

/// Counts values: each one follows a bracket, a brace or a comma. An empty list
/// or object counts twice.
#[must_use]
pub fn count_values(json: &RawValue) -> usize {
    let mut count = 0;
    let mut rest = json.get().as_bytes();
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

/// Removes the white space between the tokens of JSON text.
#[must_use]
pub fn without_whitespace(json: &RawValue) -> String {
    let mut kept = String::new();
    let mut rest = json.get();
    while let Some((tokens, string)) = rest.split_once('"') {
        let end = string.len() - after_string(string.as_bytes()).len();
        let (string, after) = string.split_at_checked(end).unwrap_or((string, ""));
        kept.extend(tokens.split_ascii_whitespace().chain(["\"", string]));
        rest = after;
    }
    kept.extend(rest.split_ascii_whitespace());
    kept
}

/// Returns the text after a string whose opening quote comes before `rest`.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw;

    #[test]
    fn values_are_counted_without_the_contents_of_strings() {
        for (text, count) in [
            ("0", 0),
            ("[0,0,0]", 3),
            (r#"{"a":[],"b":{"c":1}}"#, 4),
            (r#"["[,{",",\",{","\\",0]"#, 4),
        ] {
            let json = raw(text).unwrap();
            assert_eq!(count_values(json), count, "{text}");
        }
    }

    #[test]
    fn only_the_white_space_between_tokens_is_removed() {
        for (text, expected) in [
            (
                "{ \"a b\" : [ 1 , \"\\\" x\" ] }",
                "{\"a b\":[1,\"\\\" x\"]}",
            ),
            ("\t-1.5e3\r\n", "-1.5e3"),
            ("\"\"", "\"\""),
        ] {
            assert_eq!(without_whitespace(raw(text).unwrap()), expected, "{text}");
        }
    }
}
