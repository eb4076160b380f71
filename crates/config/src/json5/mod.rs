//! A parser of JSON5 that borrows strings from the text.
//!
//! Libraries for JSON5 contain Unicode tables and floating-point arithmetic, which
//! settings do not need and which would take a tenth of a component. Therefore only
//! integers keep their value here, and an unquoted key may contain any non-ASCII
//! character except white space.
//!
//! Source: <https://spec.json5.org>

mod scanner;
mod text;

use crate::value::{Object, Value};

/// The maximum nesting of lists and objects.
const DEPTH_LIMIT: usize = 128;

/// The first integer that JavaScript cannot represent exactly with its successor, 2^53.
const NUMBER_LIMIT: u64 = 1 << 53;

/// The position of a syntax error, in characters from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// Parses a document.
///
/// # Errors
/// Text that is not JSON5, and more than 128 levels of nesting.
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

/// Reads values from the front of a text. A method returns `None` at a syntax error, with
/// the reader at its position.
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

    /// Takes a comma. Only the last item may omit it.
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

    /// Reads a number without its sign, and returns its value if it is an integer.
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
}

#[cfg(test)]
mod tests;
