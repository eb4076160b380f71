//! Writes the log of a run while it is under way.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use spin_sdk::time::sleep;

use crate::access::UnixMillis;
use crate::access_log;
use crate::delivery::Step;
use crate::reply::{Ending, ReplyHead};
use crate::run_log::{End, Entry, LogHead, LogPlan, LogWriter, StoredLog};
use crate::runtime::RunError;

use super::keeper::{self, Cancel, Registration};
use super::random::nonce;
use super::store::{self, Store};

/// How long steps are joined, before they are written.
const JOIN: Duration = Duration::from_millis(250);

/// Writes the log of a run.
pub(crate) struct Recorder {
    log: StoredLog<Store>,
    writer: LogWriter,
    expiry: UnixMillis,
    /// The pieces that can be found.
    registered: u32,
    registration: Registration,
    /// Waits for the next write.
    timer: Option<Pin<Box<dyn Future<Output = ()>>>>,
    longest: Option<Duration>,
    /// When the run ended, in seconds since 1970.
    ended_at: Option<u64>,
}

impl Recorder {
    /// Begins the log of a run. Returns `None` if the store has failed.
    pub(crate) fn begin(plan: LogPlan, reply: ReplyHead) -> Option<(Self, ReplyHead)> {
        let log = StoredLog::new(store::open()?, plan.cipher, plan.keys);
        let expiry = UnixMillis::of(SystemTime::now()) + plan.lifetime;
        let head = LogHead {
            id: plan.id,
            reply,
            instance: keeper::instance().instance(),
            is_kept: true,
            background: plan.background,
            expiry,
        };
        let mut recorder = Self {
            writer: LogWriter::begin(&head, plan.limit)?,
            registration: Registration::begin(log.clone())?,
            log,
            expiry,
            registered: 0,
            timer: None,
            longest: plan.background.then_some(plan.longest),
            ended_at: None,
        };
        recorder.write()?;
        Some((recorder, head.reply))
    }

    /// Sets the function that is called when the run is to be cancelled.
    pub(crate) fn on_cancel(&self, cancel: Cancel) {
        self.registration.on_cancel(cancel);
    }

    /// Returns how long the run goes on without a client, if it does.
    pub(crate) fn longest(&self) -> Option<Duration> {
        self.longest
    }

    /// Returns when the run ended, in seconds since 1970.
    pub(crate) fn ended_at(&self) -> Option<u64> {
        self.ended_at
    }

    /// Adds a step, which is written soon.
    pub(crate) fn add(&mut self, step: &Step) {
        match step {
            Step::Events(events) => {
                for event in events {
                    self.writer.add(&Entry::Event(event.clone()));
                }
            }
            Step::Progress => self.writer.add(&Entry::Progress),
            Step::Ended(ending) => return self.end(ending.clone()),
        }
        if self.timer.is_none() && self.writer.has_more() {
            self.timer = Some(Box::pin(sleep(JOIN)));
        }
    }

    /// Ends the log. Only the first ending counts, and another instance may have been first.
    fn end(&mut self, ending: Ending) {
        self.timer = None;
        if self.writer.is_over() {
            self.flush();
            return;
        }
        match self.log.claim_end() {
            Some(true) => {
                let at = UnixMillis::of(SystemTime::now()).seconds();
                self.ended_at = Some(at);
                self.writer.end(End { at, ending });
            }
            Some(false) => self.writer.give_up(),
            None => self.writer.break_off(),
        }
        self.flush();
    }

    /// Writes the steps, if it is time.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) {
        if let Some(timer) = &mut self.timer
            && timer.as_mut().poll(context) == Poll::Ready(())
        {
            self.timer = None;
            self.flush();
        }
    }

    /// Writes everything. After a failure, the log is incomplete.
    fn flush(&mut self) {
        if !keeper::may_write() {
            // Another instance has ended the run by now.
            self.writer.give_up();
        } else if self.write().is_none() && !self.writer.is_over() {
            access_log::notice("the log of a run is incomplete, because the store has failed");
            self.writer.break_off();
            self.write();
        }
    }

    fn write(&mut self) -> Option<()> {
        let pieces = self.writer.take();
        self.log
            .write(&pieces, self.expiry, nonce, &mut self.registered)
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if !self.writer.is_over() {
            let error = RunError::Failed("the run was stopped".to_owned());
            self.end(Ending::Failed(error));
        }
    }
}
