//! Strings and names of JSON5, with their escapes.

use std::borrow::Cow;

use super::Reader;
use super::scanner::is_space;

impl<'t> Reader<'t> {
    /// Reads a string, borrowed from the text if it has no escapes.
    pub(super) fn text(&mut self) -> Option<Cow<'t, str>> {
        let quote = self.peek()?;
        self.take_bytes(1);
        let mut text = Cow::Borrowed("");
        loop {
            text += self.plain(quote);
            match self.peek()? {
                b'\\' => text.to_mut().extend(self.escape()?),
                b'\n' | b'\r' => return None,
                _quote => {
                    self.take_bytes(1);
                    return Some(text);
                }
            }
        }
    }

    /// Takes the characters up to a quote, a backslash or the end of the line.
    #[inline]
    fn plain(&mut self, quote: u8) -> &'t str {
        let is_end = |byte: u8| byte == quote || matches!(byte, b'\\' | b'\n' | b'\r');
        let end = self.rest.bytes().position(is_end);
        self.take_bytes(end.unwrap_or(self.rest.len()))
    }

    /// Reads an escape. A backslash before a line break is a line continuation, without a
    /// character.
    fn escape(&mut self) -> Option<Option<char>> {
        self.next();
        Some(Some(match self.next()? {
            '\r' => {
                self.take_byte(b'\n');
                return Some(None);
            }
            '\n' | '\u{2028}' | '\u{2029}' => return Some(None),
            'b' => '\u{8}',
            't' => '\t',
            'n' => '\n',
            'v' => '\u{B}',
            'f' => '\u{C}',
            'r' => '\r',
            '0' if !self.peek().is_some_and(|c| c.is_ascii_digit()) => '\0',
            '0'..='9' => return None,
            'x' => char::from_u32(self.hexadecimal(2)?)?,
            'u' => self.unicode()?,
            itself => itself,
        }))
    }

    /// Reads the digits of a UTF-16 code unit, or of a surrogate pair.
    fn unicode(&mut self) -> Option<char> {
        let first = self.hexadecimal(4)?;
        if let Some(c) = char::from_u32(first) {
            return Some(c);
        }
        self.take("\\u").then_some(())?;
        let second = self.hexadecimal(4)?;
        let is_pair = first < 0xDC00 && (0xDC00..0xE000).contains(&second);
        let pair = 0x10000 + ((first & 0x3FF) << 10) + (second & 0x3FF);
        is_pair.then(|| char::from_u32(pair)).flatten()
    }

    fn hexadecimal(&mut self, length: usize) -> Option<u32> {
        (0..length).try_fold(0, |number, _| {
            Some(16 * number + self.next()?.to_digit(16)?)
        })
    }

    /// Reads an unquoted key.
    pub(super) fn name(&mut self) -> Option<Cow<'t, str>> {
        let opens_with_digit = self.peek()?.is_ascii_digit();
        let mut name = Cow::Borrowed(self.take_while(is_name_character));
        while self.take("\\u") {
            let escaped = self.unicode().filter(|c| is_name_character(*c))?;
            name.to_mut().push(escaped);
            name += self.take_while(is_name_character);
        }
        (!name.is_empty() && !opens_with_digit).then_some(name)
    }
}

#[inline]
fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '$' | '_') || (!c.is_ascii() && !is_space(c))
}
