//! The content coding of a body.
//!
//! Source: RFC 9110, sections 8.4 and 15.5.16.

use crate::rejection::{BodyFault, Quote, Rejection};

use super::headers::Headers;

/// The value of `Accept-Encoding` in a response to an encoded body.
pub const ACCEPTED_CODINGS: &str = "identity";

/// Checks that a body is not encoded.
///
/// # Errors
/// A `Content-Encoding` other than `identity`.
pub fn check_coding(headers: &Headers) -> Result<(), Rejection> {
    const NAME: &str = "content-encoding";
    headers.check_readable(NAME)?;
    for coding in headers.all(NAME) {
        let coding = String::from_utf8_lossy(coding.trim_ascii());
        if !coding.is_empty() && !coding.eq_ignore_ascii_case("identity") {
            let coding = Quote(&coding).to_string();
            return Err(Rejection::Body(BodyFault::Coding(coding)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_body_is_refused_by_the_name_of_its_coding() {
        let check = |values: &[&str]| {
            let fields = values.iter();
            let fields =
                fields.map(|value| ("Content-Encoding".to_owned(), value.as_bytes().into()));
            check_coding(&Headers::new(fields.collect()))
        };
        for values in [&[][..], &[""], &["identity"], &[" Identity ", "identity"]] {
            assert_eq!(check(values), Ok(()), "{values:?}");
        }
        for coding in ["gzip", "br", "zstd", "identity, gzip", "café"] {
            let refused = check(&["identity", coding]).unwrap_err().to_string();
            assert!(refused.contains(coding), "{refused}");
        }
    }
}
