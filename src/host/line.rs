//! The run and the client of a streamed reply.

use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{Either, select};
use tidegate_agent::joined::{Clock as _, HostClock};

use crate::delivery::{Client, Line, Step, Wake};
use crate::reply::Ending;
use crate::runtime::RunError;

use super::clock::{Alarm, Watch};
use super::outgoing::Body;
use super::runtime::Run;

/// The run, the watch and, after the head of the response, the body.
pub(crate) struct HostLine {
    run: Run,
    watch: Watch,
    /// Whether the run was cancelled during a write.
    is_cancelled: bool,
}

impl HostLine {
    /// Begins with a time limit for the first event.
    pub(crate) fn new(run: Run, limit: Duration) -> Self {
        let watch = Watch::new(limit);
        run.on_cancel(|| Box::new(watch.cancel()));
        Self {
            run,
            watch,
            is_cancelled: false,
        }
    }

    /// Takes the body to write to it, unless the client has disconnected. A step of the run
    /// may be ready at the same moment, and comes first.
    fn body(&mut self) -> Option<Body> {
        let is_disconnected = self.watch.is_disconnected();
        let body = self.watch.take_body();
        body.filter(|_| !is_disconnected)
    }

    fn cancelled(&mut self) -> Wake {
        self.run.record(&Step::Ended(Ending::Cancelled));
        Wake::Step(Step::Ended(Ending::Cancelled))
    }

    /// Stops the run, and returns when it ended, in seconds since 1970.
    pub(crate) fn stop(mut self, ending: &Ending) -> u64 {
        self.run.record(&Step::Ended(ending.clone()));
        self.run.ended_at()
    }

    /// Goes on until the end of the run, without a client, and returns how it ended.
    pub(crate) async fn go_on(&mut self, longest: Duration) -> Ending {
        let end = HostClock::now() + longest;
        let too_long =
            || RunError::TimedOut("the run is longer than `tidegate.runs.longest`".to_owned());
        self.watch.take_body();
        loop {
            self.watch.restart();
            self.watch.limit(end.saturating_sub(HostClock::now()));
            match self.wait().await {
                Wake::Step(Step::Ended(ending)) => return ending,
                Wake::Step(Step::Events(_) | Step::Progress) | Wake::Disconnected => {}
                Wake::Due => {
                    let ending = Ending::Failed(too_long());
                    self.run.record(&Step::Ended(ending.clone()));
                    return ending;
                }
            }
        }
    }

    /// Adds the body of the response.
    pub(crate) fn open(&mut self, body: Body) {
        self.watch.put_body(body);
    }
}

impl Line for HostLine {
    async fn wait(&mut self) -> Wake {
        if std::mem::take(&mut self.is_cancelled) {
            return self.cancelled();
        }
        let Self { run, watch, .. } = self;
        let alarm = match select(pin!(run.next_step()), pin!(watch.alarm())).await {
            Either::Left((step, _)) => return Wake::Step(step),
            Either::Right((alarm, _)) => alarm,
        };
        match alarm {
            Alarm::Due => Wake::Due,
            Alarm::Disconnected => Wake::Disconnected,
            Alarm::Cancelled => self.cancelled(),
        }
    }

    fn ready(&mut self) -> Option<Step> {
        self.run.next_step().now_or_never()
    }

    async fn send(&mut self, bytes: Vec<u8>) -> Client {
        let Some(mut body) = self.body() else {
            return Client::Disconnected;
        };
        let Self {
            run,
            watch,
            is_cancelled,
        } = self;
        let sending = until_alarm(watch, body.send(bytes), is_cancelled);
        let sent = run.place.while_held(sending).await;
        // The clock must not probe a body that the client does not read.
        if sent == Client::Connected {
            self.watch.put_body(body);
        }
        sent
    }

    fn restart(&mut self) {
        self.watch.restart();
    }

    fn limit(&mut self, limit: Duration) {
        self.watch.limit(limit);
    }

    fn now(&self) -> u64 {
        self.run.ended_at()
    }

    fn note_progress(&mut self) {
        self.run.record(&Step::Progress);
    }

    async fn leave(mut self) -> Option<Ending> {
        if let Some(longest) = self.run.longest() {
            return Some(self.go_on(longest).await);
        }
        self.run.record(&Step::Ended(Ending::Cancelled));
        None
    }

    async fn end(mut self, ending: Ending, bytes: Vec<u8>) -> Client {
        let body = self.body();
        self.run.record(&Step::Ended(ending));
        // A run that the reply has ended is cancelled first.
        drop(self.run);
        let Some(mut body) = body else {
            return Client::Disconnected;
        };
        let sending = async move {
            let sent = body.send(bytes).await;
            if sent == Client::Connected {
                body.end().await;
            }
            sent
        };
        until_alarm(&mut self.watch, sending, &mut self.is_cancelled).await
    }
}

/// Waits for the end of a write. A write that takes too long is a disconnect. A cancellation
/// waits for the write, and `is_cancelled` remembers it.
async fn until_alarm(
    watch: &mut Watch,
    writing: impl Future<Output = Client>,
    is_cancelled: &mut bool,
) -> Client {
    let mut writing = pin!(writing);
    loop {
        match select(writing.as_mut(), pin!(watch.alarm())).await {
            Either::Left((client, _)) => return client,
            Either::Right((Alarm::Cancelled, _)) => *is_cancelled = true,
            Either::Right((Alarm::Due | Alarm::Disconnected, _)) => return Client::Disconnected,
        }
    }
}
