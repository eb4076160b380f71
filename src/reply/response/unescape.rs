//! The text of a JSON string that arrives in parts.

use std::char::REPLACEMENT_CHARACTER;

use memchr::memchr2;

/// Decodes the text between the quotes of a JSON string. A surrogate without its pair
/// becomes U+FFFD, and an escape that JSON does not have stays as it is.
#[derive(Debug, Default)]
pub(super) struct Unescape {
    escape: Escape,
    /// The first half of a surrogate pair.
    high: Option<u16>,
}

/// The position in an escape.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Escape {
    /// Not in an escape.
    #[default]
    Outside,
    /// After the backslash.
    Begun,
    /// After `\u` and this number of digits.
    Unicode(u8, u16),
}

impl Unescape {
    /// Decodes the next part to `text`. Returns the rest after the closing quote, if the
    /// string ends in this part.
    pub(super) fn push<'p>(&mut self, part: &'p str, text: &mut String) -> Option<&'p str> {
        let mut rest = part;
        loop {
            let c = match self.escape {
                Escape::Outside => {
                    let (c, after) = self.literal(rest, text)?;
                    rest = after;
                    c
                }
                Escape::Begun | Escape::Unicode(..) => rest.chars().next()?,
            };
            match self.escape {
                Escape::Outside if c == '"' => {
                    self.end(text);
                    return Some(rest);
                }
                Escape::Outside => self.escape = Escape::Begun,
                Escape::Begun => {
                    self.escaped(c, text);
                    rest = rest.get(c.len_utf8()..)?;
                }
                Escape::Unicode(digits, unit) => {
                    // Another character is not a part of the escape.
                    if self.digit(c, digits, unit, text) {
                        rest = rest.get(1..)?;
                    }
                }
            }
        }
    }

    /// Ends a string without its closing quote.
    pub(super) fn end(&mut self, text: &mut String) {
        self.lone(text);
        if let Escape::Unicode(..) = self.escape {
            text.push(REPLACEMENT_CHARACTER);
        }
        self.escape = Escape::Outside;
    }

    /// Copies text without escapes. Returns the quote or the backslash after it, and the
    /// rest.
    fn literal<'p>(&mut self, part: &'p str, text: &mut String) -> Option<(char, &'p str)> {
        let at = memchr2(b'"', b'\\', part.as_bytes());
        let (literal, rest) = part.split_at_checked(at.unwrap_or(part.len()))?;
        if !literal.is_empty() {
            self.lone(text);
            text.push_str(literal);
        }
        let mut chars = rest.chars();
        Some((chars.next()?, chars.as_str()))
    }

    /// Decodes the character after a backslash.
    fn escaped(&mut self, c: char, text: &mut String) {
        self.escape = Escape::Outside;
        if c == 'u' {
            self.escape = Escape::Unicode(0, 0);
            return;
        }
        self.lone(text);
        match c {
            'b' => text.push('\u{8}'),
            'f' => text.push('\u{c}'),
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            '"' | '\\' | '/' => text.push(c),
            c => text.extend(['\\', c]),
        }
    }

    /// Adds a digit to an escape. Returns `false` for another character, which ends it.
    fn digit(&mut self, c: char, digits: u8, unit: u16, text: &mut String) -> bool {
        let digit = c.to_digit(16).and_then(|digit| u16::try_from(digit).ok());
        let Some(digit) = digit else {
            self.end(text);
            return false;
        };
        let unit = unit << 4 | digit;
        if digits < 3 {
            self.escape = Escape::Unicode(digits + 1, unit);
            return true;
        }
        self.escape = Escape::Outside;
        self.unit(unit, text);
        true
    }

    /// Adds a unit of UTF-16.
    fn unit(&mut self, unit: u16, text: &mut String) {
        let pair = self.high.map(|high| [high, unit]);
        let joined = pair.and_then(|pair| char::decode_utf16(pair).next()?.ok());
        if let Some(c) = joined.filter(|c| c.len_utf16() == 2) {
            self.high = None;
            text.push(c);
            return;
        }
        self.lone(text);
        if (0xd800..0xdc00).contains(&unit) {
            self.high = Some(unit);
        } else {
            text.push(char::from_u32(u32::from(unit)).unwrap_or(REPLACEMENT_CHARACTER));
        }
    }

    /// Replaces the half of a surrogate pair, if its other half does not follow.
    fn lone(&mut self, text: &mut String) {
        if self.high.take().is_some() {
            text.push(REPLACEMENT_CHARACTER);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_at_every_cut() {
        for (json, expected) in [
            (r#"a\n\t\"\\\/\b\f\r"#, "a\n\t\"\\/\u{8}\u{c}\r"),
            (r"\u00e9\ud83d\ude00\uD83D\uDE00", "é😀😀"),
            (r"\ud83dx", "\u{fffd}x"),
            (r"\ude00", "\u{fffd}"),
            (r"\ud83d\ud83d\ude00", "\u{fffd}😀"),
            (r"\ud83d\u0041", "\u{fffd}A"),
            (r"\ud83d\n", "\u{fffd}\n"),
            (r"\ud83d", "\u{fffd}"),
            (r"\u12x", "\u{fffd}x"),
            (r"\d\é", r"\d\é"),
            (r"\u00", "\u{fffd}"),
        ] {
            let whole = format!("{json}\"rest");
            for (cut, _) in whole.char_indices() {
                let (first, second) = whole.split_at(cut);
                let (mut decoder, mut text) = (Unescape::default(), String::new());
                let rest = match decoder.push(first, &mut text) {
                    Some(rest) => rest.to_owned() + second,
                    None => decoder.push(second, &mut text).unwrap().to_owned(),
                };
                assert_eq!(text, expected, "{json} {cut}");
                assert_eq!(rest, "rest", "{json} {cut}");
            }
        }
    }
}
