//! The runtime: runs, and the list of agents.

use std::time::{Duration, Instant};

use tidegate_agent::{Ending, EventSink, Hold, Runtime};

use crate::client::{Body, Response};
use crate::instance::Instance;
use crate::models::{LIST_LIMIT, parse_agents};
use crate::pool::Affinity;
use crate::redactor::Redactor;
use crate::request::Request;
use crate::response::BODY_LIMIT;
use crate::run_decoder::{Progress, RunDecoder};
use crate::transport::error_within_response;
use crate::types::{Agent, RunError, RunRequest};

/// The runtime for OpenClaw.
#[derive(Debug)]
pub struct OpenClaw;

impl Runtime for OpenClaw {
    async fn run(run: RunRequest, mut events: EventSink) -> Ending {
        let instance = Instance::load().await?;
        let (settings, redactor) = (&instance.settings, &instance.redactor);
        let request = Request::complete(&run, &settings.models)?;
        let decoder = RunDecoder::new(&run, redactor.clone());
        let affinity = settings.failover.affinity(run.continuity);
        let (agent, session) = (run.agent.clone(), run.session.clone());
        // The body contains the images, so a second copy is not needed.
        drop(run);
        let hold = events.take_hold();
        let response = instance.send(request, hold, &session, affinity).await?;
        if !response.head.is_success("text/event-stream") {
            return Err(refusal(response, &agent, redactor).await);
        }
        let timeout = settings.between_events_timeout;
        follow(response.body, decoder, timeout, redactor, &mut events).await
    }

    async fn agents() -> Result<Vec<Agent>, RunError> {
        let instance = Instance::load().await?;
        // All backends have the same agents, so any of them can answer.
        let response = instance
            .send(
                Request::list_models(),
                Hold::default(),
                "agents",
                Affinity::Any,
            )
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

/// Returns the error of an unexpected response.
async fn refusal(response: Response, agent: &str, redactor: &Redactor) -> RunError {
    // Without a complete body, the status alone determines the error.
    let body = response.body.read_up_to(BODY_LIMIT).await;
    response
        .head
        .error(&body.unwrap_or_default(), agent, redactor)
}

/// Decodes the body and sends its events.
async fn follow(
    mut body: Body,
    mut decoder: RunDecoder,
    timeout: Duration,
    redactor: &Redactor,
    sink: &mut EventSink,
) -> Ending {
    let (mut buffer, mut quiet) = (Vec::new(), QuietTimeout::new(timeout));
    while let Some(bytes) = body.read(buffer).await {
        let mut events = Vec::new();
        let progress = decoder.read(&bytes, &mut events);
        let is_quiet = events.is_empty();
        sink.send(events).await;
        match progress {
            Ok(Progress::Open) => quiet.check(is_quiet)?,
            Ok(Progress::Done) => return decoder.end(),
            Err(error) => return Err(error),
        }
        buffer = bytes;
    }
    let ended = body.end().await;
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
