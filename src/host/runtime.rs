//! Calls of the runtime: linked into this component, or imported.

use std::pin::Pin;

use futures_util::stream::{Stream, StreamExt as _};

use crate::inbound::Holding;
use crate::run::ValidRun;
use crate::runtime::{Agent, RunError, Step};

/// The steps of a run. Dropping it cancels the run.
pub(crate) type Run = Pin<Box<dyn Stream<Item = Step>>>;

/// Starts a run. `holding` is dropped when its request no longer takes memory.
///
/// A pending read is part of the stream and not of the future of its next item, so a
/// caller may stop waiting for a step and wait again later.
pub(crate) fn start(run: ValidRun, holding: Holding) -> Run {
    Box::pin(linked::run(run.into_request(), holding))
}

/// Returns the next step of a run.
pub(crate) async fn next_step(run: &mut Run) -> Step {
    // The steps always have an end; this covers the case that they do not.
    let abandoned = || RunError::Failed("the runtime sent no outcome".to_owned());
    let step = run.next().await;
    step.unwrap_or_else(|| Step::Ended(Err(abandoned())))
}

/// Returns the agents of the runtime.
///
/// # Errors
/// The runtime's error.
pub(crate) async fn agents() -> Result<Vec<Agent>, RunError> {
    linked::agents().await
}

#[cfg(all(feature = "openclaw", feature = "rehearsal"))]
compile_error!("a component has one runtime: enable `openclaw` or `rehearsal`");

#[cfg(any(feature = "openclaw", feature = "rehearsal"))]
mod linked {
    use futures_util::stream::Stream;
    use tidegate_agent::joined::HostClock;
    use tidegate_agent::{Hold, Runtime, joined};

    #[cfg(feature = "openclaw")]
    use runtime_openclaw::OpenClaw as Linked;
    #[cfg(feature = "rehearsal")]
    use runtime_rehearsal::Rehearsal as Linked;

    use crate::inbound::Holding;
    use crate::runtime::{Agent, RunError, RunRequest, Step};

    pub(super) fn run(request: RunRequest, holding: Holding) -> impl Stream<Item = Step> {
        let run = tidegate_agent::run::<Linked>(request, Hold::of(holding));
        joined::<HostClock>(run)
    }

    pub(super) async fn agents() -> Result<Vec<Agent>, RunError> {
        Linked::agents().await
    }
}

#[cfg(not(any(feature = "openclaw", feature = "rehearsal")))]
mod linked {
    use futures_util::stream::{Stream, StreamExt as _};
    use tidegate_agent::{ImportedRun, imported};

    use crate::inbound::Holding;
    use crate::runtime::{Agent, RunError, RunRequest, Step};

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

    pub(super) async fn agents() -> Result<Vec<Agent>, RunError> {
        runtime::agents().await
    }
}
