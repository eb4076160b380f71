//! An answer that is sent while its run goes on.

use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{Either, select};

use crate::config::StreamSettings;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::record::Record;
use crate::reply::StreamedReply;
use crate::respond;
use crate::runtime::{Run, RunError, RunOutcome, Step};
use crate::sse;
use crate::wire::{Body, Client, Outgoing, Ticker};

use super::next_step;

/// How often the host is asked whether the client of a silent stream is still
/// there.
const TICK: Duration = Duration::from_millis(150);

/// How much is collected for one write while more is ready, in bytes.
const WRITE_SIZE: usize = 32 * 1024;

/// Answers with a run as it goes on. `bytes` are the answer's first ones.
pub(super) async fn streamed(
    mut run: Run,
    reply: StreamedReply,
    bytes: Vec<u8>,
    settings: &StreamSettings,
    mut exchange: Exchange,
) -> Outgoing {
    // One clock runs over all waits: setting one for each costs a quarter of
    // the tokens a second.
    let mut ticker = Ticker::new(TICK.min(settings.first_event_wait), TICK);
    let first = first_steps(&mut run, &mut ticker, settings.first_event_wait).await;
    let first = match first {
        Ok(first) => first,
        Err(error) => return respond::failure(&Error::Run(error), exchange),
    };
    let mut answering = Answering {
        run,
        reply,
        bytes,
        ended: None,
    };
    answering.begin(first, &mut exchange.record);
    let (response, body) = respond::stream(&mut exchange);
    let heartbeat = settings.heartbeat;
    Outgoing::new(
        response,
        answering.follow(body, ticker, heartbeat, exchange.record),
    )
}

/// Waits a moment for a run's first event, so that the head of the answer
/// travels with the first text.
///
/// # Errors
/// A run that failed before it began, which can be told by a status. A run
/// begins with its first event, be it an empty text; that alone is not waited
/// for, because it shows nothing.
async fn first_steps(
    run: &mut Run,
    ticker: &mut Ticker,
    wait: Duration,
) -> Result<Vec<Step>, RunError> {
    let mut waited = Duration::ZERO;
    let mut steps = Vec::new();
    loop {
        match select(pin!(next_step(run)), pin!(ticker.tick())).await {
            Either::Right((passed, _)) => {
                waited += passed;
                if waited >= wait {
                    return Ok(steps);
                }
            }
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

/// A streamed answer under way.
struct Answering {
    run: Run,
    reply: StreamedReply,
    /// What is to be sent next.
    bytes: Vec<u8>,
    /// How the run ended, if it did. Nothing follows but the answer's end.
    ended: Option<Result<RunOutcome, RunError>>,
}

impl Answering {
    /// Makes the bytes that travel with the head.
    fn begin(&mut self, first: Vec<Step>, record: &mut Record) {
        if !first.iter().any(Step::shows_something) {
            self.bytes.extend(sse::HEARTBEAT);
        }
        for step in first {
            self.take(step, record);
        }
        self.gather(record);
    }

    /// Passes the run's steps on until it ends or the client leaves.
    async fn follow(
        mut self,
        mut body: Body,
        mut ticker: Ticker,
        heartbeat: Duration,
        mut record: Record,
    ) {
        loop {
            if let Some(ended) = self.ended.take() {
                return self.end(ended, body, record).await;
            }
            if self.flush(&mut body).await == Client::Gone {
                break;
            }
            let Some(step) = self.wait(&mut body, &mut ticker, heartbeat).await else {
                break;
            };
            self.take(step, &mut record);
            self.gather(&mut record);
        }
        record.client_gone();
        record.write();
    }

    fn take(&mut self, step: Step, record: &mut Record) {
        match step {
            Step::Ended(ended) => self.ended = Some(ended),
            Step::Events(events) => {
                record.event();
                let bytes = &mut self.bytes;
                let mut events = events.into_iter();
                let shown = events.try_for_each(|event| self.reply.event(event, bytes));
                self.ended = shown.err().map(Err);
            }
        }
    }

    /// Takes everything that is ready, so that it goes out in one write.
    fn gather(&mut self, record: &mut Record) {
        while self.ended.is_none()
            && self.bytes.len() < WRITE_SIZE
            && let Some(step) = next_step(&mut self.run).now_or_never()
        {
            self.take(step, record);
        }
    }

    /// Waits for the next step, with a comment after every `heartbeat` of
    /// silence. None means that the client has left.
    async fn wait(
        &mut self,
        body: &mut Body,
        ticker: &mut Ticker,
        heartbeat: Duration,
    ) -> Option<Step> {
        let mut silence = Duration::ZERO;
        loop {
            match select(pin!(next_step(&mut self.run)), pin!(ticker.tick())).await {
                Either::Left((step, _)) => return Some(step),
                Either::Right((passed, _)) => silence += passed,
            }
            let client = if silence >= heartbeat {
                silence = Duration::ZERO;
                body.send(sse::HEARTBEAT.to_vec()).await
            } else {
                body.probe().await
            };
            if client == Client::Gone {
                return None;
            }
        }
    }

    async fn flush(&mut self, body: &mut Body) -> Client {
        if self.bytes.is_empty() {
            return Client::There;
        }
        body.send(std::mem::take(&mut self.bytes)).await
    }

    /// Sends what is left together with the answer's end. A run that the
    /// answer broke off is cancelled first.
    async fn end(self, ended: Result<RunOutcome, RunError>, mut body: Body, mut record: Record) {
        let Self {
            run,
            reply,
            mut bytes,
            ended: _,
        } = self;
        drop(run);
        match reply.end(ended, &mut bytes) {
            Ok(outcome) => record.outcome(&outcome),
            Err(error) => record.failure(&error),
        }
        if body.send(bytes).await == Client::Gone {
            record.client_gone();
        }
        body.end().await;
        record.write();
    }
}
