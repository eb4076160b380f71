//! The runtime: plays a script with the host's clock.
//!
//! This is the only file with effects.

use std::time::Duration;

use spin_sdk::time::sleep;
use tidegate_agent::{Embeddings, Ending as RunEnding, EventSink, Runtime};

use crate::embeddings::embed;
use crate::script::{DelayedEvents, Ending, Script};
use crate::types::{Agent, EmbeddingsOutcome, EmbeddingsRequest, RunError, RunRequest};

/// The listed agent. Every other id is accepted as well. An empty list would say so, but a
/// gateway without configured agents would then have no models.
const AGENT: &str = "main";

/// The scripted runtime.
#[derive(Debug)]
pub struct Rehearsal;

impl Runtime for Rehearsal {
    async fn run(request: RunRequest, mut events: EventSink) -> RunEnding {
        let script = Script::new(&request);
        for DelayedEvents { delay, batch } in script.events() {
            wait(delay).await;
            events.send(batch).await;
        }
        wait(script.final_delay()).await;
        match script.ending {
            Ending::Outcome(result) => result,
            Ending::NoOutcome => Err(RunError::Failed(
                "the run ended without an outcome".to_owned(),
            )),
        }
    }

    /// All upstreams are the same script.
    async fn agents(_upstream: Option<String>) -> Result<Vec<Agent>, RunError> {
        let id = AGENT.to_owned();
        Ok(vec![Agent { id }])
    }
}

impl Embeddings for Rehearsal {
    async fn embed(request: EmbeddingsRequest) -> Result<EmbeddingsOutcome, RunError> {
        embed(&request)
    }
}

async fn wait(delay: Duration) {
    if !delay.is_zero() {
        sleep(delay).await;
    }
}
