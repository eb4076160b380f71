//! JSON5 text as a tree of values, which borrow from it what they can.
//!
//! Written here because the libraries for it bring tables of all letters and the
//! arithmetic of all numbers, which settings do not need: that is a tenth of a
//! component. So of numbers only whole ones keep their value, and any character
//! beyond ASCII that is no space may stand in a name without quotes.
//!
//! Rules: <https://spec.json5.org>

mod text;

use crate::value::{Object, Value};

/// How deep lists and objects may nest.
const DEPTH_LIMIT: usize = 128;

/// The first whole number that JavaScript does not tell apart from the next.
const NUMBER_LIMIT: u64 = 1 << 53;

/// Where a text stops to be JSON5; both counted from 1, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// Parses a document.
///
/// # Errors
/// Text that is not JSON5, and values that nest deeper than 128.
pub(crate) fn parse(text: &str) -> Result<Value<'_>, Malformed> {
    let mut reader = Reader {
        rest: text,
        depth: 0,
    };
    let value = reader.document();
    let read = text.strip_suffix(reader.rest).unwrap_or(text);
    value.ok_or_else(|| Malformed::after(read))
}

impl Malformed {
    fn after(read: &str) -> Self {
        let last = read.rsplit('\n').next().unwrap_or_default();
        Self {
            line: 1 + read.matches('\n').count(),
            column: 1 + last.chars().count(),
        }
    }
}

/// Reads values off the front of a text. None means that it stands where the
/// text is malformed.
struct Reader<'t> {
    rest: &'t str,
    depth: usize,
}

impl<'t> Reader<'t> {
    fn document(&mut self) -> Option<Value<'t>> {
        let value = self.value()?;
        self.skip_space()?;
        self.rest.is_empty().then_some(value)
    }

    fn value(&mut self) -> Option<Value<'t>> {
        self.skip_space()?;
        match self.peek()? {
            b'{' => self.nested(Self::object),
            b'[' => self.nested(Self::list),
            b'"' | b'\'' => self.text().map(Value::Text),
            b'+' | b'-' | b'.' | b'0'..=b'9' => self.number(),
            _ => self.word(),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Option<Value<'t>>) -> Option<Value<'t>> {
        if self.depth == DEPTH_LIMIT {
            return None;
        }
        self.depth += 1;
        self.take_bytes(1);
        let value = read(self)?;
        self.depth -= 1;
        Some(value)
    }

    fn object(&mut self) -> Option<Value<'t>> {
        let mut members = Vec::new();
        loop {
            self.skip_space()?;
            if self.take_byte(b'}') {
                return Some(Value::Object(Object::new(members)));
            }
            let key = match self.peek()? {
                b'"' | b'\'' => self.text()?,
                _ => self.name()?,
            };
            self.skip_space()?;
            self.take_byte(b':').then_some(())?;
            members.push((key, self.value()?));
            self.separator(b'}')?;
        }
    }

    fn list(&mut self) -> Option<Value<'t>> {
        let mut items = Vec::new();
        loop {
            self.skip_space()?;
            if self.take_byte(b']') {
                return Some(Value::List(items));
            }
            items.push(self.value()?);
            self.separator(b']')?;
        }
    }

    /// Takes a comma, which only the last item may lack.
    #[inline]
    fn separator(&mut self, close: u8) -> Option<()> {
        self.skip_space()?;
        (self.take_byte(b',') || self.peek() == Some(close)).then_some(())
    }

    fn word(&mut self) -> Option<Value<'t>> {
        let words = [
            ("null", Value::Null),
            ("true", Value::Flag(true)),
            ("false", Value::Flag(false)),
            ("Infinity", Value::Number(None)),
            ("NaN", Value::Number(None)),
        ];
        let mut words = words.into_iter();
        words.find_map(|(word, value)| self.take(word).then_some(value))
    }

    fn number(&mut self) -> Option<Value<'t>> {
        let is_negative = self.take_byte(b'-');
        if !is_negative {
            self.take_byte(b'+');
        }
        if self.take("Infinity") || self.take("NaN") {
            return Some(Value::Number(None));
        }
        let number = if self.take("0x") || self.take("0X") {
            let digits = self.take_while(|c| c.is_ascii_hexdigit());
            (!digits.is_empty()).then_some(())?;
            u64::from_str_radix(digits, 16).ok()
        } else {
            self.decimal()?
        };
        let usable = number.filter(|n| !is_negative && *n < NUMBER_LIMIT);
        Some(Value::Number(usable))
    }

    /// Reads a number without its sign, and returns it if it is a whole one.
    fn decimal(&mut self) -> Option<Option<u64>> {
        let whole = self.digits();
        let has_point = self.take_byte(b'.');
        let fraction = if has_point { self.digits() } else { "" };
        let opens_with_zero = whole.len() > 1 && whole.starts_with('0');
        if opens_with_zero || whole.len() + fraction.len() == 0 {
            return None;
        }
        let has_exponent = self.take_byte(b'e') || self.take_byte(b'E');
        if has_exponent {
            let _signed = self.take_byte(b'-') || self.take_byte(b'+');
            (!self.digits().is_empty()).then_some(())?;
        }
        let is_whole = !has_point && !has_exponent;
        Some(is_whole.then(|| whole.parse().ok()).flatten())
    }

    fn digits(&mut self) -> &'t str {
        self.take_while(|c| c.is_ascii_digit())
    }

    /// Skips spaces and comments.
    #[inline]
    fn skip_space(&mut self) -> Option<()> {
        while let Some(next) = self.peek() {
            match next {
                b'/' => self.skip_comment()?,
                // Most white space is ASCII, which need not be decoded.
                b'\t'..=b'\r' | b' ' => {
                    self.take_bytes(1);
                }
                0x80.. if !self.take_while(is_space).is_empty() => {}
                _ => break,
            }
        }
        Some(())
    }

    fn skip_comment(&mut self) -> Option<()> {
        if self.take("//") {
            self.take_while(|c| !matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}'));
        } else {
            self.take("/*").then_some(())?;
            let mut pairs = self.rest.as_bytes().windows(2);
            let end = pairs.position(|pair| pair == b"*/")?;
            self.rest = self.rest.get(end + 2..)?;
        }
        Some(())
    }

    /// Returns the first byte of what is left. All that JSON5 is made of is
    /// ASCII, but for some spaces and what stands in texts and names.
    #[inline]
    fn peek(&self) -> Option<u8> {
        self.rest.as_bytes().first().copied()
    }

    #[inline]
    fn next(&mut self) -> Option<char> {
        let mut rest = self.rest.chars();
        let next = rest.next();
        self.rest = rest.as_str();
        next
    }

    #[inline]
    fn take_byte(&mut self, ascii: u8) -> bool {
        let is_next = self.peek() == Some(ascii);
        self.take_bytes(is_next.into());
        is_next
    }

    #[inline]
    fn take(&mut self, word: &str) -> bool {
        let after = self.rest.strip_prefix(word);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    #[inline]
    fn take_while(&mut self, is_in: impl Fn(char) -> bool) -> &'t str {
        let after = self.rest.trim_start_matches(is_in);
        self.take_bytes(self.rest.len() - after.len())
    }

    /// Takes so many bytes, which end with a character. To find them by what is
    /// left would compare the whole of it.
    #[inline]
    fn take_bytes(&mut self, count: usize) -> &'t str {
        let (taken, after) = self.rest.split_at_checked(count).unwrap_or_default();
        self.rest = after;
        taken
    }
}

#[inline]
fn is_space(c: char) -> bool {
    matches!(
        c,
        '\t'..='\r' | ' ' | '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{2028}'
            | '\u{2029}' | '\u{202F}' | '\u{205F}' | '\u{3000}' | '\u{FEFF}'
    )
}

#[cfg(test)]
mod tests;
