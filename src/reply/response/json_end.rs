//! The end of a JSON value that arrives in parts.

use memchr::memchr2;

/// Looks for the end of an object, an array or a string. It counts brackets and does not
/// check the rest of the syntax.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum JsonEnd {
    /// No value has begun.
    #[default]
    Blank,
    /// Between the tokens of a value with this number of open brackets.
    Open(usize),
    /// In a string within this number of open brackets.
    String(usize),
    /// After a backslash in a string.
    Escape(usize),
    /// One value has ended.
    Complete,
    /// The text is another kind of value, or continues after its end.
    Other,
}

impl JsonEnd {
    /// Reads the next part of the text.
    pub(super) fn push(&mut self, part: &str) {
        let mut rest = part.as_bytes();
        while !rest.is_empty() && *self != Self::Other {
            rest = self.step(rest);
        }
    }

    /// Reads the next part until the value ends, and returns the length up to its end.
    pub(super) fn find(&mut self, part: &str) -> Option<usize> {
        let mut rest = part.as_bytes();
        while !rest.is_empty() && !matches!(self, Self::Complete | Self::Other) {
            rest = self.step(rest);
        }
        (*self == Self::Complete).then_some(part.len() - rest.len())
    }

    /// Returns whether the text is one value.
    pub(super) fn is_complete(self) -> bool {
        self == Self::Complete
    }

    /// Reads a byte, or the bytes of a string up to the next quote or backslash, and returns
    /// the rest.
    fn step<'t>(&mut self, text: &'t [u8]) -> &'t [u8] {
        if let Self::String(depth) = *self {
            let Some(at) = memchr2(b'"', b'\\', text) else {
                return &[];
            };
            *self = match (text.get(at), depth) {
                (Some(b'\\'), _) => Self::Escape(depth),
                (_, 0) => Self::Complete,
                (_, _) => Self::Open(depth),
            };
            return text.get(at + 1..).unwrap_or_default();
        }
        let Some((byte, rest)) = text.split_first() else {
            return &[];
        };
        *self = self.after(*byte);
        rest
    }

    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Blank | Self::Complete, b' ' | b'\t' | b'\n' | b'\r') => self,
            (Self::Blank, b'{' | b'[') => Self::Open(1),
            (Self::Blank, b'"') => Self::String(0),
            (Self::Open(depth), b'{' | b'[') => Self::Open(depth + 1),
            (Self::Open(..=1), b'}' | b']') => Self::Complete,
            (Self::Open(depth), b'}' | b']') => Self::Open(depth - 1),
            (Self::Open(depth), b'"') => Self::String(depth),
            (Self::Open(_), _) => self,
            (Self::Escape(depth) | Self::String(depth), _) => Self::String(depth),
            (Self::Blank | Self::Complete | Self::Other, _) => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_complete_at_its_last_bracket() {
        for (text, end) in [
            ("{}", Some(2)),
            (" [1,{\"a]\":\"\\\"}\"}] ", Some(17)),
            ("\"a\\\\\"", Some(5)),
            ("\"a\\\"", None),
            ("{\"a\":[1}", None),
            ("", None),
            ("  ", None),
            ("1", None),
        ] {
            assert_eq!(JsonEnd::default().find(text), end, "{text}");
            let mut parts = JsonEnd::default();
            for c in text.chars() {
                parts.push(c.encode_utf8(&mut [0; 4]));
            }
            assert_eq!(parts.is_complete(), end.is_some(), "{text}");
        }
    }

    #[test]
    fn text_after_the_end_is_not_one_value() {
        let mut end = JsonEnd::default();
        end.push("{} \n");
        assert!(end.is_complete());
        end.push("{}");
        assert_eq!(end, JsonEnd::Other);
    }
}
