//! The exported runtime: plays a script on the stream with the host's clock.
//!
//! This is the only file with effects. A write reveals whether the caller has dropped the
//! stream, so a long delay is interrupted by empty writes.

use std::time::Duration;

use spin_sdk::time::sleep;
use spin_sdk::wit_bindgen::{
    FutureReader, FutureWriter, StreamReader, StreamResult, StreamWriter, spawn,
};

use crate::bindings::{exports::tidegate::agent::runtime::Guest, wit_future, wit_stream};
use crate::script::{DelayedEvents, Ending, Script};
use crate::types::{Agent, RunError, RunEvent, RunOutcome, RunRequest};

/// The longest delay without a check that the caller still reads.
const TICK: Duration = Duration::from_millis(150);

/// The listed agent. Every other id is accepted as well. An empty list would say so, but a
/// gateway without configured agents would then have no models.
const AGENT: &str = "main";

type Outcome = Result<RunOutcome, RunError>;

struct Rehearsal;

impl Guest for Rehearsal {
    async fn run(request: RunRequest) -> (StreamReader<RunEvent>, FutureReader<Outcome>) {
        let script = Script::new(&request);
        let (writer, events) = wit_stream::new();
        let (ending, outcome) = wit_future::new(no_outcome);
        spawn(play(script, writer, ending));
        (events, outcome)
    }

    async fn agents() -> Result<Vec<Agent>, RunError> {
        let id = AGENT.to_owned();
        Ok(vec![Agent { id }])
    }
}

/// The value of a future that is dropped without a value.
fn no_outcome() -> Outcome {
    Err(RunError::Failed(
        "the run ended without an outcome".to_owned(),
    ))
}

/// The caller has dropped the stream.
struct Disconnected;

async fn play(script: Script, events: StreamWriter<RunEvent>, outcome: FutureWriter<Outcome>) {
    let sent = send_all(&script, events).await;
    match (sent, script.ending) {
        // An error means that the caller has dropped the future, too.
        (Ok(()), Ending::Outcome(result)) => drop(outcome.write(result).await),
        (Ok(()), Ending::NoOutcome) | (Err(Disconnected), _) => drop(outcome),
    }
}

/// Sends the events of the script. The stream has ended when this returns.
async fn send_all(script: &Script, mut events: StreamWriter<RunEvent>) -> Result<(), Disconnected> {
    for DelayedEvents { delay, batch } in script.events() {
        wait(&mut events, delay).await?;
        send(&mut events, batch).await?;
    }
    wait(&mut events, script.final_delay()).await
}

async fn send(
    events: &mut StreamWriter<RunEvent>,
    batch: Vec<RunEvent>,
) -> Result<(), Disconnected> {
    let unsent = events.write_all(batch).await;
    unsent.is_empty().then_some(()).ok_or(Disconnected)
}

async fn wait(events: &mut StreamWriter<RunEvent>, delay: Duration) -> Result<(), Disconnected> {
    if delay.is_zero() {
        return Ok(());
    }
    let mut rest = delay;
    while rest > TICK {
        sleep(TICK).await;
        rest = rest.saturating_sub(TICK);
        probe(events).await?;
    }
    sleep(rest).await;
    Ok(())
}

/// Checks with an empty write whether the caller still has the stream. The write may wait
/// until the caller reads:
/// <https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#stream-state>.
/// After [`Disconnected`], another write would trap.
async fn probe(events: &mut StreamWriter<RunEvent>) -> Result<(), Disconnected> {
    match events.write(Vec::new()).await.0 {
        StreamResult::Complete(_) | StreamResult::Cancelled => Ok(()),
        StreamResult::Dropped => Err(Disconnected),
    }
}

mod export {
    #![expect(unsafe_code, reason = "the generated exports take raw pointers")]

    use super::Rehearsal;

    crate::bindings::export!(Rehearsal with_types_in crate::bindings);
}
