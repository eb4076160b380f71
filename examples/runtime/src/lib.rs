//! A minimal agent runtime: a parrot that repeats the message.

use wit_bindgen::{FutureReader, StreamReader, StreamWriter};

use exports::tidegate::agent::runtime::{
    Agent, ContentPart, Guest, InvalidKind, InvalidRequest, Message, Role, RunError, RunEvent,
    RunOutcome, RunRequest, StopReason,
};

wit_bindgen::generate!({ world: "agent-runtime", path: "../../wit", generate_all });

struct Parrot;

export!(Parrot);

type Outcome = Result<RunOutcome, RunError>;

impl Guest for Parrot {
    /// Returns immediately. All errors arrive on the future.
    async fn run(request: RunRequest) -> (StreamReader<RunEvent>, FutureReader<Outcome>) {
        let (writer, events) = wit_stream::new();
        let (ending, outcome) = wit_future::new(|| Err(RunError::Failed("abandoned".to_owned())));
        wit_bindgen::spawn(async move {
            let result = carry_out(&request, writer).await;
            // An error means that the caller has dropped the future.
            drop(ending.write(result).await);
        });
        (events, outcome)
    }

    async fn agents() -> Result<Vec<Agent>, RunError> {
        let id = "parrot".to_owned();
        Ok(vec![Agent { id }])
    }
}

/// Sends every word as an event. The stream ends when this returns, before the future
/// resolves.
async fn carry_out(request: &RunRequest, mut events: StreamWriter<RunEvent>) -> Outcome {
    if request.agent != "parrot" {
        return Err(RunError::UnknownAgent);
    }
    let found = request.messages.iter().rev().find_map(user_text);
    let text = found.ok_or_else(|| invalid("Send a message with text."))?;
    for word in text.split_inclusive(' ') {
        let event = RunEvent::Text(word.to_owned());
        // Unsent events mean that the caller has dropped the stream: stop the work.
        if !events.write_all(vec![event]).await.is_empty() {
            return Err(RunError::Failed("the caller disconnected".to_owned()));
        }
    }
    Ok(RunOutcome {
        stop_reason: StopReason::EndTurn,
        usage: None,
    })
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
