//! Values for the tests of runtimes and gateways.

use crate::types::{
    Authority, ContentPart, Continuity, Message, Role, RunEvent, RunOutcome, RunRequest, Sampling,
    StopReason, ToolChoice,
};

/// Returns a request with these messages and no options.
#[must_use]
pub fn request(messages: Vec<Message>) -> RunRequest {
    RunRequest {
        run_id: "chatcmpl_0191e0c8-5a4b-7c3d-8e9f-a1b2c3d4e5f6".to_owned(),
        agent: "main".to_owned(),
        upstream: None,
        authority: Authority::Owner,
        session: "agent:main:openai:1".to_owned(),
        continuity: Continuity::Fresh,
        messages,
        tools: Vec::new(),
        tool_choice: ToolChoice::Auto,
        parallel_tool_calls: None,
        sampling: Sampling::default(),
        response_format: None,
        reasoning_effort: None,
        model: None,
        channel: None,
        traceparent: None,
    }
}

/// Returns a message of these text parts.
#[must_use]
pub fn message(role: Role, texts: &[&str]) -> Message {
    let text = |text: &&str| ContentPart::Text((*text).to_owned());
    Message {
        role,
        content: texts.iter().map(text).collect(),
        tool_calls: Vec::new(),
        tool_call_id: None,
        name: None,
    }
}

/// Returns an event of text.
#[must_use]
pub fn text(text: &str) -> RunEvent {
    RunEvent::Text(text.to_owned())
}

/// Returns the outcome of a run that succeeded.
#[must_use]
pub fn outcome() -> RunOutcome {
    RunOutcome {
        stop_reason: StopReason::EndTurn,
        usage: None,
    }
}
