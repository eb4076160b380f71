//! Keeps the runtime's secrets out of texts that came from the runtime.
//!
//! A server may quote in an error what it was sent, and name its neighbours.
//! What the configuration says about the servers never leaves this component in
//! that way.

use std::rc::Rc;

use crate::server::Server;

/// The mark in the place of what was taken out.
const REMOVED: &str = "[removed]";

/// The texts that must not be repeated.
#[derive(Clone, Default)]
pub struct Censor {
    hidden: Rc<Vec<String>>,
}

impl Censor {
    /// Hides the tokens and the addresses of the servers.
    #[must_use]
    pub fn new(servers: &[Server]) -> Self {
        let mut hidden = Vec::new();
        for server in servers {
            hidden.extend(server.token.as_ref().map(|token| token.expose().to_owned()));
            hidden.push(address(server.endpoint.authority()));
        }
        Self {
            hidden: Rc::new(hidden),
        }
    }

    /// Returns a text without the hidden ones, cut after `limit` characters.
    #[must_use]
    pub fn clean(&self, text: &str, limit: usize) -> String {
        // The cut comes last: half a secret would no longer be recognised.
        let text = self.hidden.iter().fold(text.to_owned(), |text, hidden| {
            text.replace(hidden, REMOVED)
        });
        cut(&text, limit)
    }
}

/// Returns what gives a host away. One of a single word, such as `llm`, is an
/// address only within a URL.
fn address(authority: &str) -> String {
    if authority.contains(['.', ':']) {
        authority.to_owned()
    } else {
        format!("://{authority}")
    }
}

/// Returns the first `limit` characters of a text, and a mark if there are more.
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
    use crate::settings::Settings;

    fn censor() -> Censor {
        censor_of("http://10.0.0.7:18789")
    }

    fn censor_of(url: &str) -> Censor {
        let text = format!("{{ tidegate: {{ runtime: {{ url: '{url}', token: 's3cret' }} }} }}");
        let document = Document::parse(&text).unwrap();
        Censor::new(&Settings::read(&document).unwrap().servers)
    }

    #[test]
    fn a_host_of_one_word_is_hidden_only_as_an_address() {
        let text = "llm says: http://llm/v1 is down";
        let expected = "llm says: http[removed]/v1 is down";
        assert_eq!(censor_of("http://llm").clean(text, 1000), expected);
    }

    #[test]
    fn a_hidden_text_is_taken_out_wherever_it_stands() {
        let text = "key s3cret at http://10.0.0.7:18789/v1, s3crets3cret";
        let expected = "key [removed] at http://[removed]/v1, [removed][removed]";
        assert_eq!(censor().clean(text, 1000), expected);
    }

    #[test]
    fn a_cut_shows_no_half_of_a_hidden_text() {
        assert_eq!(censor().clean("key s3cret", 7), "key [re…");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(censor().clean("äöü", 2), "äö…");
        assert_eq!(censor().clean("äöü", 3), "äöü");
    }
}
