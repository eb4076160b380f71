//! Tokens: white space, comments, and the next characters.

use super::Reader;

impl<'t> Reader<'t> {
    /// Skips spaces and comments.
    #[inline]
    pub(super) fn skip_space(&mut self) -> Option<()> {
        while let Some(next) = self.peek() {
            match next {
                b'/' => self.skip_comment()?,
                // Most white space is ASCII and needs no decoding.
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

    /// Returns the next byte. All tokens of JSON5 are ASCII; only white space, strings
    /// and names may contain other characters.
    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.as_bytes().first().copied()
    }

    #[inline]
    pub(super) fn next(&mut self) -> Option<char> {
        let mut rest = self.rest.chars();
        let next = rest.next();
        self.rest = rest.as_str();
        next
    }

    #[inline]
    pub(super) fn take_byte(&mut self, ascii: u8) -> bool {
        let is_next = self.peek() == Some(ascii);
        self.take_bytes(is_next.into());
        is_next
    }

    #[inline]
    pub(super) fn take(&mut self, word: &str) -> bool {
        let after = self.rest.strip_prefix(word);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    #[inline]
    pub(super) fn take_while(&mut self, is_in: impl Fn(char) -> bool) -> &'t str {
        let after = self.rest.trim_start_matches(is_in);
        self.take_bytes(self.rest.len() - after.len())
    }

    /// Takes a number of bytes that ends at a character boundary.
    #[inline]
    pub(super) fn take_bytes(&mut self, count: usize) -> &'t str {
        let (taken, after) = self.rest.split_at_checked(count).unwrap_or_default();
        self.rest = after;
        taken
    }
}

#[inline]
pub(super) fn is_space(c: char) -> bool {
    matches!(
        c,
        '\t'..='\r' | ' ' | '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{2028}'
            | '\u{2029}' | '\u{202F}' | '\u{205F}' | '\u{3000}' | '\u{FEFF}'
    )
}
