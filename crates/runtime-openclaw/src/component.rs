//! The exported interface: runs, and the agents that can be asked for.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use spin_sdk::wasip3::spawn;
use spin_sdk::wit_bindgen::{FutureReader, StreamReader};
use tidegate_task::{KeepAwake, yield_to_host};

use crate::audience::Audience;
use crate::bindings::exports::tidegate::agent::runtime::Guest;
use crate::bindings::{wit_future, wit_stream};
use crate::censor::Censor;
use crate::client::{Body, READ_SIZE, Response};
use crate::instance::Instance;
use crate::models::{LIST_LIMIT, parse_agents};
use crate::pool::Reach;
use crate::request::Request;
use crate::response::BODY_LIMIT;
use crate::transcript::{Progress, Transcript};
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
            let mut audience = Audience::new(events);
            let ended = carry_out(request, &mut audience).await;
            // The contract: first the stream ends, then the future resolves.
            let clock = audience.close();
            // A caller that does not want to know the ending has left.
            ending.write(ended).await.ok();
            drop(clock);
            keep_awake.leave();
        });
        (reader, ended)
    }

    async fn agents() -> Result<Vec<Agent>, RunError> {
        let instance = Instance::load().await?;
        // All servers offer the same; it is as good as a session of its own.
        let response = instance
            .send(Request::list_models(), "agents", Reach::Any)
            .await?;
        let censor = &instance.censor;
        if !response.head.is_success("application/json") {
            return Err(refusal(response, "", censor).await);
        }
        let list = response.body.read_up_to(LIST_LIMIT).await;
        let list = list.map_err(|code| error_within_response(&code, censor))?;
        parse_agents(&list, &instance.settings.models)
    }
}

/// Carries out a run for as long as anyone listens.
async fn carry_out(run: RunRequest, audience: &mut Audience) -> Ending {
    let instance = Instance::load().await?;
    let (settings, censor) = (&instance.settings, &instance.censor);
    let request = Request::complete(&run, &settings.models)?;
    let transcript = Transcript::new(&run, censor.clone());
    let reach = settings.failover.reach(run.continuity);
    let (agent, session) = (run.agent.clone(), run.session.clone());
    // Its pictures need not be held beside the body that they are in.
    drop(run);
    let response = audience
        .wait_for(instance.send(request, &session, reach))
        .await??;
    if !response.head.is_success("text/event-stream") {
        return Err(audience.wait_for(refusal(response, &agent, censor)).await?);
    }
    let patience = settings.between_events_timeout;
    follow(response.body, transcript, patience, censor, audience).await
}

/// Returns what a response means that is not what was asked for.
async fn refusal(response: Response, agent: &str, censor: &Censor) -> RunError {
    // A body that breaks explains nothing; the status does.
    let body = response.body.read_up_to(BODY_LIMIT).await;
    response
        .head
        .error(&body.unwrap_or_default(), agent, censor)
}

/// Tells everything that the body says, until it ends: what is ready together
/// is told together. One read is ahead while the audience takes its time.
async fn follow(
    mut body: Body,
    mut transcript: Transcript,
    patience: Duration,
    censor: &Censor,
    audience: &mut Audience,
) -> Ending {
    let (mut buffer, mut events) = (Vec::new(), Vec::new());
    let (mut untold, mut quiet) = (0, Quiet::new(patience));
    loop {
        let mut reading = pin!(body.read(buffer));
        let enough = untold >= READ_SIZE;
        let soon = if enough {
            None
        } else {
            match reading.as_mut().now_or_never() {
                None if !events.is_empty() => audience.wait_in_gap(reading.as_mut()).await?,
                ready => ready,
            }
        };
        let read = match soon {
            Some(read) => read,
            None => {
                events = audience.tell(events).await?;
                if enough {
                    // The caller takes this before it is told more: it has room
                    // for a number of events, however large they are.
                    yield_to_host().await;
                }
                untold = 0;
                audience.wait_for(reading).await?
            }
        };
        let Some(bytes) = read else { break };
        untold += bytes.len();
        match transcript.read(&bytes, &mut events) {
            Ok(Progress::Open) => quiet.check(events.is_empty())?,
            ended => {
                audience.tell(events).await?;
                return ended.and_then(|_done| transcript.end());
            }
        }
        buffer = bytes;
    }
    audience.tell(events).await?;
    let ended = audience.wait_for(body.end()).await?;
    ended.map_err(|code| error_within_response(&code, censor))?;
    transcript.end()
}

/// How long nothing has been told though the server sends something.
struct Quiet {
    patience: Duration,
    since: Option<Instant>,
}

impl Quiet {
    fn new(patience: Duration) -> Self {
        let since = None;
        Self { patience, since }
    }

    /// Takes note of whether there is anything to tell. The clock is asked only
    /// where there is not.
    fn check(&mut self, is_quiet: bool) -> Result<(), RunError> {
        if !is_quiet {
            self.since = None;
            return Ok(());
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        if since.elapsed() < self.patience {
            return Ok(());
        }
        let why = "the server said nothing for too long";
        Err(RunError::TimedOut(why.to_owned()))
    }
}

/// The component's exports, which call [`Component`].
mod exports {
    #![expect(unsafe_code, reason = "the generated exports take raw pointers")]

    crate::bindings::export!(Component with_types_in crate::bindings);

    use super::Component;
}
