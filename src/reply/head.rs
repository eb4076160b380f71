//! The members that all chunks of a chat completion have in common.

/// Whether clients see the agent's reasoning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reasoning {
    /// As `reasoning_content`, or as items of the output.
    Shown,
    /// Never.
    #[default]
    Hidden,
}

/// The head of a chat completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The id of the run.
    pub id: String,
    /// The time at which the run began, in seconds since 1970.
    pub created: u64,
    /// The `model` of the request.
    pub model: String,
    /// Whether the reply shows the agent's reasoning.
    pub reasoning: Reasoning,
}
