//! The header fields of a request.

use crate::rejection::Rejection;

/// Header fields in the order in which the client sent them. A request has few
/// of them, so a lookup scans the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// Takes fields in their order. Field names are case-insensitive (RFC 9110,
    /// section 5.1).
    #[must_use]
    pub fn new(fields: Vec<(String, Vec<u8>)>) -> Self {
        Self(fields)
    }

    /// Returns the names of all fields, unchanged.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Returns the first value of a field, unchanged.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.all(name).next()
    }

    /// Returns every value of a field, unchanged.
    pub fn all<'h>(&'h self, name: &str) -> impl DoubleEndedIterator<Item = &'h [u8]> {
        let fields = self.0.iter();
        let fields = fields.filter(move |(field, _)| field.eq_ignore_ascii_case(name));
        fields.map(|(_, value)| value.as_slice())
    }

    /// Checks that a field can be read: its first value is UTF-8. Without this check, an
    /// unreadable value would count as missing.
    ///
    /// # Errors
    /// A value that is not UTF-8.
    pub fn check_readable(&self, name: &str) -> Result<(), Rejection> {
        match self.first(name).map(std::str::from_utf8) {
            None | Some(Ok(_)) => Ok(()),
            Some(Err(_)) => Err(Rejection::invalid(
                name.to_owned(),
                format!("The header `{name}` is not UTF-8. Encode its value as UTF-8."),
            )),
        }
    }

    /// Returns the first value of a field as trimmed text. A blank value and one
    /// that is not UTF-8 count as a missing field, so a field that decides something
    /// needs [`Self::check_readable`].
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        let text = std::str::from_utf8(self.first(name)?).ok()?.trim();
        (!text.is_empty()).then_some(text)
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Headers {
    fn from(fields: [(&str, &str); N]) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.as_bytes().to_vec());
        Self(fields.map(owned).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_field_counts_and_names_are_case_insensitive() {
        let headers = Headers::from([("X-A", " 1 "), ("x-a", "2"), ("x-b", "  ")]);
        assert_eq!(headers.first("x-a"), Some(&b" 1 "[..]));
        assert_eq!(headers.text("X-A"), Some("1"));
        assert_eq!(headers.text("x-b"), None);
        assert_eq!(headers.text("x-c"), None);
    }

    #[test]
    fn a_value_that_is_not_utf8_counts_as_missing() {
        let headers = Headers::new(vec![("x".to_owned(), vec![0xff])]);
        assert_eq!(headers.text("x"), None);
        assert!(headers.check_readable("X").is_err());
        assert_eq!(headers.check_readable("y"), Ok(()));
    }
}
