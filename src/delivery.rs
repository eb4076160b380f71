//! Carries a run's events to the client: the effects between the runtime and
//! the wire. What is sent is made by [`crate::reply`].

mod streamed;

use futures_util::StreamExt as _;
use http::StatusCode;

use crate::config::Settings;
use crate::exchange::Exchange;
use crate::reply::{Head, Mode, StreamedReply, WholeReply};
use crate::respond;
use crate::runtime::{self, Run, RunError, Step};
use crate::validate::ValidRun;
use crate::wire::Outgoing;

use streamed::streamed;

/// Carries out a run and answers with it.
pub(crate) async fn deliver(valid: ValidRun, settings: &Settings, exchange: Exchange) -> Outgoing {
    let mode = valid.mode();
    let choice = valid.tool_choice().clone();
    let model = valid.model().to_owned();
    let request = valid.into_request();
    let head = Head {
        id: request.run_id.clone(),
        created: exchange.arrived / 1000,
        model,
        reasoning: settings.reasoning,
    };
    let run = runtime::start(request).await;
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
                exchange.record.event();
                let mut events = events.into_iter();
                if let Err(error) = events.try_for_each(|event| reply.event(event)) {
                    break Err(error);
                }
            }
        }
    };
    drop(run);
    match reply.end(ended) {
        Err(error) => respond::failure(&error, exchange),
        Ok((body, outcome)) => {
            exchange.record.outcome(&outcome);
            respond::json(StatusCode::OK, body, exchange)
        }
    }
}

async fn next_step(run: &mut Run) -> Step {
    // The steps always bring an ending; this stands for its absence.
    let abandoned = || RunError::Failed("the runtime left without an ending".to_owned());
    let step = run.next().await;
    step.unwrap_or_else(|| Step::Ended(Err(abandoned())))
}
