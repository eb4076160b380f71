//! A reply that is sent during its run.

use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{Either, select};

use crate::access_log::AccessLog;
use crate::config::StreamSettings;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::host::interval::Interval;
use crate::host::outgoing::{Body, Client, Outgoing};
use crate::host::respond;
use crate::host::runtime::Run;
use crate::reply::{StreamedReply, sse};
use crate::runtime::{RunError, RunOutcome, Step};

use super::next_step;

/// How often to ask the host whether the client of a silent stream is still connected.
const TICK: Duration = Duration::from_millis(150);

/// The size at which a write is sent even if more bytes are ready.
const WRITE_SIZE: usize = 32 * 1024;

/// Streams a run. `bytes` is the beginning of the reply.
pub(super) async fn streamed(
    mut run: Run,
    reply: StreamedReply,
    bytes: Vec<u8>,
    settings: &StreamSettings,
    mut exchange: Exchange,
) -> Outgoing {
    // One timer serves all waits: a timer for each costs a quarter of the throughput.
    let mut interval = Interval::new(TICK.min(settings.first_event_wait), TICK);
    let first = first_steps(&mut run, &mut interval, settings.first_event_wait).await;
    let first = match first {
        Ok(first) => first,
        Err(error) => return respond::error(Error::Run(error).into(), exchange),
    };
    let mut stream = Stream {
        run,
        reply,
        bytes,
        ended: None,
    };
    stream.begin(first, &mut exchange.log);
    let (response, body) = respond::stream(&mut exchange);
    let heartbeat = settings.heartbeat;
    Outgoing::new(
        response,
        stream.follow(body, interval, heartbeat, exchange.log),
    )
}

/// Waits for a run's first visible event, so that it is sent together with the head of
/// the response. An empty text begins the run but is not visible.
///
/// # Errors
/// A run that failed before its first event. The status can still report it.
async fn first_steps(
    run: &mut Run,
    interval: &mut Interval,
    wait: Duration,
) -> Result<Vec<Step>, RunError> {
    let mut waited = Duration::ZERO;
    let mut steps = Vec::new();
    loop {
        match select(pin!(next_step(run)), pin!(interval.tick())).await {
            Either::Right((passed, _)) => {
                waited += passed;
                if waited >= wait {
                    return Ok(steps);
                }
            }
            Either::Left((Step::Ended(Err(error)), _)) if steps.is_empty() => return Err(error),
            Either::Left((step, _)) => {
                let is_visible = step.is_visible();
                steps.push(step);
                if is_visible {
                    return Ok(steps);
                }
            }
        }
    }
}

/// A streamed reply in progress.
struct Stream {
    run: Run,
    reply: StreamedReply,
    /// The bytes to send next.
    bytes: Vec<u8>,
    /// The result of a run that has ended. Only the end of the reply follows.
    ended: Option<Result<RunOutcome, RunError>>,
}

impl Stream {
    /// Encodes the bytes that are sent together with the head.
    fn begin(&mut self, first: Vec<Step>, log: &mut AccessLog) {
        if !first.iter().any(Step::is_visible) {
            self.bytes.extend(sse::HEARTBEAT);
        }
        for step in first {
            self.take(step, log);
        }
        self.gather(log);
    }

    /// Forwards the run's steps until it ends or the client disconnects.
    async fn follow(
        mut self,
        mut body: Body,
        mut interval: Interval,
        heartbeat: Duration,
        mut log: AccessLog,
    ) {
        loop {
            if let Some(ended) = self.ended.take() {
                return self.end(ended, body, log).await;
            }
            if self.flush(&mut body).await == Client::Disconnected {
                break;
            }
            let Some(step) = self.wait(&mut body, &mut interval, heartbeat).await else {
                break;
            };
            self.take(step, &mut log);
            self.gather(&mut log);
        }
        log.client_gone();
        log.write();
    }

    fn take(&mut self, step: Step, log: &mut AccessLog) {
        match step {
            Step::Ended(ended) => self.ended = Some(ended),
            Step::Events(events) => {
                log.event();
                let bytes = &mut self.bytes;
                let mut events = events.into_iter();
                let shown = events.try_for_each(|event| self.reply.event(event, bytes));
                self.ended = shown.err().map(Err);
            }
        }
    }

    /// Takes all ready events, so that one write sends them.
    fn gather(&mut self, log: &mut AccessLog) {
        while self.ended.is_none()
            && self.bytes.len() < WRITE_SIZE
            && let Some(step) = next_step(&mut self.run).now_or_never()
        {
            self.take(step, log);
        }
    }

    /// Waits for the next step, and sends a comment after every `heartbeat` of silence.
    /// Returns `None` if the client has disconnected.
    async fn wait(
        &mut self,
        body: &mut Body,
        interval: &mut Interval,
        heartbeat: Duration,
    ) -> Option<Step> {
        let mut silence = Duration::ZERO;
        loop {
            match select(pin!(next_step(&mut self.run)), pin!(interval.tick())).await {
                Either::Left((step, _)) => return Some(step),
                Either::Right((passed, _)) => silence += passed,
            }
            let client = if silence >= heartbeat {
                silence = Duration::ZERO;
                body.send(sse::HEARTBEAT.to_vec()).await
            } else {
                body.probe().await
            };
            if client == Client::Disconnected {
                return None;
            }
        }
    }

    async fn flush(&mut self, body: &mut Body) -> Client {
        if self.bytes.is_empty() {
            return Client::Connected;
        }
        body.send(std::mem::take(&mut self.bytes)).await
    }

    /// Sends the remaining bytes together with the end of the reply. If the reply ended
    /// the run, the run is cancelled first.
    async fn end(self, ended: Result<RunOutcome, RunError>, mut body: Body, mut log: AccessLog) {
        let Self {
            run,
            reply,
            mut bytes,
            ended: _,
        } = self;
        drop(run);
        match reply.end(ended, &mut bytes) {
            Ok(outcome) => log.outcome(&outcome),
            Err(response) => log.error(&response),
        }
        if body.send(bytes).await == Client::Disconnected {
            log.client_gone();
        }
        body.end().await;
        log.write();
    }
}
