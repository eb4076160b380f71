//! Answers: the events of a run and its ending, turned into the bytes that a
//! client reads. All of it is pure.
//!
//! A broken run never looks whole: only an outcome brings a finish reason, and
//! an answer that was promised to call a tool shows nothing before it does.

mod guard;
mod streamed;
mod whole;

pub use streamed::StreamedReply;
pub use whole::WholeReply;

/// How an answer is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// As one JSON document when the run has ended.
    Whole,
    /// As server-sent events while the run goes on.
    Streamed {
        /// Whether the last event tells the usage.
        include_usage: bool,
    },
}

/// Whether the client is shown what the agent thinks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reasoning {
    /// It is, as `reasoning_content`.
    Shown,
    /// It is not.
    #[default]
    Hidden,
}

/// What all parts of an answer have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The id of the run.
    pub id: String,
    /// When the run began, in seconds since 1970.
    pub created: u64,
    /// The model, as the request had it.
    pub model: String,
    /// Whether the agent's thoughts are part of it.
    pub reasoning: Reasoning,
}

#[cfg(test)]
mod tests;
