//! Carries a run's events to the client: the effects between the runtime and
//! the wire. What is sent is made by [`crate::reply`].

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use http::StatusCode;
use spin_sdk::wasip3::http::types::Response;
use spin_sdk::wasip3::spawn;

use crate::config::{Settings, StreamSettings};
use crate::error::Error;
use crate::exchange::Exchange;
use crate::record::Record;
use crate::reply::{Head, Mode, StreamedReply, WholeReply};
use crate::respond;
use crate::runtime::{self, Run, RunError, RunEvent, Step};
use crate::sse;
use crate::validate::ValidRun;
use crate::wire::{Body, Client, Ticker, pause};

/// How often the host is asked whether the client of a silent stream is still
/// there.
const TICK: Duration = Duration::from_millis(250);

/// Carries out a run and answers with it.
pub(crate) async fn deliver(
    valid: ValidRun,
    settings: &Settings,
    created: u64,
    exchange: Exchange,
) -> Response {
    let mode = valid.mode();
    let choice = valid.tool_choice().clone();
    let model = valid.model().to_owned();
    let request = valid.into_request();
    let head = Head {
        id: request.run_id.clone(),
        created,
        model,
        reasoning: settings.reasoning,
    };
    let run = runtime::start(request).await;
    match mode {
        Mode::Whole => whole(run, WholeReply::new(head, &choice), exchange).await,
        Mode::Streamed { include_usage } => {
            let mut bytes = Vec::new();
            let reply = StreamedReply::start(head, include_usage, &choice, &mut bytes);
            streamed(run, reply, bytes, settings.stream.clone(), exchange).await
        }
    }
}

async fn whole(mut run: Run, mut reply: WholeReply, mut exchange: Exchange) -> Response {
    let ended = loop {
        match next_step(&mut run).await {
            Step::Ended(ended) => break ended,
            Step::Events(events) => {
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

async fn streamed(
    mut run: Run,
    reply: StreamedReply,
    bytes: Vec<u8>,
    settings: StreamSettings,
    mut exchange: Exchange,
) -> Response {
    let first = match first_steps(&mut run, settings.first_event_wait).await {
        Ok(first) => first,
        Err(error) => return respond::failure(&Error::Run(error), exchange),
    };
    let (response, body) = respond::stream(&mut exchange);
    spawn(async move {
        let answering = Answering {
            reply,
            body,
            bytes,
            record: exchange.record,
        };
        answering.follow(run, first, settings.heartbeat).await;
    });
    response
}

/// Waits a moment for a run's first event, so that the head of the answer
/// travels with the first text.
///
/// # Errors
/// A run that failed before it began, which can be told by a status. A run
/// begins with its first event, be it an empty text; that alone is not waited
/// for, because it shows nothing.
async fn first_steps(run: &mut Run, wait: Duration) -> Result<Vec<Step>, RunError> {
    let mut wait = pin!(pause(wait));
    let mut steps = Vec::new();
    loop {
        match select(pin!(next_step(run)), wait.as_mut()).await {
            Either::Right(((), _)) => return Ok(steps),
            Either::Left((Step::Ended(Err(error)), _)) if steps.is_empty() => return Err(error),
            Either::Left((step, _)) => {
                let shows = step.shows_something();
                steps.push(step);
                if shows {
                    return Ok(steps);
                }
            }
        }
    }
}

async fn next_step(run: &mut Run) -> Step {
    // The steps always bring an ending; this stands for its absence.
    let abandoned = || RunError::Failed("the runtime left without an ending".to_owned());
    let step = run.next().await;
    step.unwrap_or_else(|| Step::Ended(Err(abandoned())))
}

/// A stream whose head is out.
struct Answering {
    reply: StreamedReply,
    body: Body,
    bytes: Vec<u8>,
    record: Record,
}

impl Answering {
    /// Passes the run's steps on until it ends or the client leaves.
    async fn follow(mut self, mut run: Run, first: Vec<Step>, heartbeat: Duration) {
        if !first.iter().any(Step::shows_something) {
            self.bytes.extend(sse::HEARTBEAT);
        }
        let mut steps = first;
        let mut ticker = Ticker::new(TICK);
        loop {
            for step in std::mem::take(&mut steps) {
                let ended = match step {
                    Step::Ended(ended) => Some(ended),
                    Step::Events(events) => self.show(events).err().map(Err),
                };
                if let Some(ended) = ended {
                    return self.end(ended).await;
                }
            }
            if self.flush().await == Client::Gone {
                return self.client_gone();
            }
            let Some(step) = self.wait(&mut run, &mut ticker, heartbeat).await else {
                return self.client_gone();
            };
            steps.push(step);
        }
    }

    fn show(&mut self, events: Vec<RunEvent>) -> Result<(), RunError> {
        let bytes = &mut self.bytes;
        let mut events = events.into_iter();
        events.try_for_each(|event| self.reply.event(event, bytes))
    }

    /// Waits for the next step, with a comment after every `heartbeat` of
    /// silence. None means that the client has left.
    ///
    /// One clock runs over all waits: setting one for each costs a quarter of
    /// the tokens a second.
    async fn wait(
        &mut self,
        run: &mut Run,
        ticker: &mut Ticker,
        heartbeat: Duration,
    ) -> Option<Step> {
        let mut silence = Duration::ZERO;
        loop {
            match select(pin!(next_step(run)), pin!(ticker.tick())).await {
                Either::Left((step, _)) => return Some(step),
                Either::Right(((), _)) => silence += TICK,
            }
            let client = if silence >= heartbeat {
                silence = Duration::ZERO;
                self.body.send(sse::HEARTBEAT.to_vec()).await
            } else {
                self.body.probe().await
            };
            if client == Client::Gone {
                return None;
            }
        }
    }

    async fn flush(&mut self) -> Client {
        if self.bytes.is_empty() {
            return Client::There;
        }
        let bytes = std::mem::take(&mut self.bytes);
        self.body.send(bytes).await
    }

    async fn end(mut self, ended: Result<runtime::RunOutcome, RunError>) {
        match self.reply.end(ended, &mut self.bytes) {
            Ok(outcome) => self.record.outcome(&outcome),
            Err(error) => self.record.failure(&error),
        }
        if self.body.send(self.bytes).await == Client::Gone {
            self.record.client_gone();
        }
        self.body.end().await;
        self.record.write();
    }

    fn client_gone(mut self) {
        self.record.client_gone();
        self.record.write();
    }
}
