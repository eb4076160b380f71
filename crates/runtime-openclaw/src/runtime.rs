//! The runtime: runs, the list of agents, and embeddings.

use std::time::{Duration, Instant};

use spin_sdk::wasip3::http::types::ErrorCode;
use tidegate_agent::timeout::within;
use tidegate_agent::{Embeddings, Ending, EventSink, Hold, Runtime};

use crate::client::{Body, LIST_TIME, Response};
use crate::embeddings;
use crate::instance::Upstream;
use crate::models::{LIST_LIMIT, parse_agents};
use crate::pool::Affinity;
use crate::redactor::Redactor;
use crate::request::Request;
use crate::response::BODY_LIMIT;
use crate::run_decoder::{Progress, RunDecoder};
use crate::transport::error_within_response;
use crate::types::{Agent, Continuity, EmbeddingsOutcome, EmbeddingsRequest, RunError, RunRequest};

/// How long the body of a refusal may take.
const REFUSAL_TIME: Duration = Duration::from_secs(10);

/// The runtime for OpenClaw.
#[derive(Debug)]
pub struct OpenClaw;

impl Runtime for OpenClaw {
    async fn run(run: RunRequest, mut events: EventSink) -> Ending {
        let upstream = Upstream::load(run.upstream.as_deref()).await?;
        let (settings, redactor) = (&upstream.settings, &upstream.redactor);
        let request = Request::complete(&run, &settings.models)?;
        let decoder = RunDecoder::new(&run, redactor.clone());
        let affinity = settings.failover.affinity(run.continuity);
        let (agent, session) = (run.agent.clone(), run.session.clone());
        // The body contains the images, so a second copy is not needed.
        drop(run);
        let hold = events.take_hold();
        let response = upstream.send(request, hold, &session, affinity).await?;
        if !response.head.is_success("text/event-stream") {
            return Err(refusal(response, &agent, redactor).await);
        }
        let timeout = settings.between_events_timeout;
        follow(response.body, decoder, timeout, redactor, &mut events).await
    }

    async fn agents(upstream: Option<String>) -> Result<Vec<Agent>, RunError> {
        let upstream = Upstream::load(upstream.as_deref()).await?;
        // All backends have the same agents, so any of them can answer.
        let (request, hold) = (Request::list_models(), Hold::default());
        let response = upstream.send(request, hold, "agents", Affinity::Any);
        let response = response.await?;
        let redactor = &upstream.redactor;
        if !response.head.is_success("application/json") {
            return Err(refusal(response, "", redactor).await);
        }
        let list = document(response.body, LIST_LIMIT, redactor).await?;
        parse_agents(&list, &upstream.settings.models)
    }
}

impl Embeddings for OpenClaw {
    async fn embed(request: EmbeddingsRequest) -> Result<EmbeddingsOutcome, RunError> {
        let upstream = Upstream::load(request.upstream.as_deref()).await?;
        let (settings, redactor) = (&upstream.settings, &upstream.redactor);
        let texts = request.inputs.len();
        // Any backend has the agent's embeddings, and the first text spreads the requests.
        let affinity = settings.failover.affinity(Continuity::Fresh);
        let key = request.inputs.first().map_or("", String::as_str);
        let sent = Request::embed(&request, &settings.models)?;
        let response = upstream.send(sent, Hold::default(), key, affinity);
        let response = response.await?;
        if !response.head.is_success("application/json") {
            let Response { head, body } = response;
            let body = beginning(body).await;
            return Err(match head.is_missing_endpoint(&body) {
                true => RunError::no_embeddings(),
                false => head.error(&body, &request.agent, redactor),
            });
        }
        let limit = embeddings::body_limit(texts);
        let body = document(response.body, limit, redactor).await?;
        embeddings::parse(&body, texts)
    }
}

/// Reads a JSON document.
///
/// # Errors
/// A document that is incomplete, late, or has `limit` bytes or more.
async fn document(body: Body, limit: usize, redactor: &Redactor) -> Result<Vec<u8>, RunError> {
    let document = within(LIST_TIME, body.read_up_to(limit)).await;
    let document = document.unwrap_or(Err(ErrorCode::ConnectionReadTimeout));
    let document = document.map_err(|code| error_within_response(&code, redactor))?;
    if document.len() < limit {
        return Ok(document);
    }
    let why = format!("the backend's response has {limit} bytes or more");
    Err(RunError::Failed(why))
}

/// Returns the error of an unexpected response.
async fn refusal(response: Response, agent: &str, redactor: &Redactor) -> RunError {
    let body = beginning(response.body).await;
    response.head.error(&body, agent, redactor)
}

/// Reads the body of an unexpected response. Without a complete body, the status alone
/// determines the error.
async fn beginning(body: Body) -> Vec<u8> {
    let body = within(REFUSAL_TIME, body.read_up_to(BODY_LIMIT)).await;
    body.and_then(Result::ok).unwrap_or_default()
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
    let broken = |code| error_within_response(&code, redactor);
    while let Some(bytes) = body.read(buffer).await.map_err(broken)? {
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
    body.end().await.map_err(broken)?;
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
