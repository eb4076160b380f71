//! An agent runtime of one's own: a parrot, which says again what it heard.

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
    /// Returns at once; what can go wrong is told by the future.
    async fn run(request: RunRequest) -> (StreamReader<RunEvent>, FutureReader<Outcome>) {
        let (events, told) = wit_stream::new();
        let (outcome, ended) = wit_future::new(|| Err(RunError::Failed("abandoned".to_owned())));
        wit_bindgen::spawn(async move {
            let ending = carry_out(&request, events).await;
            // A caller that does not wait for the ending has left.
            drop(outcome.write(ending).await);
        });
        (told, ended)
    }

    async fn agents() -> Result<Vec<Agent>, RunError> {
        let id = "parrot".to_owned();
        Ok(vec![Agent { id }])
    }
}

/// Says every word as an event. The stream ends when this returns, before the
/// future tells how.
async fn carry_out(request: &RunRequest, mut events: StreamWriter<RunEvent>) -> Outcome {
    if request.agent != "parrot" {
        return Err(RunError::UnknownAgent);
    }
    let heard = request.messages.iter().rev().find_map(said_by_user);
    let heard = heard.ok_or_else(|| nothing_heard("Say something in words."))?;
    for word in heard.split_inclusive(' ') {
        let event = RunEvent::Text(word.to_owned());
        // What is not taken was written to a caller that has left: stop working.
        if !events.write_all(vec![event]).await.is_empty() {
            return Err(RunError::Failed("the caller has left".to_owned()));
        }
    }
    Ok(RunOutcome {
        stop_reason: StopReason::EndTurn,
        usage: None,
    })
}

fn said_by_user(message: &Message) -> Option<String> {
    let texts = message.content.iter().filter_map(|part| match part {
        ContentPart::Text(text) => Some(text.as_str()),
        ContentPart::Image(_) | ContentPart::ImageUrl(_) => None,
    });
    let text = texts.collect::<Vec<_>>().join(" ");
    (matches!(message.role, Role::User) && !text.is_empty()).then_some(text)
}

/// A refusal that the client reads: it is about the client's own request.
fn nothing_heard(message: &str) -> RunError {
    RunError::Invalid(InvalidRequest {
        kind: InvalidKind::Malformed,
        message: message.to_owned(),
        param: Some("messages".to_owned()),
        code: None,
    })
}
