//! Starts a run and sends its reply. [`crate::reply`] encodes it, and [`crate::delivery`]
//! decides when to send a streamed one.

use std::time::Duration;

use http::StatusCode;
use tidegate_agent::timeout::Watchdog;

use crate::config::Settings;
use crate::delivery::{Delivery, first_steps};
use crate::error::Error;
use crate::exchange::Exchange;
use crate::gateway::AdmittedRun;
use crate::reply::{ReplyHead, ReplySettings, StreamedReply, WholeReply};
use crate::run::Mode;
use crate::runtime::{RunError, Step};

use super::line::{HostLine, seconds};
use super::outgoing::Outgoing;
use super::places::Place;
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
    } = admitted;
    let reply_settings = ReplySettings {
        reasoning: settings.reasoning,
        response_limit: settings.responses.limit,
    };
    let head = ReplyHead::take(&mut valid, exchange.arrived.seconds(), reply_settings);
    let run = Run::start(valid, request, place);
    match head.mode() {
        Mode::Whole => whole(run, head.whole(memory), settings.silence, exchange).await,
        Mode::Streamed { .. } => {
            let mut bytes = Vec::new();
            let reply = head.streamed(memory, &mut bytes);
            streamed(run, reply, bytes, settings, exchange).await
        }
    }
}

async fn whole(
    mut run: Run,
    mut reply: WholeReply,
    silence: Duration,
    mut exchange: Exchange,
) -> Outgoing {
    let mut watchdog = Watchdog::new(silence);
    let ended = loop {
        let step = watchdog.watch(run.next_step()).await;
        match step.unwrap_or_else(|| Step::Ended(Err(RunError::silent()))) {
            Step::Ended(ended) => break ended,
            Step::Events(events) => {
                exchange.log.event();
                let mut events = events.into_iter();
                if let Err(error) = events.try_for_each(|event| reply.event(event)) {
                    break Err(error);
                }
            }
        }
    };
    drop(run);
    match reply.end(ended, seconds) {
        Err(error) => respond::error(error.into(), exchange),
        Ok((body, outcome, memory)) => {
            exchange.log.outcome(&outcome);
            respond::json(StatusCode::OK, body, exchange).holding(memory)
        }
    }
}

/// Streams a run. `bytes` is the beginning of the reply.
async fn streamed(
    run: Run,
    reply: StreamedReply,
    bytes: Vec<u8>,
    settings: &Settings,
    mut exchange: Exchange,
) -> Outgoing {
    let has_progress = reply.has_progress();
    let progress = has_progress.then_some(settings.responses.progress);
    let mut line = HostLine::new(run, settings.stream.first_event_wait);
    let first = match first_steps(&mut line).await {
        Ok(first) => first,
        Err(error) => return respond::error(Error::Run(error).into(), exchange),
    };
    let (response, body) = respond::stream(&mut exchange);
    line.open(body);
    let delivery = Delivery::begin(reply, bytes, first, &mut line, exchange.log);
    let (stream, silence) = (settings.stream.clone(), settings.silence);
    Outgoing::new(response, async move {
        delivery.follow(line, &stream, silence, progress).await;
    })
}
