//! Follows the log of a run, which any instance may write.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use spin_sdk::time::sleep;
use tidegate_agent::task::yield_to_host;

use crate::access::UnixMillis;
use crate::delivery::Step;
use crate::reply::Ending;
use crate::run_log::{End, Entry, Lease, LogHead, LogReader, LogState, StoredLog};
use crate::runtime::RunError;

use super::random::nonce;
use super::store::Store;

/// The shortest time between two reads.
const OFTEN: Duration = Duration::from_millis(250);

/// The longest time between two reads, in silence.
const RARELY: Duration = Duration::from_secs(1);

/// The time in silence after which it is checked whether the run is under way.
const CHECK: Duration = Duration::from_secs(3);

/// Follows a log.
pub(crate) struct Follower {
    log: StoredLog<Store>,
    reader: LogReader<LogHead>,
    instance: Lease,
    steps: VecDeque<Step>,
    rest: Duration,
    silent: Duration,
    ended_at: Option<u64>,
}

impl Follower {
    /// Goes on where a reader is. `entries` are what it has read.
    pub(crate) fn new(
        log: StoredLog<Store>,
        reader: LogReader<LogHead>,
        instance: Lease,
        entries: Vec<Entry>,
    ) -> Self {
        let mut follower = Self {
            log,
            reader,
            instance,
            steps: VecDeque::new(),
            rest: OFTEN,
            silent: Duration::ZERO,
            ended_at: None,
        };
        follower.take(entries);
        follower
    }

    /// Returns when the run ended, in seconds since 1970.
    pub(crate) fn ended_at(&self) -> Option<u64> {
        self.ended_at
    }

    /// Returns the next step.
    pub(crate) async fn next_step(&mut self) -> Step {
        loop {
            if let Some(step) = self.steps.pop_front() {
                return step;
            }
            let Some((entries, follows)) = self.log.read(&mut self.reader) else {
                return failed("the store has failed");
            };
            let is_silent = entries.is_empty();
            self.take(entries);
            match self.reader.state() {
                LogState::Open if follows => yield_to_host().await,
                LogState::Open if is_silent => self.wait().await,
                LogState::Open => {
                    self.rest = OFTEN;
                    self.silent = Duration::ZERO;
                }
                LogState::Ended => {}
                LogState::Full | LogState::Broken if self.steps.is_empty() => {
                    return failed("the log of the run is incomplete");
                }
                LogState::Full | LogState::Broken => {}
            }
        }
    }

    /// Waits for more. The log of an instance that has stopped is ended.
    async fn wait(&mut self) {
        if self.silent >= CHECK {
            self.silent = Duration::ZERO;
            end_if_lost(&self.log, &self.reader, self.instance);
        }
        sleep(self.rest).await;
        self.silent += self.rest;
        self.rest = (self.rest * 2).min(RARELY);
    }

    fn take(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            let step = match entry {
                Entry::Event(event) => {
                    if let Some(Step::Events(events)) = self.steps.back_mut() {
                        events.push(event);
                        continue;
                    }
                    Step::Events(vec![event])
                }
                Entry::Progress => Step::Progress,
                Entry::End(End { ending, at }) => {
                    self.ended_at = Some(at);
                    Step::Ended(ending)
                }
            };
            self.steps.push_back(step);
        }
    }
}

fn failed(why: &str) -> Step {
    Step::Ended(Ending::Failed(RunError::Failed(why.to_owned())))
}

/// Ends the log of an instance that has stopped. Nobody carries out the run again.
pub(crate) fn end_if_lost(log: &StoredLog<Store>, reader: &LogReader<LogHead>, instance: Lease) {
    let now = UnixMillis::of(SystemTime::now());
    if instance.is_over(log.store(), now) != Some(true) {
        return;
    }
    let ending = match log.is_cancel_asked() {
        Some(true) => Ending::Cancelled,
        Some(false) | None => Ending::Failed(RunError::Failed(
            "the instance that carried out the run has stopped".to_owned(),
        )),
    };
    let at = now.seconds();
    log.end_for(reader, End { at, ending }, nonce());
}
