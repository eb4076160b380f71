//! Calls of the runtime: linked into this component, or imported.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use futures_util::stream::{Stream, StreamExt as _};
use tidegate_agent::timeout::within;

use crate::delivery::Step;
use crate::inbound::Holding;
use crate::run::{ValidEmbeddings, ValidRun};
use crate::runtime::{Agent, EmbeddingsOutcome, RunError, Step as RunStep};

use super::follower::Follower;
use super::keeper::Cancel;
use super::places::{Place, seconds};
use super::recorder::Recorder;

/// How long the list of agents may take. It is longer than the limits of the runtimes.
const LIST_TIME: Duration = Duration::from_mins(2);

/// How long embeddings may take. It is longer than the limits of the runtimes.
const EMBED_TIME: Duration = Duration::from_mins(5);

/// A run in progress. Dropping it cancels the run.
pub(crate) struct Run {
    source: Source,
    recorder: Option<Recorder>,
    /// Dropped after the steps: the run has its place until it has stopped.
    pub(crate) place: Place,
}

/// Where the steps come from.
enum Source {
    /// The runtime.
    Runtime(Pin<Box<dyn Stream<Item = RunStep>>>),
    /// The log of a run.
    Log(Box<Follower>),
}

impl Run {
    /// Starts a run that has a log, or none. `holding` is the memory of its request.
    ///
    /// A pending read is part of the stream and not of the future of its next item, so a
    /// caller may stop waiting for a step and wait again later.
    pub(crate) fn start(
        run: ValidRun,
        recorder: Option<Recorder>,
        holding: Holding,
        place: Place,
    ) -> Self {
        Self {
            source: Source::Runtime(Box::pin(linked::run(run.into_request(), holding))),
            recorder,
            place,
        }
    }

    /// Follows the log of a run. Dropping it does not cancel that run.
    pub(crate) fn follow(follower: Follower, place: Place) -> Self {
        Self {
            source: Source::Log(Box::new(follower)),
            recorder: None,
            place,
        }
    }

    /// Returns whether the run has a log.
    pub(crate) fn has_log(&self) -> bool {
        self.recorder.is_some()
    }

    /// Returns how long the run goes on without a client, if it does.
    pub(crate) fn longest(&self) -> Option<Duration> {
        self.recorder.as_ref()?.longest()
    }

    /// Returns when the run ended, in seconds since 1970: what its log says, else now.
    pub(crate) fn ended_at(&self) -> u64 {
        let logged = match &self.source {
            Source::Log(follower) => follower.ended_at(),
            Source::Runtime(_) => self.recorder.as_ref().and_then(Recorder::ended_at),
        };
        logged.unwrap_or_else(seconds)
    }

    /// Adds a step to the log that does not come from the run itself.
    pub(crate) fn record(&mut self, step: &Step) {
        if let Some(recorder) = &mut self.recorder {
            recorder.add(step);
        }
    }

    /// Sets the function that is called when the run is to be cancelled. It is made only for a
    /// run with a log.
    pub(crate) fn on_cancel(&self, cancel: impl FnOnce() -> Cancel) {
        if let Some(recorder) = &self.recorder {
            recorder.on_cancel(cancel());
        }
    }

    /// Returns the next step.
    pub(crate) async fn next_step(&mut self) -> Step {
        let Self {
            source,
            recorder,
            place,
        } = self;
        match source {
            Source::Log(follower) => place.while_held(follower.next_step()).await,
            Source::Runtime(steps) => {
                let next = poll_fn(|context| {
                    if let Some(recorder) = recorder {
                        recorder.poll(context);
                    }
                    steps.poll_next_unpin(context)
                });
                // The steps always have an end; this covers the case that they do not.
                let abandoned = || RunError::Failed("the runtime sent no outcome".to_owned());
                let step = place.while_held(next).await;
                let step = step
                    .unwrap_or_else(|| RunStep::Ended(Err(abandoned())))
                    .into();
                if let Some(recorder) = recorder {
                    recorder.add(&step);
                }
                step
            }
        }
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
