//! What a reply depends on besides the run's events: its API, and what it repeats.

use uuid::Uuid;

use crate::openai::responses::Echo;

use super::tool_names::ToolNames;

/// The form of a reply.
#[derive(Debug, Default)]
pub enum ReplyForm {
    /// A chat completion.
    #[default]
    Completion,
    /// A response.
    Response(Box<ResponseForm>),
}

/// The form of a response.
#[derive(Debug)]
pub struct ResponseForm {
    /// The id of the response.
    pub id: String,
    /// The id of the run.
    pub run: Uuid,
    /// What the response repeats of its request.
    pub echo: Echo,
    /// The tools, by the names that the runtime knows.
    pub names: ToolNames,
    /// Whether the run goes on without its client.
    pub background: bool,
    /// Whether the client can get the response again, if it says so.
    pub store: Option<bool>,
    /// Whether the client is Codex, which repeats a request after most errors.
    pub client: Client,
}

/// A client with rules of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// Codex CLI.
    Codex,
    /// Any other one.
    Other,
}
