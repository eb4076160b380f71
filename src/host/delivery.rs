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
use crate::reply::{
    FailureCode, Head, ResponseHead, StreamedChat, StreamedReply, StreamedResponse, WholeChat,
    WholeReply, WholeResponse,
};
use crate::run::{Client, Mode, ReplyForm, ResponseForm};
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
    let (mode, form) = (valid.mode(), valid.take_form());
    let choice = valid.tool_choice().clone();
    let head = Head {
        id: valid.id().to_owned(),
        created: exchange.arrived.seconds(),
        model: valid.model().to_owned(),
        reasoning: settings.reasoning,
    };
    let run = Run::start(valid, request, place);
    match mode {
        Mode::Whole => {
            let reply = match form {
                ReplyForm::Completion => WholeChat::new(head, &choice, memory).into(),
                ReplyForm::Response(form) => {
                    let head = response_head(*form, head);
                    WholeResponse::new(head, &choice, memory, settings.responses.limit).into()
                }
            };
            whole(run, reply, settings.silence, exchange).await
        }
        Mode::Streamed { include_usage } => {
            let mut bytes = Vec::new();
            let out = &mut bytes;
            let reply = match form {
                ReplyForm::Completion => {
                    StreamedChat::start(head, include_usage, &choice, out).into()
                }
                ReplyForm::Response(form) => {
                    let (head, limit) = (response_head(*form, head), settings.responses.limit);
                    StreamedResponse::start(head, &choice, memory, limit, out).into()
                }
            };
            streamed(run, reply, bytes, settings, exchange).await
        }
    }
}

fn response_head(form: ResponseForm, head: Head) -> ResponseHead {
    ResponseHead {
        id: form.id,
        run: form.run,
        created: head.created,
        model: head.model,
        reasoning: head.reasoning,
        echo: form.echo,
        names: form.names,
        // Codex repeats a request after any other code.
        failure: match form.client {
            Client::Codex => FailureCode::InvalidPrompt,
            Client::Other => FailureCode::ServerError,
        },
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
