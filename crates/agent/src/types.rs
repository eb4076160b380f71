//! The types of `tidegate:agent`, generated from `wit/types.wit`.

pub use crate::bindings::agent_runtime::tidegate::agent::types::{
    Agent, Authority, ContentPart, Continuity, EmbeddingsOutcome, EmbeddingsRequest, Image,
    InvalidKind, InvalidRequest, Message, ResponseFormat, Role, RunError, RunEvent, RunOutcome,
    RunRequest, Sampling, StopReason, Tool, ToolArgumentsDelta, ToolCall, ToolCallStart,
    ToolChoice, Usage,
};

/// The generated module, for the bindings of a gateway.
pub use crate::bindings::agent_runtime::tidegate::agent::types as generated;

impl Message {
    /// Makes a message without calls.
    #[must_use]
    pub fn new(role: Role, content: Vec<ContentPart>) -> Self {
        Self {
            role,
            content,
            tool_calls: Vec::new(),
            tool_call_id: None,
            name: None,
        }
    }

    /// Returns whether the message is an instruction of the application, and not part
    /// of the conversation.
    #[must_use]
    pub fn is_instruction(&self) -> bool {
        match self.role {
            Role::System | Role::Developer => true,
            Role::User | Role::Assistant | Role::Tool => false,
        }
    }
}

impl Default for Sampling {
    /// Returns no parameters: the model's own apply.
    fn default() -> Self {
        Self {
            temperature: None,
            top_p: None,
            frequency_penalty: None,
            presence_penalty: None,
            seed: None,
            stop: Vec::new(),
            max_tokens: None,
        }
    }
}

impl RunError {
    /// Returns the error of a runtime that has been silent for too long.
    #[must_use]
    pub fn silent() -> Self {
        Self::TimedOut("the runtime was silent for too long".to_owned())
    }

    /// Returns the error of a runtime that has no embeddings.
    #[must_use]
    pub fn no_embeddings() -> Self {
        Self::Invalid(InvalidRequest {
            kind: InvalidKind::NotFound,
            message: "The agent runtime has no embeddings.".to_owned(),
            param: None,
            code: Some("unknown_url".to_owned()),
        })
    }
}

impl RunEvent {
    /// Returns whether a client sees the event. An empty text only says that the run has
    /// begun.
    #[must_use]
    pub fn is_visible(&self) -> bool {
        !matches!(self, Self::Text(text) if text.is_empty())
    }

    /// Returns the size of the event's texts, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Text(text) | Self::Reasoning(text) => text.len(),
            Self::ToolCall(call) => call.id.len() + call.name.len(),
            Self::ToolArguments(delta) => delta.json.len(),
        }
    }
}
