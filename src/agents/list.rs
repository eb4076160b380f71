//! The models of `GET /v1/models` and `GET /v1/models/{id}`: every agent is one.

use crate::openai::model::{Model, ModelList};
use crate::rejection::Rejection;

use super::agent_id::AgentId;
use super::model;
use super::selection::Agents;

/// Lists agents as models: the two names of the default agent, if there is one,
/// then `openclaw/<agent>` for each agent, and then the aliases.
#[must_use]
pub fn list(agents: &Agents, ids: &[AgentId]) -> ModelList {
    let names = agents.default().map(|_| ["openclaw", "openclaw/default"]);
    let default = names.into_iter().flatten().map(Model::new);
    let each = ids.iter().map(|id| Model::new(format!("openclaw/{id}")));
    let aliases = agents.aliases().map(Model::new);
    ModelList::new(default.chain(each).chain(aliases).collect())
}

/// Finds the model that the rest of a path names. The id is percent-decoded once
/// and compared exactly.
///
/// # Errors
/// A missing or invalid id, and an unknown model.
pub fn find<'l>(list: &'l ModelList, encoded: &str) -> Result<&'l Model, Rejection> {
    let invalid = |message: &str| Rejection::invalid("model", message);
    let id = decode(encoded).ok_or_else(|| invalid("Invalid model id encoding."))?;
    if id.trim().is_empty() {
        return Err(invalid("Missing model id."));
    }
    match list.data.iter().find(|model| model.id == id) {
        Some(model) => Ok(model),
        None if model::Model::parse(&id).is_some() => Err(Rejection::UnknownModel(id)),
        None => Err(invalid("Invalid model id. Use `openclaw/<agentId>`.")),
    }
}

/// Decodes `%XX` (RFC 3986, section 2.1). Returns `None` for an incomplete escape
/// and for bytes that are not UTF-8.
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

    fn ids(names: &[&str]) -> Vec<String> {
        let agents = names.iter().filter_map(|name| AgentId::parse(name));
        let agents: Vec<_> = agents.collect();
        let list = list(&Agents::new(agents.clone(), None), &agents);
        list.data.into_iter().map(|model| model.id).collect()
    }

    #[test]
    fn the_default_is_first_and_every_agent_follows() {
        assert_eq!(
            ids(&["main", "research"]),
            [
                "openclaw",
                "openclaw/default",
                "openclaw/main",
                "openclaw/research"
            ]
        );
    }

    #[test]
    fn without_a_default_its_names_are_not_listed() {
        assert_eq!(ids(&["a", "b"]), ["openclaw/a", "openclaw/b"]);
    }

    fn find_id(encoded: &str) -> Result<String, String> {
        let names = [AgentId::parse("main").unwrap()];
        let list = list(&Agents::new(names.to_vec(), None), &names);
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
    fn every_other_id_is_rejected_with_the_reason() {
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
            let rejected = find_id(id).unwrap_err();
            assert!(rejected.contains(text), "{id}: {rejected}");
        }
    }

    proptest! {
        #[test]
        fn every_encoded_id_is_decoded(id: String) {
            let encoded: String = id.bytes().map(|byte| format!("%{byte:02x}")).collect();
            prop_assert_eq!(decode(&encoded), Some(id));
        }

        #[test]
        fn any_path_is_a_model_or_rejected_with_the_reason(path in "([a-z%/:0-9 ]|openclaw|\\PC){0,12}") {
            prop_assert!(find_id(&path).map_or_else(|why| !why.is_empty(), |id| !id.is_empty()));
        }
    }
}
