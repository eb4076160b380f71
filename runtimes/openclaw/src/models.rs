//! The upstream's `GET /v1/models`, as the agents that can be asked for.

use serde::Deserialize;

use crate::types::{Agent, RunError};

/// The largest list that is read, in bytes: some thousand agents.
pub const LIST_LIMIT: usize = 1024 * 1024;

/// What stands before an agent's name in the name of a model.
pub const MODEL_PREFIX: &str = "openclaw/";

/// OpenClaw's name for whichever agent is the default one. It is listed even
/// where several agents make it unusable.
const DEFAULT_ALIAS: &str = "default";

#[derive(Deserialize)]
struct List {
    data: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
}

/// Reads the list of models. One without any agent, as other servers have it,
/// is an empty list of agents.
///
/// # Errors
/// The body is no list of models.
pub fn parse_agents(body: &[u8]) -> Result<Vec<Agent>, RunError> {
    let list: List = serde_json::from_slice(body)
        .map_err(|_| RunError::Failed("the server's list of models cannot be read".to_owned()))?;
    let agents = list.data.iter().filter_map(|model| {
        let agent = model.id.strip_prefix(MODEL_PREFIX)?;
        (agent != DEFAULT_ALIAS).then(|| Agent {
            id: agent.to_owned(),
        })
    });
    Ok(agents.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(body: &str) -> Vec<String> {
        let agents = parse_agents(body.as_bytes()).unwrap();
        agents.into_iter().map(|agent| agent.id).collect()
    }

    #[test]
    fn agents_are_listed_without_their_aliases() {
        let body = r#"{"object":"list","data":[
            {"id":"openclaw","object":"model","created":0,"owned_by":"openclaw","permission":[]},
            {"id":"openclaw/default","object":"model"},
            {"id":"openclaw/main","object":"model"},
            {"id":"openclaw/research","object":"model"}]}"#;
        assert_eq!(ids(body), ["main", "research"]);
    }

    #[test]
    fn a_server_without_agents_lists_none() {
        let none = [""; 0];
        assert_eq!(ids(r#"{"data":[{"id":"llama3:8b"},{"id":"gpt"}]}"#), none);
        assert_eq!(ids(r#"{"data":[]}"#), none);
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        for body in ["", "{}", "[]", r#"{"data":null}"#, r#"{"data":[{}]}"#] {
            assert!(parse_agents(body.as_bytes()).is_err(), "{body}");
        }
    }
}
