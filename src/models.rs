//! `GET /v1/models/{id}`: which model a path names.

use crate::agent;
use crate::openai::model::{Model, ModelList};
use crate::rejection::Rejection;

/// Finds the model that the rest of a path names. It is percent-decoded once
/// and compared exactly.
///
/// # Errors
/// A missing id, one that is badly encoded or in none of the forms of a model,
/// and a model that does not exist.
pub fn find<'l>(list: &'l ModelList, encoded: &str) -> Result<&'l Model, Rejection> {
    let invalid = |message: &str| Rejection::invalid("model", message);
    let id = decode(encoded).ok_or_else(|| invalid("Invalid model id encoding."))?;
    if id.trim().is_empty() {
        return Err(invalid("Missing model id."));
    }
    match list.find(&id) {
        Some(model) => Ok(model),
        None if agent::is_model(&id) => Err(Rejection::UnknownModel(id)),
        None => Err(invalid("Invalid model id. Use `openclaw/<agentId>`.")),
    }
}

/// Decodes `%XX` (RFC 3986, section 2.1); none if an escape is cut off or the
/// bytes are not UTF-8.
fn decode(encoded: &str) -> Option<String> {
    let mut bytes = encoded.bytes();
    let mut decoded = Vec::with_capacity(encoded.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex_digit(bytes.next()?)? << 4 | hex_digit(bytes.next()?)?,
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

fn hex_digit(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::agent::{AgentId, Agents};

    fn find_id(encoded: &str) -> Result<String, String> {
        let names = [AgentId::parse("main").unwrap()];
        let list = ModelList::of(&Agents::new(names.to_vec(), None), &names);
        let found = find(&list, encoded).map(|model| model.id.clone());
        found.map_err(|rejection| rejection.to_string())
    }

    #[test]
    fn an_id_is_decoded_once_and_compared_exactly() {
        for id in [
            "openclaw",
            "openclaw/main",
            "openclaw%2Fmain",
            "openclaw%2fdefault",
        ] {
            assert!(find_id(id).is_ok(), "{id}");
        }
    }

    #[test]
    fn every_other_id_is_told_what_is_wrong_with_it() {
        for (id, text) in [
            ("", "Missing"),
            ("%20", "Missing"),
            ("openclaw%2", "encoding"),
            ("openclaw%zz", "encoding"),
            ("%ff", "encoding"),
            ("openclaw%252Fmain", "Invalid model id."),
            ("openclaw/", "Invalid model id."),
            ("gpt-4o", "Invalid model id."),
            ("openclaw:main", "not found"),
            ("OpenClaw", "not found"),
            ("openclaw/nope", "not found"),
        ] {
            let refused = find_id(id).unwrap_err();
            assert!(refused.contains(text), "{id}: {refused}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_encoded_is_decoded(id: String) {
            let encoded: String = id.bytes().map(|byte| format!("%{byte:02x}")).collect();
            prop_assert_eq!(decode(&encoded), Some(id));
        }

        #[test]
        fn any_path_is_a_model_or_told_why_not(path in "([a-z%/:0-9 ]|openclaw|\\PC){0,12}") {
            prop_assert!(find_id(&path).map_or_else(|why| !why.is_empty(), |id| !id.is_empty()));
        }
    }
}
