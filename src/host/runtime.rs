//! Calls of the runtime: linked into this component, or imported.

use std::pin::Pin;
use std::time::Duration;

use futures_util::stream::{Stream, StreamExt as _};
use tidegate_agent::timeout::within;

use crate::inbound::Holding;
use crate::run::{ValidEmbeddings, ValidRun};
use crate::runtime::{Agent, EmbeddingsOutcome, RunError, Step};

use super::places::Place;

/// How long the list of agents may take. It is longer than the limits of the runtimes.
const LIST_TIME: Duration = Duration::from_mins(2);

/// How long embeddings may take. It is longer than the limits of the runtimes.
const EMBED_TIME: Duration = Duration::from_mins(5);

/// A run in progress. Dropping it cancels the run.
pub(crate) struct Run {
    steps: Pin<Box<dyn Stream<Item = Step>>>,
    /// Dropped after the steps: the run has its place until it has stopped.
    pub(crate) place: Place,
}

impl Run {
    /// Starts a run. `holding` is the memory of its request.
    ///
    /// A pending read is part of the stream and not of the future of its next item, so a
    /// caller may stop waiting for a step and wait again later.
    pub(crate) fn start(run: ValidRun, holding: Holding, place: Place) -> Self {
        Self {
            steps: Box::pin(linked::run(run.into_request(), holding)),
            place,
        }
    }

    /// Returns the next step.
    pub(crate) async fn next_step(&mut self) -> Step {
        // The steps always have an end; this covers the case that they do not.
        let abandoned = || RunError::Failed("the runtime sent no outcome".to_owned());
        let step = self.place.while_held(self.steps.next()).await;
        step.unwrap_or_else(|| Step::Ended(Err(abandoned())))
    }
}

/// Returns the agents of an upstream of the runtime.
///
/// # Errors
/// The runtime's error, and a runtime that does not answer within two minutes.
pub(crate) async fn agents(upstream: Option<String>) -> Result<Vec<Agent>, RunError> {
    let agents = within(LIST_TIME, linked::agents(upstream)).await;
    agents.unwrap_or_else(|| Err(RunError::silent()))
}

/// Returns the embeddings of the runtime.
///
/// # Errors
/// The runtime's error, a runtime without embeddings, and one that does not answer within five
/// minutes.
pub(crate) async fn embed(valid: ValidEmbeddings) -> Result<EmbeddingsOutcome, RunError> {
    let embeddings = within(EMBED_TIME, linked::embed(valid.into_request())).await;
    embeddings.unwrap_or_else(|| Err(RunError::silent()))
}

#[cfg(all(feature = "openclaw", feature = "rehearsal"))]
compile_error!("a component has one runtime: enable `openclaw` or `rehearsal`");

#[cfg(any(feature = "openclaw", feature = "rehearsal"))]
mod linked {
    use futures_util::stream::Stream;
    use tidegate_agent::joined::HostClock;
    use tidegate_agent::{Embeddings, Hold, Runtime, joined};

    #[cfg(feature = "openclaw")]
    use runtime_openclaw::OpenClaw as Linked;
    #[cfg(feature = "rehearsal")]
    use runtime_rehearsal::Rehearsal as Linked;

    use crate::inbound::Holding;
    use crate::runtime::{Agent, EmbeddingsOutcome, EmbeddingsRequest, RunError, RunRequest, Step};

    pub(super) fn run(request: RunRequest, holding: Holding) -> impl Stream<Item = Step> {
        let run = tidegate_agent::run::<Linked>(request, Hold::of(holding));
        joined::<HostClock>(run)
    }

    pub(super) async fn agents(upstream: Option<String>) -> Result<Vec<Agent>, RunError> {
        Linked::agents(upstream).await
    }

    pub(super) async fn embed(request: EmbeddingsRequest) -> Result<EmbeddingsOutcome, RunError> {
        Linked::embed(request).await
    }
}

#[cfg(not(any(feature = "openclaw", feature = "rehearsal")))]
mod linked {
    use futures_util::stream::{Stream, StreamExt as _};
    use tidegate_agent::{ImportedRun, imported};

    use crate::inbound::Holding;
    use crate::runtime::{Agent, EmbeddingsOutcome, EmbeddingsRequest, RunError, RunRequest, Step};

    use bindings::tidegate::agent::runtime;
    use bindings::wit_future;

    #[allow(
        unreachable_pub,
        clippy::allow_attributes_without_reason,
        reason = "generated code, documented in wit/"
    )]
    mod bindings {
        spin_sdk::wit_bindgen::generate!({
            world: "gateway",
            path: "wit",
            runtime_path: "spin_sdk::wit_bindgen::rt",
            with: { "tidegate:agent/types@0.1.0": tidegate_agent::types::generated },
            generate_all,
        });
    }

    /// The runtime has joined the events already. Its component has a copy of the request
    /// in its own memory, at the latest until its first event.
    pub(super) fn run(request: RunRequest, holding: Holding) -> impl Stream<Item = Step> {
        let steps = imported(async {
            let (cancel, cancelled) = wit_future::new(|| ());
            let (events, outcome) = runtime::run(request, cancelled).await;
            ImportedRun {
                cancel,
                events,
                outcome,
            }
        });
        let mut holding = Some(holding);
        steps.inspect(move |_| drop(holding.take()))
    }

    pub(super) async fn agents(upstream: Option<String>) -> Result<Vec<Agent>, RunError> {
        runtime::agents(upstream).await
    }

    #[cfg(feature = "embeddings")]
    pub(super) async fn embed(request: EmbeddingsRequest) -> Result<EmbeddingsOutcome, RunError> {
        embedder::tidegate::agent::embeddings::embed(request).await
    }

    /// This gateway fits every runtime, so it does not import embeddings.
    #[cfg(not(feature = "embeddings"))]
    pub(super) async fn embed(_request: EmbeddingsRequest) -> Result<EmbeddingsOutcome, RunError> {
        Err(RunError::no_embeddings())
    }

    #[cfg(feature = "embeddings")]
    #[allow(
        unreachable_pub,
        clippy::allow_attributes_without_reason,
        reason = "generated code, documented in wit/"
    )]
    mod embedder {
        spin_sdk::wit_bindgen::generate!({
            inline: "
                package tidegate:embedded;
                world embedded {
                    import tidegate:agent/embeddings@0.1.0;
                }
            ",
            path: "wit",
            runtime_path: "spin_sdk::wit_bindgen::rt",
            with: { "tidegate:agent/types@0.1.0": tidegate_agent::types::generated },
            generate_all,
        });
    }
}
