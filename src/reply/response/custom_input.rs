//! The text of a custom tool's call.
//!
//! The runtime knows a custom tool as a function with one text. The client reads the text
//! alone, whatever JSON the runtime writes around it. The text in an object arrives as the
//! runtime writes it. A string that is not in an object waits for the end of the arguments:
//! if more follows, the string is the begin of a text that is not JSON.

use serde::de::IgnoredAny;

use crate::run::CUSTOM_INPUT;

use super::json_end::JsonEnd;
use super::unescape::Unescape;

/// The arguments of a custom tool's call, which arrive in parts.
#[derive(Debug, Default)]
pub(super) struct CustomInput {
    state: State,
    /// The arguments before the text, or after it.
    raw: String,
    /// The length of `raw` that has been read.
    at: usize,
    /// The number of members that have ended.
    members: usize,
    /// The begin of the first value, if it is a string.
    first: Option<usize>,
    /// Whether the last key is the name of the text.
    is_input: bool,
    /// Whether the text has ended.
    has_text: bool,
}

/// The position in the arguments.
#[derive(Debug)]
enum State {
    /// Between the tokens before or after the text.
    Between(Expected),
    /// In a key or a value that begins at this byte.
    Token(Role, usize, JsonEnd),
    /// In a number or a literal that begins at this byte.
    Scalar(usize),
    /// In the text, which is a JSON string.
    Text(Unescape),
    /// In a text that is not JSON.
    Raw,
    /// The arguments continue after the text, but not as JSON.
    Broken,
}

impl Default for State {
    fn default() -> Self {
        Self::Between(Expected::Root)
    }
}

/// The next token.
#[derive(Debug, Clone, Copy)]
enum Expected {
    Root,
    KeyOrEnd,
    Key,
    Colon,
    Value,
    CommaOrEnd,
    Nothing,
}

/// The role of a string, an object or an array.
#[derive(Debug, Clone, Copy)]
enum Role {
    Key,
    Value,
    /// A string that is all of the arguments.
    Root,
}

impl CustomInput {
    /// Reads the next part of the arguments and appends its text.
    pub(super) fn push(&mut self, part: &str, text: &mut String) {
        match &mut self.state {
            State::Broken => {}
            State::Raw => text.push_str(part),
            State::Text(decoder) => {
                if let Some(rest) = decoder.push(part, text) {
                    self.has_text = true;
                    self.state = State::Between(Expected::CommaOrEnd);
                    self.push(rest, text);
                }
            }
            State::Between(_) | State::Token(..) | State::Scalar(_) => {
                self.raw.push_str(part);
                while self.read() {}
                self.begin(text);
            }
        }
    }

    /// Returns whether the arguments continue after the text, but not as JSON.
    pub(super) fn is_broken(&self) -> bool {
        matches!(self.state, State::Broken)
    }

    /// Appends the text of complete arguments that have no member with the text's name.
    pub(super) fn finish(&mut self, text: &mut String) {
        match &mut self.state {
            State::Text(decoder) => decoder.end(text),
            State::Raw | State::Broken | State::Between(Expected::Root) => {}
            State::Between(_) | State::Token(..) | State::Scalar(_) if self.has_text => {}
            State::Between(Expected::Nothing) if self.members == 1 && self.first.is_some() => {
                let value = self.first.and_then(|at| self.raw.get(at + 1..));
                Unescape::default().push(value.unwrap_or_default(), text);
            }
            State::Between(_) | State::Token(..) | State::Scalar(_) => text.push_str(&self.raw),
        }
        self.raw = String::new();
        self.state = State::Raw;
    }

    /// Appends the text if it has begun.
    fn begin(&mut self, text: &mut String) {
        match self.state {
            State::Between(_) | State::Token(..) | State::Scalar(_) | State::Broken => {}
            State::Raw if self.has_text => self.state = State::Broken,
            State::Raw => text.push_str(&std::mem::take(&mut self.raw)),
            State::Text(_) => {
                let raw = std::mem::take(&mut self.raw);
                let begun = raw.get(std::mem::take(&mut self.at)..);
                self.push(begun.unwrap_or_default(), text);
            }
        }
    }

    /// Reads the next token. Returns `false` if the arguments end here, or the text begins.
    fn read(&mut self) -> bool {
        let rest = self.raw.get(self.at..).unwrap_or_default();
        match &mut self.state {
            State::Between(expected) => {
                let expected = *expected;
                let token = rest.trim_start_matches([' ', '\t', '\n', '\r']);
                let first = token.chars().next();
                self.at += rest.len() - token.len();
                first.is_some_and(|c| self.token(expected, c))
            }
            State::Token(role, start, end) => {
                let (role, start) = (*role, *start);
                let length = end.find(rest);
                self.at += length.unwrap_or(rest.len());
                length.is_some() && self.token_end(role, start)
            }
            State::Scalar(start) => {
                let start = *start;
                let length = rest.find([',', '}', ' ', '\t', '\n', '\r']);
                self.at += length.unwrap_or(rest.len());
                length.is_some() && self.token_end(Role::Value, start)
            }
            State::Text(_) | State::Raw | State::Broken => false,
        }
    }

    /// Begins a token. Returns whether to read on.
    fn token(&mut self, expected: Expected, c: char) -> bool {
        let next = match (expected, c) {
            (Expected::Root, '{') => State::Between(Expected::KeyOrEnd),
            (Expected::Root, '"') => State::Token(Role::Root, self.at, JsonEnd::default()),
            (Expected::Value, '"') if self.is_input && !self.has_text => {
                State::Text(Unescape::default())
            }
            (Expected::KeyOrEnd | Expected::CommaOrEnd, '}') => State::Between(Expected::Nothing),
            (Expected::CommaOrEnd, ',') => State::Between(Expected::Key),
            (Expected::Colon, ':') => State::Between(Expected::Value),
            (Expected::KeyOrEnd | Expected::Key, '"') => {
                State::Token(Role::Key, self.at, JsonEnd::default())
            }
            (Expected::Value, '"' | '{' | '[') => {
                State::Token(Role::Value, self.at, JsonEnd::default())
            }
            (Expected::Value, _) => State::Scalar(self.at),
            (
                Expected::Root
                | Expected::KeyOrEnd
                | Expected::Key
                | Expected::Colon
                | Expected::CommaOrEnd
                | Expected::Nothing,
                _,
            ) => State::Raw,
        };
        // The other tokens are read from their first byte on.
        if matches!(next, State::Between(_) | State::Text(_)) {
            self.at += 1;
        }
        self.state = next;
        true
    }

    /// Ends a key or a value. Returns whether to read on.
    fn token_end(&mut self, role: Role, start: usize) -> bool {
        let token = self.raw.get(start..self.at).unwrap_or_default();
        if serde_json::from_str::<IgnoredAny>(token).is_err() {
            self.state = State::Raw;
            return false;
        }
        match role {
            Role::Key => {
                let key = serde_json::from_str::<String>(token);
                self.is_input = key.is_ok_and(|key| key == CUSTOM_INPUT);
                self.state = State::Between(Expected::Colon);
            }
            Role::Value | Role::Root => {
                if self.members == 0 && token.starts_with('"') {
                    self.first = Some(start);
                }
                self.members += 1;
                self.state = State::Between(match role {
                    Role::Root => Expected::Nothing,
                    Role::Key | Role::Value => Expected::CommaOrEnd,
                });
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns the text of arguments that arrive in parts of a length, or `None` if they
    /// are broken.
    fn text(arguments: &str, length: usize) -> Option<String> {
        let (mut input, mut text) = (CustomInput::default(), String::new());
        let chars: Vec<char> = arguments.chars().collect();
        for part in chars.chunks(length.max(1)) {
            let part: String = part.iter().collect();
            input.push(&part, &mut text);
        }
        if input.is_broken() {
            return None;
        }
        input.finish(&mut text);
        Some(text)
    }

    #[test]
    fn the_text_is_found_in_any_json() {
        for (arguments, expected) in [
            (r#"{"input":"a\nb"}"#, "a\nb"),
            (r#" { "inp\u0075t" : "a" , "x": 1}"#, "a"),
            (
                r#"{"x":{"input":"no","y":[1,"}"]},"n":-1.5e3,"input":"a"}"#,
                "a",
            ),
            (r#"{"input":1,"input":"a"}"#, "a"),
            (r#"{"input":"a","input":"b"}"#, "a"),
            (r#""a\tb""#, "a\tb"),
            (" \"a\" \n", "a"),
            (r#"{"patch":"a\\b"}"#, "a\\b"),
            (r#"{"input":""}"#, ""),
            ("", ""),
            (" ", ""),
            // The text is cut.
            (r#"{"input":"a\nb"#, "a\nb"),
            (r#"{"input":"a","x":tr"#, "a"),
        ] {
            for length in 1..=arguments.len().max(1) {
                let text = text(arguments, length);
                assert_eq!(text.as_deref(), Some(expected), "{arguments} {length}");
            }
        }
    }

    #[test]
    fn a_text_that_is_not_the_json_of_a_tool_stays_as_it_is() {
        for raw in [
            "*** Begin Patch",
            " two words",
            "{",
            "{}",
            "{ not JSON }",
            r#"{"a": b}"#,
            r#"{"a":}"#,
            r#"{"a" "input":"b"}"#,
            r#"{"a":"b",}"#,
            r#"{"a":"b"} and more"#,
            r#"{"a":"b","c":"d"}"#,
            r#"{"a":1}"#,
            r#"{"input":1}"#,
            "{\"a\":[1}",
            "[1]",
            "{\"a\":\"\n\"}",
            r#"{"in"#,
            r#""quoted" and more"#,
            r#""a" + "b""#,
            r#""a"""#,
            r#""a\d""#,
            "\"a\nb\"",
            r#"  "cut"#,
        ] {
            for length in 1..=raw.len() {
                assert_eq!(text(raw, length).as_deref(), Some(raw), "{length}");
            }
        }
    }

    #[test]
    fn arguments_that_are_not_json_after_the_text_are_broken() {
        for arguments in [
            r#"{"input":"a"} and more"#,
            r#"{"input":"a"}}"#,
            r#"{"input":"a" + "b"}"#,
            r#"{"input":"a""b"}"#,
            r#"{"input":"a","x":b}"#,
        ] {
            for length in 1..=arguments.len() {
                assert_eq!(text(arguments, length), None, "{arguments} {length}");
            }
        }
    }

    #[test]
    fn the_text_arrives_as_soon_as_it_is_written() {
        let (mut input, mut text) = (CustomInput::default(), String::new());
        for (part, expected) in [
            ("{\"input\"", ""),
            (":\"a", "a"),
            ("b\\", "ab"),
            ("n\\ud83d", "ab\n"),
            ("\\ude00c", "ab\n😀c"),
        ] {
            input.push(part, &mut text);
            assert_eq!(text, expected, "{part}");
        }
    }

    fn space() -> impl Strategy<Value = String> {
        "[ \t\n\r]{0,2}"
    }

    fn other() -> impl Strategy<Value = String> {
        let value = prop_oneof![
            any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
            Just(r#"{"input":"no","a":[{}]}"#.to_owned()),
            Just("[1,[2,\"]\"]]".to_owned()),
            Just("-1.5e3".to_owned()),
            Just("null".to_owned()),
        ];
        ("[a-h]{1,5}", value, space())
            .prop_map(|(key, value, s)| format!("{s}\"{key}\"{s}:{s}{value}{s}"))
    }

    /// Escapes every character in one of the ways that JSON has.
    fn escaped(text: &str, in_units: bool) -> String {
        if !in_units {
            return serde_json::to_string(text).unwrap();
        }
        let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
        format!("\"{}\"", units.collect::<String>())
    }

    proptest! {
        #[test]
        fn any_text_is_found_at_any_cut(
            expected in any::<String>(),
            in_units: bool,
            before in prop::collection::vec(other(), 0..3),
            after in prop::collection::vec(other(), 0..3),
            s in space(),
            length in 1_usize..9,
        ) {
            let member = format!("{s}\"input\"{s}:{s}{}{s}", escaped(&expected, in_units));
            let members: Vec<String> = before.into_iter().chain([member]).chain(after).collect();
            let arguments = format!("{s}{{{}}}{s}", members.join(","));
            prop_assert_eq!(text(&arguments, length), Some(expected));
        }

        #[test]
        fn any_arguments_have_one_text_at_every_cut(
            arguments in prop_oneof![any::<String>(), r#"[{}\[\]":,\\u0-9a-f input]{0,40}"#],
            length in 1_usize..9,
        ) {
            prop_assert_eq!(text(&arguments, length), text(&arguments, usize::MAX));
        }
    }
}
