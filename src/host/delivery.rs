//! Starts a run and sends its reply. [`crate::reply`] encodes it, and [`crate::delivery`]
//! decides when to send a streamed one.

use std::time::Duration;

use futures_util::future::join;
use http::StatusCode;
use tidegate_agent::timeout::Watchdog;

use crate::config::Settings;
use crate::delivery::{Delivery, Line as _, Step, Wake, first_steps};
use crate::error::Error;
use crate::exchange::Exchange;
use crate::gateway::AdmittedRun;
use crate::inbound::Holding;
use crate::rejection::StoredFault;
use crate::reply::{Ending, ReplyHead, ReplySettings, StreamedReply, WholeReply};
use crate::run::Mode;
use crate::runtime::RunError;

use super::line::HostLine;
use super::outgoing::Outgoing;
use super::places::Place;
use super::recorder::Recorder;
use super::respond;
use super::runtime::Run;

/// Starts a run and responds with its reply.
pub(crate) async fn deliver(
    admitted: AdmittedRun<Place>,
    settings: &Settings,
    exchange: Exchange,
) -> Outgoing {
    let AdmittedRun {
        run: mut valid,
        request,
        reply: memory,
        place,
        log,
    } = admitted;
    let reply_settings = ReplySettings {
        reasoning: settings.reasoning,
        response_limit: settings.responses.limit,
        is_kept: log.is_some(),
    };
    let mut head = ReplyHead::take(&mut valid, exchange.arrived.seconds(), reply_settings);
    // The log exists before the run begins.
    let mut recorder = None;
    if let Some(plan) = log {
        match Recorder::begin(plan, head) {
            Some(begun) => (recorder, head) = (Some(begun.0), begun.1),
            None => return respond::error(Error::from(StoredFault::StoreFailed).into(), exchange),
        }
    }
    let run = Run::start(valid, recorder, request, place);
    match (head.mode(), run.longest()) {
        (Mode::Whole, None) => whole(run, head.whole(memory), settings.silence, exchange).await,
        (Mode::Whole, Some(longest)) => in_background(run, head, memory, longest, exchange),
        (Mode::Streamed { .. }, _) => {
            let mut bytes = Vec::new();
            let reply = head.streamed(memory, 0, &mut bytes);
            streamed(run, reply, bytes, settings, exchange).await
        }
    }
}

/// Responds with a response that is under way, and goes on until the end of its run.
fn in_background(
    run: Run,
    head: ReplyHead,
    memory: Holding,
    longest: Duration,
    exchange: Exchange,
) -> Outgoing {
    let told = head
        .snapshot(memory)
        .map(|response| response.snapshot(None));
    let (body, memory) = match told {
        Some(Ok(told)) => told,
        Some(Err(error)) => return respond::error(error.into(), exchange),
        None => {
            let error = Error::Internal("a chat completion in the background");
            return respond::error(error.into(), exchange);
        }
    };
    let (Outgoing { response, sending }, mut log) = respond::begun(body, exchange);
    let mut line = HostLine::new(run, longest);
    Outgoing::new(response, async move {
        let sent = async {
            sending.await;
            drop(memory);
        };
        let ((), ending) = join(sent, line.go_on(longest)).await;
        log.ending(ending);
        log.write();
    })
}

async fn whole(
    run: Run,
    mut reply: WholeReply,
    silence: Duration,
    mut exchange: Exchange,
) -> Outgoing {
    let mut steps = Steps::new(run, silence);
    let ending = loop {
        match steps.next().await {
            Step::Ended(ending) => break ending,
            Step::Progress => {}
            Step::Events(events) => {
                exchange.log.event();
                let mut events = events.into_iter();
                if let Err(error) = events.try_for_each(|event| reply.event(event)) {
                    break Ending::Failed(error);
                }
            }
        }
    };
    let ended_at = steps.end(&ending);
    match reply.end(ending, || ended_at) {
        Err(error) => respond::error(error.into(), exchange),
        Ok((body, outcome, memory)) => {
            exchange.log.outcome(&outcome);
            respond::json(StatusCode::OK, body, exchange).holding(memory)
        }
    }
}

/// The steps of a run whose reply is whole. The run has failed after a time of silence.
enum Steps {
    Plain(Run, Watchdog),
    /// The run has a log. The clock renews its lease.
    Logged(HostLine, Duration),
}

impl Steps {
    fn new(run: Run, silence: Duration) -> Self {
        match run.has_log() {
            false => Self::Plain(run, Watchdog::new(silence)),
            true => Self::Logged(HostLine::new(run, silence), silence),
        }
    }

    async fn next(&mut self) -> Step {
        let silent = || Step::Ended(Ending::Failed(RunError::silent()));
        match self {
            Self::Plain(run, watchdog) => {
                let step = watchdog.watch(run.next_step()).await;
                step.unwrap_or_else(silent)
            }
            Self::Logged(line, silence) => {
                line.restart();
                line.limit(*silence);
                match line.wait().await {
                    Wake::Step(step) => step,
                    Wake::Due | Wake::Disconnected => silent(),
                }
            }
        }
    }

    /// Stops the run, and returns when it ended, in seconds since 1970.
    fn end(self, ending: &Ending) -> u64 {
        match self {
            Self::Plain(run, _) => run.ended_at(),
            Self::Logged(line, _) => line.stop(ending),
        }
    }
}

/// Streams a run. `bytes` is the beginning of the reply.
async fn streamed(
    run: Run,
    reply: StreamedReply,
    bytes: Vec<u8>,
    settings: &Settings,
    exchange: Exchange,
) -> Outgoing {
    let has_progress = reply.has_progress();
    let progress = has_progress.then_some(settings.responses.progress);
    let mut line = HostLine::new(run, settings.stream.first_event_wait);
    let first = match first_steps(&mut line).await {
        Ok(first) => first,
        Err(error) => return respond::error(Error::Run(error).into(), exchange),
    };
    send(line, reply, bytes, first, progress, settings, exchange)
}

/// Sends the head of a stream with the beginning of its reply, and follows the line.
pub(crate) fn send(
    mut line: HostLine,
    reply: StreamedReply,
    bytes: Vec<u8>,
    first: Vec<Step>,
    progress: Option<Duration>,
    settings: &Settings,
    mut exchange: Exchange,
) -> Outgoing {
    let (response, body) = respond::stream(&mut exchange);
    line.open(body);
    let delivery = Delivery::begin(reply, bytes, first, &mut line, exchange.log);
    let (stream, silence) = (settings.stream.clone(), settings.silence);
    Outgoing::new(response, async move {
        delivery.follow(line, &stream, silence, progress).await;
    })
}
