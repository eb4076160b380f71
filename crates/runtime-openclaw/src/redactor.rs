//! Redaction of secrets in texts of backends.
//!
//! An error of a backend may quote the request's token and contain the addresses of other
//! backends. The redactor removes the configured tokens and addresses.

use std::rc::Rc;

use crate::backend::Backend;

/// The replacement of a removed text.
const REMOVED: &str = "[removed]";

/// Removes secrets from texts.
#[derive(Clone, Default)]
pub struct Redactor {
    secrets: Rc<Vec<String>>,
}

impl Redactor {
    /// Makes a redactor of the tokens and addresses of the backends.
    #[must_use]
    pub fn new(backends: &[Backend]) -> Self {
        let mut secrets = Vec::new();
        for backend in backends {
            secrets.extend(
                backend
                    .token
                    .as_ref()
                    .map(|token| token.expose().to_owned()),
            );
            secrets.push(address(backend.endpoint.authority()));
        }
        Self {
            secrets: Rc::new(secrets),
        }
    }

    /// Returns a text without the secrets, cut off after `limit` characters.
    #[must_use]
    pub fn clean(&self, text: &str, limit: usize) -> String {
        // Cut last: a part of a secret would not be recognized.
        let text = self.secrets.iter().fold(text.to_owned(), |text, secret| {
            text.replace(secret, REMOVED)
        });
        cut(&text, limit)
    }
}

/// Returns the text that reveals a host. A single word, such as `llm`, is an address only
/// in a URL.
fn address(authority: &str) -> String {
    if authority.contains(['.', ':']) {
        authority.to_owned()
    } else {
        format!("://{authority}")
    }
}

/// Returns the first `limit` characters of a text, with an ellipsis if there are more.
fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use tidegate_config::Document;

    use super::*;
    use crate::settings::AllSettings;

    fn redactor() -> Redactor {
        redactor_of("http://10.0.0.7:18789")
    }

    fn redactor_of(url: &str) -> Redactor {
        let text = format!("{{ tidegate: {{ runtime: {{ url: '{url}', token: 's3cret' }} }} }}");
        let document = Document::parse(&text).unwrap();
        Redactor::new(&AllSettings::read(&document).unwrap().default.backends)
    }

    #[test]
    fn a_single_word_is_removed_only_in_a_url() {
        let text = "llm says: http://llm/v1 is down";
        let expected = "llm says: http[removed]/v1 is down";
        assert_eq!(redactor_of("http://llm").clean(text, 1000), expected);
    }

    #[test]
    fn a_secret_is_removed_anywhere() {
        let text = "key s3cret at http://10.0.0.7:18789/v1, s3crets3cret";
        let expected = "key [removed] at http://[removed]/v1, [removed][removed]";
        assert_eq!(redactor().clean(text, 1000), expected);
    }

    #[test]
    fn a_cut_reveals_no_part_of_a_secret() {
        assert_eq!(redactor().clean("key s3cret", 7), "key [re…");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(redactor().clean("äöü", 2), "äö…");
        assert_eq!(redactor().clean("äöü", 3), "äöü");
    }
}
