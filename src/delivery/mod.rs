//! Delivery of a streamed reply: when to send what, and when to stop.
//!
//! ```text
//! begin    the first event, or a second of silence -> a status
//! follow   steps, silence, disconnects             -> writes
//! silence  the time without an event               -> heartbeats and progress
//! step     an event, the end, or a mark of a log  -> what a reply is made of
//! schedule the silence of a stream                 -> heartbeats and probes
//! ```
//!
//! Everything here is pure: a [`Line`] has the effects.

pub mod schedule;
mod silence;
mod step;

use std::time::Duration;

use crate::access_log::AccessLog;
use crate::config::StreamSettings;
use crate::reply::{Ended, Ending, StreamedReply, sse};
use crate::runtime::RunError;

use silence::{Due, Silence};
pub use step::Step;

/// The size at which a write is sent even if more bytes are ready.
const WRITE_SIZE: usize = 32 * 1024;

/// Whether the client is still connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// It is, as far as the host knows.
    Connected,
    /// It has closed its connection, or does not read.
    Disconnected,
}

/// The end of a wait.
#[derive(Debug)]
pub enum Wake {
    /// The next step of the run.
    Step(Step),
    /// The time limit of [`Line::limit`].
    Due,
    /// The client has disconnected.
    Disconnected,
}

/// The run and the client of a streamed reply.
pub trait Line {
    /// Waits for the next step, the time limit or a disconnect.
    fn wait(&mut self) -> impl Future<Output = Wake>;

    /// Returns the next step if it is ready.
    fn ready(&mut self) -> Option<Step>;

    /// Sends bytes in one write. A write that takes longer than the time limit is a
    /// disconnect.
    fn send(&mut self, bytes: Vec<u8>) -> impl Future<Output = Client>;

    /// Restarts the time limit: the stream is active.
    fn restart(&mut self);

    /// Sets the time limit of later waits and writes. It begins at the last restart, and
    /// again whenever it is reached. The earlier limit no longer ends a wait.
    fn limit(&mut self, limit: Duration);

    /// Returns the time, in seconds since 1970.
    fn now(&self) -> u64;

    /// Notes that the reply so far is sent in silence.
    fn note_progress(&mut self);

    /// Stops the run, which has this ending, sends the last bytes and ends the body.
    fn end(self, ending: Ending, bytes: Vec<u8>) -> impl Future<Output = Client>;

    /// Goes on without the client if the run does not depend on it, and returns how the run
    /// ended. Otherwise stops the run.
    fn leave(self) -> impl Future<Output = Option<Ending>>;
}

/// Waits for a run's first visible event, so that it is sent together with the head of
/// the response. An empty text begins the run but is not visible.
///
/// # Errors
/// A run that failed before its first event. The status can still report it.
pub async fn first_steps(line: &mut impl Line) -> Result<Vec<Step>, RunError> {
    let mut steps = Vec::new();
    loop {
        match line.wait().await {
            // The client of a response without a head cannot be probed.
            Wake::Due | Wake::Disconnected => return Ok(steps),
            Wake::Step(Step::Ended(Ending::Failed(error))) if steps.is_empty() => {
                return Err(error);
            }
            Wake::Step(step) => {
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
#[derive(Debug)]
pub struct Delivery {
    reply: StreamedReply,
    /// The bytes to send next.
    bytes: Vec<u8>,
    /// The ending of a run that has ended. Only the end of the reply follows.
    ended: Option<Ending>,
    log: AccessLog,
}

impl Delivery {
    /// Begins a reply with the bytes and steps that are sent together with the head.
    #[must_use]
    pub fn begin(
        reply: StreamedReply,
        bytes: Vec<u8>,
        first: Vec<Step>,
        line: &mut impl Line,
        log: AccessLog,
    ) -> Self {
        let mut delivery = Self {
            reply,
            bytes,
            ended: None,
            log,
        };
        if !first.iter().any(Step::is_visible) {
            delivery.bytes.extend(sse::HEARTBEAT);
        }
        for step in first {
            delivery.take(step);
        }
        delivery.gather(line);
        delivery
    }

    /// Forwards the run's steps until it ends or the client disconnects. A run without an
    /// event for the time `silence` has failed. A stream that has sent no event for the time
    /// `progress` sends the reply's progress instead of a heartbeat.
    pub async fn follow(
        mut self,
        mut line: impl Line,
        settings: &StreamSettings,
        silence: Duration,
        progress: Option<Duration>,
    ) {
        line.restart();
        let mut silent = Silence::new(settings.heartbeat, silence, progress);
        loop {
            if let Some(ended) = self.ended.take() {
                line.limit(settings.write_timeout);
                return self.end(ended, line).await;
            }
            if !self.bytes.is_empty() {
                line.limit(settings.write_timeout);
                if line.send(std::mem::take(&mut self.bytes)).await == Client::Disconnected {
                    break;
                }
                line.limit(silent.wait());
            }
            match line.wait().await {
                Wake::Disconnected => break,
                Wake::Due => match silent.due() {
                    Due::Failure => self.ended = Some(Ending::Failed(RunError::silent())),
                    Due::Progress => {
                        line.note_progress();
                        self.reply.progress(&mut self.bytes);
                    }
                    Due::Heartbeat => self.bytes.extend(sse::HEARTBEAT),
                },
                Wake::Step(step) => {
                    silent.step();
                    self.take(step);
                    self.gather(&mut line);
                    // Only bytes keep a proxy from closing the connection. Reasoning that the
                    // client does not see has none.
                    if !self.bytes.is_empty() {
                        silent.sent();
                        line.restart();
                    }
                }
            }
        }
        // Only the run goes on.
        drop((self.reply, self.bytes));
        self.log.client_gone();
        if let Some(ending) = line.leave().await {
            self.log.ending(ending);
        }
        self.log.write();
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Ended(ending) => self.ended = Some(ending),
            Step::Progress => self.reply.progress(&mut self.bytes),
            Step::Events(events) => {
                self.log.event();
                let bytes = &mut self.bytes;
                let mut events = events.into_iter();
                let shown = events.try_for_each(|event| self.reply.event(event, bytes));
                self.ended = shown.err().map(Ending::Failed);
            }
        }
    }

    /// Takes all ready events, so that one write sends them.
    fn gather(&mut self, line: &mut impl Line) {
        while self.ended.is_none()
            && self.bytes.len() < WRITE_SIZE
            && let Some(step) = line.ready()
        {
            self.take(step);
        }
    }

    /// Sends the remaining bytes together with the end of the reply.
    async fn end(self, ending: Ending, line: impl Line) {
        let Self {
            reply,
            mut bytes,
            ended: _,
            mut log,
        } = self;
        let Ended { result, memory } = reply.end(ending.clone(), || line.now(), &mut bytes);
        match result {
            Ok(Some(outcome)) => log.outcome(&outcome),
            Ok(None) => log.cancelled(),
            Err(response) => log.error(&response),
        }
        if line.end(ending, bytes).await == Client::Disconnected {
            log.client_gone();
        }
        drop(memory);
        log.write();
    }
}

#[cfg(test)]
mod tests;
