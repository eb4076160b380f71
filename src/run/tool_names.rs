//! The names under which the runtime knows the tools of a client.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A tool as the client named it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientTool {
    /// Its name.
    pub name: String,
    /// The namespace that it is in, if any.
    pub namespace: Option<String>,
    /// What its calls have.
    pub kind: ToolKind,
}

/// What the calls of a tool have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToolKind {
    /// JSON arguments.
    Function,
    /// A text. The runtime knows the tool as a function with one text, [`CUSTOM_INPUT`].
    Custom,
}

/// The argument that has the text of a custom tool's call.
pub const CUSTOM_INPUT: &str = "input";

/// The tools of a request by the names that the runtime knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolNames(BTreeMap<String, ClientTool>);

impl ToolNames {
    /// Adds a tool under the name that the runtime knows.
    pub fn add(&mut self, offered: String, tool: ClientTool) {
        self.0.insert(offered, tool);
    }

    /// Returns the client's tool. A name that the client did not offer is a function's.
    #[must_use]
    pub fn of(&self, offered: &str) -> ClientTool {
        let unknown = || ClientTool {
            name: offered.to_owned(),
            namespace: None,
            kind: ToolKind::Function,
        };
        self.0.get(offered).cloned().unwrap_or_else(unknown)
    }
}
