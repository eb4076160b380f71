//! The content coding of a body.
//!
//! Source: RFC 9110, sections 8.4 and 15.5.16.

use crate::rejection::{BodyFault, Quote, Rejection};

use super::headers::Headers;

/// The value of `Accept-Encoding` in a response to a body with another coding.
pub const ACCEPTED_CODINGS: &str = "gzip, deflate";

/// The content coding of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// The body is not encoded.
    Identity,
    /// RFC 1952.
    Gzip,
    /// The zlib format (RFC 1950). Some clients send bare deflate data (RFC 1951).
    Deflate,
}

impl Coding {
    /// Reads `Content-Encoding`.
    ///
    /// # Errors
    /// An unknown coding, and more than one.
    pub(super) fn read(headers: &Headers) -> Result<Self, Rejection> {
        const NAME: &str = "content-encoding";
        headers.check_readable(NAME)?;
        let values: Vec<_> = headers.all(NAME).map(String::from_utf8_lossy).collect();
        let all = values.join(", ");
        let codings = all.split(',').map(str::trim);
        let mut codings = codings.filter(|coding| !matches(coding, &["", "identity"]));
        match (codings.next(), codings.next()) {
            (None, _) => Ok(Self::Identity),
            (Some(coding), None) if matches(coding, &["gzip", "x-gzip"]) => Ok(Self::Gzip),
            (Some(coding), None) if matches(coding, &["deflate"]) => Ok(Self::Deflate),
            (Some(_), _) => {
                let coding = Quote(all.trim()).to_string();
                Err(Rejection::Body(BodyFault::Coding(coding)))
            }
        }
    }
}

fn matches(coding: &str, names: &[&str]) -> bool {
    names.iter().any(|name| coding.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<Coding, Rejection> {
        let fields = values.iter();
        let fields = fields.map(|value| ("Content-Encoding".to_owned(), value.as_bytes().into()));
        Coding::read(&Headers::new(fields.collect()))
    }

    #[test]
    fn the_coding_of_a_body_is_read_in_any_spelling() {
        let cases: [(&[&str], _); 7] = [
            (&[], Coding::Identity),
            (&[""], Coding::Identity),
            (&[" Identity ", "identity"], Coding::Identity),
            (&["gzip"], Coding::Gzip),
            (&["identity, X-GZIP"], Coding::Gzip),
            (&["identity", "GZip"], Coding::Gzip),
            (&["Deflate"], Coding::Deflate),
        ];
        for (values, coding) in cases {
            assert_eq!(read(values), Ok(coding), "{values:?}");
        }
    }

    #[test]
    fn another_coding_is_refused_by_its_name() {
        for coding in ["br", "zstd", "gzip, gzip", "deflate, gzip", "café"] {
            let refused = read(&["identity", coding]).unwrap_err().to_string();
            assert!(refused.contains(coding), "{refused}");
        }
    }
}
