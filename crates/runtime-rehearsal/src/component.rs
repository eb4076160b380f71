//! The exported runtime: plays a script on the stream with the host's clock.
//!
//! The only file with effects. A caller that is gone is noticed at a write,
//! so a long pause is cut by writes of nothing.

use std::time::Duration;

use spin_sdk::time::sleep;
use spin_sdk::wit_bindgen::{
    FutureReader, FutureWriter, StreamReader, StreamResult, StreamWriter, spawn,
};

use crate::bindings::{exports::tidegate::agent::runtime::Guest, wit_future, wit_stream};
use crate::script::{Ending, Move, Script};
use crate::types::{Agent, RunError, RunEvent, RunOutcome, RunRequest};

/// How long a pause lasts before it is asked whether the caller is still there.
const TICK: Duration = Duration::from_millis(150);

/// The agent that is listed. Every other one is played as well: an empty list
/// would say so, but a gateway with no agents of its own could then list none.
const AGENT: &str = "main";

type Outcome = Result<RunOutcome, RunError>;

struct Rehearsal;

impl Guest for Rehearsal {
    async fn run(request: RunRequest) -> (StreamReader<RunEvent>, FutureReader<Outcome>) {
        let script = Script::new(&request);
        let (events, told) = wit_stream::new();
        let (outcome, ending) = wit_future::new(untold);
        spawn(play(script, events, outcome));
        (told, ending)
    }

    async fn agents() -> Result<Vec<Agent>, RunError> {
        let id = AGENT.to_owned();
        Ok(vec![Agent { id }])
    }
}

/// A future cannot end without a value; this one says that there was none.
fn untold() -> Outcome {
    Err(RunError::Failed(
        "the run ended without an outcome".to_owned(),
    ))
}

/// The caller has dropped the stream.
struct Gone;

async fn play(script: Script, events: StreamWriter<RunEvent>, outcome: FutureWriter<Outcome>) {
    let performed = perform(&script, events).await;
    match (performed, script.ending) {
        // A caller that does not take the ending is gone, and nobody else is told.
        (Ok(()), Ending::Told(ending)) => drop(outcome.write(ending).await),
        (Ok(()), Ending::Untold) | (Err(Gone), _) => drop(outcome),
    }
}

/// Makes the moves of the script; the stream has ended when this returns.
async fn perform(script: &Script, mut events: StreamWriter<RunEvent>) -> Result<(), Gone> {
    for next in script.moves() {
        match next {
            Move::Tell(batch) => tell(&mut events, batch).await?,
            Move::Wait(delay) => wait(&mut events, delay).await?,
        }
    }
    Ok(())
}

async fn tell(events: &mut StreamWriter<RunEvent>, batch: Vec<RunEvent>) -> Result<(), Gone> {
    let untaken = events.write_all(batch).await;
    untaken.is_empty().then_some(()).ok_or(Gone)
}

async fn wait(events: &mut StreamWriter<RunEvent>, delay: Duration) -> Result<(), Gone> {
    let mut rest = delay;
    while rest > TICK {
        sleep(TICK).await;
        rest = rest.saturating_sub(TICK);
        probe(events).await?;
    }
    sleep(rest).await;
    Ok(())
}

/// Writes nothing, which costs nothing and tells whether the caller is there. It
/// may wait until the caller reads:
/// <https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#stream-state>.
/// After [`Gone`] nothing is written again: it would trap.
async fn probe(events: &mut StreamWriter<RunEvent>) -> Result<(), Gone> {
    match events.write(Vec::new()).await.0 {
        StreamResult::Complete(_) | StreamResult::Cancelled => Ok(()),
        StreamResult::Dropped => Err(Gone),
    }
}

mod export {
    #![expect(unsafe_code, reason = "the generated exports take raw pointers")]

    use super::Rehearsal;

    crate::bindings::export!(Rehearsal with_types_in crate::bindings);
}
