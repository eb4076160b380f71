//! Values for tests.

use crate::types::{
    Continuity, RunEvent, RunOutcome, RunRequest, Sampling, StopReason, ToolChoice,
};

/// A request without content.
pub(crate) fn request(agent: &str) -> RunRequest {
    RunRequest {
        run_id: "chatcmpl_1".to_owned(),
        agent: agent.to_owned(),
        session: "s".to_owned(),
        continuity: Continuity::Fresh,
        messages: Vec::new(),
        tools: Vec::new(),
        tool_choice: ToolChoice::Auto,
        parallel_tool_calls: None,
        sampling: Sampling {
            temperature: None,
            top_p: None,
            frequency_penalty: None,
            presence_penalty: None,
            seed: None,
            stop: Vec::new(),
            max_tokens: None,
        },
        response_format: None,
        reasoning_effort: None,
        model: None,
        channel: None,
        traceparent: None,
    }
}

/// An event of text.
pub(crate) fn text(text: &str) -> RunEvent {
    RunEvent::Text(text.to_owned())
}

/// The outcome of a run that succeeded.
pub(crate) fn outcome() -> RunOutcome {
    RunOutcome {
        stop_reason: StopReason::EndTurn,
        usage: None,
    }
}
