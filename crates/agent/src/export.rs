//! The exported interfaces of a runtime component.

use std::marker::PhantomData;
use std::pin::pin;

use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use futures_util::stream::Stream;
use spin_sdk::wit_bindgen::{FutureReader, StreamReader, StreamWriter, spawn};

use crate::bindings::agent_runtime::exports::tidegate::agent::runtime::Guest;
use crate::bindings::agent_runtime::{wit_future, wit_stream};
use crate::bindings::embedder::exports::tidegate::agent::embeddings;
use crate::joined::{HostClock, joined};
use crate::run::run;
use crate::runtime::{Embeddings, Hold, Runtime};
use crate::step::{Ending, Step};
use crate::task::KeepAwake;
use crate::types::{Agent, EmbeddingsOutcome, EmbeddingsRequest, RunError, RunEvent, RunRequest};

/// Exports a [`Runtime`] from this component, `with embeddings` if it is also an
/// [`Embeddings`].
#[macro_export]
macro_rules! export {
    (@embeddings) => {
        $crate::embedder::export!(Exported with_types_in $crate::embedder);
    };
    ($runtime:ty $(, with $embeddings:ident)?) => {
        mod exports {
            #![expect(unsafe_code, reason = "the generated exports take raw pointers")]

            use super::*;

            type Exported = $crate::export::Exported<$runtime>;

            $crate::agent_runtime::export!(Exported with_types_in $crate::agent_runtime);
            $($crate::export!(@$embeddings);)?
        }
    };
}

/// The exported interface of a runtime.
#[derive(Debug)]
pub struct Exported<R>(PhantomData<R>);

impl<R: Embeddings> embeddings::Guest for Exported<R> {
    async fn embed(request: EmbeddingsRequest) -> Result<EmbeddingsOutcome, RunError> {
        R::embed(request).await
    }
}

impl<R: Runtime + 'static> Guest for Exported<R> {
    async fn run(
        request: RunRequest,
        cancelled: FutureReader<()>,
    ) -> (StreamReader<RunEvent>, FutureReader<Ending>) {
        let (events, reader) = wit_stream::new();
        let (ending, outcome) = wit_future::new(|| Err(failed("the run was abandoned")));
        let keep_awake = KeepAwake::join();
        spawn(async move {
            let steps = joined::<HostClock>(run::<R>(request, Hold::default()));
            let ended = carry_out(steps, events, cancelled).await;
            // An error means that the caller has dropped the future.
            ending.write(ended).await.ok();
            keep_awake.leave();
        });
        (reader, outcome)
    }

    async fn agents(upstream: Option<String>) -> Result<Vec<Agent>, RunError> {
        R::agents(upstream).await
    }
}

/// Carries out a run until it ends or the caller cancels it. The stream has ended when this
/// returns, as the interface requires, and the work has stopped.
async fn carry_out(
    steps: impl Stream<Item = Step>,
    events: StreamWriter<RunEvent>,
    cancelled: FutureReader<()>,
) -> Ending {
    let sending = pin!(send(steps, events));
    let cancelled = pin!(cancelled.into_future());
    match select(sending, cancelled).await {
        Either::Left((ended, _)) => ended,
        Either::Right(((), _)) => Err(failed("the caller cancelled the run")),
    }
}

async fn send(steps: impl Stream<Item = Step>, mut events: StreamWriter<RunEvent>) -> Ending {
    let mut steps = pin!(steps);
    loop {
        match steps.next().await {
            Some(Step::Events(batch)) => {
                if !events.write_all(batch).await.is_empty() {
                    return Err(failed("the caller dropped the stream"));
                }
            }
            Some(Step::Ended(ended)) => return ended,
            None => return Err(failed("the run has no end")),
        }
    }
}

fn failed(why: &str) -> RunError {
    RunError::Failed(why.to_owned())
}
