//! Delivery: starts a run and sends its events to the client. [`crate::reply`] encodes
//! them.

mod streamed;

use futures_util::StreamExt as _;
use http::StatusCode;

use crate::config::Settings;
use crate::exchange::Exchange;
use crate::reply::{Head, StreamedReply, WholeReply};
use crate::run::{Mode, ValidRun};
use crate::runtime::{RunError, Step};

use super::outgoing::Outgoing;
use super::respond;
use super::runtime::{self, Run};

use streamed::streamed;

/// Starts a run and responds with its reply.
pub(crate) async fn deliver(valid: ValidRun, settings: &Settings, exchange: Exchange) -> Outgoing {
    let mode = valid.mode();
    let choice = valid.tool_choice().clone();
    let head = Head {
        id: valid.id().to_owned(),
        created: exchange.arrived.seconds(),
        model: valid.model().to_owned(),
        reasoning: settings.reasoning,
    };
    let run = runtime::start(valid).await;
    match mode {
        Mode::Whole => whole(run, WholeReply::new(head, &choice), exchange).await,
        Mode::Streamed { include_usage } => {
            let mut bytes = Vec::new();
            let reply = StreamedReply::start(head, include_usage, &choice, &mut bytes);
            streamed(run, reply, bytes, &settings.stream, exchange).await
        }
    }
}

async fn whole(mut run: Run, mut reply: WholeReply, mut exchange: Exchange) -> Outgoing {
    let ended = loop {
        match next_step(&mut run).await {
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
    match reply.end(ended) {
        Err(error) => respond::error(error.into(), exchange),
        Ok((body, outcome)) => {
            exchange.log.outcome(&outcome);
            respond::json(StatusCode::OK, body, exchange)
        }
    }
}

async fn next_step(run: &mut Run) -> Step {
    // The steps always have an end; this covers the case that they do not.
    let abandoned = || RunError::Failed("the runtime sent no outcome".to_owned());
    let step = run.next().await;
    step.unwrap_or_else(|| Step::Ended(Err(abandoned())))
}
