//! The exported interface: runs, and the list of agents.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use spin_sdk::wasip3::spawn;
use spin_sdk::wit_bindgen::{FutureReader, StreamReader};
use tidegate_task::{KeepAwake, yield_to_host};

use crate::bindings::exports::tidegate::agent::runtime::Guest;
use crate::bindings::{wit_future, wit_stream};
use crate::client::{Body, READ_SIZE, Response};
use crate::event_sink::EventSink;
use crate::instance::Instance;
use crate::models::{LIST_LIMIT, parse_agents};
use crate::pool::Affinity;
use crate::redactor::Redactor;
use crate::request::Request;
use crate::response::BODY_LIMIT;
use crate::run_decoder::{Progress, RunDecoder};
use crate::transport::error_within_response;
use crate::types::{Agent, RunError, RunEvent, RunOutcome, RunRequest};

/// How a run ended.
type Ending = Result<RunOutcome, RunError>;

struct Component;

impl Guest for Component {
    async fn run(request: RunRequest) -> (StreamReader<RunEvent>, FutureReader<Ending>) {
        let (events, reader) = wit_stream::new();
        let (ending, ended) =
            wit_future::new(|| Err(RunError::Failed("the run was abandoned".to_owned())));
        let keep_awake = KeepAwake::join();
        spawn(async move {
            let mut sink = EventSink::new(events);
            let ended = carry_out(request, &mut sink).await;
            // The runtime interface requires the stream to end before the future resolves.
            let timer = sink.close();
            // An error means that the caller has dropped the future.
            ending.write(ended).await.ok();
            drop(timer);
            keep_awake.leave();
        });
        (reader, ended)
    }

    async fn agents() -> Result<Vec<Agent>, RunError> {
        let instance = Instance::load().await?;
        // All backends have the same agents, so any of them can answer.
        let response = instance
            .send(Request::list_models(), "agents", Affinity::Any)
            .await?;
        let redactor = &instance.redactor;
        if !response.head.is_success("application/json") {
            return Err(refusal(response, "", redactor).await);
        }
        let list = response.body.read_up_to(LIST_LIMIT).await;
        let list = list.map_err(|code| error_within_response(&code, redactor))?;
        parse_agents(&list, &instance.settings.models)
    }
}

/// Carries out a run as long as the caller reads its events.
async fn carry_out(run: RunRequest, sink: &mut EventSink) -> Ending {
    let instance = Instance::load().await?;
    let (settings, redactor) = (&instance.settings, &instance.redactor);
    let request = Request::complete(&run, &settings.models)?;
    let decoder = RunDecoder::new(&run, redactor.clone());
    let affinity = settings.failover.affinity(run.continuity);
    let (agent, session) = (run.agent.clone(), run.session.clone());
    // The body contains the images, so a second copy is not needed.
    drop(run);
    let response = sink
        .wait_for(instance.send(request, &session, affinity))
        .await??;
    if !response.head.is_success("text/event-stream") {
        return Err(sink.wait_for(refusal(response, &agent, redactor)).await?);
    }
    let timeout = settings.between_events_timeout;
    follow(response.body, decoder, timeout, redactor, sink).await
}

/// Returns the error of an unexpected response.
async fn refusal(response: Response, agent: &str, redactor: &Redactor) -> RunError {
    // Without a complete body, the status alone determines the error.
    let body = response.body.read_up_to(BODY_LIMIT).await;
    response
        .head
        .error(&body.unwrap_or_default(), agent, redactor)
}

/// Decodes the body and forwards its events. Events that are ready together are sent in one
/// write. The next read is pending while the sink waits for the caller.
async fn follow(
    mut body: Body,
    mut decoder: RunDecoder,
    timeout: Duration,
    redactor: &Redactor,
    sink: &mut EventSink,
) -> Ending {
    let (mut buffer, mut events) = (Vec::new(), Vec::new());
    let (mut pending_bytes, mut quiet) = (0, QuietTimeout::new(timeout));
    loop {
        let mut reading = pin!(body.read(buffer));
        let enough = pending_bytes >= READ_SIZE;
        let soon = if enough {
            None
        } else {
            match reading.as_mut().now_or_never() {
                None if !events.is_empty() => sink.wait_in_gap(reading.as_mut()).await?,
                ready => ready,
            }
        };
        let read = match soon {
            Some(read) => read,
            None => {
                events = sink.send(events).await?;
                if enough {
                    // The caller must take these events first: it limits the number of
                    // buffered events, but not their size.
                    yield_to_host().await;
                }
                pending_bytes = 0;
                sink.wait_for(reading).await?
            }
        };
        let Some(bytes) = read else { break };
        pending_bytes += bytes.len();
        match decoder.read(&bytes, &mut events) {
            Ok(Progress::Open) => quiet.check(events.is_empty())?,
            ended => {
                sink.send(events).await?;
                return ended.and_then(|_done| decoder.end());
            }
        }
        buffer = bytes;
    }
    sink.send(events).await?;
    let ended = sink.wait_for(body.end()).await?;
    ended.map_err(|code| error_within_response(&code, redactor))?;
    decoder.end()
}

/// The timeout of a backend that sends bytes but no events, such as comments.
struct QuietTimeout {
    timeout: Duration,
    since: Option<Instant>,
}

impl QuietTimeout {
    fn new(timeout: Duration) -> Self {
        let since = None;
        Self { timeout, since }
    }

    /// Checks the timeout after a read. The clock is read only if there are no events.
    fn check(&mut self, is_quiet: bool) -> Result<(), RunError> {
        if !is_quiet {
            self.since = None;
            return Ok(());
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        if since.elapsed() < self.timeout {
            return Ok(());
        }
        let why = "the backend sent no event for too long";
        Err(RunError::TimedOut(why.to_owned()))
    }
}

/// The component's exports, which call [`Component`].
mod exports {
    #![expect(unsafe_code, reason = "the generated exports take raw pointers")]

    crate::bindings::export!(Component with_types_in crate::bindings);

    use super::Component;
}
