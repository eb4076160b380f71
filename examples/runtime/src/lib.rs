//! A minimal agent runtime: a parrot that repeats the message.

use tidegate_agent::types::{
    Agent, ContentPart, InvalidKind, InvalidRequest, Message, Role, RunError, RunEvent, RunOutcome,
    RunRequest, StopReason,
};
use tidegate_agent::{Ending, EventSink, Runtime};

struct Parrot;

tidegate_agent::export!(Parrot);

impl Runtime for Parrot {
    /// Sends every word as an event. If the caller cancels the run, this future is dropped.
    async fn run(request: RunRequest, mut events: EventSink) -> Ending {
        if request.agent != "parrot" {
            return Err(RunError::UnknownAgent);
        }
        let found = request.messages.iter().rev().find_map(user_text);
        let text = found.ok_or_else(|| invalid("Send a message with text."))?;
        for word in text.split_inclusive(' ') {
            events.send(vec![RunEvent::Text(word.to_owned())]).await;
        }
        Ok(RunOutcome {
            stop_reason: StopReason::EndTurn,
            usage: None,
        })
    }

    async fn agents(_upstream: Option<String>) -> Result<Vec<Agent>, RunError> {
        let id = "parrot".to_owned();
        Ok(vec![Agent { id }])
    }
}

fn user_text(message: &Message) -> Option<String> {
    let texts = message.content.iter().filter_map(|part| match part {
        ContentPart::Text(text) => Some(text.as_str()),
        ContentPart::Image(_) | ContentPart::ImageUrl(_) => None,
    });
    let text = texts.collect::<Vec<_>>().join(" ");
    (matches!(message.role, Role::User) && !text.is_empty()).then_some(text)
}

/// Makes an error about the client's request, which the client reads.
fn invalid(message: &str) -> RunError {
    RunError::Invalid(InvalidRequest {
        kind: InvalidKind::Malformed,
        message: message.to_owned(),
        param: Some("messages".to_owned()),
        code: None,
    })
}
